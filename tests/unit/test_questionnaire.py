"""The questionnaire: what is built can be filled and is read by meaning; every filled cell is taken or rejected."""

import io
from random import Random

import openpyxl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openpyxl.utils.exceptions import IllegalCharacterError

from darkfigure.errors import SourceError
from darkfigure.exchange import hostile, questionnaire
from darkfigure.exchange.delivery import parse, read
from darkfigure.sources.returns import MEASURES
from darkfigure.sources.workbook import open_sheets
from tests.unit import mutations
from tests.unit.layouts import refused
from tests.unit.returns import FILLED, OFFENCES, YEARS, filled, place_of, saved

EMPTY = questionnaire.build("FIN", YEARS, OFFENCES, currency="EUR")


def taken(data: bytes) -> dict[tuple[str, str, str], tuple[float | None, str, str, str]]:
    return {
        (row["offence"], row["measure"], row["time_period"]): (
            row["obs_value"], row["obs_status"], row["conf_status"], row["mark"],
        )
        for row in parse(data, "f.xlsx").returns.to_pylist()
    }  # fmt: skip


def rejected(data: bytes) -> dict[str, str]:
    return {row["locator"].rpartition(" ")[2]: row["reason"] for row in parse(data, "f.xlsx").rejected.to_pylist()}


def changed(data: bytes, change) -> bytes:
    book = openpyxl.load_workbook(io.BytesIO(data))
    change(book)
    return saved(book)


class TestBuilding:
    def test_it_asks_each_measure_of_each_act_in_each_year(self):
        sheet = openpyxl.load_workbook(io.BytesIO(EMPTY))["Return"]
        assert sheet.max_row == 3 + len(OFFENCES) * len(questionnaire.ASKED)
        heads = [cell.value for cell in sheet[3]]
        assert heads == [
            "OFFENCE", "Act", "MEASURE", "What is counted", "UNIT_MEASURE", "2023", "2023 status",
            "2023 confidentiality", "2024", "2024 status", "2024 confidentiality", "Note",
        ]  # fmt: skip
        assert sheet.freeze_panes == "F4"
        assert sheet.protection.sheet and sheet["A4"].protection.locked and not sheet["F4"].protection.locked
        assert {str(choice.sqref) for choice in sheet.data_validations.dataValidation} == {
            f"{column}4:{column}18" for column in "GHJK"
        }

    def test_the_choices_are_every_status_with_its_words(self):
        book = openpyxl.load_workbook(io.BytesIO(EMPTY))
        first = book["Return"].data_validations.dataValidation[0].formula1
        words = [row[0].value for row in book["About"][first.partition("!")[2].replace("$", "")]]
        assert words[0] == "A: Normal value" and len(words) == len(questionnaire.STATUSES)

    def test_it_is_harmless_and_says_nothing_yet(self):
        hostile.check(EMPTY, "f.xlsx")
        refused(parse, EMPTY, "whole file", "nothing is filled in", "f.xlsx")

    def test_a_name_that_begins_as_a_formula_stays_a_text(self):
        data = questionnaire.build("FIN", ["2024"], [("A1", "=cmd|' /C calc'!A0")])
        hostile.check(data, "f.xlsx")
        assert set(questionnaire.ASKED) <= set(MEASURES)


