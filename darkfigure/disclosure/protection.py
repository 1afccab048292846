"""From contributions to what may be published: sensitive cells, secondary suppression, and the attacker as the gate.

One pattern for all measures of a shape: what is suppressed of one is suppressed of all, since they tell of each other.
Nothing leaves that the attacker can break: what it finds is suppressed by the cells it names, until it finds nothing.
Here: that loop and its summary. Not here: the rules, the pattern, the attacks.
"""

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from darkfigure.disclosure.attack import Finding, Report, attack
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.rounding import rounded, rounding_base
from darkfigure.disclosure.sensitivity import sensitive
from darkfigure.disclosure.suppression import Table, secondary
from darkfigure.disclosure.table import Cell, Contribution, Earlier, Key, Release, Shape, tabulate
from darkfigure.disclosure.tau_argus import TauArgus
from darkfigure.sources.returns import TOTAL

#: The measure that counts respondents. That others have 1 everywhere is not known to those who read them.
_HEADS = "enterprises"

Attack = Callable[..., Report]
Cells = Mapping[str, Mapping[Key, Cell]]


@dataclass(frozen=True)
class Summary:
    """What protection cost, and what was tried to break it. For whoever made the table: not published beside it.

    Sums over the tables alone: which rule struck a cell tells about its contributors. ``lost_value_pct`` together with
    what is published comes near a suppressed total; hence whole percentages, and no publication.
    """

    cells: int
    primary: int
    secondary: int
    by_rule: Mapping[str, int]  # cells that break each primary rule, in some measure; a cell may break several
    withheld: tuple[Table, ...]  # tables of which nothing is published, because what is out already breaks them
    failed: int  # tables on which the engine of secondary suppression failed, and whole lines were suppressed
    rounds: int  # attacks until nothing was found
    findings: tuple[Mapping[str, int], ...]  # by round, by attack
    tried: Mapping[str, int]  # by attack, in the last round, which found nothing that could be stopped
    lost_cells_pct: int  # suppressed cells, of those to which somebody contributes
    lost_value_pct: Mapping[str, int]  # by measure: value in suppressed cells of the tables' inside, margins apart
    lost_respondents_pct: int  # respondents of whom no cell of any table's inside tells


@dataclass(frozen=True)
class Protected:
    """A shape's releases by measure, and the status that all of them share by cell: SDMX CL_CONF_STATUS F, C or D."""

    releases: Mapping[str, Release]
    status: Mapping[Key, str]
    summary: Summary


def protect(
    measures: Mapping[str, Sequence[Contribution]],
    shape: Shape,
    parameters: Parameters,
    earlier: Sequence[Earlier] = (),
    known: Mapping[str, Mapping[Key, float]] | None = None,
    *,
    attacker: Attack = attack,
) -> Protected:
    """What may be published of one country and period, by measure.

    ``earlier``: releases of the same period, the newest first; what they suppressed stays suppressed, so that a cell
    does not come and go. ``known``: totals published elsewhere, by measure. The same input gives the same output,
    in whatever order contributions come. Raises DarkfigureError where a contribution cannot be tabulated.
    """
    cells = {measure: tabulate(given, shape) for measure, given in measures.items()}
    rules = {
        measure: sensitive(cells[measure], parameters, heads=measure == _HEADS and all(c.value == 1 for c in given))
        for measure, given in measures.items()
    }
    primary = frozenset(key for broken in rules.values() for key in broken)
    kept = {key for past in earlier for r in past.releases.values() for key, value in r.values.items() if value is None}
    with TauArgus() as engine:
        start = primary | (kept & set(shape.cells()))
        pattern = secondary(cells, shape, start, parameters, _unchanged(cells, shape, earlier), engine)
    gate = _Gate(cells, shape, parameters, pattern)
    while True:
        report = attacker(gate.releases(), measures, parameters, earlier, known)
        if not gate.stop(report.findings):
            break
    return Protected(
        releases=gate.releases(),
        status={key: _status(key, primary, gate.pattern) for key in shape.cells()},
        summary=_summary(gate, rules, primary, report, engine.failed),
    )


