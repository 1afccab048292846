"""The country's own view in a release: its statements beside its figures, and what it was shown and may still reply to.

Here: which statements are on a row, and which rows a release leaves out while a window for reply is open. Not here:
taking statements in and opening windows (``replies``), or writing a release (``candidate``).
"""

from dataclasses import dataclass
from datetime import date
from functools import cache

import duckdb

from darkfigure.errors import DarkfigureError
from warehouse.database import literal
from warehouse.recipes import recipes
from warehouse.whose import (
    ID_COLUMNS,
    NAMES_IDS,
    OF_COUNTRIES,
    areas_of,
    columns_of,
    in_period,
    is_as_printed,
    listed,
    of_country,
    prefix,
    published,
    rows_of_raw,
)

#: The table of figures as publishers printed them.
_PRINTED = "published.returned"


_HELD = """
CREATE SCHEMA IF NOT EXISTS released.history;
CREATE TABLE released.history.held (
    snapshot_id VARCHAR, source_id VARCHAR, start_date DATE, ref_area VARCHAR, table_id VARCHAR, measure VARCHAR,
    offence VARCHAR
);
COMMENT ON TABLE released.history.held IS 'Printed figures that wait for a reply: which, and not what they say';
COMMENT ON COLUMN released.history.held.snapshot_id IS 'The snapshot';
COMMENT ON COLUMN released.history.held.source_id IS 'The source';
COMMENT ON COLUMN released.history.held.start_date IS 'First day of the period';
COMMENT ON COLUMN released.history.held.ref_area IS 'The area, as the publisher has it';
COMMENT ON COLUMN released.history.held.table_id IS 'The table of the publisher';
COMMENT ON COLUMN released.history.held.measure IS 'What is counted';
COMMENT ON COLUMN released.history.held.offence IS 'The offence, as the publisher has it';
"""


@dataclass(frozen=True)
class Window:
    """A table of which a country was shown its rows, of one period or of all (empty), and until when it may reply."""

    window_id: str
    ref_area: str
    table_name: str
    time_period: str
    closes_on: date


