"""The assets of ``estimates``: what the library estimates from the survey evidence."""

from collections.abc import Callable

import duckdb

from assets.building import Fill, sql_asset, table_asset

TABLES = ("estimates.survey_evidence", "estimates.reporting_rate", "estimates.dark_figure")


def _fill_by(function_name: str) -> Fill:
    def fill(connection: duckdb.DuckDBPyConnection, table: str) -> None:
        # Imported here: the code location need not wait for pandas and SciPy.
        from darkfigure.estimation import reporting

        estimate: Callable[..., object] = getattr(reporting, function_name)
        estimated = estimate(connection.execute("FROM estimates.survey_evidence").df())  # noqa: F841  (read by name)
        connection.execute(
            f"""
            CREATE OR REPLACE TABLE {table} AS
            SELECT
                'E-' || left(md5(concat_ws('|', source_id, ref_area, time_period, offence, quantity)), 12)
                    AS estimate_id,
                *
            FROM estimated
            """
        )

    return fill


ASSETS = [
    sql_asset("estimates.survey_evidence"),
    table_asset("estimates.reporting_rate", _fill_by("reporting_rates"), "scipy"),
    table_asset("estimates.dark_figure", _fill_by("dark_figures"), "scipy"),
]
