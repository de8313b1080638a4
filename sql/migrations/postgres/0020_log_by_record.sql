-- The events of a record in their order, from any of them on: an undoing asks whether its operation goes on with it.
DROP INDEX log_by_record;
CREATE INDEX log_by_record ON log (module, record, position);
