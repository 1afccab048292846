"""The notes of a release: what is new in it against the one before, in the headings of DATA_RELEASES.md.

Everything said is read from the release and from the one before. Not here: what is said of the code.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import duckdb

from warehouse.database import literal

#: The file of a release that has them.
NOTES = "NOTES.md"
#: More lines than this say how many more there are.
_MOST = 40

_NEW_DATA = """
SELECT source_id, sum(returns_accepted)::BIGINT,
    string_agg(DISTINCT edition, ', ' ORDER BY edition), string_agg(DISTINCT vintage, ', ' ORDER BY vintage)
FROM published.source WHERE snapshot_id NOT IN (SELECT snapshot_id FROM {known}) GROUP BY source_id ORDER BY source_id
"""

_COVERAGE = """
WITH covered AS (
    SELECT DISTINCT source_id, ref_area, time_period[:4] AS year FROM {place}published.observation
)
SELECT source_id, list(DISTINCT ref_area ORDER BY ref_area), list(DISTINCT year ORDER BY year)
FROM covered GROUP BY source_id
"""

_REVISIONS = """
SELECT source_id, vintage_before, vintage_after, count(*),
    count(*) FILTER (change = 'revised'), avg(abs(difference_pct)) FILTER (isfinite(difference_pct))
FROM published.revision WHERE first_released = $version
GROUP BY ALL ORDER BY ALL
"""


def entry(
    connection: duckdb.DuckDBPyConnection,
    before: Path | None,
    keys: Mapping[str, Sequence[str]],
    version: str,
    verdict: Mapping[str, Any],
) -> str:
    """The notes of the release that ``connection`` is on, in Markdown.

    ``before``: the database of the release that it is held against; None for the first. ``keys``: the columns that tell
    a table's rows apart. ``verdict``: what the gate found.
    """
    notes = _Notes(connection, before, keys, version)
    parts = {
        "New data": notes.new_data(),
        "Wider coverage": notes.coverage(),
        "Revisions": notes.revisions(),
        "Validations": _validations(verdict),
        "Fixes and methods": notes.methods(),
    }
    told = [f"## {version}", f"Against {notes.against}." if before else "The first release."]
    for heading, lines in parts.items():
        told += [f"### {heading}", "\n".join(lines) if lines else "None."]
    return "\n\n".join(told) + "\n"


class _Notes:
    """What two releases say, side by side; the one before is attached as ``was``."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        before: Path | None,
        keys: Mapping[str, Sequence[str]],
        version: str,
    ) -> None:
        self.connection = connection
        self.before = before
        self.keys = keys
        self.version = version
        self.against = before.parent.name if before else ""
        if before:
            connection.execute(f"ATTACH IF NOT EXISTS {literal(str(before))} AS was (READ_ONLY)")
        self.known = self._tables("was")

    def new_data(self) -> list[str]:
        """Snapshots that came in, and tables that were not published before."""
        known = "was.published.source" if self.before else "(SELECT '' AS snapshot_id WHERE false)"
        rows = self._ask(_NEW_DATA.format(known=known))
        told = [f"{source}: {figures:,} figures; {e}; vintage {v}" for source, figures, e, v in rows]
        if self.before:
            new = sorted(self._tables(None) - self.known)
            told += [f"table `{name}`: {self._count(name):,} rows" for name in new]
        return _listed(told)

    def coverage(self) -> list[str]:
        """Areas and years of each source that it had not before, or has no more."""
        now = self._covered("")
        was = self._covered("was.") if "published.observation" in self.known else {}
        told = []
        for source in sorted(now.keys() | was.keys()):
            for kind in ("area", "year"):
                new = sorted(now.get(source, {}).get(kind, set()) - was.get(source, {}).get(kind, set()))
                gone = sorted(was.get(source, {}).get(kind, set()) - now.get(source, {}).get(kind, set()))
                if new and self.before:
                    told.append(f"{source}: {_number(new, kind)} more ({_some(new)})")
                if gone:
                    told.append(f"{source}: {_number(gone, kind)} fewer ({_some(gone)})")
            if not self.before:
                years = now[source]["year"]
                span = min(years) if len(years) == 1 else f"{min(years)} to {max(years)}"
                told.append(f"{source}: {_number(now[source]['area'], 'area')}, {span}")
        return _listed(told)

    def revisions(self) -> list[str]:
        """What publishers have changed from one vintage to the next, as far as no release before had it."""
        told = []
        for source, old, new, changed, revised, mean in self._ask(_REVISIONS, version=self.version):
            by = f", by {mean:.2f} % in the mean of absolute values" if mean is not None else ""
            told.append(f"{source}, {old} to {new}: {changed:,} figures changed, {revised:,} of them revised{by}")
        return _listed(told)

    def methods(self) -> list[str]:
        """Tables that other code has made, and what became of their rows."""
        if "history.recipe" not in self._tables("was", "history"):
            return ["The release before does not say by which code it was made."] if self.before else []
        changed = self._ask(
            """
            SELECT table_name FROM history.recipe AS now JOIN was.history.recipe AS old USING (table_name)
            WHERE now.code_version <> old.code_version ORDER BY table_name
            """
        )
        return _listed([f"`{name}`, made by other code: {self._moved(name)}" for (name,) in changed])

    def _moved(self, table: str) -> str:
        """How many rows of a table came, went and changed."""
        past = f"history.{table.split('.')[1]}"
        key = ", ".join(self.keys.get(table, ())) or "*"
        ((new, gone, both),) = self._ask(
            f"""
            WITH new AS (SELECT DISTINCT {key} FROM {table} WHERE first_released = $version),
            gone AS (SELECT DISTINCT {key} FROM {past} WHERE last_released = $against)
            SELECT (SELECT count(*) FROM new), (SELECT count(*) FROM gone),
                (SELECT count(*) FROM (FROM new INTERSECT FROM gone))
            """
            if key != "*"
            else f"""
            SELECT (SELECT count(*) FROM {table} WHERE first_released = $version),
                (SELECT count(*) FROM {past} WHERE last_released = $against), 0
            """,
            version=self.version,
            against=self.against,
        )
        if not new and not gone:
            return "the same rows"
        return f"{new - both:,} rows more, {gone - both:,} fewer, {both:,} changed"

    def _covered(self, place: str) -> dict[str, dict[str, set[str]]]:
        rows = self._ask(_COVERAGE.format(place=place))
        return {source: {"area": set(areas), "year": set(years)} for source, areas, years in rows}

    def _tables(self, database: str | None, schema: str = "published") -> set[str]:
        rows = self._ask(
            "SELECT schema_name || '.' || table_name FROM duckdb_tables() "
            "WHERE database_name = coalesce($database, current_database()) AND schema_name = $schema",
            database=database,
            schema=schema,
        )
        return {name for (name,) in rows}

    def _count(self, table: str) -> int:
        return int(self._ask(f"SELECT count(*) FROM {table}")[0][0])

    def _ask(self, sql: str, **given: object) -> list[tuple[Any, ...]]:
        return self.connection.execute(sql, given or None).fetchall()


def _validations(verdict: Mapping[str, Any]) -> list[str]:
    told = [f"{verdict['evaluated']} expectations asked, {len(verdict['waived'])} of them waived"]
    for each in verdict["waived"]:
        waiver = each["waiver"]
        told.append(f"{each['text']}; by {waiver['decided_by']} until {waiver['expires_on']}: {waiver['reason']}")
    return _listed(told)


def _listed(lines: Iterable[str]) -> list[str]:
    lines = list(lines)
    shown = [f"- {line}" for line in lines[:_MOST]]
    return [*shown, f"- and {len(lines) - _MOST:,} more"] if len(lines) > _MOST else shown


def _number(of: Collection[str], what: str) -> str:
    return f"{len(of):,} {what}{'' if len(of) == 1 else 's'}"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8:,} more" if len(names) > 8 else "")