class TestReading:
    def test_each_figure_comes_with_its_status_and_place(self):
        data = filled()
        assert taken(data) == {
            ("A1", "recorded_offences", "2023"): (12, "A", "F", ""),
            ("A1", "recorded_offences", "2024"): (15, "P", "F", ""),
            ("A1", "suspects", "2023"): (0, "A", "F", ""),
            ("A1", "suspects", "2024"): (None, "O", "F", "-"),
            ("B1", "recorded_offences", "2023"): (700, "B", "F", ""),
            ("B1", "recorded_offences", "2024"): (None, "M", "F", ""),
            ("B1", "amount_lost", "2023"): (1234.5, "A", "F", ""),
            ("B1", "amount_lost", "2024"): (None, "Q", "C", "sent as confidential, withheld"),
            ("FRAUD", "recorded_offences", "2023"): (9000, "A", "F", ""),
            ("FRAUD", "recorded_offences", "2024"): (9100, "A", "F", ""),
        }
        assert rejected(data) == {}
        first = parse(data, "f.xlsx").returns.to_pylist()[0]
        assert (first["locator"], first["ref_area"]) == ("sheet 'Return', cell F4", "FIN")
        assert parse(data, "f.xlsx").rows_read == len(FILLED)

    def test_blank_dash_and_nought_are_three_things(self):
        data = filled({("A1", "suspects"): {"2023": 0, "2024": "\u2013"}})
        assert taken(data) == {
            ("A1", "suspects", "2023"): (0, "A", "F", ""),
            ("A1", "suspects", "2024"): (None, "O", "F", "-"),
        }

    def test_a_note_goes_with_the_figures_of_its_row(self):
        data = filled({("A1", "suspects"): {"2023": 3, "2024": "-", "Note": "Persons only"}})
        assert [figure[3] for figure in taken(data).values()] == ["Persons only", "Persons only; -"]

    @pytest.mark.parametrize(
        ("filling", "reasons"),
        [
            ({"2023": "12,5"}, {"2023": "is no number"}),
            ({"2023": "12.500"}, {"2023": "no whole number"}),
            ({"2023": 12.5}, {"2023": "no whole number"}),
            ({"2023": -1}, {"2023": "is negative"}),
            ({"2023": True}, {"2023": "truth value"}),
            ({"2023": "n/a"}, {"2023": "is no number"}),
            ({"2023": 5, "2023 status": "X"}, {"2023": "beside it", "2023 status": "none of the choices"}),
            ({"2023": 5, "2023 status": "M"}, {"2023": "beside it", "2023 status": "clear one of the two"}),
            ({"2023 status": "P"}, {"2023 status": "OBS_VALUE is missing"}),
            ({"2023 confidentiality": "C"}, {"2023 confidentiality": "no figure and no status"}),
            ({"2023": "-", "2023 status": "P"}, {"2023": "is missing"}),
            ({"2023": "x", "2023 confidentiality": "C"}, {"2023": "is no number"}),
            ({"Note": "=cmd"}, {"Note": "formula"}),
            ({"Note": "left out"}, {"Note": "no figure was taken"}),
        ],
    )
    def test_what_cannot_be_taken_is_rejected_cell_by_cell(self, filling, reasons):
        other = {("B1", "suspects"): {"2024": 1}}
        book = openpyxl.load_workbook(io.BytesIO(filled(other)))
        for head, value in filling.items():
            cell = book["Return"][place_of("A1", "recorded_offences", head)]
            cell.value = value
            if isinstance(value, str):
                cell.data_type = "s"
        data = saved(book)
        assert list(taken(data)) == [("B1", "suspects", "2024")]
        found = rejected(data)
        assert {place_of("A1", "recorded_offences", head) for head in reasons} == set(found)
        for head, reason in reasons.items():
            assert reason in found[place_of("A1", "recorded_offences", head)]

    def test_a_confidential_cell_that_is_rejected_is_not_kept_as_text(self):
        data = filled({("A1", "suspects"): {"2023": "77x", "2023 confidentiality": "C", "2024": 1}})
        assert parse(data, "f.xlsx").rejected["text"].to_pylist() == [""]

    def test_a_date_is_no_figure(self):
        from datetime import datetime

        data = filled({("A1", "suspects"): {"2023": datetime(2024, 5, 1), "2024": 1}})
        assert "format the cell as a number" in rejected(data)["F6"]

    def test_an_unknown_act_is_rejected_with_its_cells(self):
        screened = read(filled(), "f.xlsx").screened({"A1", "B1"})
        assert {row.reason for _, _, row in screened.rejected} == {
            "unknown code 'FRAUD' of an act; the questionnaire lists them in its sheet 'Definitions'"
        }
        assert len(screened.accepted) == 8 and len(screened.rejected) == 2


