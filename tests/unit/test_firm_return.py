"""A firm's return: taken whole or refused cell by cell, and no refusal quotes what it refuses."""

import io
import traceback

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.exchange.firm_return import SECTORS, SIZES, FirmReading, read

ACTS = ("A1", "B1", "C2")
HEADS = "RESPONDENT,REF_AREA,TIME_PERIOD,OFFENCE,SECTOR,SIZE_EMP,INCIDENTS,AMOUNT_LOST,CURRENCY,NOTE"
ID, OTHER = "F-00112233aabbccdd", "F-ffeeddcc99887766"
GOOD = f"{ID},FIN,2024,A1,K,50-249,3,1234.5,EUR,A word to those who count"


def csv(*lines: str, heads: str = HEADS) -> bytes:
    return "\n".join([heads, *lines, ""]).encode()


def workbook(*lines: tuple[object, ...], heads: str = HEADS) -> bytes:
    book = openpyxl.Workbook()
    for row in (heads.split(","), *lines):
        book.active.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def refused(data: bytes) -> list[tuple[str, str]]:
    return [tuple(cell) for cell in read(data, "file 1", ACTS).refused]


def told(reading: FirmReading) -> list[tuple[object, ...]]:
    names = [name.lower() for name in HEADS.split(",")]
    return [tuple(getattr(figure, name) for name in names) for figure in reading.figures]


def test_a_row_is_taken_as_it_stands():
    reading = read(csv(GOOD, f"{ID},FIN,2024,B1,K,50-249,0,,,"), "file 1", ACTS)
    assert told(reading) == [
        (ID, "FIN", "2024", "A1", "K", "50-249", 3, 1234.5, "EUR", "A word to those who count"),
        (ID, "FIN", "2024", "B1", "K", "50-249", 0, None, "", ""),
    ]
    assert [figure.locator for figure in reading.figures] == ["line 2", "line 3"] and reading.refused == ()


def test_a_workbook_says_the_same():
    data = workbook((ID, "FIN", 2024, "A1", "K", "50-249", 3, 1234.5, "EUR", "A word to those who count"))
    assert told(read(data, "file 1", ACTS)) == told(read(csv(GOOD), "file 1", ACTS))


def test_columns_stand_in_any_order_and_semicolons_separate():
    data = b"NOTE;" + csv(heads=HEADS.removesuffix(",NOTE").replace(",", ";"))
    row = GOOD.replace(",", ";").rpartition(";")
    assert told(read(data + f"{row[2]};{row[0]}\n".encode(), "file 1", ACTS)) == told(read(csv(GOOD), "file 1", ACTS))


def test_what_is_not_answered_is_not_zero():
    (figure,) = read(csv(f"{ID},FIN,2024,A1,K,0-9,,10,EUR,"), "file 1", ACTS).figures
    assert figure.incidents is None and figure.amount_lost == 10


def test_nothing_shows_in_a_repr():
    reading = read(csv(GOOD), "file 1", ACTS)
    for text in (repr(reading), repr(reading.figures), str(reading.figures[0])):
        assert ID not in text and "1234" not in text and "word" not in text


#: Column, what stands in it, what the reason says. No text in the middle may stand in what is told of it.
CELLS = [
    ("RESPONDENT", "F-001122", "no respondent's id"),
    ("RESPONDENT", "F-00112233AABBCCDD", "no respondent's id"),
    ("RESPONDENT", "Acme Oyj", "no respondent's id"),
    ("RESPONDENT", "", "is missing"),
    ("REF_AREA", "FI", "no country's code"),
    ("REF_AREA", "Finlandia", "no country's code"),
    ("TIME_PERIOD", "2024-Q3", "is no year"),
    ("TIME_PERIOD", "9999", "is no year"),
    ("TIME_PERIOD", "٢٠٢٤", "is no year"),
    ("OFFENCE", "ransom", "no code of an act"),
    ("OFFENCE", "FRAUD", "no code of an act"),
    ("SECTOR", "K64.19", "no section of ISIC"),
    ("SECTOR", "V", "no section of ISIC"),
    ("SIZE_EMP", "1949-10-01", "no size class"),
    ("INCIDENTS", "7654.5", "no whole number"),
    ("INCIDENTS", "-7654", "is negative"),
    ("INCIDENTS", "7654321098765", "no whole number"),
    ("INCIDENTS", "7e54", "no whole number"),
    ("INCIDENTS", "about 765", "no whole number"),
    ("AMOUNT_LOST", "-87654.25", "is negative"),
    ("AMOUNT_LOST", "8e7654", "no amount"),
    ("AMOUNT_LOST", "876 543", "no amount"),
    ("AMOUNT_LOST", '"87,654"', "no amount"),
    ("AMOUNT_LOST", "inf", "no amount"),
    ("AMOUNT_LOST", "nan", "no amount"),
    ("CURRENCY", "euros", "no code of ISO 4217"),
    ("CURRENCY", "", "goes with AMOUNT_LOST"),
    ("AMOUNT_LOST", "", "CURRENCY.*goes with AMOUNT_LOST"),
    ("NOTE", "secret " * 100, "longer than 500"),
    ("NOTE", "turned \u202e round", "turn the direction"),
]  # fmt: skip


@pytest.mark.parametrize(("column", "text", "reason"), CELLS, ids=[f"{c[0]} {c[1][:12]!r}" for c in CELLS])
def test_a_bad_cell_is_refused_and_not_quoted(column, text, reason):
    values = dict(zip(HEADS.split(","), GOOD.split(","), strict=True)) | {column: text}
    cells = refused(csv(GOOD.replace(ID, OTHER), ",".join(values.values())))
    assert len(cells) == 1
    place, why = cells[0]
    expected, _, pattern = reason.rpartition(".*")
    assert place == f"line 3, column {expected or column}" and pattern in why
    quoted = text.strip('" \u202e')
    assert not quoted or len(quoted) < 2 or quoted not in f"{place} {why}"
    assert ID not in why


