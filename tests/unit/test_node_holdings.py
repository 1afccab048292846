"""A nation's holdings: what a delivery changes, what a reader who asks for changes hears, and moments that only grow."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from darkfigure.errors import DarkfigureError
from darkfigure.exchange.delivery import read, withdrawal
from darkfigure.exchange.structure import WITHHELD
from darkfigure.repository.node.deliveries import read_own
from darkfigure.repository.node.holdings import COLUMNS, Holdings, Selection, moment_of, moment_text
from darkfigure.repository.node.refusals import Refusal
from tests.unit.node_parts import RETURN, SECRET, delivery


@pytest.fixture
def holdings(tmp_path: Path) -> Holdings:
    return Holdings(tmp_path / "holdings.duckdb")


def put(holdings: Holdings, body: bytes):  # type: ignore[no-untyped-def]
    return holdings.put(read_own(body, "return", "FIN"))


def said(holdings: Holdings, confidential: bool = True, after: int | None = None) -> dict[tuple[str, str], object]:
    found = holdings.select(Selection(after=after), confidential=confidential)
    at = {name: number for number, name in enumerate(COLUMNS, start=1)}
    return {
        (row[at["time_period"]], row[at["offence"]]): "deleted" if row[0] == "D" else row[at["obs_value"]]
        for row in found.rows
    }


def test_a_return_states_its_years_whole_and_an_amendment_single_figures(holdings: Holdings) -> None:
    put(holdings, RETURN)
    put(holdings, delivery("2024,A3,5"))
    assert said(holdings) == {("2023", "A1"): 100, ("2023", "A2"): 200, ("2024", "A3"): 5}
    put(holdings, delivery("M:2023,A2,201", "A:2023,A4,9", "D:2023,A1,"))
    assert said(holdings) == {("2023", "A2"): 201, ("2023", "A4"): 9, ("2024", "A3"): 5}


def test_changes_since_a_moment_are_told_with_what_was_taken_away(holdings: Holdings) -> None:
    first = put(holdings, RETURN).moment
    second = put(holdings, delivery("M:2023,A1,101", "D:2023,A2,")).moment
    assert said(holdings, after=first) == {("2023", "A1"): 101, ("2023", "A2"): "deleted"}
    put(holdings, withdrawal("FIN", ["2024"], "counted twice", "2026-11-22"))
    assert said(holdings, after=second) == {("2024", "A1"): "deleted", ("2024", "A2"): "deleted"}
    assert said(holdings) == {("2023", "A1"): 101}


def test_the_same_again_changes_nothing(holdings: Holdings) -> None:
    first = put(holdings, RETURN)
    again = put(holdings, RETURN)
    assert (first.changed, again.changed, again.deleted, again.moment) == (4, 0, 0, first.moment)


def test_what_was_taken_away_leaves_no_value_in_the_rows(holdings: Holdings) -> None:
    put(holdings, RETURN)
    put(holdings, withdrawal("FIN", ["2024"], "counted twice", "2026-11-22"))
    left = holdings.cursor().execute("SELECT * FROM figures WHERE deleted").fetchall()
    assert len(left) == 2
    assert float(SECRET) not in {cell for row in left for cell in row}


def test_moments_grow_though_the_clock_stands_or_goes_back(tmp_path: Path) -> None:
    times = iter([1000.0, 1000.0, 10.0])
    holdings = Holdings(tmp_path / "holdings.duckdb", clock=lambda: next(times))
    moments = [put(holdings, delivery(f"2024,A1,{value}")).moment for value in (1, 2, 3)]
    assert moments == [1_000_000_000, 1_000_000_001, 1_000_000_002]


def test_a_moment_as_text_is_read_back_and_always_equally_long() -> None:
    texts = {moment_text(moment): moment for moment in (0, 1, 1_700_000_000_000_000, 1_700_000_000_123_456)}
    assert {len(text) for text in texts} == {27}
    assert all(moment_of(text) == moment for text, moment in texts.items())
    assert moment_of("2026-11-22T13:00:00+01:00") == moment_of("2026-11-22T12:00:00")


def test_a_confidential_figure_is_withheld_as_the_exchange_withholds_it(holdings: Holdings) -> None:
    """After intake all readers hold the same rows: so who may not see the value gets what who may would make of it."""
    put(holdings, delivery("2024,A1,1", f"2024,A2,{SECRET},C,counted late", "2024,A3,8,D"))
    rows = {row[COLUMNS.index("offence") + 1]: row for row in holdings.select(Selection(), confidential=False).rows}
    with_values = read(delivery("2024,A1,1", f"2024,A2,{SECRET},C,counted late", "2024,A3,8,D"), "x.csv")
    for _, expected in with_values.accepted:
        row = dict(zip(COLUMNS, rows[expected.offence][1:], strict=True))
        assert row == {column: getattr(expected, column) for column in COLUMNS}
    assert WITHHELD in rows["A2"][COLUMNS.index("mark") + 1]


def test_conditions_of_who_may_not_see_a_value_do_not_meet_it(holdings: Holdings) -> None:
    put(holdings, RETURN)
    probe = Selection(where="obs_value > ?", parameters=(700_000.0,))
    assert holdings.select(probe, confidential=False).rows == []
    assert len(holdings.select(probe, confidential=True).rows) == 1


def test_a_change_of_a_confidential_value_alone_is_told_to_those_who_may_see_it(holdings: Holdings) -> None:
    moment = put(holdings, RETURN).moment
    put(holdings, delivery("M:2024,A2,777124,C"))
    assert said(holdings, confidential=True, after=moment) == {("2024", "A2"): 777124}
    assert said(holdings, confidential=False, after=moment) == {}
    assert holdings.select(Selection(), confidential=False).moment == moment
    put(holdings, delivery("M:2024,A2,777124,F"))
    assert said(holdings, confidential=False, after=moment) == {("2024", "A2"): 777124}


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (delivery("2024,A1,12x"), "is no number"),
        (delivery("2024,A1,1", "2024,A1,2"), "stands also at"),
        (delivery("2024,A1,1", area="SWE"), "holds figures of FIN alone"),
        (b"not a return at all", "column REF_AREA is missing"),
        (b"", "empty"),
        (delivery("2024,A2,5,C," + "x" * 490), "longer than 500"),
    ],
)
def test_a_delivery_with_anything_wrong_in_it_is_refused_whole(holdings: Holdings, body: bytes, told: str) -> None:
    put(holdings, RETURN)
    before = said(holdings)
    with pytest.raises(Refusal, match=told) as refused:
        put(holdings, body)
    assert refused.value.status == 422
    assert said(holdings) == before


def test_a_refusal_of_a_confidential_figure_does_not_quote_it(holdings: Holdings) -> None:
    with pytest.raises(Refusal) as refused:
        put(holdings, delivery(f"2024,A2,{SECRET}.5,C"))
    assert SECRET not in str(refused.value)


def test_a_file_that_cannot_be_opened_is_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "holdings.duckdb"
    broken.write_bytes(b"no database" * 1000)
    with pytest.raises(DarkfigureError, match=r"holdings\.duckdb: cannot be opened"):
        Holdings(broken)


def test_the_file_is_its_owners_alone(tmp_path: Path, holdings: Holdings) -> None:
    assert (tmp_path / "holdings.duckdb").stat().st_mode & 0o077 == 0


def test_what_was_put_is_there_when_the_file_is_opened_again(tmp_path: Path, holdings: Holdings) -> None:
    moment = put(holdings, RETURN).moment
    holdings.close()
    again = Holdings(tmp_path / "holdings.duckdb")
    assert again.select(Selection(), confidential=True).moment == moment
    assert len(said(again)) == 4


_OFFENCES = ("A1", "A2", "A3")
_ROW = st.tuples(
    st.sampled_from("RAMD"), st.sampled_from(("2023", "2024")), st.sampled_from(_OFFENCES), st.integers(0, 3)
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(_ROW, min_size=1, max_size=4, unique_by=lambda row: row[1:3]), max_size=4))
def test_who_follows_the_changes_holds_what_who_reads_all_holds(tmp_path_factory: pytest.TempPathFactory, days) -> None:  # type: ignore[no-untyped-def]
    """A reader who asks only for changes, whatever was put, ends with the figures that there are."""
    holdings = Holdings(tmp_path_factory.mktemp("node") / "holdings.duckdb")
    followed: dict[tuple[str, str], object] = {}
    cursor = 0
    for rows in days:
        body = delivery(
            *(f"{action}:{year},{act},{'' if action == 'D' else value}" for action, year, act, value in rows)
        )
        put(holdings, body)
        for key, value in said(holdings, after=cursor).items():
            followed.pop(key, None)
            if value != "deleted":
                followed[key] = value
        cursor = holdings.select(Selection(), confidential=True).moment
        assert followed == said(holdings)
    holdings.close()
