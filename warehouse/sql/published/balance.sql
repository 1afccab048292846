-- How evenly the world is represented.
FROM quality.balance ORDER BY collection, dimension, category
