-- What the law of a country said of an act on a day.
CREATE MACRO published.law(area, wanted_act, wanted_day) AS TABLE
SELECT
    ref_area, act, status, law, article, valid_from, valid_to, intent, attempt, aiding, general_law, budapest_articles,
    un_convention_articles, confidence, note, provenance
FROM published.criminalisation
WHERE ref_area = area
    AND act = wanted_act
    AND valid_from <= wanted_day::DATE::VARCHAR
    AND (valid_to = '' OR valid_to >= wanted_day::DATE::VARCHAR)
ORDER BY law, article
-- For example: SELECT law, article, valid_from, provenance FROM published.law('DEU', 'A1', '2022-01-01')
