"""The data of the dataflows as SDMX-CSV 2.0.

DuckDB writes them, in the columns in which pysdmx writes and reads them. Nothing is put before a text
that begins as a formula does: a country's statement is not edited, and a file of data is no spreadsheet.
"""

from pathlib import Path

import duckdb

from warehouse.bundle.content import Content, File
from warehouse.bundle.sdmx_flows import MEASURE_ID, STATEMENT, STATEMENT_SHA256, Flow, flows
from warehouse.database import literal
from warehouse.description import ColumnDescription

#: The texts and hashes for each combination of statements that stands on a row.
_SAID = """
SELECT
    stood.statement_ids,
    string_agg(said.statement_text, chr(10) || chr(10) ORDER BY stood.place) AS statement,
    string_agg(said.sha256, ' ' ORDER BY stood.place) AS statement_sha256
FROM (
    SELECT statement_ids, unnest(ids) AS statement_id, generate_subscripts(ids, 1) AS place
    FROM (SELECT DISTINCT statement_ids, string_split(statement_ids, ' ') AS ids FROM {table})
) AS stood
JOIN published.statement AS said USING (statement_id)
GROUP BY stood.statement_ids
"""


def write_data(connection: duckdb.DuckDBPyConnection, folder: Path, content: Content) -> list[File]:
    """Write ``sdmx/<table>.csv`` for each dataflow, ordered by its dimensions. A blank attribute is not there."""
    (folder / "sdmx").mkdir()
    written = []
    for flow in flows(content):
        connection.execute(f"COPY ({_rows(flow)}) TO {literal(str(folder / flow.path))} (FORMAT csv, HEADER)")
        written.append(
            File.at(
                folder,
                flow.path,
                title=f"{flow.table.name} as SDMX-CSV",
                media_type="text/csv",
                conforms_to="https://github.com/sdmx-twg/sdmx-csv/tree/v2.0.0",
                table=flow.table,
            )
        )
    return written


def _rows(flow: Flow) -> str:
    of_the_table = [column for column in flow.attributes if column not in (STATEMENT, STATEMENT_SHA256)]
    columns = [
        *(f"{_value(column)} AS {column.name.upper()}" for column in flow.dimensions),
        # That there is no figure is said, as the standard wants it said of numbers.
        f"coalesce({_value(flow.measure)}, 'NaN') AS {MEASURE_ID}",
        *(f"{_value(column)} AS {column.name.upper()}" for column in of_the_table),
        f"said.statement AS {STATEMENT.name.upper()}",
        f"said.statement_sha256 AS {STATEMENT_SHA256.name.upper()}",
    ]
    name = flow.table.name
    return f"""
    SELECT
        'dataflow' AS STRUCTURE,
        {literal(flow.reference)} AS STRUCTURE_ID,
        'I' AS ACTION,
        {", ".join(columns)}
    FROM {name} AS t
    LEFT JOIN ({_SAID.format(table=name)}) AS said USING (statement_ids)
    ORDER BY {", ".join(f"t.{column.name}" for column in flow.dimensions)}
    """


def _value(column: ColumnDescription) -> str:
    if column.type == "DOUBLE":
        # XML Schema, whose types SDMX has, writes infinity so.
        return f"replace(t.{column.name}::VARCHAR, 'inf', 'INF')"
    return f"nullif(t.{column.name}, '')" if column.type == "VARCHAR" else f"t.{column.name}"
