-- For how many countries each kind of respondent speaks, whoever collects.
SELECT category, collecting_count
FROM published.balance
WHERE dimension = 'respondent'
ORDER BY category
