"""What a country sends is told apart by content and read row by row: csv, SDMX-CSV, a notice of withdrawal."""

import json
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from darkfigure.errors import SourceError
from darkfigure.exchange import delivery
from darkfigure.exchange.country_return import SOURCE
from darkfigure.exchange.delivery import parse, read, withdrawal
from darkfigure.exchange.reading import editions
from darkfigure.exchange.structure import COMPONENTS
from darkfigure.sources.returns import Return
from tests.unit import mutations
from tests.unit.layouts import refused
from tests.unit.returns import as_csv, csv_row, filled, sdmx

ROWS = [
    csv_row(TIME_PERIOD=year, OFFENCE=offence, OBS_VALUE=100 * number + int(year) % 10)
    for number, offence in enumerate(("A1", "A2", "FRAUD"), start=1)
    for year in ("2023", "2024")
]
GOOD = as_csv(*ROWS)


def values(data: bytes) -> dict[tuple[str, str], float | None]:
    return {(row["offence"], row["time_period"]): row["obs_value"] for row in parse(data, "f").returns.to_pylist()}


def rejected(data: bytes) -> list[tuple[str, str]]:
    return [(row["locator"], row["text"]) for row in parse(data, "f").rejected.to_pylist()]


class TestTellingApart:
    def test_by_content_whatever_the_name_says(self):
        assert read(filled(), "a.csv").form == "questionnaire"
        assert read(GOOD, "a.xlsx").form == "csv"
        assert read(sdmx(("I", csv_row())), "a.txt").form == "SDMX-CSV"
        assert read(withdrawal("FIN", ["2024"], "Counted twice", "2031-01-01"), "a").form == "withdrawal"

    def test_it_is_a_source_like_any_other(self):
        parsed = SOURCE.parse(GOOD, "return_FIN.csv")
        assert (parsed.edition, parsed.vintage, parsed.returns.num_rows) == ("FIN", "", 6)

    @pytest.mark.parametrize(
        "data", [b"", b"  \n", b"<html>", b"a,b\n1,2\n", b"{}", b"{nothing", b"\xff\xfe1\x002\x00", b"{" * 5000]
    )
    def test_what_is_none_of_them_is_refused(self, data):
        with pytest.raises(SourceError) as caught:
            parse(data, "f.csv")
        assert caught.value.remedy


