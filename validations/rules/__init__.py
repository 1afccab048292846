"""Rules of comparability, one TOML file each: what it says, which facts it looks at, what it costs a pair of figures.

Here: reading and checking the files, and what a rule says of a figure and of a pair, as expressions that DuckDB runs.
Not here: which figures there are and what is made of the answers (``comparability``).

A rule looks at facts (reference.fact), or at a finding of its own: a query that names the figures of which something
else holds than of all others. It costs a pair the most of: ``different``, where a fact differs between the two; and the
cost of each value that either has. Where a fact is not known the worst that the rule could cost is charged: to withhold
a fact never makes a pair more comparable.
"""

import csv
import math
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any

import ibis
import ibis.expr.types as ir

from darkfigure.errors import DarkfigureError
from warehouse import REFERENCE

FOLDER = Path(__file__).parent
UNKNOWN, NOT_APPLICABLE = "unknown", "not_applicable"
#: What a cost is called that no points make up for, and what it counts.
BLOCK, BLOCKS = "block", math.inf
DIFFERENT = "different"
SEVERITIES = ("block", "major", "minor")
STAGES = ("law", "reporting", "recording", "survey", "compilation", "release")

_FILLED = ("statement", "dimension", "severity", "flag", "stage", "remedy", "basis", "basis_provenance")
_FIELDS = {*_FILLED, "obs_status", "facts", "finding", "cost", "at_best", "unsettled"}
#: Points come in halves: that is how far apart the best points of a grade are from the worst of the one before.
STEP = 0.5


@dataclass(frozen=True)
class Finding:
    """What a query finds out about figures: its rows are (observation_id, value, evidence), set-based.

    The first of ``values`` holds of every figure that the query does not name.
    """

    values: tuple[str, ...]
    query: str


