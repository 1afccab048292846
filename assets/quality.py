"""The assets of ``quality``: figures held against each other."""

from assets.building import checks, sql_asset
from warehouse.recipes import sql_tables

TABLES = tuple(table for table in sql_tables() if table.startswith("quality."))

ASSETS = [sql_asset(table) for table in TABLES]
CHECKS = [check for table in TABLES for check in checks(table)]
