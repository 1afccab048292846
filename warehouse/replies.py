"""What countries say of figures, and what they are shown before release: taken into ``raw``, where it stays.

A statement is kept as it was sent, in the table and under its hash in the store. A window is opened by showing figures
of the build, which then wait for it to close. Not here: what a release makes of either (``own_view``).
"""

import csv
import io
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

import duckdb

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.receipt import one_line
from darkfigure.exchange.statement import StatementReceipt, check_author, check_language, read
from darkfigure.exchange.structure import is_country, text_problem
from darkfigure.sources.period import span
from warehouse.database import Database
from warehouse.inbox import Inbox
from warehouse.intake import create_tables
from warehouse.whose import ID_COLUMNS, areas_of, in_period, of_country, prefix, rows_of_raw, tables_of_countries


def state(
    database: Database, inbox: Inbox, country: str, path: Path, *, about: str, language: str, author: str
) -> tuple[StatementReceipt, Path]:
    """Take a country's statement, on a table, on a figure, or on all that is published of it (empty).

    Returns the receipt, and the file that holds it. Raises DarkfigureError, with nothing taken, where the file, the
    country or what it is about is not what it must be.
    """
    check_language(language)
    check_author(author)
    data = path.read_bytes()
    text, digest = read(data, path.name), sha256(data).hexdigest()
    with database.write() as connection:
        create_tables(connection)
        _check_country(connection, country)
        _check_about(connection, country, about)
        said = (country, about, language, author, digest)
        standing = connection.execute(
            """
            SELECT statement_id FROM raw.statement
            WHERE (ref_area, about, language, author, sha256) = (?, ?, ?, ?, ?) AND withdrawn_at IS NULL
            """,
            said,
        ).fetchone()
        if standing:
            raise DarkfigureError(f"{path.name}: was taken before, and stands as {standing[0]}; nothing is to be done")
        now = _now()
        statement_id = f"S-{sha256('|'.join((*said, now.isoformat())).encode()).hexdigest()[:12]}"
        connection.execute(
            "INSERT INTO raw.statement VALUES (?, ?, ?, ?, ?, ?, ?, ?, NULL, '')",
            [statement_id, country, about, language, author, now, text, digest],
        )
        _keep(database.folder / "raw" / digest, data)
    receipt = StatementReceipt(
        outcome="taken",
        statement_id=statement_id,
        ref_area=country,
        about=about,
        language=language,
        author=author,
        file_name=path.name,
        sha256=digest,
        byte_count=len(data),
        received_at=now.isoformat(),
    )
    return receipt, inbox.give(f"{now:%Y%m%dT%H%M%S}_{now:%f}_{digest[:12]}.txt", receipt.as_text().encode())


def take_back(
    database: Database, inbox: Inbox, country: str, statement_id: str, reason: str
) -> tuple[StatementReceipt, Path]:
    """Withdraw a country's statement: it stays in ``raw`` with the reason, and is published no longer."""
    _check_text("--reason", reason)
    with database.write() as connection:
        create_tables(connection)
        row = connection.execute(
            """
            SELECT about, language, author, sha256, strlen(statement_text), withdrawn_at FROM raw.statement
            WHERE statement_id = ? AND ref_area = ?
            """,
            [statement_id, country],
        ).fetchone()
        if row is None:
            raise DarkfigureError(
                f"{one_line(statement_id)}: no such statement of {one_line(country)}; published.statement lists them"
            )
        *said, digest, size, withdrawn_at = row
        if withdrawn_at is not None:
            raise DarkfigureError(f"{statement_id}: was withdrawn on {withdrawn_at:%Y-%m-%d}; nothing is to be done")
        now = _now()
        connection.execute(
            "UPDATE raw.statement SET withdrawn_at = ?, withdrawal_reason = ? WHERE statement_id = ?",
            [now, reason, statement_id],
        )
    about, language, author = said
    receipt = StatementReceipt(
        "withdrawn", statement_id, country, about, language, author, "", digest, size, now.isoformat(), reason
    )
    return receipt, inbox.give(f"{now:%Y%m%dT%H%M%S}_{now:%f}_{digest[:12]}.txt", receipt.as_text().encode())


