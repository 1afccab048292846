-- What is known of the share with a case file in the parts of an area, and in what is left of it without them.
SELECT * FROM estimates.pool_evidence ORDER BY offence, time_period, part
