-- How evenly groups of development are represented among those who report to UN-CTS.
SELECT category, collecting_count, area_count, share_pct, verdict
FROM published.balance
WHERE collection = 'unodc_cts' AND dimension = 'development'
ORDER BY category
