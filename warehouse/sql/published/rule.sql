-- The rules of comparability.
FROM quality.rule ORDER BY rule
