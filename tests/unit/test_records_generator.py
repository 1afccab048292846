"""Synthetic records: the same by seed, labelled, skewed, and what they say is to be counted is so in plain Python."""

import hashlib
from collections import Counter, defaultdict
from dataclasses import replace
from math import ceil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from unit.records_recount import units_in

from darkfigure.errors import DarkfigureError
from darkfigure.records import generator
from darkfigure.records.declaration import Combination, CountingRule, RecordReturn
from darkfigure.records.files import check, is_synthetic
from darkfigure.records.generator import Trouble, Truth, generate
from darkfigure.records.generator.spoiling import Spoiler
from darkfigure.records.layouts import COMPLAINTS, INCIDENTS, classes_of

TROUBLED = Trouble(duplicates=0.1, series=0.15, revised=0.1, withdrawn=0.05, repeated=0.02, late=0.05, bad=0.03)
ALL_THREE = Combination("all", frozenset({"A1", "A3", "B5"}), "B5")
PAIRS = INCIDENTS.counting.combinations
CASES = [
    pytest.param(INCIDENTS, INCIDENTS.counting, id="incidents"),
    pytest.param(COMPLAINTS, COMPLAINTS.counting, id="complaints"),
    pytest.param(INCIDENTS, CountingRule(), id="incidents, every act"),
    pytest.param(COMPLAINTS, CountingRule(), id="complaints, every report"),
    pytest.param(
        INCIDENTS,
        CountingRule(principal_offence=("A3", "B5", "A1"), series_days=14, attempts=False, late_days=60),
        id="incidents, principal offence and series",
    ),
    pytest.param(
        INCIDENTS,
        CountingRule(combinations=(ALL_THREE, *PAIRS, *PAIRS[::-1]), series_days=30),
        id="incidents, combinations and series",
    ),
    pytest.param(COMPLAINTS, CountingRule(duplicate_days=3, late_days=0), id="complaints, duplicates"),
    pytest.param(COMPLAINTS, CountingRule(series_days=0, attempts=False), id="complaints, series of a day"),
]


def files(folder: Path, truth: Truth) -> list[Path]:
    return [folder / name for name in truth.rows]


def rows_of(folder: Path, truth: Truth) -> pa.Table:
    return pa.concat_tables([pq.read_table(file) for file in files(folder, truth)])


