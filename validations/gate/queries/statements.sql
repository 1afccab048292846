-- Countries' statements whose text is not the one that was received; and one row for the others.
SELECT
    if(is_edited, statement_id, '') AS statement_id,
    if(is_edited, 'its text is not the one that was received', NULL) AS problem,
    count(*) AS rows_looked_at
FROM (SELECT *, sha256(statement_text) <> sha256 AS is_edited FROM published.statement)
GROUP BY ALL
ORDER BY ALL