class TestMoving:
    """What people do to a form."""

    def test_rows_columns_and_sheets_may_be_moved_added_and_renamed(self):
        def change(book: openpyxl.Workbook) -> None:
            sheet = book["Return"]
            sheet.insert_rows(1, 3)
            sheet.insert_cols(7)
            sheet["G6"] = "our own sum"
            sheet["G8"] = 77
            sheet.title = "Our figures"
            book.create_sheet("Scratch", 0)["A1"] = 5
            book.move_sheet("About", -2)

        data = changed(filled(), change)
        assert taken(data) == taken(filled())
        assert read(data, "f.xlsx").not_read == ("Our figures: our own sum",)

    def test_a_year_more_is_a_year_more(self):
        def change(book: openpyxl.Workbook) -> None:
            for column, name in enumerate(("2022", "2022 status", "2022 confidentiality"), start=13):
                book["Return"].cell(3, column).value = name
            book["Return"].cell(4, 13).value = 8

        assert taken(changed(filled(), change))["A1", "recorded_offences", "2022"][0] == 8

    def test_the_same_figure_twice_is_taken_once_and_two_that_differ_not_at_all(self):
        def copy(book: openpyxl.Workbook) -> None:
            sheet = book["Return"]
            for cell in sheet[4]:
                sheet.cell(30, cell.column).value = cell.value
            sheet["I30"] = 16

        data = changed(filled(), copy)
        assert ("A1", "recorded_offences", "2023") in taken(data)
        assert ("A1", "recorded_offences", "2024") not in taken(data)
        assert rejected(data) == {
            "F30": "the same figure stands also at sheet 'Return', cell F4; leave one of them",
            "I4": "the same figure stands also at sheet 'Return', cell I30, and differs; leave one of them",
            "I30": "the same figure stands also at sheet 'Return', cell I4, and differs; leave one of them",
        }

    @pytest.mark.parametrize(
        ("change", "place", "problem"),
        [
            (lambda book: book["Return"].delete_rows(3), "whole file", "no row with the heads"),
            (lambda book: book["Return"].delete_cols(7), "row 3", "column '2023 status' is missing"),
            (lambda book: book["Return"].delete_cols(6), "row 3", "column '2023' is missing"),
            (lambda book: book["Return"].cell(3, 9, "2023"), "row 3", "column '2024' is missing"),
            (lambda book: book["Return"].cell(3, 14, "2023"), "row 3", "column '2023' stands 2 times"),
            (lambda book: book.remove(book["About"]), "whole file", "no questionnaire"),
            (lambda book: book["Return"].cell(40, 1, "STRUCTURE_ID"), "STRUCTURE_ID", "several ways"),
        ],
    )
    def test_a_form_without_its_heads_is_refused(self, change, place, problem):
        refused(parse, changed(filled(), change), place, problem, "f.xlsx")

    @pytest.mark.parametrize(("was", "now"), [("FIN", "Finland"), ("DARKFIGURE:RETURN(1.0)", "DARKFIGURE:RETURN(9)")])
    def test_a_form_of_another_country_or_version_is_refused(self, was, now):
        def change(book: openpyxl.Workbook) -> None:
            for row in book["About"].iter_rows():
                for cell in row:
                    cell.value = now if cell.value == was else cell.value

        with pytest.raises(SourceError):
            parse(changed(filled(), change), "f.xlsx")

    LAYOUT = [mutations.Sheet(sheet.name, sheet.rows) for sheet in open_sheets(filled(), "f.xlsx")]

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    def test_no_change_of_layout_changes_a_figure(self, seed):
        mutations.check(parse, self.LAYOUT, mutations.as_workbook, Random(seed), file="f.xlsx")

    @given(
        value=st.one_of(st.text(max_size=12), st.floats(), st.integers(), st.booleans(), st.datetimes()),
        head=st.sampled_from(["2023", "2023 status", "2023 confidentiality", "Note"]),
    )
    @settings(max_examples=15, deadline=None)
    def test_whatever_stands_in_a_cell_is_taken_or_rejected_or_refused(self, value, head):
        book = openpyxl.load_workbook(io.BytesIO(filled({("B1", "suspects"): {"2024": 1}})))
        cell = book["Return"][place_of("A1", "suspects", head)]
        try:
            cell.value = value
        except (ValueError, IllegalCharacterError):
            return
        if isinstance(value, str):
            cell.data_type = "s"
        try:
            reading = read(saved(book), "f.xlsx")
        except SourceError:
            return
        shown = {questionnaire.shown(c) for sheet in reading.sheets for row in sheet.rows for c in row}
        places = {row.locator for _, row in reading.accepted} | {row.locator for _, _, row in reading.rejected}
        if questionnaire.shown(value) and questionnaire.shown(value) in shown:
            assert any(place.endswith(f"{place_of('A1', 'suspects', head)}") for place in places) or len(places) == 1
