-- What changed between vintages.
SELECT *
FROM harmonised.revision
ORDER BY ALL
