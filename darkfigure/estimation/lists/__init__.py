"""How many there are, from how often several lists of the same people overlap."""
