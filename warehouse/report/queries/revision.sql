-- What changed in each table between two vintages, by size: shares of the figures of the newer vintage.
WITH newer AS (
    SELECT source_id, edition, vintage, max(returns_accepted) AS figure_count FROM published.source GROUP BY ALL
),
sized AS (
    SELECT
        source_id, edition, vintage_before, vintage_after,
        CASE
            WHEN change <> 'revised' THEN change
            WHEN abs(difference_pct) < 1 THEN 'revised by less than 1 %'
            WHEN abs(difference_pct) <= 10 THEN 'revised by 1 to 10 %'
            ELSE 'revised by more'
        END AS label
    FROM published.revision
)
SELECT
    s.source_id, any_value(p.publisher) AS publisher, any_value(p.table_title) AS table_title, s.edition,
    s.vintage_before, s.vintage_after, s.label, count(*) AS change_count, n.figure_count,
    100 * count(*) / n.figure_count AS share_pct
FROM sized AS s
LEFT JOIN newer AS n ON n.source_id = s.source_id AND n.edition = s.edition AND n.vintage = s.vintage_after
LEFT JOIN (SELECT DISTINCT source_id, publisher, table_title FROM published.source) AS p ON p.source_id = s.source_id
GROUP BY s.source_id, s.edition, s.vintage_before, s.vintage_after, s.label, n.figure_count
ORDER BY s.source_id, s.edition, s.vintage_after,
    list_position(
        [
            'revised by less than 1 %', 'revised by 1 to 10 %', 'revised by more', 'restated', 'added', 'withdrawn'
        ],
        s.label
    )
