"""What is made: one Dagster asset per table, one module per layer. No parsing, no statistics, no SQL text in here."""

from assets import estimates, harmonised, intake, published, quality, records, reference, repository

ASSETS = [
    *intake.ASSETS,
    *reference.ASSETS,
    *harmonised.ASSETS,
    *quality.ASSETS,
    *estimates.ASSETS,
    *published.ASSETS,
    *repository.ASSETS,
    *records.ASSETS,
]
CHECKS = [*intake.CHECKS, *quality.CHECKS]
