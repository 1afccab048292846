"""What must hold: contracts of tables (pandera), rules of comparability, and the gate of a release (Great Expectations)."""
