"""The assets of ``harmonised``: common areas and acts, and rates."""

from assets.building import checks, sql_asset

TABLES = ("harmonised.observation", "harmonised.indicator")

ASSETS = [sql_asset(table) for table in TABLES]
CHECKS = [check for table in TABLES for check in checks(table)]
