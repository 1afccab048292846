"""The attacker: what of a release can be undone by those who read it, and by those who are in it.

It knows the release, the classification, which respondents are in which cell, and, as a contributor or a coalition,
its own values. It is written without regard to how cells were suppressed. Secret values judge, at the end, whether
what was found is too near the truth. Here: which attacks are run on what. Not here: suppression.
"""

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from darkfigure.disclosure.attack import arithmetic
from darkfigure.disclosure.attack.bounds import Broken, Question, ask, components
from darkfigure.disclosure.attack.contributors import Contributors
from darkfigure.disclosure.attack.crossing import crossed
from darkfigure.disclosure.attack.findings import ATTACKS, Finding, Report
from darkfigure.disclosure.attack.knowledge import Floats, Knowledge, Vintage, knowledge
from darkfigure.disclosure.attack.rules import protection
from darkfigure.disclosure.attack.vintages import changes
from darkfigure.disclosure.parameters import Parameters
from darkfigure.disclosure.table import Contribution, Earlier, Key, Release

__all__ = ["ATTACKS", "Finding", "Report", "attack"]


def attack(
    releases: Mapping[str, Release],
    contributions: Mapping[str, Sequence[Contribution]],
    parameters: Parameters,
    earlier: Sequence[Earlier] = (),
    known: Mapping[str, Mapping[Key, float]] | None = None,
) -> Report:
    """Every attack on every measure of a release; nothing may be published in which there is a finding.

    ``releases`` and ``contributions`` by measure; ``earlier``: releases of the same period, the newest first;
    ``known``: totals published elsewhere, by measure and cell. The same input gives the same report, and the order of
    contributions does not matter. Raises DarkfigureError where a known total is not the sum of its contributions.
    """
    tried: Counter[str] = Counter(dict.fromkeys(ATTACKS, 0))
    found: list[Finding] = []
    for measure, release in releases.items():
        now = Vintage(release, contributions[measure])
        before = [Vintage(e.releases[measure], e.contributions[measure]) for e in earlier if measure in e.releases]
        alone = _of_one(now, parameters, tried)
        found += alone
        seen = {finding.key for finding in alone if finding.attack != "cross"}
        if before:
            for then in before:
                found += changes(now, then, parameters, tried)
            joint = _joint("vintages", [now, *before], {}, parameters, tried)
            found += [finding for finding in joint if finding.key not in seen]
            seen |= {finding.key for finding in joint}
        if totals := (known or {}).get(measure):
            joint = _joint("known_total", [now, *before], totals, parameters, tried)
            found += [finding for finding in joint if finding.key not in seen]
    return Report(dict(tried), tuple(dict.fromkeys(found)))


def _of_one(now: Vintage, parameters: Parameters, tried: Counter[str]) -> list[Finding]:
    """The attacks that need nothing but this release."""
    cells = knowledge([now])
    need = protection(cells.parts, cells.entries, parameters, cells.counts)
    tried["published"] += int((cells.recallable & ~cells.unknown).sum())
    found = [
        *arithmetic.published(cells, need),
        *arithmetic.differences(cells, parameters, tried),
        *arithmetic.margins(cells, need, tried),
        *crossed(now, parameters, tried),
    ]
    opened = {finding.key for finding in found if finding.attack == "margins"}
    by_bounds = _bounded(cells, need, parameters, tried)
    return found + [finding for finding in by_bounds if finding.attack != "bounds" or finding.key not in opened]


def _bounded(
    cells: Knowledge, need: Floats, parameters: Parameters, tried: Counter[str], name: str = ""
) -> list[Finding]:
    """Everything that rests on bounds. ``name``: what to call and to count it by, where not by the attack itself."""
    parts = components(cells)
    counted: Counter[str] = Counter()
    outside = [Question((), int(c), s, float(_room(cells, c, s, need))) for c in _at_risk(cells, need) for s in (1, -1)]
    counted["bounds"] += len(outside)
    found = _findings("bounds", cells, ask(parts, outside))
    unions, questions = arithmetic.unions(cells, parts, parameters, counted)
    found += unions + _findings("combined", cells, ask(parts, questions))
    if not cells.counts:  # that somebody is in a cell is known; a count shows no more of it
        for part in parts:
            inside = Contributors(part, parameters)
            alone = [question for who in inside.alone() for question in inside.questions(who)]
            together = [q for who, where in inside.coalitions().items() for q in inside.questions(who, where)]
            for kind, asked in (("contributor", alone), ("coalition", together)):
                counted[kind] += len(asked)
                found += _findings(kind, cells, part.ask(asked))
    if name:
        tried[name] += sum(counted.values())
        return [Finding(name, finding.key, finding.through) for finding in found]
    tried.update(counted)
    return found


def _at_risk(cells: Knowledge, need: Floats) -> Sequence[int]:
    return np.flatnonzero(cells.unknown & (need > 0)).tolist()


def _room(cells: Knowledge, cell: int, side: int, need: Floats) -> float:
    """From below nothing lies farther away than 0."""
    return float(need[cell]) if side > 0 else min(float(need[cell]), float(cells.truth[cell]))


def _findings(kind: str, cells: Knowledge, broken: Sequence[Broken]) -> list[Finding]:
    """An amount is given away when it cannot be much more, or much less; a count when it can be nothing else."""
    sides = Counter(each.question.cell for each in broken)
    return [
        Finding(kind, cells.keys[each.question.cell], each.through)
        for each in broken
        if not cells.counts or sides[each.question.cell] == 2
    ]


def _joint(
    name: str, vintages: Sequence[Vintage], totals: Mapping[Key, float], parameters: Parameters, tried: Counter[str]
) -> list[Finding]:
    """Bounds over several releases and totals from elsewhere, and cells suppressed now that those show."""
    cells, alone = knowledge(vintages, totals), knowledge(vintages[:1])
    values = vintages[0].release.values
    hidden = {key for key in values if values[key] is None}
    tried[name] += len(hidden)
    if cells.keys == alone.keys and (cells.lower == alone.lower).all() and (cells.upper == alone.upper).all():
        return []  # they say nothing more
    need = protection(cells.parts, cells.entries, parameters, cells.counts)
    shown = [
        Finding(name, cells.keys[cell], ())
        for cell in np.flatnonzero(cells.current & ~cells.unknown & (need > 0)).tolist()
        if cells.keys[cell] in hidden
    ]
    found = _bounded(cells, need, parameters, tried, name)
    current = {cells.keys[cell] for cell in np.flatnonzero(cells.current & cells.unknown).tolist()}
    if all(finding.key in current for finding in found):
        return shown + found
    # What the earlier releases gave away by themselves, of a cell that has changed since, is nothing new.
    gone = _given_away(vintages[1:], parameters)
    return shown + [finding for finding in found if finding.key in current or finding.key not in gone]


def _given_away(before: Sequence[Vintage], parameters: Parameters) -> set[Key]:
    if not before:
        return set()
    cells = knowledge(before)
    need = protection(cells.parts, cells.entries, parameters, cells.counts)
    return {finding.key for finding in _bounded(cells, need, parameters, Counter())}
