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


def _pools(connection: duckdb.DuckDBPyConnection) -> "dict[str, Pool]":
    """The pools by their ids."""
    from darkfigure.estimation.incidents import pools

    made = pools(_evidence(connection), connection.execute("FROM estimates.recorded_part").df())
    return {_estimate_id("pool", *pool.about.values()): pool for pool in made}


def _pool_evidence(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    import pandas as pd

    from darkfigure.estimation.incidents import evidence_of

    table = evidence_of(_pools(connection))
    keys = table[["pool_id", "part", "time_period"]].itertuples(index=False)
    table.insert(0, "evidence_id", pd.Series([_estimate_id(*key) for key in keys], dtype="string"))
    return table


def _incidence(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    import pandas as pd

    from darkfigure.estimation.incidents import multiplied, pooled, surveyed

    evidence = _evidence(connection)
    tables = [surveyed(evidence), multiplied(evidence)]
    tables += [pooled(pool, pool_id) for pool_id, pool in _pools(connection).items()]
    return _with_id(pd.concat([table for table in tables if len(table)] or tables, ignore_index=True))


def _sensitivity(connection: duckdb.DuckDBPyConnection) -> "pd.DataFrame":
    from darkfigure.estimation.incidents import sensitivity

    return sensitivity(_pools(connection).values(), connection.execute("FROM estimates.incidence").df())


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