class _Gate:
    """The pattern as it grows under attack. Each round suppresses a cell at least, so that there is a last one."""

    def __init__(self, cells: Cells, shape: Shape, parameters: Parameters, pattern: frozenset[Key]) -> None:
        self.cells, self.shape, self.parameters = cells, shape, parameters
        self.pattern = set(pattern)
        self.withheld: list[Table] = []
        self.findings: list[Mapping[str, int]] = []

    def releases(self) -> dict[str, Release]:
        made = {}
        for measure, cells in self.cells.items():
            base = rounding_base(measure, self.parameters)
            values = {k: None if k in self.pattern else rounded(cell.value, base) for k, cell in cells.items()}
            made[measure] = Release(self.shape, values, base)
        return made

    def stop(self, findings: Sequence[Finding]) -> bool:
        """Suppress what stops the findings. False where nothing more can be done: there are none, or all is withheld.

        One cell for a finding, and none for a finding that a cell of this round may have stopped already: the next
        round tells. Where no cell that is still published stops it, nothing of its table is.
        """
        self.findings.append(dict(sorted(Counter(finding.attack for finding in findings).items())))
        added: set[Key] = set()
        for finding in findings:
            if added.isdisjoint(finding.through):
                choice = [key for key in finding.through if key in self._free()]
                added |= {choice[0]} if choice else self._withhold(finding.key)
        added -= self.pattern
        self.pattern |= added
        return bool(added)

    def _free(self) -> set[Key]:
        return set(self.shape.cells()) - self.pattern

    def _withhold(self, key: Key) -> set[Key]:
        of_key = [table for table in self.shape.tables if key in self.shape.table_cells(table)]
        gone = of_key or self.shape.tables
        self.withheld += [table for table in gone if table not in self.withheld]
        return {cell for table in gone for cell in self.shape.table_cells(table)}


def _unchanged(cells: Cells, shape: Shape, earlier: Sequence[Earlier]) -> set[Key]:
    """The cells that the public has from an earlier release, just as they are now."""
    found: set[Key] = set()
    for past in earlier:
        for measure, release in past.releases.items():
            if measure in cells and release.shape.dimensions == shape.dimensions:
                then = tabulate(past.contributions[measure], release.shape)
                shown = {key for key, value in release.values.items() if value is not None}
                found |= {key for key, cell in cells[measure].items() if key in shown and then[key] == cell}
    return found


def _status(key: Key, primary: frozenset[Key], pattern: set[Key]) -> str:
    if key not in pattern:
        return "F"
    return "C" if key in primary else "D"


def _summary(
    gate: _Gate,
    rules: Mapping[str, Mapping[Key, tuple[str, ...]]],
    primary: frozenset[Key],
    report: Report,
    failed: int,
) -> Summary:
    live = {key for of in gate.cells.values() for key, cell in of.items() if cell.contributors}
    inside = {
        key
        for table in gate.shape.tables
        for key in gate.shape.table_cells(table)
        if all(code != TOTAL for code, of in zip(key, gate.shape.dimensions, strict=True) if of in table)
    }
    everyone, told = (
        {who for of in gate.cells.values() for key in keys for who, _ in of[key].contributors}
        for keys in (inside, inside - gate.pattern)
    )
    broken = {(key, rule) for of in rules.values() for key, found in of.items() for rule in found}
    return Summary(
        cells=len(gate.shape.cells()),
        primary=len(primary),
        secondary=len(gate.pattern - primary),
        by_rule=dict(sorted(Counter(rule for _, rule in broken).items())),
        withheld=tuple(gate.withheld),
        failed=failed,
        rounds=len(gate.findings),
        findings=tuple(gate.findings),
        tried=report.tried,
        lost_cells_pct=_pct(len(live & gate.pattern), len(live)),
        lost_value_pct={
            measure: _pct(_total(of, inside & gate.pattern), _total(of, inside)) for measure, of in gate.cells.items()
        },
        lost_respondents_pct=_pct(len(everyone - told), len(everyone)),
    )


def _total(cells: Mapping[Key, Cell], keys: set[Key]) -> float:
    return math.fsum(cells[key].value for key in keys)


def _pct(part: float, whole: float) -> int:
    return round(100 * part / whole) if whole else 0
