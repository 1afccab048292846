"""Figures from cells: what the records say, nothing of too few, and no mean where few losses make it."""

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from darkfigure.errors import DarkfigureError, SourceError
from darkfigure.estimation.tails import pareto_index
from darkfigure.exchange import country_return, delivery
from darkfigure.exchange.sdmx_csv import of_returns
from darkfigure.records.layouts import COMPLAINTS
from darkfigure.records.reduction import CELL_KEY, CELL_SUMS
from darkfigure.records.sketch import ALPHA, bin_of
from darkfigure.records.summary import by_act, conserved, fates, losses, returns_of, withheld
from darkfigure.sources.accept import check_returns
from warehouse.intake import known_codes

SCHEMA = pa.schema(
    [
        *((name, pa.int32() if name == "loss_bin" else pa.string()) for name in CELL_KEY),
        *((name, pa.int64()) for name in CELL_SUMS),
    ]
)
WHOLE = {"since": "2024-01", "closed": "2024-12"}


def cell(units: int = 1, loss: int | None = None, **changes: object) -> dict[str, object]:
    """A cell of units that lost as much each."""
    usual: dict[str, object] = {
        "fate": "counted", "ref_area": "XSY-1", "time_period": "2024-03", "offence": "B1", "currency": "EUR",
        "loss_bin": None if loss is None else int(bin_of(loss)), "units": units, "records": units, "late": 0,
        "loss_total": units * (loss or 0),
    }  # fmt: skip
    return usual | changes


