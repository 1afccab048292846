"""ECB rates: means of whole years, marks of days without a rate, and what would change a mean unseen."""

import csv
import io
import statistics
import zipfile
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.accept import check_returns
from darkfigure.sources.ecb_rates import SOURCE, parse
from tests.unit import mutations
from tests.unit.layouts import archive, figures, refused
from warehouse.intake import known_codes

# The ECB's holidays of these years that are weekdays: Good Friday and Easter Monday move.
HOLIDAYS = {
    2030: ("01-01", "04-19", "04-22", "05-01", "12-25", "12-26"),
    2031: ("01-01", "04-11", "04-14", "05-01", "12-25", "12-26"),
}


def working_days(year: int) -> list[str]:
    days = (date(year, 1, 1) + timedelta(n) for n in range(365))
    return [str(day) for day in days if day.weekday() < 5 and str(day)[5:] not in HOLIDAYS[year]]


def rates(last: str = "2031-12-31") -> list[list[str]]:
    """Two years of three currencies, the latest day first; AAB begins in 2030, AAC ends with that year."""
    rows = [["Date", "USD", "AAB", "AAC", ""]]
    for n, day in enumerate(working_days(2030) + working_days(2031)):
        second = "N/A" if n < 7 else str(100 + n % 11)
        rows.append([day, f"1.{n % 10}", second, "N/A" if day > "2031" else "0.25", ""])
    return [rows[0], *(row for row in reversed(rows[1:]) if row[0] <= last)]


def text(rows: list[list[str]]) -> bytes:
    return "".join(",".join(row) + "\n" for row in rows).encode()


def zipped(rows: list[list[str]] | None = None) -> bytes:
    return archive({"eurofxref-hist.csv": text(rates() if rows is None else rows)})


def cell(data: bytes, currency: str, year: str) -> dict[str, Any]:
    [row] = [
        row
        for row in parse(data, "f").returns.to_pylist()
        if (row["unit_measure"], row["time_period"]) == (currency, year)
    ]
    return row


def changed(change: Callable[[list[list[str]]], object]) -> bytes:
    rows = rates()
    change(rows)
    return zipped(rows)


def test_a_year_is_the_mean_of_its_days_and_leads_to_their_lines() -> None:
    row = cell(zipped(), "USD", "2031")
    wanted = statistics.fmean(float(r[1]) for r in rates()[1:] if r[0] > "2031")
    assert row["obs_value"] == pytest.approx(wanted, rel=1e-14)
    assert row["locator"] == f"eurofxref-hist.csv, lines 2 to {len(working_days(2031)) + 1}, column USD"
    assert (row["ref_area"], row["offence"], row["measure"], row["obs_status"], row["mark"]) == (
        "U2", "_Z", "exchange_rate", "A", "",
    )  # fmt: skip


def test_days_without_a_rate_are_counted_in_the_mark() -> None:
    row = cell(zipped(), "AAB", "2030")
    printed = [float(r[2]) for r in rates()[1:] if r[0] < "2031" and r[2] != "N/A"]
    assert row["obs_value"] == pytest.approx(statistics.fmean(printed), rel=1e-14)
    assert (row["obs_status"], row["mark"]) == ("E", "N/A on 7 days")


def test_a_year_without_any_rate_has_none() -> None:
    row = cell(zipped(), "AAC", "2031")
    assert (row["obs_value"], row["obs_status"], row["mark"]) == (None, "O", "N/A")


def test_everything_read_is_counted_and_the_vintage_is_the_last_day() -> None:
    parsed = parse(zipped(), "f")
    assert (parsed.edition, parsed.vintage, parsed.rows_read) == ("all", "2031-12-31", len(rates()) - 1)
    assert (parsed.returns.num_rows, parsed.rejected.num_rows) == (6, 0)


def test_a_year_that_has_not_ended_is_not_taken() -> None:
    parsed = parse(zipped(rates("2031-12-23")), "f")
    assert set(parsed.returns["time_period"].to_pylist()) == {"2030"}
    assert (parsed.vintage, parsed.rows_read) == ("2031-12-23", len(rates("2031-12-23")) - 1)


