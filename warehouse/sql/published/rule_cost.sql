-- What the rules cost a pair of figures.
FROM quality.rule_cost ORDER BY rule, use, value
