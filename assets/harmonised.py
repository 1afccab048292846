"""The assets of ``harmonised``: common areas and acts, rates, money, quotations, revisions."""

from assets.building import sql_asset
from warehouse.recipes import sql_tables

TABLES = tuple(table for table in sql_tables() if table.startswith("harmonised."))

ASSETS = [sql_asset(table) for table in TABLES]
