"""The pages on comparability: the rules, and the facts that they look at."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from functools import partial

from docs.parts import code, page, reference, table
from validations.rules import BLOCKS, DIFFERENT, UNKNOWN, Rule, grades, rules, uses

#: How a thing is known: what a provenance means.
PROVENANCE = {
    "READ": "read in the source that is named",
    "MEMORY": "from memory, and still to be checked",
    "JUDGEMENT": "our judgement",
}


def index() -> str:
    """How a grade comes about, and what each rule may cost."""
    bands = ((g.grade, "-" if g.up_to is None else f"up to {_points(g.up_to)}", g.statement) for g in grades())
    rows = (
        (
            f"[{rule.rule}](rules/{rule.rule}.md)",
            code(rule.flag),
            rule.severity,
            rule.stage,
            rule.statement,
            *(_span(rule, use) for use in uses()),
        )
        for rule in rules()
    )
    return page(
        "Rules of comparability",
        "What keeps two figures from being compared, and what it costs. A rule that is broken is evidence: a comment "
        "code on the figure, points in its pairs, a warning in the run. It stops nothing, and corrects nothing.",
        "## How a grade comes about\n",
        "Two figures are graded for each use apart. Each rule charges the pair the most that applies to it: for a "
        "value that either figure has, or for one in which they differ. What is not known is charged as the worst "
        "answer would be. The points of all rules are summed, and the sum lies in a band. A rule that blocks makes an "
        "`E`, whatever the points; one that might block, if more were known, makes a `U`, which is used no more than "
        "an `E`. [The method and its limits](../methods/comparability.md).\n",
        table(("use", "what the pair is to be used for"), ((code(use), said) for use, said in uses().items())),
        table(("grade", "points", "meaning"), bands),
        "## The rules\n",
        "The last four columns say what a rule may cost for each use.\n",
        table(("rule", "flag", "severity", "stage", "statement", *uses()), rows),
        "Each is a file in `validations/rules/`; [how to add one](../how-to/add-a-rule.md).\n",
    )


def _span(rule: Rule, use: str) -> str:
    """What a rule may cost for a use, in short."""
    costs = rule.cost.get(use, {}).values()
    points = sorted({cost for cost in costs if cost < BLOCKS})
    said = [" to ".join(map(_points, dict.fromkeys((points[0], points[-1]))))] if points else []
    return " or ".join([*said, *(["block"] if BLOCKS in costs else [])]) or "-"


def _points(cost: float) -> str:
    return "block" if cost == BLOCKS else f"{cost:g}"


def rule_page(rule: Rule) -> str:
    status = f"{code(rule.obs_status)} {_statuses()[rule.obs_status]}" if rule.obs_status else "-"
    about = {
        "dimension": rule.dimension,
        "severity": rule.severity,
        "stage": rule.stage,
        "flag": code(rule.flag),
        "status (SDMX CL_OBS_STATUS)": status,
    }
    return page(
        rule.rule,
        rule.statement,
        table(("", ""), about.items()),
        "## What it looks at\n",
        _finding(rule) if rule.finding else _facts_of(rule),
        "## What it costs a pair\n",
        _costs(rule),
        "## What would remove it\n",
        f"{rule.remedy}\n",
        "## What it rests on\n",
        f"{rule.basis}\n",
        f"{code(rule.basis_provenance)}: {PROVENANCE[rule.basis_provenance]}.\n",
        "[All rules](../rules.md).\n",
    )


def _facts_of(rule: Rule) -> str:
    rows = (
        (_linked(row["fact"], "../"), row["statement"], *_answers(row)) for row in _facts() if row["fact"] in rule.facts
    )
    return table(("fact", "what it says", "answers", "standard"), rows)


def _finding(rule: Rule) -> str:
    assert rule.finding
    first, *others = map(code, rule.finding.values)
    return (
        f"Its own query names the figures of which {' or '.join(others)} holds; of all others {first} does.\n\n"
        f"```sql\n{rule.finding.query.strip()}\n```\n"
    )


def _costs(rule: Rule) -> str:
    """Every answer that costs something, for each use; last what it costs that the answer is not known."""
    values = dict.fromkeys(value for costs in rule.cost.values() for value in costs)
    named = {DIFFERENT: "the two figures differ"}
    rows = [
        (named.get(value, code(value)), *(_points(rule.cost.get(use, {}).get(value, 0)) for use in uses()))
        for value in values
    ]
    if rule.facts or (rule.finding and f"'{UNKNOWN}'" in rule.finding.query):
        worst = {use: max(rule.cost.get(use, {}).values(), default=0.0) for use in uses()}
        rows.append(("it is not known", *("U" if cost == BLOCKS else _points(cost) for cost in worst.values())))
    text = [table(("where of either figure", *uses()), rows)]
    for value in dict.fromkeys(value for best in rule.at_best.values() for value in best):
        best = ", ".join(f"{best[value]} for {use}" for use, best in rule.at_best.items() if value in best)
        text.append(f"Where {code(value)} holds of either, the pair is at best {best}, however few its points.\n")
    text += [
        f"Of a figure of which {code(value)} holds it is not known whether it breaks the rule: it gets no flag.\n"
        for value in rule.unsettled
    ]
    return "\n".join(text)


def facts() -> str:
    """The facts, and of each source how many are known."""
    looked_at = {row["fact"]: [rule for rule in rules() if row["fact"] in rule.facts] for row in _facts()}
    stated = [row for row in _facts() if row["applies_to"] != "derived"]
    sections = {
        "## Stated": (
            "They are looked up in `warehouse/reference/recording_practice`; where nobody states one it is `unknown`. "
            "`separability`, `unit_of_count` and `reference_period` are deduced where no row states them.",
            stated,
        ),
        "## Deduced": (
            "They follow from the figure itself, from the crosswalk or from the inventory of laws.",
            [row for row in _facts() if row not in stated],
        ),
    }
    parts = []
    for heading, (said, rows) in sections.items():
        lines = (
            (
                f'<a id="{row["fact"]}"></a>{code(row["fact"])}',
                row["statement"],
                *_answers(row),
                _listed(row["applies_to"]) if row in stated else "",
                ", ".join(f"[{rule.rule}](rules/{rule.rule}.md)" for rule in looked_at[row["fact"]]),
            )
            for row in rows
        )
        head = ("fact", "what it says", "answers", "standard", "asked of", "rules")
        parts += [f"{heading}\n", f"{said}\n", table(head, lines)]
    return page(
        "Facts",
        "What is asked of every figure: how it came to be. Rules look at these and at nothing else, but for those that "
        "ask the figures themselves. `standard` is the standard definition: a figure that departs from it carries the "
        "flag of the rule; a pair of figures that depart from it alike is not charged for differing.",
        *parts,
        "## Known, by source\n",
        "Of the facts that are stated: how many are known of all figures of a source, how many only of some, such as "
        "those of one country, and how many of none; and what the answers rest on, row by row.\n",
        table(("source", "facts asked", "known", "of some", "unknown", "`READ`", "`JUDGEMENT`", "`MEMORY`"), _known()),
    )


def _known() -> Iterable[tuple[object, ...]]:
    by_source = defaultdict(list)
    for row in reference("recording_practice"):
        by_source[row["source_id"]].append(row)
    for source, rows in sorted(by_source.items()):
        known = [row for row in rows if row["value"] != UNKNOWN]
        of_all, asked = (
            {row["fact"] for row in some if not row["ref_area"] and not row["offence"]} for some in (known, rows)
        )
        # Of a source of several kinds a fact may be known of one kind and not of the other.
        of_all -= {
            r["fact"] for r in rows if r["value"] == UNKNOWN and r["source_kind"] and not r["ref_area"] + r["offence"]
        }
        of_some = {row["fact"] for row in known} - of_all
        asked |= of_some
        rests_on = Counter(row["provenance"] for row in known)
        counts = (len(asked), len(of_all), len(of_some), len(asked - of_all - of_some))
        yield code(source), *counts, *(rests_on[provenance] for provenance in ("READ", "JUDGEMENT", "MEMORY"))


def _answers(fact: dict[str, str]) -> tuple[str, str]:
    return _listed(fact["allowed"]) or "a text", code(fact["standard"]) if fact["standard"] else "-"


def _listed(joined: str) -> str:
    return ", ".join(map(code, filter(None, joined.split("|"))))


def _linked(fact: str, up: str = "") -> str:
    return f"[{code(fact)}]({up}facts.md#{fact})"


def _facts() -> list[dict[str, str]]:
    return reference("fact")


def _statuses() -> dict[str, str]:
    return {row["obs_status"]: row["obs_status_name"] for row in reference("obs_status")}


PAGES: dict[str, Callable[[], str]] = {
    "rules.md": index,
    **{f"rules/{rule.rule}.md": partial(rule_page, rule) for rule in rules()},
    "facts.md": facts,
}
