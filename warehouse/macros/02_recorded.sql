-- What authorities counted of an act in an area: offences, cases, case files, complaints or reports, as `measure` says.
-- Headings and sources overlap, so that rows do not add up.
CREATE MACRO published.recorded(area, wanted_act) AS TABLE
SELECT
    time_period,
    obs_value,
    measure,
    relation,
    offence,
    recorder,
    territory,
    source_id,
    obs_statuses,
    comment_codes,
    observation_id
FROM published.figure
WHERE ref_area = area
    AND act = wanted_act
    AND measure IN (
        'recorded_offences', 'recorded_cases', 'case_files', 'complaints', 'scam_reports', 'security_incidents'
    )
ORDER BY source_id, offence, measure, recorder, territory, time_period, observation_id
-- For example: SELECT time_period, source_id, offence, relation, measure, obs_value FROM published.recorded('DEU',
-- 'B1') WHERE time_period = '2022'