@dataclass(frozen=True)
class Rule:
    """A rule of comparability. ``cost`` is by use, then by value (or ``different``): points, or infinity for a block.

    ``at_best`` is by use and value too: the grade that a pair has at best, whatever its points. Of ``unsettled`` values
    it is not known whether they break the rule; unlike what is unknown they have a cost of their own.
    """

    rule: str
    statement: str
    dimension: str
    severity: str
    flag: str
    obs_status: str
    stage: str
    remedy: str
    basis: str
    basis_provenance: str
    cost: Mapping[str, Mapping[str, float]]
    at_best: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    unsettled: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    finding: Finding | None = field(default=None)

    @property
    def key(self) -> str:
        """Its id as a name: ``c_05``."""
        return self.rule.replace("-", "_").lower()

    @property
    def columns(self) -> tuple[str, ...]:
        """What it looks at: its facts, or the column in which its own finding stands."""
        return (self.key,) if self.finding else self.facts

    def unknown(self, figures: ir.Table) -> ir.BooleanValue:
        """Whether a fact that it needs is not known of a figure."""
        return _any(figures[column].isin([UNKNOWN, *self.unsettled]) for column in self.columns)

    def broken(self, figures: ir.Table) -> ir.BooleanValue:
        """Whether a figure breaks it: has a value that costs something, or differs from the standard definition."""
        return _any(self._breaks(figures, column) for column in self.columns)

    def holds(self, figures: ir.Table) -> ir.BooleanValue:
        """Whether it is known to hold of a figure."""
        return ~(self.broken(figures) | self.unknown(figures))

    def evidence(self, figures: ir.Table) -> ir.StringValue:
        """What breaks it, or is not known, in words."""
        said = []
        for column in self.columns:
            standard = standards().get(column, "") if self._by_difference else ""
            text = ibis.literal(f"{column}: ") + figures[column] + (f", the standard is {standard}" if standard else "")
            open_or_broken = self._breaks(figures, column) | figures[column].isin([UNKNOWN, *self.unsettled])
            said.append(ibis.ifelse(open_or_broken, text, ibis.null(str)))
        return ibis.array(said).filter(lambda text: text.notnull()).join("; ")

    def points(self, one: Mapping[str, ir.Value], other: Mapping[str, ir.Value], use: str) -> ir.NumericValue:
        """What it costs a pair, apart from what blocks it."""
        finite = sorted(((cost, v) for v, cost in self._of(use).items() if cost < BLOCKS), reverse=True)
        cases = [(self._applies(one, other, value), cost) for cost, value in finite]
        if not self._blocking(use) and finite:
            cases.insert(0, (self._withheld(one, other), finite[0][0]))
        return ibis.cases(*cases, else_=0.0) if cases else ibis.literal(0.0)

    def floor(self, one: Mapping[str, ir.Value], other: Mapping[str, ir.Value], use: str) -> ir.NumericValue:
        """The points that a pair has at least, for the grade that it has at best."""
        floors = sorted(((_floor_of(grade), v) for v, grade in self.at_best.get(use, {}).items()), reverse=True)
        cases = [(self._applies(one, other, value), points) for points, value in floors]
        if floors:
            cases.insert(0, (self._withheld(one, other), floors[0][0]))
        return ibis.cases(*cases, else_=0.0) if cases else ibis.literal(0.0)

    def blocked(self, one: Mapping[str, ir.Value], other: Mapping[str, ir.Value], use: str) -> ir.BooleanValue:
        """Whether it is known to make the pair unfit for the use."""
        return _any(self._applies(one, other, value) for value in self._blocking(use))

    def undecided(self, one: Mapping[str, ir.Value], other: Mapping[str, ir.Value], use: str) -> ir.BooleanValue:
        """Whether it might do so, and a fact is not known."""
        return self._withheld(one, other) if self._blocking(use) else ibis.literal(False)

    def _of(self, use: str) -> Mapping[str, float]:
        return self.cost.get(use, {})

    def _blocking(self, use: str) -> list[str]:
        return [value for value, cost in self._of(use).items() if cost == BLOCKS]

    def _withheld(self, one: Mapping[str, ir.Value], other: Mapping[str, ir.Value]) -> ir.BooleanValue:
        return _any((one[c] == UNKNOWN) | (other[c] == UNKNOWN) for c in self.columns)

    def _applies(self, one: Mapping[str, ir.Value], other: Mapping[str, ir.Value], value: str) -> ir.BooleanValue:
        if value == DIFFERENT:
            return _any((one[c] != other[c]) & (one[c] != UNKNOWN) & (other[c] != UNKNOWN) for c in self.columns)
        return _any((one[c] == value) | (other[c] == value) for c in self.columns)

    @property
    def _by_difference(self) -> bool:
        return any(costs.get(DIFFERENT) for costs in self.cost.values())

    def _breaks(self, figures: ir.Table, column: str) -> ir.BooleanValue:
        value = figures[column]
        costly = {v for costs in self.cost.values() for v, cost in costs.items() if cost and v != DIFFERENT}
        costly |= {v for best in self.at_best.values() for v in best}
        costly -= {*self.unsettled}
        broken = value.isin(sorted(costly)) if costly else ibis.literal(False)
        if (standard := standards().get(column)) and self._by_difference:
            broken |= ~value.isin([standard, UNKNOWN, NOT_APPLICABLE])
        return broken


@dataclass(frozen=True)
class Grade:
    """A grade, and up to how many points it is given; None where points alone do not give it."""

    grade: str
    up_to: float | None
    statement: str


@cache
def rules() -> tuple[Rule, ...]:
    """Every rule, by its id."""
    return tuple(read_rule(path) for path in sorted(FOLDER.glob("*-*.toml")))


@cache
def uses() -> dict[str, str]:
    """What pairs of figures are graded for."""
    return dict(_grades_file()["uses"])


@cache
def grades() -> tuple[Grade, ...]:
    """The grades, best first."""
    return tuple(Grade(g["grade"], g.get("up_to"), g["statement"]) for g in _grades_file()["grade"])


