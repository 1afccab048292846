-- The figures that may be compared, one row for each act that their heading stands for, and every fact about how they
-- came to be. Stated facts come from reference.recording_practice, where the row that says most about the figure wins;
-- what nobody states is `unknown`, what does not apply to the kind of figure is `not_applicable`. The others are deduced.
WITH stated_elsewhere AS (
    -- Figures that a publisher states outside of the tables that are taken: a whole whose parts alone were taken.
    SELECT
        'S-' || left(md5(r.reconciliation), 12) AS observation_id,
        s.source_id,
        r.stated_area AS ref_area,
        r.stated_period AS time_period,
        make_date(r.stated_period::INTEGER, 1, 1) AS start_date,
        make_date(r.stated_period::INTEGER, 12, 31) AS end_date,
        r.whole_scheme AS offence_scheme,
        x.code AS offence,
        x.act,
        x.relation,
        r.whole_measure AS measure,
        'NR' AS unit_measure,
        r.stated_count::DOUBLE AS obs_value,
        'A' AS obs_status
    FROM reference.reconciliation AS r
    JOIN reference.crosswalk AS x
        ON x.scheme = r.whole_scheme
        AND x.code = r.whole_offences
        AND x.valid_from <= r.stated_period || '-01-01'
        AND (x.valid_to = '' OR x.valid_to >= r.stated_period || '-01-01')
    JOIN (SELECT DISTINCT source_id, offence_scheme FROM raw.snapshot) AS s ON s.offence_scheme = r.whole_scheme
    WHERE r.stated_count <> ''
),
published AS (
    SELECT
        observation_id, source_id, ref_area, time_period, start_date, end_date, offence_scheme, offence, act, relation,
        measure, population, recorder, territory, unit_measure, obs_value, obs_status, ci_lower, ci_upper, cv_lower_pct,
        cv_upper_pct
    FROM harmonised.observation
    WHERE act <> ''
        AND obs_value IS NOT NULL
        AND unit_measure <> 'PC'
        AND reason = '_Z'
        AND sex = '_T'
        AND age = '_T'
        AND size_emp = '_T'
        AND breakdown = '_T'
        -- Months are in their years.
        AND NOT regexp_full_match(time_period, '\d{4}-\d{2}')
),
compared AS (FROM published UNION ALL BY NAME FROM stated_elsewhere),
-- Whose figures they are: a country's, or those of a part that stands for itself since the whole has none of its own,
-- as the three jurisdictions of the United Kingdom do.
whose AS (
    SELECT
        a.ref_area,
        coalesce(nullif(p.parent_area, ''), nullif(a.parent_area, ''), a.ref_area) AS whole,
        CASE WHEN p.parent_area <> '' THEN p.ref_area ELSE a.ref_area END AS part,
        CASE WHEN whole IN (SELECT ref_area FROM compared) THEN whole ELSE part END AS country
    FROM reference.area AS a
    LEFT JOIN reference.area AS p ON p.ref_area = a.parent_area
),
figure AS (
    SELECT
        f.observation_id,
        f.source_id,
        f.ref_area,
        w.country,
        f.ref_area = w.country AS is_national,
        f.time_period,
        f.start_date,
        f.end_date,
        -- A financial year is held against the calendar year that most of it lies in.
        year(f.start_date + ((f.end_date - f.start_date) // 2)::INTEGER) AS year,
        f.offence_scheme,
        f.offence,
        unnest(string_split(f.act, '|')) AS act,
        f.act LIKE '%|%' AS several_acts,
        f.relation,
        f.measure,
        m.source_kind,
        m.measure_type,
        replace(m.unit_of_count, ' ', '_') AS unit_of_measure,
        coalesce(f.population, '_T') AS population,
        coalesce(f.recorder, '_T') AS recorder,
        coalesce(f.territory, '_T') AS territory,
        f.unit_measure,
        f.obs_value,
        f.obs_status,
        CASE
            WHEN m.source_kind NOT IN ('survey', 'enterprise_survey') THEN 'not_applicable'
            WHEN f.ci_upper - f.ci_lower > f.obs_value THEN 'wide'
            WHEN f.ci_upper IS NOT NULL AND f.ci_lower IS NOT NULL THEN 'stated'
            WHEN f.cv_lower_pct IS NOT NULL AND coalesce(1.96 * f.cv_upper_pct > 50, true) THEN 'wide'
            WHEN f.cv_lower_pct IS NOT NULL THEN 'stated'
            ELSE 'unknown'
        END AS precision
    FROM compared AS f
    JOIN reference.measure AS m USING (measure)
    JOIN whose AS w USING (ref_area)
    WHERE m.source_kind <> ''
),
scope AS (
    SELECT DISTINCT source_id, source_kind, ref_area, country, offence, start_date, end_date FROM figure
),
fact_of_kind AS (
    SELECT
        k.source_kind,
        f.fact,
        list_contains(string_split(f.applies_to, '|'), k.source_kind) AS applies,
        f.fact IN ('separability', 'unit_of_count', 'reference_period') AS deducible
    FROM reference.fact AS f
    CROSS JOIN (SELECT DISTINCT source_kind FROM scope) AS k
    WHERE f.applies_to <> 'derived'
),
-- By an inner join, which DuckDB makes by the equal columns: a left join on such terms holds every row against every row.
said AS (
    SELECT
        s.source_id,
        s.source_kind,
        s.ref_area,
        s.offence,
        s.start_date,
        s.end_date,
        p.fact,
        arg_max(
            p.value,
            8 * (p.offence <> '')::INTEGER
            + 4 * (p.ref_area = s.ref_area)::INTEGER
            + 2 * (p.ref_area <> '')::INTEGER
            + (p.source_kind <> '')::INTEGER
            + 0.5 * (p.valid_from <> '' OR p.valid_to <> '')::INTEGER
        ) AS value
    FROM scope AS s
    JOIN reference.recording_practice AS p
        ON p.source_id = s.source_id
        AND p.source_kind IN ('', s.source_kind)
        AND p.ref_area IN ('', s.ref_area, s.country)
        AND p.offence IN ('', s.offence)
        AND p.valid_from <= s.start_date::VARCHAR
        AND (p.valid_to = '' OR p.valid_to >= s.end_date::VARCHAR)
    GROUP BY ALL
),
resolved AS (
    SELECT
        s.source_id,
        s.source_kind,
        s.ref_area,
        s.offence,
        s.start_date,
        s.end_date,
        k.fact,
        CASE WHEN k.applies THEN coalesce(p.value, CASE WHEN NOT k.deducible THEN 'unknown' END) ELSE 'not_applicable' END
            AS value
    FROM scope AS s
    JOIN fact_of_kind AS k USING (source_kind)
    LEFT JOIN said AS p USING (source_id, source_kind, ref_area, offence, start_date, end_date, fact)
),
stated AS (
    SELECT
        source_id, source_kind, ref_area, offence, start_date, end_date,
        max(value) FILTER (fact = 'legal_scope') AS legal_scope,
        max(value) FILTER (fact = 'attempts') AS attempts,
        max(value) FILTER (fact = 'participation') AS participation,
        max(value) FILTER (fact = 'unit_of_count') AS unit_of_count,
        max(value) FILTER (fact = 'counting_stage') AS counting_stage,
        max(value) FILTER (fact = 'principal_offence_rule') AS principal_offence_rule,
        max(value) FILTER (fact = 'booked_elsewhere') AS booked_elsewhere,
        max(value) FILTER (fact = 'serial_rule') AS serial_rule,
        max(value) FILTER (fact = 'continuing_rule') AS continuing_rule,
        max(value) FILTER (fact = 'separability') AS separability,
        max(value) FILTER (fact = 'territory_rule') AS territory_rule,
        max(value) FILTER (fact = 'geographic_coverage') AS geographic_coverage,
        max(value) FILTER (fact = 'institutional_coverage') AS institutional_coverage,
        max(value) FILTER (fact = 'channels') AS channels,
        max(value) FILTER (fact = 'channel_overlap') AS channel_overlap,
        max(value) FILTER (fact = 'classification_version') AS classification_version,
        max(value) FILTER (fact = 'classification_bridge') AS classification_bridge,
        max(value) FILTER (fact = 'denominator') AS denominator,
        max(value) FILTER (fact = 'survey_mode') AS survey_mode,
        max(value) FILTER (fact = 'recall_window') AS recall_window,
        max(value) FILTER (fact = 'age_range') AS age_range,
        max(value) FILTER (fact = 'question_version') AS question_version,
        max(value) FILTER (fact = 'enterprise_size_floor') AS enterprise_size_floor,
        max(value) FILTER (fact = 'sector_scope') AS sector_scope,
        max(value) FILTER (fact = 'loss_concept') AS loss_concept,
        max(value) FILTER (fact = 'reply_state') AS reply_state,
        max(value) FILTER (fact = 'reference_period') AS reference_period,
        count(*) FILTER (value IS DISTINCT FROM 'not_applicable') AS facts_applying,
        count(*) FILTER (value NOT IN ('unknown', 'not_applicable') OR value IS NULL) AS facts_known
    FROM resolved
    GROUP BY ALL
),
-- The law at both ends of the period. Of several laws on one act the one that is in force counts.
law AS (
    SELECT
        f.ref_area,
        f.act,
        f.start_date,
        f.end_date,
        CASE
            WHEN bool_or(c.criminalised AND c.from_date <= f.start_date AND c.to_date >= f.start_date)
                AND bool_or(c.criminalised AND c.from_date <= f.end_date AND c.to_date >= f.end_date) THEN 'in_force'
            WHEN bool_or(c.criminalised AND c.from_date <= f.end_date AND c.to_date >= f.start_date)
                THEN 'in_force_in_part'
            WHEN bool_or(NOT c.criminalised AND c.from_date <= f.end_date AND c.to_date >= f.start_date)
                THEN min(c.status) FILTER (NOT c.criminalised AND c.from_date <= f.end_date AND c.to_date >= f.start_date)
            WHEN bool_and(c.criminalised AND c.from_date > f.end_date) THEN 'not_in_force'
        END AS law
    FROM (SELECT DISTINCT ref_area, country, act, start_date, end_date FROM figure) AS f
    JOIN (
        SELECT
            ref_area,
            act,
            status,
            status = 'criminalised' AS criminalised,
            coalesce(nullif(valid_from, ''), '0001-01-01')::DATE AS from_date,
            coalesce(nullif(valid_to, ''), '9999-12-31')::DATE AS to_date
        FROM reference.criminalisation
        WHERE status <> 'unknown'
    ) AS c
        ON c.act = f.act AND c.ref_area IN (f.ref_area, f.country)
    GROUP BY ALL
),
tagged AS (
    SELECT
        scheme,
        code,
        string_agg(tag, '|' ORDER BY tag) AS tag,
        CASE WHEN bool_and(collected_from <> '') THEN max(collected_from) ELSE '' END AS collected_from
    FROM reference.tag_code GROUP BY ALL
),
licence AS (
    SELECT source_id, CASE WHEN bool_and(licence <> '') THEN 'stated' ELSE 'none' END AS licence
    FROM raw.snapshot GROUP BY ALL
)
SELECT
    f.observation_id,
    f.act,
    f.source_id,
    f.ref_area,
    f.country,
    f.is_national,
    f.time_period,
    f.start_date,
    f.end_date,
    f.year,
    f.offence_scheme,
    f.offence,
    f.measure,
    f.population,
    f.recorder,
    f.territory,
    f.unit_measure,
    f.obs_value,
    f.obs_status,
    s.legal_scope,
    s.attempts,
    s.participation,
    coalesce(s.unit_of_count, f.unit_of_measure) AS unit_of_count,
    s.counting_stage,
    s.principal_offence_rule,
    s.booked_elsewhere,
    s.serial_rule,
    s.continuing_rule,
    coalesce(
        s.separability,
        CASE
            WHEN f.several_acts THEN 'merged'
            WHEN f.relation IN ('exact', 'close', 'narrower') THEN 'separate'
            ELSE 'hidden'
        END
    ) AS separability,
    s.territory_rule,
    s.geographic_coverage,
    s.institutional_coverage,
    s.channels,
    s.channel_overlap,
    s.classification_version,
    s.classification_bridge,
    s.denominator,
    s.survey_mode,
    s.recall_window,
    s.age_range,
    s.question_version,
    s.enterprise_size_floor,
    s.sector_scope,
    s.loss_concept,
    s.reply_state,
    coalesce(
        s.reference_period,
        CASE
            WHEN datediff('month', f.start_date, f.end_date + 1) = 12 THEN strftime(f.start_date, '%m')
            ELSE 'not_twelve_months'
        END
    ) AS reference_period,
    f.relation,
    CASE
        WHEN f.source_kind <> 'recorded' THEN 'not_applicable'
        WHEN l.law IS NOT NULL THEN l.law
        WHEN f.obs_value > 0 THEN 'shown_by_records'
        ELSE 'unknown'
    END AS law,
    f.source_kind,
    f.measure_type,
    CASE WHEN f.obs_status = 'P' THEN 'provisional' ELSE 'final' END AS maturity,
    f.precision,
    CASE
        WHEN f.source_kind <> 'money' THEN 'not_applicable'
        WHEN m.amount_usd IS NOT NULL THEN 'converted'
        ELSE 'not_converted'
    END AS money_basis,
    coalesce(t.tag, 'none') AS tag,
    CASE WHEN t.collected_from = '' THEN 'unknown' WHEN t.collected_from > f.year::VARCHAR THEN 'no' ELSE 'yes' END
        AS tag_collected,
    i.licence,
    CASE
        WHEN s.facts_known >= 0.9 * s.facts_applying THEN 'nine_tenths'
        WHEN s.facts_known >= 0.7 * s.facts_applying THEN 'seven_tenths'
        WHEN s.facts_known >= 0.5 * s.facts_applying THEN 'half'
        ELSE 'fewer'
    END AS metadata
FROM figure AS f
JOIN stated AS s USING (source_id, source_kind, ref_area, offence, start_date, end_date)
LEFT JOIN law AS l USING (ref_area, act, start_date, end_date)
LEFT JOIN tagged AS t ON t.scheme = f.offence_scheme AND t.code = f.offence
LEFT JOIN harmonised.loss AS m USING (observation_id)
LEFT JOIN licence AS i USING (source_id)
ORDER BY f.source_id, f.ref_area, f.offence, f.measure, f.time_period, f.observation_id, f.act