def test_a_year_that_the_file_begins_within_is_not_taken() -> None:
    data = zipped([row for row in rates() if row[0] > "2030-01-10"])
    assert set(parse(data, "f").returns["time_period"].to_pylist()) == {"2031"}


def test_a_day_that_is_lost_is_told_in_the_mark() -> None:
    row = cell(changed(lambda rows: rows.pop(99)), "USD", "2031")
    assert (row["obs_status"], row["mark"]) == ("E", "no row on 1 days")


def test_the_csv_out_of_the_zip_gives_the_same_figures() -> None:
    assert figures(parse(text(rates()), "f")) == figures(parse(zipped(), "f"))
    assert parse(text(rates()), "f").returns["locator"][0].as_py().startswith("lines ")


@pytest.mark.parametrize(
    "change",
    [
        lambda rows: rows.__setitem__(slice(1, None), rows[:0:-1]),
        lambda rows: rows.insert(0, ["Reference rates", "", "", "", ""]),
        lambda rows: rows.append(["(1) a note", "", "", "", ""]),
        lambda rows: [row.insert(0, row.pop(2)) for row in rows],
        lambda rows: [row.insert(2, "") for row in rows],
        lambda rows: rows[0].__setitem__(1, "USD [note 2]"),
        lambda rows: rows[0].__setitem__(1, "\u00a0USD3 "),
        lambda rows: rows.append([""] * 5),
    ],
    ids=["oldest first", "a title", "a note", "moved column", "blank column", "note", "fused note", "blank line"],
)
def test_another_layout_gives_the_same_figures(change: Callable[[list[list[str]]], object]) -> None:
    assert figures(parse(changed(change), "f")) == figures(parse(zipped(), "f"))


def test_a_currency_more_is_taken() -> None:
    rows = [[*row[:4], "NEW" if n == 0 else "7.5", ""] for n, row in enumerate(rates())]
    assert cell(zipped(rows), "NEW", "2030")["obs_value"] == 7.5


@pytest.mark.parametrize("wrong", ["", "n/a", "0", "-1.5", "1,5", "1e3", "inf", ":"])
def test_what_is_no_rate_is_rejected_with_its_year(wrong: str) -> None:
    rows = rates()
    rows[9][1] = wrong
    content = io.StringIO()
    csv.writer(content).writerows(rows)
    parsed = parse(content.getvalue().encode(), "f")
    assert [tuple(row.values()) for row in parsed.rejected.to_pylist()] == [
        ("eurofxref-hist", "line 10, column USD", wrong, "neither a rate nor N/A: no mean of USD in 2031")
    ]
    assert parsed.returns.num_rows == 5


@pytest.mark.parametrize(
    ("data", "place", "problem"),
    [
        (b"<html>", "whole file", "HTML"),
        (b"", "whole file", "empty"),
        (archive({"a.txt": b"x"}), "whole file", "no files of the name"),
        (archive({"a.csv": text(rates()), "b.csv": b""}), "whole file", "2 files of the name"),
        (zipped()[:-30], "whole file", "damaged"),
        (b"geo,year\nAA,1\n", "line 1", "column 'Date' is missing"),
        (b"A title\n", "whole file", "no row of names"),
        (zipped(rates()[:1]), "whole file", "no day in it"),
        (zipped(rates("2030-06-01")), "column Date", "no year from its first week"),
        (changed(lambda rows: rows[0].__setitem__(1, "GBP")), "line 1", "column 'USD' is missing"),
        (changed(lambda rows: rows[0].__setitem__(2, "USD")), "line 1", "'USD' stands 2 times"),
        (changed(lambda rows: rows[0].__setitem__(2, "Dollar")), "column 3", "'Dollar' is of no currency"),
        (changed(lambda rows: rows[0].__setitem__(2, "")), "column 3", "figures in a column without a name"),
        (changed(lambda rows: rows[5].__setitem__(0, "5 June 2031")), "line 6, column Date", "'5 June 2031' is no day"),
        (changed(lambda rows: rows[5].__setitem__(0, "2031-02-30")), "line 6, column Date", "no day of the calendar"),
        (changed(lambda rows: rows.append(rows[7])), r"line \d+, column Date", "stand 2 times"),
        (changed(lambda rows: rows.insert(40, rows.pop(0))), "line 1", "column 'Date' is missing"),
        (changed(lambda rows: rows[5].pop()), "line 6", "4 fields, the header has 5"),
        (b"A title,,,,\n\n" + text(rates())[:-9], r"line \d\d\d", "fields, the header has 5"),
    ],
)
def test_what_is_not_the_table_is_refused(data: bytes, place: str, problem: str) -> None:
    refused(parse, data, f"^{place}", problem)


