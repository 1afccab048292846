-- All that a pooled estimate learnt the share with a case file from, under one id.
SELECT
    pool_id,
    source_id,
    ref_area,
    offence_scheme,
    offence,
    count(*)::BIGINT AS evidence_count,
    sum(answers) AS answers,
    string_agg(evidence_id, ' ' ORDER BY evidence_id) AS input_ids
FROM estimates.pool_evidence
GROUP BY ALL
ORDER BY pool_id