@pytest.mark.parametrize(("ret", "rule"), CASES)
def test_truth_is_what_plain_python_counts(
    ret: RecordReturn, rule: CountingRule, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(generator, "CHUNK", 900)  # so that there are several
    ret = replace(ret, counting=rule)
    truth = generate(ret, tmp_path, reports=2500, seed=11, first="2023-05", months=5, trouble=TROUBLED)
    units, rejected = units_in(files(tmp_path, truth), ret, classes_of(ret))

    counted: defaultdict[tuple[str, str, str], tuple[int, int]] = defaultdict(lambda: (0, 0))
    fates: Counter[str] = Counter()
    losses: defaultdict[str, list[int]] = defaultdict(list)
    late = 0
    for unit in units:
        fates[unit.fate or "counted"] += unit.records
        if unit.fate is None:
            month, is_late = unit.period(ret)
            one, total = counted[unit.area, month, unit.offence]
            counted[unit.area, month, unit.offence] = one + 1, total + (unit.loss or 0)
            late += is_late
            losses[unit.offence] += [unit.loss] if unit.loss else []
    assert truth.counted == counted
    assert truth.fates == fates
    assert truth.late == late
    assert truth.rejected == rejected
    assert truth.losses == {act: len(each) for act, each in losses.items() if each}
    for (act, p), loss in truth.quantiles.items():
        exact = sorted(losses[act])[ceil(p * len(losses[act])) - 1]
        assert loss == pytest.approx(exact, rel=0.0003, abs=0)


@pytest.mark.parametrize("ret", [INCIDENTS, COMPLAINTS], ids=lambda ret: ret.id)
def test_cases_hold_every_fate_and_reason(ret: RecordReturn, tmp_path: Path) -> None:
    counting = replace(ret.counting, attempts=False, series_days=30)
    truth = generate(replace(ret, counting=counting), tmp_path, reports=4000, seed=2, trouble=TROUBLED)
    fates = {"counted", "attempt", "series", "no_act", "broader", "withdrawn", "superseded"}
    assert set(truth.fates) == fates | ({"duplicate"} if ret.channel else set())
    reasons = {reason for _, reason in truth.rejected}
    assert reasons == set(Spoiler(ret, classes_of(ret), np.random.default_rng(0)).reasons)
    assert {"missing " + ret.occurred, "offence not in scheme then", "least " + ret.version} <= reasons


@pytest.mark.parametrize("ret", [INCIDENTS, COMPLAINTS], ids=lambda ret: ret.id)
def test_a_seed_gives_the_same_bytes_under_any_rule(ret: RecordReturn, tmp_path: Path) -> None:
    def digests(name: str, ret: RecordReturn, seed: int) -> tuple[list[str], Truth]:
        truth = generate(ret, tmp_path / name, reports=3000, seed=seed, months=3)
        return [hashlib.sha256(file.read_bytes()).hexdigest() for file in files(tmp_path / name, truth)], truth

    first, truth = digests("first", ret, 5)
    assert digests("again", ret, 5) == (first, truth)
    other_rule, other_truth = digests("rule", replace(ret, counting=CountingRule(late_days=10)), 5)
    assert other_rule == first
    assert other_truth.counted != truth.counted
    assert not set(digests("seed", ret, 6)[0]) & set(first)


@pytest.mark.parametrize("ret", [INCIDENTS, COMPLAINTS], ids=lambda ret: ret.id)
def test_files_are_labelled_and_hold_the_columns_and_months_of_the_layout(ret: RecordReturn, tmp_path: Path) -> None:
    truth = generate(ret, tmp_path, reports=3000, seed=1, first="2023-11", months=3, trouble=Trouble(bad=0))
    assert [file.name for file in sorted(tmp_path.iterdir())] == list(truth.rows)
    assert list(truth.rows) == [f"synthetic_{ret.id}_{month}.parquet" for month in ("2023-11", "2023-12", "2024-01")]
    kinds = {"string": pa.string(), "date": pa.date32(), "int32": pa.int32(), "int64": pa.int64()}
    for file in files(tmp_path, truth):
        label = is_synthetic(file)
        assert label is not None
        assert f"layout {ret.id}, seed 1," in label
        check(file, ret)
        table = pq.read_table(file)
        assert table.num_rows == truth.rows[file.name]
        assert [(field.name, field.type) for field in table.schema] == [(c.name, kinds[c.type]) for c in ret.columns]
        least = min(table[ret.version].to_pylist())
        first = table.filter(pc.equal(table[ret.version], least))
        assert {day.isoformat()[:7] for day in first[ret.reported].to_pylist()} == {file.name[-15:-8]}
        assert all(area.startswith("XSY-") for area in table[ret.ref_area].to_pylist())
    assert sum(truth.rows.values()) == sum(truth.fates.values())
    assert truth.rejected == {}


def test_rows_add_up_and_shares_are_near_what_was_asked(tmp_path: Path) -> None:
    asked = Trouble(duplicates=0.04, series=0.06, revised=0.05, withdrawn=0.02, repeated=0.01, late=0.02, bad=0.005)
    truth = generate(COMPLAINTS, tmp_path, reports=40_000, seed=4, trouble=asked)
    rows = rows_of(tmp_path, truth)
    bad = sum(truth.rejected.values())
    assert rows.num_rows == sum(truth.rows.values()) == sum(truth.fates.values()) + bad
    assert bad / rows.num_rows == pytest.approx(asked.bad, rel=0.2)
    assert truth.fates["withdrawn"] / 40_000 == pytest.approx(asked.withdrawn, rel=0.1)
    again = asked.revised * 1.15 + asked.withdrawn + asked.repeated
    assert truth.fates["superseded"] / 40_000 == pytest.approx(again, rel=0.1)
    # One of a series soon after the last through another channel is told twice by the rule; and some of both are of
    # another act, of none, taken back or attempts.
    told = truth.fates["duplicate"] + truth.fates["series"]
    share = told / (truth.fates["counted"] + told)
    assert 0.7 * (asked.duplicates + asked.series) < share < asked.duplicates + asked.series
    assert 0.7 * asked.duplicates < truth.fates["duplicate"] / (truth.fates["counted"] + told)
    assert truth.late / truth.fates["counted"] == pytest.approx(asked.late, rel=0.25)


def test_areas_victims_and_losses_are_skewed(tmp_path: Path) -> None:
    truth = generate(COMPLAINTS, tmp_path, reports=40_000, seed=9)
    by_area = sorted(Counter(rows_of(tmp_path, truth)["state"].to_pylist()).values())
    assert len(by_area) == 51
    assert by_area[-1] > 5 * by_area[25]
    victims = Counter(rows_of(tmp_path, truth)["complainant_id"].drop_null().to_pylist())
    assert max(victims.values()) > 6
    assert truth.quantiles["B1", 0.99] > 50 * truth.quantiles["B1", 0.5]
    amounts = np.sort(rows_of(tmp_path, truth)["amount"].drop_null().to_numpy())[::-1]
    assert amounts[: len(amounts) // 100].sum() > 0.3 * amounts.sum()


def test_truth_is_written_and_read(tmp_path: Path) -> None:
    truth = generate(COMPLAINTS, tmp_path, reports=2000, seed=1, months=2, trouble=TROUBLED)
    truth.write(tmp_path / "truth.json")
    assert Truth.read(tmp_path / "truth.json") == truth
    assert truth.counted
    assert truth.rejected


@pytest.mark.parametrize("trouble", [Trouble(0, 0, 0, 0, 0, 0, 0), TROUBLED], ids=["none", "much"])
@pytest.mark.parametrize("ret", [INCIDENTS, COMPLAINTS], ids=lambda ret: ret.id)
def test_one_report_is_enough(ret: RecordReturn, trouble: Trouble, tmp_path: Path) -> None:
    for seed in range(5):
        truth = generate(ret, tmp_path, reports=1, seed=seed, months=1, trouble=trouble)
        assert sum(truth.rows.values()) == sum(truth.fates.values()) + sum(truth.rejected.values()) >= 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"reports": 0}, "0 reports in 12 months; ask for one or more"),
        ({"first": "2023-13"}, "no month '2023-13'; write it as YYYY-MM"),
        ({"first": "1993-01"}, "1993-01: what is reported late would be too old; begin in 1995"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong: dict[str, object], said: str, tmp_path: Path) -> None:
    with pytest.raises(DarkfigureError, match=said):
        generate(COMPLAINTS, tmp_path, **{"reports": 1, "seed": 1, **wrong})  # type: ignore[arg-type]


@pytest.mark.parametrize("shares", [{"bad": 1.5}, {"late": -0.1}, {"duplicates": 0.6, "series": 0.6}])
def test_shares_that_cannot_be_are_refused(shares: dict[str, float]) -> None:
    with pytest.raises(DarkfigureError, match=r"share from 0 to 1|lower one of them"):
        Trouble(**shares)
