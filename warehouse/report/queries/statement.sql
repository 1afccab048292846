-- What countries say themselves, unedited.
SELECT
    statement_id, ref_area, area_name, about, language, author, strftime(received_at, '%Y-%m-%d') AS received_day,
    statement_text, sha256
FROM published.statement
ORDER BY area_name, received_day, statement_id
