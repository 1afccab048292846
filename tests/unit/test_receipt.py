"""The receipt says of every cell what became of it, and nothing in it can act, whatever was sent."""

import csv
import io
import json
import re

import openpyxl
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.exchange import hostile
from darkfigure.exchange.delivery import read
from darkfigure.exchange.reading import Reading
from darkfigure.exchange.receipt import EditionTaken, Receipt, Refused, marked_copy, rejected_of, safe_text
from darkfigure.sources.workbook import Sheet
from tests.unit.layouts import members_of
from tests.unit.returns import as_csv, csv_row, filled, place_of

GREEN, RED, YELLOW, NONE = "FFC6EFCE", "FFFFC7CE", "FFFFEB9C", "00000000"
STARTS = set("=+-@|%\t\r\n")


def colour(cell) -> str:
    return str(cell.fill.fgColor.rgb)


def opened(reading: Reading) -> openpyxl.Workbook:
    data = marked_copy(reading)
    hostile.check(data, "marked.xlsx")
    return openpyxl.load_workbook(io.BytesIO(data))


class TestMarkedCopy:
    def test_each_cell_shows_its_verdict(self):
        wrong = place_of("A1", "suspects", "2023")
        sheet = opened(read(filled(cells={wrong: "12,5"}), "f.xlsx"))["Return"]
        good = place_of("B1", "recorded_offences", "2023")
        assert (colour(sheet[good]), sheet[good].value, sheet[good].comment) == (GREEN, 700, None)
        assert (colour(sheet[wrong]), sheet[wrong].value) == (RED, "12,5")
        assert "is no number" in sheet[wrong].comment.text
        secret = sheet[place_of("B1", "amount_lost", "2024")]
        assert (colour(secret), "not taken" in secret.comment.text) == (YELLOW, True)
        assert colour(sheet["A4"]) == NONE and sheet["A4"].value == "A1"
        assert (sheet.freeze_panes, sheet.column_dimensions["B"].width) == ("A4", 24)

    def test_a_csv_gets_a_column_of_verdicts(self):
        data = as_csv(csv_row(), csv_row(OFFENCE="A2", OBS_VALUE="x", OBS_STATUS="Z"))
        sheet = opened(read(data, "f.csv"))["csv"]
        verdicts = [row[-1].value for row in sheet.iter_rows()]
        assert verdicts[:2] == ["VERDICT", "accepted"]
        assert re.fullmatch(r"rejected: OBS_VALUE: is no number.*; OBS_STATUS: is not in the code list.*", verdicts[2])
        assert [colour(cell) for cell in sheet[3]][5:] == [RED, RED, RED]

    def test_nothing_of_the_senders_file_but_values_is_in_it(self):
        members = members_of(marked_copy(read(filled(), "f.xlsx")))
        assert not any(b"dataValidation" in content or b"definedName " in content for content in members.values())

    @given(
        cells=st.lists(st.one_of(st.text(max_size=20), st.floats(allow_nan=False), st.booleans()), max_size=6),
        title=st.text(max_size=40),
    )
    @settings(max_examples=60, deadline=None)
    def test_no_cell_of_it_is_a_formula_whatever_was_sent(self, cells, title):
        data = marked_copy(Reading("csv", "FIN", 1, sheets=(Sheet(title, [["HEAD"], cells]),)))
        assert not any(re.search(rb"<f[ />]", content) for content in members_of(data).values())
        for row in openpyxl.load_workbook(io.BytesIO(data)).worksheets[0].iter_rows():
            assert all(cell.data_type in "sn" for cell in row)


class TestSafeText:
    @given(st.one_of(st.text(), st.builds(str.__add__, st.sampled_from(list("=+-@|%\t\r\n \u200b＝'")), st.text())))
    @settings(max_examples=500)
    def test_it_begins_no_formula_even_through_a_csv(self, text):
        safe = safe_text(text)
        assert not safe or safe[0] not in STARTS
        written = io.StringIO()
        csv.writer(written).writerow([safe, safe])
        back = next(csv.reader(io.StringIO(written.getvalue(), newline="")), [])
        assert all(not cell or cell[0] not in STARTS for cell in back)
        assert safe.lstrip("\u200b\ufeff \t\r\n")[:1] not in set("=+-@|%")

    @given(st.text(alphabet=st.characters(categories=["L", "N"]), min_size=1, max_size=50))
    def test_ordinary_words_are_left_as_they_are(self, text):
        assert safe_text(text) == text

    def test_what_no_spreadsheet_can_hold_is_replaced(self):
        assert safe_text("a\x00b\ud800") == "a\ufffdb\ufffd"


RECEIPT = Receipt(
    outcome="taken in part",
    file_name="return_FIN.xlsx",
    sha256="ab" * 32,
    byte_count=1234,
    received_at="2031-01-01T00:00:00.000001",
    form="questionnaire",
    ref_area="FIN",
    read=3,
    accepted=2,
    withheld=1,
    rejected=(Refused("cell F6", "12,5", "is no number"),),
    editions=(EditionTaken("FIN 2024", "2031-01-01", "2030-01-01", 2, 1, 1, 0, 3),),
    not_read=("Return: our own",),
    marked_copy="inbox/receipts/marked.xlsx",
)


class TestReceipt:
    def test_as_text(self):
        assert RECEIPT.as_text().splitlines() == [
            "TAKEN IN PART return_FIN.xlsx",
            "received   2031-01-01 00:00:00 UTC, 1,234 bytes",
            f"SHA-256    {'ab' * 32}",
            "form       questionnaire of FIN",
            "cells      3 read, 2 accepted, 1 rejected",
            "withheld   1 figure marked confidential: suppressed, the number not taken",
            "FIN 2024   now 2 figures (1 new, 1 changed), 3 no longer given; vintage 2031-01-01, replaces 2030-01-01",
            "not read   columns Return: our own",
            "rejected   cell F6: '12,5' is no number",
            "marked     inbox/receipts/marked.xlsx",
        ]

    def test_as_json(self):
        told = json.loads(RECEIPT.as_json())
        assert told["rejected"] == [{"place": "cell F6", "text": "12,5", "reason": "is no number"}]
        assert told["editions"][0]["no_longer_given"] == 3

    def test_what_the_sender_wrote_cannot_steer_a_terminal_or_break_a_line(self):
        data = as_csv(csv_row(), csv_row(OBS_VALUE="\x1b[2Jx")).replace(b"\x1b[2Jx", b'"\x1b[2J\nFORGED: x"')
        reading = read(data, "f.csv")
        text = Receipt("taken", "f\n.csv", "", 1, "", rejected=rejected_of(reading)).as_text()
        assert "\x1b" not in text and not any(line.startswith("FORGED") for line in text.splitlines())
