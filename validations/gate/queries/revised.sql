-- Figures that a newer file states quite otherwise, without a note that explains it: one row each, and one for all others
-- of a table. Quite otherwise: by more than half, of the smaller of the two, and by more than 10. Small counts double by
-- chance, so 10 counts or percentage points are let pass; rates of money have no such slack. What a country sends anew it
-- answers for itself.
WITH judged AS (
    SELECT
        *,
        if(measure IN ('exchange_rate', 'purchasing_power_parity'), 0, 10) AS slack,
        explanation = ''
        AND abs(difference) > slack
        AND greatest(value_before, value_after) > 1.5 * least(value_before, value_after) AS is_unexplained
    FROM published.revision
    WHERE change = 'revised' AND difference IS NOT NULL AND source_id NOT IN (
        SELECT source_id FROM published.source WHERE source_type IN ('country_return', 'country_adjustment', 'firm_return', 'quotation')
    )
)
SELECT
    source_id,
    edition,
    vintage_before,
    vintage_after,
    if(is_unexplained, ref_area, '') AS ref_area,
    if(is_unexplained, offence, '') AS offence,
    if(is_unexplained, measure, '') AS measure,
    if(is_unexplained, time_period, '') AS time_period,
    if(is_unexplained, return_id_after, '') AS return_id_after,
    if(is_unexplained, any_value(value_before), NULL) AS value_before,
    if(is_unexplained, any_value(value_after), NULL) AS value_after,
    if(is_unexplained, 'revised by more than half', NULL) AS problem
FROM judged
GROUP BY source_id, edition, vintage_before, vintage_after, is_unexplained, 5, 6, 7, 8, 9
ORDER BY ALL
