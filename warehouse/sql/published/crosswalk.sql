-- Publishers' codes, and what each is to the acts, in SKOS too.
SELECT x.*, r.skos
FROM reference.crosswalk AS x
JOIN reference.relation AS r USING (relation)
ORDER BY x.scheme, x.code, x.valid_from
