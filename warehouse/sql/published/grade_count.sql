-- How many pairs of countries' figures have which grade.
FROM quality.grade_count ORDER BY act, use, grade