class TestCsv:
    def test_each_row_is_a_figure(self):
        assert values(GOOD) == {
            ("A1", "2023"): 103, ("A1", "2024"): 104, ("A2", "2023"): 203,
            ("A2", "2024"): 204, ("FRAUD", "2023"): 303, ("FRAUD", "2024"): 304,
        }  # fmt: skip
        assert parse(GOOD, "f").returns["locator"][0].as_py() == "line 2, column OBS_VALUE"

    @pytest.mark.parametrize("delimiter", [",", ";", "\t"])
    def test_heads_in_any_case_and_order_with_any_delimiter(self, delimiter):
        rows = [dict(reversed(row.items())) for row in ROWS]
        text = as_csv(*rows, delimiter=delimiter).decode()
        head, _, body = text.partition("\n")
        assert values(f"\ufeff{head.lower()}\n{body}".encode()) == values(GOOD)

    def test_labels_after_the_codes_are_read_past(self):
        labelled = "REF_AREA: Area,TIME_PERIOD,OFFENCE: Act,MEASURE,UNIT_MEASURE,OBS_VALUE"
        data = f"{labelled}\nFIN: Finland,2023,A1: Illegal access,recorded_offences,NR,7\n".encode()
        assert values(data) == {("A1", "2023"): 7}

    def test_bad_cells_are_rejected_and_the_others_taken(self):
        data = as_csv(
            csv_row(), csv_row(OFFENCE="A2", OBS_VALUE="1,5x"), csv_row(OFFENCE="A3", OBS_STATUS="Z", MEASURE="no")
        )
        broken = data.replace(b"1,5x", b'"1,5"')
        assert values(broken) == {("A1", "2024"): 5}
        assert rejected(broken) == [
            ("line 3, column OBS_VALUE", "1,5"),
            ("line 4, column MEASURE", "no"),
            ("line 4, column OBS_STATUS", "Z"),
        ]

    def test_the_same_twice(self):
        data = as_csv(csv_row(), csv_row(), csv_row(OFFENCE="A2"), csv_row(OFFENCE="A2", OBS_VALUE=6))
        assert values(data) == {("A1", "2024"): 5}
        assert [place for place, _ in rejected(data)] == [f"line {n}, column OBS_VALUE" for n in (3, 4, 5)]

    def test_a_confidential_figure_that_is_rejected_is_not_kept(self):
        data = as_csv(csv_row(CONF_STATUS="F"), csv_row(OFFENCE="A2", OBS_VALUE="55x", CONF_STATUS="C"))
        assert rejected(data) == [("line 3, column OBS_VALUE", "")]

    @pytest.mark.parametrize(
        ("data", "place", "problem"),
        [
            (as_csv(csv_row(), csv_row(REF_AREA="SWE")), "REF_AREA", "2 countries"),
            (as_csv(csv_row(SCALE="thousands")), "line 1", "column 8 has a name"),
            (GOOD.replace(b"OFFENCE", b"CRIME"), "line 1", "column OFFENCE is missing"),
            (GOOD.replace(b"OBS_STATUS", b"OBS_VALUE"), "line 1", "OBS_VALUE stands 2 times"),
            (GOOD + b"FIN,2024\n", "line 8", "2 fields"),
            (as_csv(csv_row(OBS_VALUE="x"), csv_row(OBS_VALUE="y")), "whole file", "no cell .* 2 rejected"),
            (as_csv(), "whole file", "nothing is filled in"),
            (as_csv(csv_row(ORIGIN="=1+1")), "line 2, field 8", "begins as a formula"),
        ],
    )
    def test_another_file_is_refused_whole(self, data, place, problem):
        refused(parse, data, place, problem)

    LAYOUT = [mutations.Sheet("csv", [list(ROWS[0]), *([str(v) for v in row.values()] for row in ROWS)])]

    @given(seed=st.integers(0, 2**32))
    @settings(max_examples=200, deadline=None)
    def test_no_change_of_layout_changes_a_figure(self, seed):
        mutations.check(parse, self.LAYOUT, mutations.as_text(), Random(seed), mutations.TO_TEXT)

    @given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=200))
    @settings(max_examples=200, deadline=None)
    def test_any_text_is_read_or_refused_in_one_line(self, text):
        for data in (text.encode(), GOOD + text.encode()):
            try:
                read(data, "f")
            except SourceError as refusal:
                assert "\n" not in str(refusal)


Standing = dict[str, list[tuple[Return, str]]]


def parts(data: bytes, before: Standing | None = None) -> dict[str, dict[str, float | None]]:
    """The editions that a delivery makes: the figures of each by offence."""
    made = editions(parse(data, "f"), "2031-01-01", lambda edition: (before or {}).get(edition, []))
    return {part.edition: {r["offence"]: r["obs_value"] for r in part.returns.to_pylist()} for part in made}


def standing(**figures: float) -> Standing:
    rows = [
        (
            Return("country return", f"line {n}", "FIN", "2024", offence, "recorded_offences", "NR", value),
            "old.csv (12)",
        )
        for n, (offence, value) in enumerate(figures.items())
    ]
    return {"FIN 2024": rows}


