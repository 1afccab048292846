-- Every snapshot there is, and whether its figures are the ones in use.
SELECT
    snapshot_id,
    source_id,
    publisher,
    table_title,
    edition,
    vintage,
    row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage DESC, retrieved_at DESC, snapshot_id) = 1 AS latest,
    source_type,
    language,
    url,
    file_name,
    sha256,
    retrieved_at,
    licence,
    citation,
    rows_read,
    returns_accepted,
    returns_rejected
FROM raw.snapshot
ORDER BY source_id, edition, vintage
