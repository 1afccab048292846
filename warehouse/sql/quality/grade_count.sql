-- How many pairs of figures of two countries, of one act in one year, have which grade for which use.
SELECT m.act, g.use, g.grade, sum(m.country_pair_count)::BIGINT AS pair_count
FROM quality.pair_met AS m
JOIN quality.pair_grade AS g USING (profile_a, profile_b)
WHERE m.country_pair_count > 0
GROUP BY ALL
ORDER BY ALL
