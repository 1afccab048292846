-- How many pairs of figures, of two countries in one year, have which grade for which use.
SELECT
    use,
    grade,
    sum(pair_count)::BIGINT AS pair_count,
    100 * sum(pair_count) / sum(sum(pair_count)) OVER (PARTITION BY use) AS share_pct
FROM published.grade_count
GROUP BY use, grade
ORDER BY list_position(['level', 'ratio', 'trend', 'coverage'], use), grade
