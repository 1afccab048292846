-- Grades of pairs of profiles, for each use.
FROM quality.pair_grade ORDER BY profile_a, profile_b, use
