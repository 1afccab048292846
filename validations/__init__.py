"""What must hold: contracts of tables (pandera), rules of comparability, the gate of a release."""