@mutations.mutants
@given(st.randoms(use_true_random=False))
def test_a_changed_layout_gives_the_same_figures_or_is_refused(chance: Random) -> None:
    mutations.check(
        parse, [mutations.Sheet("", rates())], mutations.as_text(), chance, mutations.TO_TEXT, "eurofxref-hist.csv"
    )


def published(folder: Path) -> bytes:
    [path] = [path for path in SOURCE.files_in(folder) if path.suffix == ".zip"]
    return path.read_bytes()


def test_the_ecb_published_these_rates(published_data: Path) -> None:
    """ECB, eurofxref-hist.zip of 30 October 2026; its means made again from the csv, by row and without arrow."""
    data = published(published_data)
    parsed = parse(data, "eurofxref-hist.zip")
    check_returns(parsed, known_codes(SOURCE), "eurofxref-hist.zip")
    assert (parsed.vintage, parsed.rows_read, parsed.rejected.num_rows) == ("2026-10-30", 7126, 0)
    with zipfile.ZipFile(io.BytesIO(data)) as source:
        rows = list(csv.DictReader(io.StringIO(source.read("eurofxref-hist.csv").decode())))
    printed: dict[tuple[str, str], list[str]] = {}
    for row in rows:
        for currency, rate in row.items():
            if currency not in {"Date", ""}:
                printed.setdefault((currency, row["Date"][:4]), []).append(rate)
    assert parsed.returns.num_rows == len({key for key in printed if key[1] < "2026"}) == 1107
    for figure in parsed.returns.to_pylist():
        given = printed[figure["unit_measure"], figure["time_period"]]
        taken = [float(rate) for rate in given if rate != "N/A"]
        assert figure["obs_status"] == ("O" if not taken else "A" if len(taken) == len(given) else "E")
        if taken:
            assert figure["obs_value"] == pytest.approx(statistics.fmean(taken), rel=1e-12)


@pytest.mark.parametrize(
    ("currency", "year", "value"),
    [("USD", "2020", 1.1422), ("USD", "2021", 1.1827), ("USD", "2022", 1.0530), ("USD", "2023", 1.0813), ("USD", "2024", 1.0824)],
)  # fmt: skip
def test_a_mean_is_what_the_ecb_prints_as_the_years_average(
    published_data: Path, currency: str, year: str, value: float
) -> None:
    """ECB, annual averages of the euro in US dollars, to the four decimals in which they are printed (from memory)."""
    figure = cell(published(published_data), currency, year)
    assert round(figure["obs_value"], 4) == value


def test_a_currency_that_was_suspended_is_marked(published_data: Path) -> None:
    """ECB, eurofxref-hist.zip: the last rate of the rouble is of 1 March 2022."""
    data = published(published_data)
    assert (cell(data, "RUB", "2022")["obs_status"], cell(data, "RUB", "2022")["mark"]) == ("E", "N/A on 215 days")
    assert (cell(data, "RUB", "2023")["obs_value"], cell(data, "RUB", "2021")["obs_status"]) == (None, "A")


def test_the_ecb_published_on_all_its_working_days(published_data: Path) -> None:
    """ECB, eurofxref-hist.zip: no whole year since 1999 lacks a day, by the ECB's own calendar."""
    assert not [mark for mark in parse(published(published_data), "f").returns["mark"].to_pylist() if "no row" in mark]
