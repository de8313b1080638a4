-- Which roles are below which, at any depth: computed from the records of `roles`. Whoever has a role sees what belongs to
-- users of the roles below it.
CREATE TABLE role_reach (
    role  BIGINT NOT NULL,
    below BIGINT NOT NULL,
    PRIMARY KEY (below, role)
);
