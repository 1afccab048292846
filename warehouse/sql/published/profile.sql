-- Profiles of figures, fact by fact.
FROM quality.profile ORDER BY profile_id, fact
