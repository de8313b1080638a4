-- Nothing to do: an index of SQLite ends with the row's number, which is the position, so log_by_record has them in their order.
SELECT 1;