def test_every_cell_of_a_row_has_its_own_reason():
    cells = refused(csv("x,y,z,q,w,v,u,t,s,r"))
    assert [place.partition("column ")[2] for place, _ in cells] == HEADS.split(",")[:-1]


@pytest.mark.parametrize(
    ("lines", "column", "reason"),
    [
        ([GOOD, GOOD.replace("1234.5", "8")], "OFFENCE", "stand also at line 2"),
        ([GOOD, GOOD.replace(",A1,K,", ",B1,C,")], "SECTOR", "differs from line 2"),
        ([GOOD, GOOD.replace(",A1,K,50-249", ",B1,K,0-9")], "SIZE_EMP", "differs from line 2"),
        ([GOOD, GOOD.replace(ID, OTHER).replace("EUR", "SEK")], "CURRENCY", "differs from line 2"),
        ([f"{ID},FIN,2024,A1,K,0-9,,,,"], "INCIDENTS", "and so is AMOUNT_LOST"),
    ],
    ids=["twice", "two sectors", "two sizes", "two currencies", "no answer"],
)
def test_rows_that_do_not_go_together_are_refused(lines, column, reason):
    cells = refused(csv(*lines))
    assert len(cells) == 1
    assert cells[0][0] == f"line {len(lines) + 1}, column {column}" and reason in cells[0][1]


def test_years_and_countries_have_currencies_of_their_own():
    assert refused(csv(GOOD, GOOD.replace("2024", "2023").replace("EUR", "SEK"))) == []


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (csv(GOOD, heads=HEADS.replace("SECTOR", "Acme")), "column SECTOR is missing"),
        (csv(GOOD + ",Acme", heads=HEADS + ",Acme secret"), "column 11 is none of a firm's return"),
        (csv(GOOD + ",Acme", heads=HEADS + ",NOTE"), "column NOTE stands 2 times"),
        (csv(), "no row is filled in"),
        (csv(GOOD + ",Acme"), "11 fields, the header has 10"),
        (csv(GOOD, GOOD.replace("FIN", "SWE").replace(ID, OTHER)), "several countries"),
        (csv(GOOD.replace("A word", "=HYPERLINK(A1)")), "begins as a formula does"),
        (csv(GOOD).replace(b"word", b"w\xf6rd"), "not UTF-8"),
        (csv(GOOD).replace(b",EUR", b',"EUR"x'), "broken quoting"),
        (b'{"structure_id": "Acme"}', "column RESPONDENT is missing"),
        (workbook()[:-300], "workbook"),
        (b"\x1f\x8bAcme", "an archive"),
        (b"a" * (10 * 2**20 + 1), "larger than"),
        (workbook((ID, "FIN", 2024, "A1", "K", "=1+1", 3, 1, "EUR", "Acme")), "formula"),
        (workbook((*GOOD.split(","), "Acme")), "right of the last column"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_that_is_no_return_is_refused_whole(data, problem):
    with pytest.raises(SourceError) as raised:
        read(data, "file 1", ACTS)
    text = "".join(traceback.format_exception(raised.value))
    assert problem in str(raised.value) and "\n" not in str(raised.value)
    assert "Acme" not in text and ID not in text and "1234" not in text


def test_a_workbook_has_one_filled_sheet():
    book = openpyxl.load_workbook(io.BytesIO(workbook(tuple(GOOD.split(",")))))
    book.create_sheet("Acme")["B2"] = "x"
    packed = io.BytesIO()
    book.save(packed)
    with pytest.raises(SourceError, match="a workbook with 2 filled sheets") as raised:
        read(packed.getvalue(), "file 1", ACTS)
    assert "Acme" not in str(raised.value)


def test_what_a_reader_of_workbooks_says_is_not_told_on(monkeypatch):
    def fail(data: bytes, file: str) -> None:
        raise SourceError(file, "whole file", "could not parse 'Acme'", "x")

    monkeypatch.setattr("darkfigure.exchange.firm_return.open_sheets", fail)
    with pytest.raises(SourceError) as raised:
        read(workbook(), "file 1", ACTS)
    assert "Acme" not in "".join(traceback.format_exception(raised.value))


def test_whatever_a_file_brings_a_parser_to_is_one_line(monkeypatch):
    def fail(*_: object) -> None:
        raise RuntimeError("Acme lost 1234")

    monkeypatch.setattr("darkfigure.exchange.firm_return.full_rows", fail)
    with pytest.raises(SourceError, match="file 1: whole file: cannot be read") as raised:
        read(csv(GOOD), "file 1", ACTS)
    assert "Acme" not in "".join(traceback.format_exception(raised.value))


def test_code_lists_are_partitions():
    assert "".join(SECTORS) == "ABCDEFGHIJKLMNOPQRSTU"
    assert list(SIZES) == ["0-9", "10-49", "50-249", "GE250"]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=12), min_size=10, max_size=10))
def test_any_row_is_taken_or_refused_in_one_line_and_never_quoted(cells):
    line = ",".join('"' + cell.replace('"', '""') + '"' for cell in cells)
    try:
        reading = read(csv(GOOD, line), "file 1", ACTS)
    except SourceError as exc:
        said = str(exc)
    else:
        blank = not any(cell.strip() for cell in cells)
        assert bool(reading.refused) != (len(reading.figures) == 2 - blank)
        said = " ".join(f"{place} {reason}" for place, reason in reading.refused)
    assert said.isprintable()
    assert not [cell for cell in cells if len(cell.strip()) > 7 and cell.strip() in said]