def show(
    database: Database, country: str, table: str, time_period: str, until: date, to: Path, today: date
) -> tuple[str, int]:
    """Write a country's rows of a table of the build to a csv, and open a window for its reply ``until`` a day.

    The rows are those of the country and of its parts that share a day with ``time_period``; of all periods where it is
    empty. Returns the window's id and how many rows were written. From the moment the file is there no release holds
    them, until the window has closed or is waived.
    """
    if until < today:
        raise DarkfigureError(f"--until {until}: is over; name a day on which the country can still reply")
    if to.exists():
        raise DarkfigureError(f"{to}: is there already; name another file, or move it away")
    if time_period:
        _check_period(time_period)
    with database.write() as connection:
        create_tables(connection)
        _check_country(connection, country)
        _check_table(connection, table)
        condition = f"{of_country(connection, table, country)} AND {in_period(connection, table, time_period)}"
        rows = connection.execute(f"FROM {table} AS t WHERE {condition} ORDER BY t.rowid")
        data, count = _as_csv(rows)
        if not count:
            of = f" of {time_period}" if time_period else ""
            raise DarkfigureError(f"{table}: has no row of {country}{of}, so there is nothing to show")
        now, digest = _now(), sha256(data).hexdigest()
        window_id = f"W-{sha256(f'{country}|{table}|{time_period}|{now.isoformat()}'.encode()).hexdigest()[:12]}"
        connection.execute(
            "INSERT INTO raw.reply_window VALUES (?, ?, ?, ?, ?, ?, ?, NULL, '', '')",
            [window_id, country, table, time_period, now, until, digest],
        )
        part = to.with_name(f".{to.name}.part")
        part.write_bytes(data)
    part.replace(to)  # the window is open: what is shown is held back before anybody can have it
    return window_id, count


def waive(database: Database, window_id: str, by: str, reason: str, today: date) -> None:
    """Close a window before its day: what it holds back may be released."""
    _check_text("--by", by)
    _check_text("--reason", reason)
    with database.write() as connection:
        create_tables(connection)
        row = connection.execute(
            "SELECT closes_on, waived_at FROM raw.reply_window WHERE window_id = ?", [window_id]
        ).fetchone()
        if row is None:
            raise DarkfigureError(f"{one_line(window_id)}: there is no such window; 'darkfigure replies' lists them")
        if row[1] is not None or row[0] < today:
            raise DarkfigureError(f"{window_id}: is closed already; nothing is to be done")
        connection.execute(
            "UPDATE raw.reply_window SET waived_at = ?, waived_by = ?, waiver_reason = ? WHERE window_id = ?",
            [_now(), by, reason, window_id],
        )


def windows(connection: duckdb.DuckDBPyConnection, today: date) -> list[tuple[object, ...]]:
    """Every window: its id, country, table, period, the days it was shown and closes, and how it stands."""
    return rows_of_raw(
        connection,
        f"""
        SELECT window_id, ref_area, table_name, time_period, shown_at::DATE, closes_on,
            CASE
                WHEN waived_at IS NOT NULL THEN 'waived by ' || waived_by || ': ' || waiver_reason
                WHEN closes_on < ? THEN 'closed'
                ELSE 'open'
            END
        FROM {prefix(connection)}raw.reply_window ORDER BY closes_on DESC, window_id
        """,
        today,
    )


def _check_country(connection: duckdb.DuckDBPyConnection, country: str) -> None:
    if not is_country(country) or not areas_of(connection, country):
        raise DarkfigureError(f"{one_line(country)}: no country's code of three letters (ISO 3166-1)")


def _check_about(connection: duckdb.DuckDBPyConnection, country: str, about: str) -> None:
    if "." in about:
        _check_table(connection, about)
    elif about:
        for table, column in ID_COLUMNS.items():
            if (
                table in tables_of_countries(connection)
                and connection.execute(
                    f"SELECT 1 FROM {table} AS t WHERE t.{column} = ? AND {of_country(connection, table, country)}",
                    [about],
                ).fetchone()
            ):
                return
        raise DarkfigureError(
            f"--on {one_line(about)}: no figure of {country}; name the id of one (H-, I-, E-, R-), or a published table"
        )


def _check_table(connection: duckdb.DuckDBPyConnection, table: str) -> None:
    if table not in tables_of_countries(connection):
        raise DarkfigureError(
            f"--on {one_line(table)}: no published table with figures of countries; 'darkfigure status' lists all"
        )


def _check_period(time_period: str) -> None:
    try:
        span(time_period)
    except ValueError:
        raise DarkfigureError(
            f"--period {one_line(time_period)}: no period; write 2023, 2023-Q1 or 2023-04-01/P1Y"
        ) from None


def _check_text(option: str, text: str) -> None:
    if problem := text_problem(text) if text.strip() else "is missing; fill it in":
        raise DarkfigureError(f"{option}: {problem}")


def _as_csv(rows: duckdb.DuckDBPyConnection) -> tuple[bytes, int]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([name for name, *_ in rows.description or ()])
    values = rows.fetchall()
    writer.writerows(values)
    return text.getvalue().encode(), len(values)


def _keep(target: Path, data: bytes) -> None:
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        part = target.with_suffix(".part")
        part.write_bytes(data)
        part.replace(target)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
