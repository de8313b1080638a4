-- Which roles are below which, at any depth: computed from the records of `roles`. Whoever has a role sees what belongs to
-- users of the roles below it.
CREATE TABLE role_reach (
    role  INTEGER NOT NULL,
    below INTEGER NOT NULL,
    PRIMARY KEY (below, role)
) WITHOUT ROWID;
-- The newest event that changed a user's role, or the tree of roles: until there is another, what is known of them holds.
CREATE TABLE ranks_at (
    id       INTEGER PRIMARY KEY CHECK (id = 1),
    position INTEGER NOT NULL
);
