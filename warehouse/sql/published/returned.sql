-- Every figure as its publisher printed it, of every vintage, with the place where it stands.
SELECT *
FROM returns.observation
ORDER BY source_id, snapshot_id, table_id, ref_area, offence, measure, time_period, return_id
