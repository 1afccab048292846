-- Money that people of an area told authorities they lost, or that was held or refunded: in its own currency and year,
-- and in two common ones. Only what was told; wholes stand beside their parts, so that rows do not add up.
CREATE MACRO published.losses_of(area) AS TABLE
SELECT
    l.time_period,
    l.offence,
    l.measure,
    l.amount,
    l.currency,
    l.price_year,
    l.amount_usd,
    l.amount_international_usd,
    o.age,
    o.sex,
    o.breakdown,
    l.source_id,
    o.obs_statuses,
    o.comment_codes,
    l.observation_id
FROM published.loss AS l
JOIN published.observation AS o USING (observation_id)
WHERE l.ref_area = area
ORDER BY l.source_id, l.measure, l.offence, l.time_period, o.age, o.sex, o.breakdown, l.observation_id
-- For example: SELECT offence, amount, currency, amount_international_usd FROM published.losses_of('USA') WHERE
-- time_period = '2020'