@cache
def facts() -> dict[str, tuple[str, ...]]:
    """Every fact with the values that are allowed; none listed where any text is."""
    return {row["fact"]: tuple(filter(None, row["allowed"].split("|"))) for row in _fact_rows()}


@cache
def standards() -> dict[str, str]:
    """The standard definition: the value of each fact that has one."""
    return {row["fact"]: row["standard"] for row in _fact_rows() if row["standard"]}


def read_rule(path: Path) -> Rule:
    """The rule of a file, named by it. Raises DarkfigureError where the file says what no rule can."""
    try:
        told: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as exc:
        raise DarkfigureError(f"{path}: {exc}; correct it there") from exc
    for fault in _faults(told):
        raise DarkfigureError(f"{path}: {fault}")
    told["cost"] = {
        use: {value: BLOCKS if cost == BLOCK else float(cost) for value, cost in costs.items()}
        for use, costs in told.get("cost", {}).items()
    }
    told["facts"], told["unsettled"] = tuple(told.get("facts", ())), tuple(told.get("unsettled", ()))
    if "finding" in told:
        told["finding"] = Finding(tuple(told["finding"]["values"]), told["finding"]["query"])
    return Rule(rule=path.stem, **told)


def _faults(told: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with what a file says, each with what to do."""
    yield from (f"'{name}' is no field of a rule; remove it" for name in sorted(told.keys() - _FIELDS))
    yield from (f"'{name}' is missing; say it" for name in _FILLED if not told.get(name))
    for name, allowed in (("severity", SEVERITIES), ("stage", STAGES)):
        if told.get(name) not in allowed:
            yield f"{name} '{told.get(name)}'; make it one of {', '.join(allowed)}"
    if ("facts" in told) == ("finding" in told):
        yield "a rule has either facts or a finding; give it one of the two"
        return
    for fact in told.get("facts", ()):
        if fact not in facts():
            yield f"'{fact}' is no fact; add it to warehouse/reference/fact.csv, or correct it"
            return
    known = _values_of(told)
    for value in told.get("unsettled", ()):
        if value not in known:
            yield f"unsettled: '{value}' is no value that the rule can meet; correct it"
    better_than_e = [grade.grade for grade in grades() if grade.up_to is not None]
    for table, fits in (("cost", _is_cost), ("at_best", better_than_e.__contains__)):
        for use, by_value in told.get(table, {}).items():
            if use not in uses():
                yield f"use '{use}'; make it one of {', '.join(uses())}"
            for value, given in by_value.items():
                if not fits(given):
                    yield f"{table}.{use}.{value}: {given!r}; make it points in steps of {STEP}, '{BLOCK}', or a grade"
                if known and value not in {*known, DIFFERENT}:
                    yield f"{table}.{use}: '{value}' is no value that the rule can meet; correct it"


def _is_cost(given: object) -> bool:
    return given == BLOCK or (isinstance(given, int | float) and given >= 0 and given % STEP == 0)


def _values_of(told: Mapping[str, Any]) -> set[str]:
    """The values that a rule may meet; none where any text is allowed."""
    if "finding" in told:
        return set(told["finding"]["values"])
    allowed = [facts()[fact] for fact in told["facts"]]
    return {value for values in allowed for value in values} if all(allowed) else set()


def _floor_of(grade: str) -> float:
    """The fewest points with which a pair has no better grade."""
    place = [g.grade for g in grades()].index(grade)
    return (grades()[place - 1].up_to or 0.0) + STEP if place else 0.0


def _any(conditions: Any) -> ir.BooleanValue:
    found = list(conditions)
    return reduce(or_, found) if found else ibis.literal(False)


def _fact_rows() -> list[dict[str, str]]:
    with (REFERENCE / "fact.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _grades_file() -> dict[str, Any]:
    return tomllib.loads((FOLDER / "grades.toml").read_text(encoding="utf-8"))
