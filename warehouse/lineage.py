"""Where a number is from: from an estimate or a rate down to the cells that publishers printed."""

from collections.abc import Iterator
from dataclasses import dataclass

import duckdb

from darkfigure.errors import UnknownId

#: Prefix of an id, the table that holds it, its column there, and how the number reads.
_KINDS = {
    "E": (
        ("published.dark_figure", "estimate_id", "quantity || ', ' || offence || ', ' || area_name || ', ' || time_period || ': ' || CASE status WHEN 'refused' THEN 'refused: ' || refusal ELSE printf('%,d [%,d; %,d] crimes', dark_count::BIGINT, dark_count_lower::BIGINT, dark_count_upper::BIGINT) || coalesce(printf(', %.2f [%.2f; %.2f] %% of the surveyed', dark_pct, dark_pct_lower, dark_pct_upper), '') END || '; ' || method || ', version ' || method_version || '; assumes ' || replace(assumptions, '|', ', ')"),
        ("published.reporting_rate", "estimate_id", "quantity || ', ' || offence || ', ' || area_name || ', ' || time_period || ': ' || CASE status WHEN 'refused' THEN 'refused: ' || refusal ELSE printf('%.4f [%.4f; %.4f]', rate, rate_lower, rate_upper) END || '; ' || method || ', version ' || method_version || '; assumes ' || replace(assumptions, '|', ', ')"),
    ),
    "I": (
        ("published.indicator", "indicator_id", "measure || ' per 100,000 ' || replace(denominator, '_', ' ') || ', ' || offence || ' (' || act || ', code is ' || relation || '), ' || area_name || ', ' || time_period || ': ' || printf('%.4f', rate_per_100k)"),
    ),
    "H": (
        ("published.observation", "observation_id", "measure || ', ' || offence || ', ' || area_name || ', ' || time_period || ': ' || coalesce(obs_value::VARCHAR, 'not printed') || ' ' || unit_measure || ', ' || derivation"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Origin:
    """A number, in words, and what it was made from."""

    id: str
    text: str
    input_ids: tuple[str, ...] = ()


def origin(connection: duckdb.DuckDBPyConnection, id: str) -> Origin:
    """What the release says of one id. Raises UnknownId where it has none of that id."""
    if id.startswith("R-"):
        return _printed(connection, id)
    for table, column, words in _KINDS.get(id[:1], ()):
        row = connection.execute(f"SELECT {words}, input_ids FROM {table} WHERE {column} = ?", [id]).fetchone()
        if row is not None:
            return Origin(id, row[0], tuple(row[1].split()))
    raise UnknownId(f"{id}: the release has no such id; ids begin with R-, H-, I- or E- and stand in the tables' first columns")


def cells(connection: duckdb.DuckDBPyConnection, id: str) -> Iterator[Origin]:
    """Every published cell that the number of ``id`` rests on."""
    found = origin(connection, id)
    if id.startswith("R-"):
        yield found
    for input_id in found.input_ids:
        yield from cells(connection, input_id)


def _printed(connection: duckdb.DuckDBPyConnection, id: str) -> Origin:
    row = connection.execute(
        """
        SELECT concat_ws(
            ', ', s.publisher, s.table_title, r.table_id, 'vintage ' || s.vintage, s.file_name, r.locator
        ) || ': ' || coalesce(r.obs_value::VARCHAR, 'not printed') || r.mark
        FROM published.returned AS r JOIN published.source AS s USING (snapshot_id)
        WHERE r.return_id = ?
        """,
        [id],
    ).fetchone()
    if row is None:
        raise UnknownId(f"{id}: the release has no such figure")
    return Origin(id, row[0])