def statement_ids(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """The statements on a row of ``table``, as SQL over the alias ``t``: ids separated by spaces, empty for none.

    ``connection`` has the build attached as ``build``, or is one to the build. The SQL names columns of the table and
    nothing else, so that it holds for any copy of it.
    """
    if table in OF_COUNTRIES:
        return "''"
    standing = rows_of_raw(
        connection,
        f"""
        SELECT statement_id, ref_area, about FROM {prefix(connection)}raw.statement
        WHERE withdrawn_at IS NULL ORDER BY received_at, statement_id
        """,
    )
    on_rows = [
        f"CASE WHEN {on} THEN {literal(statement_id)} END"
        for statement_id, country, about in standing
        if (on := _stated_on(connection, table, country, about)) != "false"
    ]
    return f"concat_ws(' ', {', '.join(on_rows)})" if on_rows else "''"


def statements_on(release: duckdb.DuckDBPyConnection, id: str) -> list[dict[str, str]]:
    """The statements on a number of a release, by its id: rows of published.statement, the earliest first."""
    found: set[str] = set()
    for table, column in ID_COLUMNS.items():
        if table in published(release) and "statement_ids" in columns_of(release, table):
            rows = release.execute(f"SELECT statement_ids FROM {table} WHERE {column} = ?", [id]).fetchall()
            found.update(*(ids.split() for (ids,) in rows))
    if not found:
        return []
    cursor = release.execute(
        "FROM published.statement WHERE list_contains($1, statement_id) ORDER BY received_at, statement_id",
        [sorted(found)],
    )
    names = [name for name, *_ in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def open_windows(connection: duckdb.DuckDBPyConnection, day: date) -> tuple[Window, ...]:
    """The windows in which a country may still reply on this ``day``, by their ids."""
    rows = rows_of_raw(
        connection,
        f"""
        SELECT window_id, ref_area, table_name, time_period, closes_on FROM {prefix(connection)}raw.reply_window
        WHERE waived_at IS NULL AND closes_on >= ? ORDER BY window_id
        """,
        day,
    )
    return tuple(Window(*row) for row in rows)


def view_version(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    """What the day has to do with a release: the windows that are open. One that closes makes a new release due."""
    return " ".join(window.window_id for window in open_windows(connection, day))


def left_out(connection: duckdb.DuckDBPyConnection, table: str, day: date) -> str:
    """Which rows of ``table`` a release of this ``day`` leaves out, as SQL over the alias ``t``; 'false' for none.

    ``connection`` and the SQL are as for ``statement_ids``: the same text leaves out the same rows of the same table.
    """
    if table == "published.reply_window":
        return _closed(connection, day)
    if table in OF_COUNTRIES:
        return "false"
    conditions = [_held(connection, window, table) for window in open_windows(connection, day)]
    return " OR ".join(each for each in conditions if each != "false") or "false"


def write_windows(connection: duckdb.DuckDBPyConnection, day: date) -> None:
    """Say in ``released`` what windows hold back, as the gate has to know: how many rows, and which printed figures.

    The build is ``build``. Raises DarkfigureError where the candidate holds any of them all the same.
    """
    connection.execute(_HELD)
    if (held_figures := left_out(connection, _PRINTED, day)) != "false":
        connection.execute(
            f"INSERT INTO released.history.held BY NAME SELECT snapshot_id, source_id, start_date, ref_area, table_id, "
            f"measure, offence FROM build.{_PRINTED} AS t WHERE {held_figures}"
        )
    for window in open_windows(connection, day):
        held = 0
        for table in published(connection) - OF_COUNTRIES:
            if (condition := _held(connection, window, table)) != "false":
                counted = connection.execute(f"SELECT count(*) FROM build.{table} AS t WHERE {condition}")
                held += counted.fetchall()[0][0]
        connection.execute(
            "UPDATE released.published.reply_window SET held_row_count = ? WHERE window_id = ?",
            [held, window.window_id],
        )
    for window_id, table, rows in held_in(connection, day):
        raise DarkfigureError(f"{table}: {rows} rows that wait for {window_id} to close; waive it, or report this")


def held_in(connection: duckdb.DuckDBPyConnection, day: date) -> list[tuple[str, str, int]]:
    """What the candidate ``released`` holds and must not: (window, table, how many rows); none where all is well.

    Asked of the candidate itself, row by row, and not of what was meant to be left out of it: rows of the country and
    its parts in the window's period, and rows of any table that name one which was shown.
    """
    found = []
    for window in open_windows(connection, day):
        areas, spelt = listed(areas_of(connection, window.ref_area)), literal(window.time_period)
        within = f"t.ref_area IN ({areas})"
        of_period = f"{within} AND ({spelt} IN ('', t.time_period) OR starts_with(t.time_period, {spelt} || '-'))"
        shown, named = window.table_name, ID_COLUMNS.get(window.table_name)
        is_dated = "time_period" in columns_of(connection, shown)
        ids = f"SELECT list({named}) FROM build.{shown} AS t WHERE {of_period if is_dated else within}"
        for table in sorted(published(connection) - OF_COUNTRIES):
            columns = columns_of(connection, table)
            wrong = [
                f"list_has_any(string_split(t.{name}, ' '), ({ids}))"
                for name in columns
                if named and NAMES_IDS.fullmatch(name)
            ]
            if table in scope(shown) and {"ref_area", "time_period"} <= {*columns}:
                wrong.append(f"{of_period} AND {_is_of_crime(connection, window, table)}")
            if wrong:
                counted = connection.execute(f"SELECT count(*) FROM released.{table} AS t WHERE {' OR '.join(wrong)}")
                ((rows,),) = counted.fetchall()
                found += [(window.window_id, table, rows)] if rows else []
    return found


@cache
def scope(table: str) -> frozenset[str]:
    """The published tables of which rows are held back where rows of ``table`` were shown.

    Of an estimate: all that is made from the table in which it is estimated. Of figures that publishers print, and of
    what is made of these: all that is made from returns, since the shown number stands, or can be had, in each.
    """
    made = recipes()
    sources = {name for name in made[table].inputs if not name.startswith(("reference.", "raw."))}
    if any(not name.startswith("estimates.") for name in sources):
        sources = {"returns.observation"}
    reached = set(sources)
    for name, recipe in made.items():  # inputs come before what is made from them
        if reached & {*recipe.inputs}:
            reached.add(name)
    return frozenset({table, *(name for name in reached if name.startswith("published."))})


def _stated_on(connection: duckdb.DuckDBPyConnection, table: str, country: str, about: str) -> str:
    if about in {"", table}:
        return of_country(connection, table, country)
    if "." in about:
        return "false"
    # A figure as printed, and the same under common codes, are one figure.
    ids = listed(sorted({about, *(f"{kind}{about[1:]}" for kind in "RH" if about[0] in "RH")}))
    columns = [name for name in columns_of(connection, table) if NAMES_IDS.fullmatch(name) and not name.endswith("ids")]
    return " OR ".join(f"t.{name} IN ({ids})" for name in columns) or "false"


def _held(connection: duckdb.DuckDBPyConnection, window: Window, table: str) -> str:
    """The rows that a window holds back: by area and period, and by the ids of held rows that they name."""
    direct = _shown(connection, window, table)
    named = _named(connection, window, table, direct)
    conditions = [each for each in (direct, named) if each != "false"]
    return f"coalesce({' OR '.join(conditions)}, false)" if conditions else "false"


def _shown(connection: duckdb.DuckDBPyConnection, window: Window, table: str) -> str:
    if table not in scope(window.table_name):
        return "false"
    columns = columns_of(connection, table)
    if "ref_area" not in columns and {"source_id", "edition"} <= {*columns}:
        return _editions(connection, window)
    parts = (
        of_country(connection, table, window.ref_area),
        in_period(connection, table, window.time_period),
        _is_of_crime(connection, window, table),
    )
    return "false" if "false" in parts else f"({' AND '.join(parts)})"


def _is_of_crime(connection: duckdb.DuckDBPyConnection, window: Window, table: str) -> str:
    """Populations and rates of money are printed too, and stay, unless it is the table of them that was shown."""
    if not is_as_printed(connection, table) or is_as_printed(connection, window.table_name):
        return "true"
    query = "SELECT DISTINCT source_id FROM {}raw.snapshot WHERE source_type = 'denominator' ORDER BY source_id"
    rows = connection.execute(query.format(prefix(connection))).fetchall()
    return f"t.source_id NOT IN ({listed(source for (source,) in rows)})" if rows else "true"


def _editions(connection: duckdb.DuckDBPyConnection, window: Window) -> str:
    """The editions in which held figures were printed: a mean over all figures of one gives them away."""
    rows = connection.execute(
        f"""
        SELECT DISTINCT s.source_id, s.edition
        FROM {prefix(connection)}{_PRINTED} AS t
        JOIN {prefix(connection)}raw.snapshot AS s USING (snapshot_id)
        WHERE {_shown(connection, window, _PRINTED)} ORDER BY ALL
        """
    ).fetchall()
    pairs = ", ".join(f"({literal(source)}, {literal(edition)})" for source, edition in rows)
    return f"((t.source_id, t.edition) IN ({pairs}))" if rows else "false"


def _named(connection: duckdb.DuckDBPyConnection, window: Window, table: str, direct: str) -> str:
    if not (identity := _identity(connection, table)):
        return "false"
    rows = connection.execute(
        f"""
        SELECT DISTINCT {identity} FROM {prefix(connection)}{table} AS t
        WHERE t.rowid IN (SELECT place FROM {_closure(connection, window)} WHERE table_name = ?) AND NOT {direct}
        ORDER BY 1
        """,
        [table],
    ).fetchall()
    return f"{identity} IN ({listed(row for (row,) in rows)})" if rows else "false"


def _identity(connection: duckdb.DuckDBPyConnection, table: str) -> str:
    """What tells a row of a table by the ids in it; empty where there are none."""
    if table in ID_COLUMNS:
        return f"t.{ID_COLUMNS[table]}"
    names = [name for name in columns_of(connection, table) if NAMES_IDS.fullmatch(name)]
    return f"concat_ws(' ', {', '.join(f't.{name}' for name in names)})" if names else ""


def _closure(connection: duckdb.DuckDBPyConnection, window: Window) -> str:
    """A temporary table of all that a window holds back: what was shown, what rests on that, and so on."""
    held = f"held_{window.window_id[2:]}"
    if _is_temporary(connection, held):
        return f"temp.{held}"
    if not _is_temporary(connection, "named_id"):
        _list_ids(connection)
    connection.execute(f"CREATE TEMP TABLE {held} (table_name VARCHAR, place BIGINT)")
    for table in sorted(published(connection) & scope(window.table_name)):
        condition = _shown(connection, window, table)
        connection.execute(
            f"INSERT INTO temp.{held} SELECT ?, rowid FROM {prefix(connection)}{table} AS t WHERE {condition}", [table]
        )
    more = f"""
        INSERT INTO temp.{held}
        SELECT DISTINCT n.table_name, n.place
        FROM temp.named_id AS n
        SEMI JOIN (
            SELECT o.id FROM temp.named_id AS o JOIN temp.{held} USING (table_name, place) WHERE o.is_its_own
        ) AS gone ON gone.id = n.id
        ANTI JOIN temp.{held} AS h ON h.table_name = n.table_name AND h.place = n.place
    """
    while connection.execute(more).fetchall()[0][0]:
        pass
    return f"temp.{held}"


def _list_ids(connection: duckdb.DuckDBPyConnection) -> None:
    """List, in a temporary table, which row of which published table names which ids."""
    connection.execute("CREATE TEMP TABLE named_id (table_name VARCHAR, place BIGINT, id VARCHAR, is_its_own BOOLEAN)")
    for table in sorted(published(connection) - OF_COUNTRIES):
        for name in columns_of(connection, table):
            if NAMES_IDS.fullmatch(name):
                connection.execute(
                    f"""
                    INSERT INTO temp.named_id
                    SELECT ?, rowid, unnest(string_split({name}, ' ')), ? FROM {prefix(connection)}{table}
                    WHERE {name} <> ''
                    """,
                    [table, name == ID_COLUMNS.get(table)],
                )


def _closed(connection: duckdb.DuckDBPyConnection, day: date) -> str:
    query = f"SELECT window_id FROM {prefix(connection)}raw.reply_window WHERE closes_on < ? ORDER BY window_id"
    rows = rows_of_raw(connection, query, day)
    return f"t.window_id IN ({listed(row for (row,) in rows)})" if rows else "false"


def _is_temporary(connection: duckdb.DuckDBPyConnection, name: str) -> bool:
    return bool(connection.execute("FROM duckdb_tables() WHERE temporary AND table_name = ?", [name]).fetchall())
