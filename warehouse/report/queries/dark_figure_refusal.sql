-- Why dark figures were refused.
SELECT refusal, count(*) AS refused_count
FROM published.dark_figure
WHERE status = 'refused'
GROUP BY ALL
ORDER BY refused_count DESC, refusal
