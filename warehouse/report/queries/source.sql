-- Every table of a publisher, with its terms.
SELECT
    source_id,
    publisher,
    table_title,
    licence,
    max(vintage) AS vintage,
    sum(returns_accepted)::BIGINT AS cell_count
FROM published.source
GROUP BY source_id, publisher, table_title, licence
ORDER BY publisher, table_title, licence
