-- The change log is filtered by its marks (search.db), which no save waits for. Nothing asks for this index any more.
DROP INDEX log_by_actor;
