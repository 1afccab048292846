-- All that the pooled estimates of an offence learnt from, under one id.
SELECT * FROM estimates.pool ORDER BY pool_id
