-- The acts of cybercrime.
FROM reference.act ORDER BY act
