-- The acts that UN-CTS asks for, and how many countries and areas ever reported each.
SELECT a.act, a.act_name, count(*) AS collecting_count
FROM (SELECT unnest(string_split(acts, '|')) AS act FROM published.collector WHERE source_id = 'unodc_cts') AS c
JOIN published.act AS a USING (act)
GROUP BY ALL
ORDER BY a.act
