-- Whom of that provider's people the user is bound to once the second factor was given. NULL: nobody, or that is so already.
ALTER TABLE sign_in_steps ADD COLUMN subject TEXT COLLATE "C";