class TestSdmx:
    def test_a_year_is_stated_whole(self):
        for action in ("", "I", "R", "i"):
            data = sdmx((action, csv_row(OFFENCE="A2")), (action, csv_row(TIME_PERIOD="2023-Q1")))
            assert parts(data, standing(A1=1, A2=2)) == {"FIN 2023": {"A1": 5}, "FIN 2024": {"A2": 5}}

    @pytest.mark.parametrize("action", ["A", "M"])
    def test_or_amended_figure_by_figure(self, action):
        data = sdmx((action, csv_row(OFFENCE="A2")))
        assert parts(data, standing(A1=1, A2=2)) == {"FIN 2024": {"A1": 1, "A2": 5}}

    def test_a_kept_figure_says_which_file_it_came_in(self):
        data = sdmx(("M", csv_row(OFFENCE="A2")))
        made = editions(parse(data, "f"), "2031", lambda _: standing(A1=1)["FIN 2024"])
        assert made[0].returns["locator"].to_pylist() == ["in old.csv (12): line 0", "line 2, column OBS_VALUE"]
        again = made[0].returns.to_pylist()[0]
        kept = editions(parse(data, "f"), "2032", lambda _: [(Return(**again), "new.csv (34)")])
        assert kept[0].returns["locator"][0].as_py() == "in old.csv (12): line 0"

    def test_delete_takes_one_figure_away(self):
        data = sdmx(("D", csv_row(OBS_VALUE="", OBS_STATUS="")))
        assert parts(data, standing(A1=1, A2=2)) == {"FIN 2024": {"A2": 2}}
        assert parts(data, standing(A1=1)) == {"FIN 2024": {}}

    def test_delete_needs_a_whole_key(self):
        data = sdmx(("M", csv_row()), ("D", csv_row(OFFENCE="")), ("X", csv_row()))
        assert [place for place, _ in rejected(data)] == ["line 3, column OFFENCE", "line 4, column ACTION"]

    @pytest.mark.parametrize("structure", ["DARKFIGURE:RETURN(2.0)", "ESTAT:CRIM(1.0)", ""])
    def test_data_of_another_structure_are_refused(self, structure):
        data = sdmx(("I", csv_row()), structure=structure)
        refused(parse, data, "line 2, column STRUCTURE_ID", r"is not DARKFIGURE:RETURN\(1.0\)")

    def test_all_components_make_the_round(self):
        whole = {name: component.default for name, component in COMPONENTS.items()} | csv_row(MARK="a mark", AGE="Y18")
        taken = parse(sdmx(("I", whole)), "f").returns.to_pylist()[0]
        assert (taken["mark"], taken["age"], taken["obs_value"]) == ("a mark", "Y18", 5)


class TestWithdrawal:
    def test_it_makes_years_without_figures(self):
        notice = withdrawal("FIN", ["2024", "2023"], "Counted twice", "2031-01-01T00:00:00")
        assert parts(notice, standing(A1=1)) == {"FIN 2023": {}, "FIN 2024": {}}
        assert read(notice, "w.json").reason == "Counted twice"

    @pytest.mark.parametrize(
        ("fact", "value"),
        [("ref_area", "Finland"), ("years", []), ("years", "2024"), ("years", ["24"]), ("years", [2024]), ("reason", ""),
         ("reason", "=cmd"), ("reason", None), ("structure_id", "x")],
    )  # fmt: skip
    def test_one_that_says_less_is_refused(self, fact, value):
        notice = json.loads(withdrawal("FIN", ["2024"], "Counted twice", "2031")) | {fact: value}
        refused(parse, json.dumps(notice).encode(), fact, "")


def test_a_cell_whose_year_is_unknown_is_kept_with_the_first():
    data = as_csv(
        csv_row(), csv_row(TIME_PERIOD="2023"), csv_row(TIME_PERIOD="x"), csv_row(OBS_VALUE="y", OFFENCE="A2")
    )
    made = editions(parse(data, "f"), "2031", lambda _: [])
    assert [(part.edition, part.rejected["text"].to_pylist()) for part in made] == [
        ("FIN 2023", ["x"]),
        ("FIN 2024", ["y"]),
    ]
    assert delivery.WITHDRAWAL_ID
