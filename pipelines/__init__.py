"""What runs, and when: the Dagster code location (definitions, jobs, schedules, sensor) and the command line."""
