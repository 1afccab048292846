-- What the codes in the estimates' column `assumptions` mean, and what would break each.
SELECT * FROM reference.assumption ORDER BY assumption
