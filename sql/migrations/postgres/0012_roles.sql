-- Which roles are below which, at any depth: computed from the records of `roles`. Whoever has a role sees what belongs to
-- users of the roles below it.
CREATE TABLE role_reach (
    role  BIGINT NOT NULL,
    below BIGINT NOT NULL,
    PRIMARY KEY (below, role)
);
-- The newest event that changed a user's role, or the tree of roles: until there is another, what is known of them holds.
CREATE TABLE ranks_at (
    id       BIGINT PRIMARY KEY CHECK (id = 1),
    position BIGINT NOT NULL
);
