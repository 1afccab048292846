-- Of each use: the best grade that any pair has, and how many pairs may be compared, if with care, or stand side by side.
SELECT
    use,
    min(grade) AS best_grade,
    coalesce(sum(pair_count) FILTER (grade <= 'C'), 0)::BIGINT AS comparable_count,
    coalesce(sum(pair_count) FILTER (grade = 'D'), 0)::BIGINT AS side_by_side_count,
    sum(pair_count)::BIGINT AS pair_count
FROM published.grade_count
GROUP BY use
ORDER BY list_position(['level', 'ratio', 'trend', 'coverage'], use)
