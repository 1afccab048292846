"""The assets of ``estimates``: what the library estimates from the survey evidence."""

import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING

import duckdb

from assets.building import Fill, sql_asset, table_asset

if TYPE_CHECKING:
    import pandas as pd

    from darkfigure.estimation.incidents import Pool

# The library is imported where a table is filled: the code location need not wait for pandas and SciPy.


def _fill(estimate: Callable[[duckdb.DuckDBPyConnection], "pd.DataFrame"]) -> Fill:
    def fill(connection: duckdb.DuckDBPyConnection, table: str) -> None:
        estimated = estimate(connection)  # noqa: F841  (read by name)
        connection.execute(f"CREATE OR REPLACE TABLE {table} AS FROM estimated")

    return fill


def _evidence(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    return connection.execute("FROM estimates.survey_evidence").df()


def _with_id(estimated: "pd.DataFrame") -> "pd.DataFrame":
    parts = estimated[["source_id", "ref_area", "time_period", "offence", "quantity"]]
    estimated.insert(0, "estimate_id", [_estimate_id(*row) for row in parts.itertuples(index=False)])
    return estimated


def _estimate_id(*parts: object) -> str:
    return f"E-{hashlib.md5('|'.join(map(str, parts)).encode(), usedforsecurity=False).hexdigest()[:12]}"


def _reporting_rate(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    from darkfigure.estimation.reporting import reporting_rates

    return _with_id(reporting_rates(_evidence(connection)))


def _dark_figure(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    from darkfigure.estimation.reporting import dark_figures

    return _with_id(dark_figures(_evidence(connection)))


def _pools(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, "Pool"]]:
    """Each pool with its id."""
    from darkfigure.estimation.incidents import pools

    made = pools(_evidence(connection), connection.execute("FROM estimates.recorded_part").df())
    return [(_estimate_id("pool", *pool.about.values()), pool) for pool in made]


def _pool_evidence(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    import pandas as pd

    tables = []
    for pool_id, pool in _pools(connection):
        table = pool.evidence.assign(pool_id=pool_id, **pool.about)
        keys = table[["pool_id", "part", "time_period"]].itertuples(index=False)
        table.insert(0, "evidence_id", [_estimate_id(*key) for key in keys])
        tables.append(table)
    return pd.concat(tables, ignore_index=True)


def _incidence(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    import pandas as pd

    from darkfigure.estimation.incidents import multiplied, pooled, surveyed

    evidence = _evidence(connection)
    tables = [
        surveyed(evidence),
        multiplied(evidence),
        *(pooled(pool, pool_id) for pool_id, pool in _pools(connection)),
    ]
    return _with_id(pd.concat([table for table in tables if len(table)], ignore_index=True))


def _sensitivity(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    import pandas as pd

    from darkfigure.estimation.incidents import sensitivity

    made = connection.execute("FROM estimates.incidence").df()
    return pd.concat([sensitivity(pool, made) for _, pool in _pools(connection)], ignore_index=True)


ASSETS = [
    sql_asset("estimates.survey_evidence"),
    sql_asset("estimates.recorded_part"),
    table_asset("estimates.reporting_rate", _fill(_reporting_rate), "scipy"),
    table_asset("estimates.dark_figure", _fill(_dark_figure), "scipy"),
    table_asset("estimates.pool_evidence", _fill(_pool_evidence), "scipy"),
    sql_asset("estimates.pool"),
    table_asset("estimates.incidence", _fill(_incidence), "scipy"),
    table_asset("estimates.sensitivity", _fill(_sensitivity), "scipy"),
]
