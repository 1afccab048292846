"""What countries send, say and are sent, from the command line: questionnaires, returns, statements, replies.

Not here: making anything of it (``running``).
"""

import csv
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import country_return, questionnaire
from darkfigure.exchange.hostile import MAX_BYTES
from darkfigure.exchange.statement import StatementReceipt
from darkfigure.exchange.structure import is_country
from pipelines.home import Home, home
from pipelines.reporting import console
from pipelines.running import run_jobs
from warehouse import replies
from warehouse.inbox import withdraw
from warehouse.intake import known_codes, reference_files
from warehouse.progress import Progress

_NEXT = "'darkfigure run' makes what rests on it, and releases it."


def receive_files(files: Sequence[Path], *, adjusted: bool) -> int:
    """Put files into the inbox, take what lies there, and print their receipts. Returns 1 where one was refused.

    ``adjusted``: they are the country's own adjustments of figures, and no returns.
    """
    place = _place_with_build()
    digests = []
    for path in files:
        if path.stat().st_size > MAX_BYTES:
            raise DarkfigureError(f"{path}: larger than {MAX_BYTES // 2**20} MB; send the questionnaire, or a csv")
        data = path.read_bytes()
        place.inbox.put(path.name, data, adjusted=adjusted)
        digests.append(sha256(data).hexdigest())
    return _take_now(place, digests)


def withdraw_return(area: str, editions: Sequence[str], reason: str, *, adjusted: bool) -> int:
    """Withdraw what stands of a country's returns, or of its own adjustments: of these years, or of all."""
    place = _place_with_build()
    source = country_return.ADJUSTMENT if adjusted else country_return.SOURCE
    years = [edition.removeprefix(f"{area} ") for edition in editions]
    notice = withdraw(place.database, source, place.inbox, area, years, reason)
    return _take_now(place, [sha256(notice.read_bytes()).hexdigest()])


def write_questionnaire(area: str, years: str, to: Path, currency: str) -> None:
    """Write the questionnaire for a country and years such as '2023-2025'."""
    if not is_country(area) or area not in known_codes(country_return.SOURCE).areas:
        raise DarkfigureError(f"{area}: no country's code of three letters; see the table published.area")
    span = re.fullmatch(r"((?:19|20)\d\d)(?:-((?:19|20)\d\d))?", years)
    first, last = (int(span[1]), int(span[2] or span[1])) if span else (1, 0)
    if not 0 <= last - first < 20:
        raise DarkfigureError(f"--years {years}: write 2024 or 2023-2025, at most 20 years")
    if currency and not is_country(currency):
        raise DarkfigureError(f"--currency {currency}: write the code of ISO 4217, three capital letters")
    data = questionnaire.build(area, [str(year) for year in range(first, last + 1)], _asked(), currency=currency)
    if to.exists():
        raise DarkfigureError(f"{to}: is there already; name another file, or move it away")
    to.write_bytes(data)
    print(f"{to}: fill it in, and give it to 'darkfigure receive'")


def _asked() -> list[tuple[str, str]]:
    """The acts that the questionnaire asks for."""
    with next(p for p in reference_files("crosswalk") if p.stem == country_return.SOURCE.id).open(
        encoding="utf-8", newline=""
    ) as file:
        acts = [(row["code"], row["code_label"]) for row in csv.DictReader(file)]
    return [*acts, ("_T", "All offences together, by a computer or not")]


def _place_with_build() -> Home:
    place = home()
    if not place.database.path.exists():
        raise DarkfigureError(f"{place.database.path}: there is no build yet; run 'darkfigure run' first")
    return place


def _take_now(place: Home, digests: Sequence[str]) -> int:
    """Take what lies in the inbox, by the job that does so, and print the receipts of these files."""
    progress = Progress()
    database = place.database
    with database.exclusive():
        run_jobs(place, database, progress, [country_return.SOURCE.id], None, fetch=False, build=False)
    refused = False
    for digest in digests:
        receipts = place.inbox.receipts_of(digest)
        if receipts:
            text = receipts[-1].read_text(encoding="utf-8")
            print(f"{text}receipt    {receipts[-1]}\n")
            refused |= text.startswith("REFUSED")
    for line in progress.failures:
        print(f"FAILED: {line}")
    if not refused and not progress.failures:
        print("'darkfigure run' makes what rests on it, and releases it.")
    return 1 if refused or progress.failures else 0


def take_statement(area: str, file: Path, *, about: str, language: str, author: str) -> None:
    """Take a country's statement, and print the receipt."""
    place = _place_with_build()
    _print_receipt(
        *replies.state(place.database, place.inbox, area, file, about=about, language=language, author=author)
    )


def take_back(area: str, statement_id: str, reason: str) -> None:
    """Withdraw a country's statement, and print the receipt."""
    place = _place_with_build()
    _print_receipt(*replies.take_back(place.database, place.inbox, area, statement_id, reason))


def show(area: str, table: str, time_period: str, until: str, to: Path) -> None:
    """Write what a country is to see before its release, and open the window in which it may reply."""
    place = _place_with_build()
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", until):
        raise DarkfigureError(f"--until {until}: no day; write it as 2027-01-15")
    try:
        day = date.fromisoformat(until)
    except ValueError:
        raise DarkfigureError(f"--until {until}: no day of the calendar; write it as 2027-01-15") from None
    window, count = replies.show(place.database, area, table, time_period, day, to, _today())
    print(f"{to}: {count:,} rows; send it to the country")
    print(f"{window}: open until {day}; 'darkfigure run' releases nothing of it before")


def waive(window: str, by: str, reason: str) -> None:
    """Close a window before its day."""
    replies.waive(_place_with_build().database, window, by, reason, _today())
    print(f"{window}: waived by {by}; 'darkfigure run' releases what it held back")


def list_windows() -> None:
    """Every window there ever was, those that close last first, and how each stands."""
    with home().database.read() as connection:
        windows = replies.windows(connection, _today())
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("window", "country", "table", "period", "shown", "closes", "state"):
        table.add_column(name)
    for window in windows:
        table.add_row(*(escape(str(told)) for told in window))
    if windows:
        console().print(table)
    else:
        print("No country was shown anything for reply.")


def _print_receipt(receipt: StatementReceipt, file: Path) -> None:
    print(f"{receipt.as_text()}receipt    {file}\n\n{_NEXT}")


def _today() -> date:
    return datetime.now(UTC).date()
