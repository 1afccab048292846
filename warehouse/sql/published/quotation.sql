-- As quoted; each with who is quoted and where.
SELECT *
FROM harmonised.quotation
ORDER BY ref_area, time_period, offence, return_id
