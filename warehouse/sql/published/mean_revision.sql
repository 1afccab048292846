-- Mean revision (bias), mean absolute revision, and that relative to the later figures, for every two vintages of a table:
-- the measures of revision analysis at the OECD and Eurostat (docs/methods/revisions.md). Of figures that both give.
WITH pair AS (
    SELECT
        a.source_id,
        a.edition,
        a.measure,
        a.unit_measure,
        b.vintage AS vintage_before,
        a.vintage AS vintage_after,
        a.obs_value AS later,
        abs(a.obs_value - b.obs_value) > greatest(a.rounding, b.rounding) * (1 + 1e-9) AS is_revised,
        -- The same figure with fewer decimals is not revised.
        if(is_revised, a.obs_value - b.obs_value, 0) AS revision
    FROM published.revision_triangle AS a
    JOIN published.revision_triangle AS b USING (first_return_id)
    WHERE b.vintage < a.vintage AND is_revised IS NOT NULL
),
vintage AS (
    SELECT source_id, edition, vintage, row_number() OVER (PARTITION BY source_id, edition ORDER BY vintage) AS place
    FROM (SELECT DISTINCT source_id, edition, vintage FROM raw.snapshot)
)
SELECT
    p.source_id,
    p.edition,
    p.measure,
    p.unit_measure,
    p.vintage_before,
    p.vintage_after,
    any_value(a.place - b.place) - 1 AS vintages_between_count,
    count(*) AS figure_count,
    count(*) FILTER (is_revised) AS revised_count,
    100 * revised_count / figure_count AS revised_pct,
    avg(revision) AS mean_revision,
    avg(abs(revision)) AS mean_absolute_revision,
    sum(abs(revision)) / nullif(sum(abs(later)), 0) AS relative_mean_absolute_revision
FROM pair AS p
JOIN vintage AS b ON b.source_id = p.source_id AND b.edition = p.edition AND b.vintage = p.vintage_before
JOIN vintage AS a ON a.source_id = p.source_id AND a.edition = p.edition AND a.vintage = p.vintage_after
GROUP BY p.source_id, p.edition, p.measure, p.unit_measure, p.vintage_before, p.vintage_after
ORDER BY p.source_id, p.edition, p.measure, p.unit_measure, p.vintage_before, p.vintage_after
