-- How many countries and areas report cyber acts apart to the United Nations (UN-CTS), over all regions: one row.
WITH region AS (
    SELECT
        coalesce(sum(collecting_count), 0)::BIGINT AS collecting_count,
        coalesce(sum(area_count), 0)::BIGINT AS area_count
    FROM published.balance
    WHERE collection = 'unodc_cts' AND dimension = 'region'
),
act AS (
    SELECT count(DISTINCT act) AS act_count
    FROM (SELECT unnest(string_split(acts, '|')) AS act FROM published.collector WHERE source_id = 'unodc_cts')
)
SELECT
    region.*,
    act.act_count,
    (SELECT count(*) FROM published.collector WHERE source_id = 'unodc_cts' AND act_count = act.act_count) AS all_acts_count,
    (SELECT count(*) FROM published.collector WHERE source_id = 'unodc_cts' AND latest_act_count > 0) AS latest_count,
    (SELECT max(last_period) FROM published.collector WHERE source_id = 'unodc_cts') AS latest_year
FROM region, act
