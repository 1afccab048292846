-- How many of those grades change where a rule's points move by one.
FROM quality.grade_sensitivity ORDER BY rule, use, step
