-- Which roles are below which, at any depth: computed from the records of `roles`. Whoever has a role sees what belongs to
-- users of the roles below it.
CREATE TABLE role_reach (
    role  INTEGER NOT NULL,
    below INTEGER NOT NULL,
    PRIMARY KEY (below, role)
) WITHOUT ROWID;