def table(*rows: dict[str, object]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


def of_losses(drawn: Any, **changes: object) -> pa.Table:
    return table(*(cell(1, int(loss), **changes) for loss in drawn))


def only(figures: pa.Table) -> dict[str, Any]:
    (row,) = figures.to_pylist()
    return row


class TestCounts:
    CELLS = table(
        cell(10, records=14, late=4),
        cell(20, ref_area="XSY-2", time_period="2024-04"),
        cell(6, fate="attempt"),
        cell(5, fate="duplicate"),
        cell(7, fate="series"),
        cell(9, fate="superseded", offence="PHISH"),
        cell(8, time_period="2023-12"),
    )

    def test_by_year_and_act(self):
        assert by_act(self.CELLS).to_pylist() == [
            {
                "time_period": year, "offence": "B1", "counted": counted, "attempts": attempts, "duplicates": duplicates,
                "series": series, "late": late, "records": records, "obs_status": "A",
            }
            for year, counted, attempts, duplicates, series, late, records in [
                ("2023", 8, 0, 0, 0, 0, 8), ("2024", 30, 6, 5, 7, 4, 34),
            ]
        ]  # fmt: skip

    def test_by_month(self):
        found = {row["time_period"]: row["counted"] for row in by_act(self.CELLS, "M").to_pylist()}
        assert found == {"2023-12": 8, "2024-03": 10, "2024-04": 20}

    def test_few_are_withheld_and_what_would_tell_them(self):
        found = by_act(table(cell(2, records=3), cell(30, offence="A1"), cell(1, fate="series", offence="A1")))
        few, many = sorted(found.to_pylist(), key=lambda row: row["offence"], reverse=True)
        assert (few["counted"], few["records"], few["obs_status"]) == (None, None, "Q")
        assert (many["counted"], many["series"], many["attempts"], many["obs_status"]) == (30, None, 0, "Q")
        assert withheld(found) == 2
        assert withheld(by_act(table(cell(2)), least=2)) == 0

    def test_fates_and_conservation(self):
        told = {row["fate"]: (row["units"], row["records"]) for row in fates(self.CELLS).to_pylist()}
        assert told["counted"] == (38, 42) and told["superseded"] == (9, 9)
        line = str(conserved(self.CELLS, 79, 10))
        assert line == ("79 records = 10 rejected + 6 attempt + 42 counted + 5 duplicate + 7 series + 9 superseded")
        with pytest.raises(DarkfigureError, match=r"80 records = 10 rejected.*does not hold"):
            conserved(self.CELLS, 80, 10)


class TestLosses:
    RNG = np.random.default_rng(3)
    MILD = np.ceil(RNG.lognormal(10, 0.8, 3_000)).astype(np.int64)
    HEAVY = np.ceil(20_000 * (1 + RNG.pareto(0.8, 3_000))).astype(np.int64)

    def test_totals_are_exact_and_quantiles_near(self):
        found = only(losses(of_losses(self.MILD)))
        assert found["total"] == Decimal(int(self.MILD.sum())) / 100
        for percent in (25, 50, 75, 90, 95, 99):
            exact = np.quantile(self.MILD, percent / 100, method="inverted_cdf") / 100
            assert found[f"p{percent}"] == pytest.approx(exact, rel=ALPHA)
        assert found["mean"] == pytest.approx(self.MILD.mean() / 100) and found["no_mean"] is None

    def test_units_without_a_loss_and_of_which_it_is_not_known(self):
        found = only(losses(table(cell(4, 0), cell(5), cell(100, 7_000))))
        assert (found["with_loss"], found["without_loss"], found["not_known"]) == (100, 4, 5)
        assert (found["total"], found["obs_status"]) == (Decimal("7000.00"), "A")
        assert found["maximum"] == pytest.approx(70, rel=2 * ALPHA) and found["maximum"] >= 70

    def test_attempts_and_duplicates_lose_nothing(self):
        assert losses(table(cell(50, 700, fate="duplicate"), cell(50, 700, fate="attempt"))).num_rows == 0

    def test_currencies_are_not_added_up(self):
        found = losses(table(cell(30, 100), cell(40, 100, currency="USD"), cell(50, currency=None)))
        totals = {row["currency"]: (row["total"], row["obs_status"]) for row in found.to_pylist()}
        assert totals == {"EUR": (Decimal(30), "A"), "USD": (Decimal(40), "A"), None: (None, "O")}

    def test_a_heavy_tail_has_no_mean(self):
        found = only(losses(of_losses(self.HEAVY)))
        assert found["mean"] is None and found["no_mean"] in {"few_carry_all", "unbounded"}
        assert found["tail_lower"] < 1 / 0.8 < found["tail_upper"]
        assert abs(found["hill"] - 1 / 0.8) < 3 * found["hill_error"] + 0.15  # a shifted Pareto is none
        assert found["p50"] is not None and found["total"] is not None

    def test_the_index_is_that_of_the_losses_themselves(self):
        found = only(losses(of_losses(self.HEAVY)))
        threshold = np.sort(self.HEAVY)[-301]
        assert found["tail_index"] == pytest.approx(pareto_index(self.HEAVY, float(threshold)).point, abs=0.05)

    def test_too_few_losses_have_no_mean(self):
        found = only(losses(of_losses(self.MILD[:59])))
        assert (found["mean"], found["no_mean"], found["tail_index"]) == (None, "too_few_cases", None)

    def test_one_loss_that_makes_the_mean(self):
        cells = of_losses([*self.MILD, int(self.MILD.sum())])
        found = only(losses(cells, least=1))
        assert (found["mean"], found["no_mean"]) == (None, "few_carry_all")
        assert 0.5 <= found["top_1_share"] < 0.51
        # Of the total it is the loss itself.
        assert only(losses(cells))["top_1_share"] is None
        assert 0.5 < only(losses(cells))["top_10_share"] < 0.6

    @pytest.mark.parametrize("drawn", [[500, 900], [500, 900, 1_000_000], [100] * 50 + [900_000, 800_000, 10_000_000]])
    def test_amounts_of_few_and_of_one_among_them_are_withheld(self, drawn):
        found = only(losses(of_losses(drawn)))
        amounts = {name: value for name, value in found.items() if isinstance(value, float | Decimal)}
        assert amounts == {} and found["obs_status"] == "Q"

    def test_no_quantile_and_no_maximum_of_few(self):
        found = only(losses(of_losses(self.MILD[:250])))
        assert found["p95"] is not None and found["p99"] is not None and found["maximum"] is None
        assert only(losses(of_losses(self.MILD[:150])))["p99"] is None
        fewer = only(losses(of_losses([500, 510, 520, 530, 540, 550, 560])))
        assert [fewer[name] is None for name in ("p25", "p50", "p75")] == [True, False, True]

    def test_a_number_that_is_withheld_is_not_had_from_the_others(self):
        found = only(losses(table(*of_losses(self.MILD).to_pylist(), cell(2, 0))))
        numbers = ("with_loss", "without_loss", "not_known", "mean")
        assert [found[name] for name in numbers] == [None] * 4
        assert found["total"] is not None and found["obs_status"] == "Q"


class TestReturns:
    MONTHS = [f"{year}-{month:02}" for year in (2023, 2024, 2025) for month in range(1, 13)]

    def cells(self) -> pa.Table:
        parts = [of_losses([5_000, 6_000, 7_050], time_period=month) for month in self.MONTHS]
        return pa.concat_tables([*parts, table(cell(2, offence="A1"), cell(4, offence="A2", loss=0))])

    def test_counts_and_amounts_of_whole_years(self):
        found = returns_of(self.cells(), COMPLAINTS, "FIN", since="2023-05", closed="2025-11")
        told = {(r.offence, r.measure, r.unit_measure): (r.obs_value, r.obs_status) for r in found}
        assert {r.time_period for r in found} == {"2024"}
        assert told == {
            ("B1", "complaints", "NR"): (36, "A"), ("B1", "amount_lost", "EUR"): (2166, "A"),
            ("A1", "complaints", "NR"): (None, "Q"), ("A1", "amount_lost", "EUR"): (None, "Q"),
            ("A2", "complaints", "NR"): (4, "A"), ("A2", "amount_lost", "EUR"): (0, "A"),
        }  # fmt: skip
        assert withheld(found) == 2

    def test_a_year_is_whole_from_january_to_december(self):
        found = returns_of(self.cells(), COMPLAINTS, "FIN", since="2023-01", closed="2025-12")
        assert {r.time_period for r in found} == {"2023", "2024", "2025"}
        assert returns_of(self.cells(), COMPLAINTS, "FIN", since="2024-02", closed="2024-12") == []

    def test_a_month_that_is_none(self):
        with pytest.raises(DarkfigureError, match="month '2024': is none"):
            returns_of(self.cells(), COMPLAINTS, "FIN", since="2024", closed="2024-12")

    def test_a_country_is_taken_in_and_synthetic_records_are_refused(self):
        self.take("FIN")
        with pytest.raises(SourceError, match="unknown area code 'XSY'"):
            self.take("XSY")

    def take(self, country: str) -> None:
        """As a delivery is read and checked."""
        sent = returns_of(self.cells(), COMPLAINTS, country, **WHOLE)
        parsed = delivery.parse(of_returns(sent), "sent.csv")
        assert parsed.rejected.num_rows == 0
        check_returns(parsed, known_codes(country_return.SOURCE), "sent.csv")
        assert parsed.returns.to_pylist() == [row._asdict() for row in sent]
