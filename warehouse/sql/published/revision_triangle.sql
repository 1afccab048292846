-- Every figure that two or more vintages of its table give, vintage by vintage. A vintage that came in twice stands as it is
-- in use; a figure is the same where its area, period, offence and all other dimensions are.
WITH vintage AS (
    SELECT source_id, edition, vintage, arg_max(snapshot_id, (retrieved_at, snapshot_id)) AS snapshot_id
    FROM raw.snapshot
    GROUP BY source_id, edition, vintage
    QUALIFY count(*) OVER (PARTITION BY source_id, edition) > 1
),
figure AS (
    SELECT
        v.edition,
        v.vintage,
        f.*,
        obs_value * 10.0 ** unit_mult AS whole_value,
        -- Half a unit of the last printed digit, in whole units.
        0.5 * 10.0 ** (unit_mult - length(rtrim(split_part(obs_value::VARCHAR, '.', 2), '0'))) AS rounding,
        md5(concat_ws(
            '|', ref_area, time_period, offence, measure, unit_measure, base_measure, reason, sex, age, population,
            size_emp, recorder, territory, breakdown, table_id
        )) AS figure_key
    FROM vintage AS v
    JOIN returns.observation AS f USING (source_id, snapshot_id)
)
SELECT
    source_id,
    edition,
    ref_area,
    offence,
    measure,
    unit_measure,
    time_period,
    vintage,
    row_number() OVER succession - 1 AS vintage_lag_count,
    whole_value AS obs_value,
    obs_status,
    rounding,
    whole_value - first(whole_value) OVER succession AS difference_to_first,
    whole_value - lag(whole_value) OVER succession AS difference_to_previous,
    first(return_id) OVER succession AS first_return_id,
    return_id
FROM figure
WINDOW succession AS (PARTITION BY source_id, edition, figure_key ORDER BY vintage)
QUALIFY count(*) OVER (PARTITION BY source_id, edition, figure_key) > 1
ORDER BY source_id, edition, ref_area, offence, measure, unit_measure, time_period, first_return_id, vintage
