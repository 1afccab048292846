-- What adds up and what does not.
SELECT *
FROM quality.reconciliation
ORDER BY reconciliation, ref_area, time_period
