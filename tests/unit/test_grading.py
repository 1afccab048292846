"""The grades of pairs, over all facts at once: what is not known never helps, and to swap two figures changes nothing.

Pairs are drawn by chance, by the thousand, and judged together. What each rule costs is in tests/pipeline/test_rules.py.
"""

from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import duckdb
import ibis
import numpy as np
import pyarrow as pa
import pytest

from validations.comparability import _grade, graded, profile_columns
from validations.rules import NOT_APPLICABLE, UNKNOWN, Rule, facts, grades, rules, standards, uses

PAIRS = 1000
COLUMNS = profile_columns()
FINDINGS = {rule.key: rule.finding.values for rule in rules() if rule.finding}
#: What may hold of a figure, by fact or finding. Where any text may, two that were made up stand for all.
VALUES: dict[str, tuple[str, ...]] = {
    **{fact: (*(allowed or (standards().get(fact, "one text"), "another text")), NOT_APPLICABLE) for fact, allowed in facts().items()},
    **FINDINGS,
}  # fmt: skip
COSTLY = {
    (column, value)
    for rule in rules()
    for column in rule.columns
    for told in (*rule.cost.values(), *rule.at_best.values())
    for value in told
}
#: What costs nothing where both figures have it.
FREE = {column: [v for v in values if (column, v) not in COSTLY] for column, values in VALUES.items()}
#: A figure of which everything is as it should be.
SOUND = {column: standards().get(column, FREE[column][0]) for column in COLUMNS}
#: U is used no more than E is, and so is no better.
RANK = {grade.grade: place for place, grade in enumerate(grades()[:-1])} | {"U": len(grades()) - 2}
RANKED = "CASE grade " + " ".join(f"WHEN '{grade}' THEN {rank}" for grade, rank in RANK.items()) + " END"


@contextmanager
def judging():
    """A connection with a table of profiles and one of pairs, both empty."""
    with duckdb.connect() as connection:
        listed = ", ".join(f"{column} VARCHAR" for column in COLUMNS)
        connection.execute(f"CREATE TABLE profile (profile_id VARCHAR, {listed})")
        connection.execute("CREATE TABLE pair (profile_a VARCHAR, profile_b VARCHAR, base VARCHAR, changed VARCHAR)")
        yield connection


def judge(connection):
    """Grade every pair, into the table ``judged``: a row for each pair and use, with what each rule costs it."""
    backend = ibis.duckdb.from_connection(connection)
    costs = graded(backend.table("profile"), backend.table("pair").select("profile_a", "profile_b"))
    by_rule = ", ".join(
        f"CASE WHEN {rule.key}_blocked OR {rule.key}_undecided THEN 'inf'::DOUBLE ELSE {rule.key} END AS {rule.key}_cost"
        for rule in rules()
    )
    connection.execute(
        f"""
        CREATE OR REPLACE TABLE judged AS
        WITH graded AS (SELECT *, {_grade("points", "blocked", "undecided")} AS grade, {by_rule}
                        FROM ({ibis.to_sql(costs, dialect="duckdb")}))
        SELECT *, {RANKED} AS rank FROM graded JOIN pair USING (profile_a, profile_b)
        """
    )


def put(connection, rows: Mapping[str, Mapping[str, str]]):
    """Profiles by their ids: sound but for what is said."""
    told = [{"profile_id": name, **SOUND, **other} for name, other in rows.items()]
    given = pa.table({column: [row[column] for row in told] for column in ("profile_id", *COLUMNS)})
    connection.register("given", given)
    connection.execute("INSERT INTO profile BY NAME FROM given")


def meet(connection, pairs: list[tuple[str, str, str, str]]):
    connection.executemany("INSERT INTO pair VALUES (?, ?, ?, ?)", pairs)


def drawn(count: int, seed: int) -> dict[str, dict[str, str]]:
    """Pairs of profiles, a-0 with b-0 and so on: some nearly sound and nearly alike, some anything at all."""
    random = np.random.default_rng(seed)
    # How often both differ from what is sound, and how often each of the two from what both have.
    shared, own = random.choice([0, 0.02, 0.05, 0.2, 1], count), random.choice([0, 0.02, 0.05, 0.1, 0.3], count)
    found: dict[str, dict[str, str]] = {}
    sides = {side: {} for side in "ab"}
    for column in COLUMNS:
        values = np.array([*VALUES[column], UNKNOWN], dtype=object)
        both = np.where(random.random(count) < shared, random.choice(values, count), SOUND[column])
        for side in "ab":
            sides[side][column] = np.where(random.random(count) < own, random.choice(values, count), both)
    for side, columns in sides.items():
        for number in range(count):
            found[f"{side}-{number}"] = {column: columns[column][number] for column in COLUMNS}
    return found


def put_drawn(connection, count: int = PAIRS, seed: int = 1):
    put(connection, drawn(count, seed))
    meet(connection, [(f"a-{n}", f"b-{n}", "", "") for n in range(count)])


def change(connection, to: Mapping[str, str], kind: str, side: str = "a"):
    """For every pair, and every column in turn, a pair that differs from it there alone: by the SQL that ``to`` gives."""
    listed = ", ".join(f"CASE WHEN c.name = '{c}' THEN {to[c]} ELSE p.{c} END AS {c}" for c in COLUMNS)
    connection.execute("CREATE OR REPLACE TEMP TABLE one_column AS SELECT unnest(?) AS name", [COLUMNS])
    connection.execute(
        f"""
        INSERT INTO profile BY NAME
        SELECT p.profile_id || '/' || c.name || '/{kind}' AS profile_id, {listed}
        FROM profile AS p CROSS JOIN one_column AS c WHERE p.profile_id LIKE '{side}-%' AND p.profile_id NOT LIKE '%/%'
        """
    )


def withhold(connection):
    """Every pair again, with every fact in turn withheld of its first figure."""
    change(connection, dict.fromkeys(COLUMNS, f"'{UNKNOWN}'"), UNKNOWN)
    connection.execute(
        f"""
        INSERT INTO pair
        SELECT b.profile_a || '/' || c.name || '/{UNKNOWN}', b.profile_b, b.profile_a, c.name
        FROM pair AS b CROSS JOIN one_column AS c
        """
    )


def improved(connection) -> list[tuple[Any, ...]]:
    """Pairs that are graded better than those that they were made from: what was changed, the use, both grades."""
    return connection.execute(
        """
        SELECT DISTINCT this.changed, this.use, before.grade, this.grade
        FROM judged AS this JOIN judged AS before ON before.profile_a = this.base
            AND before.changed = '' AND before.use = this.use
        WHERE this.changed <> '' AND this.rank < before.rank ORDER BY ALL
        """
    ).fetchall()


def cheapened(connection) -> list[str]:
    """Rules that charge such a pair less."""
    counted = ", ".join(
        f"count(*) FILTER (this.{rule.key}_cost < before.{rule.key}_cost) AS {rule.key}" for rule in rules()
    )
    cursor = connection.execute(
        f"""
        SELECT {counted}
        FROM judged AS this JOIN judged AS before ON before.profile_a = this.base
            AND before.changed = '' AND before.use = this.use
        WHERE this.changed <> ''
        """
    )
    names = [name for name, *_ in cursor.description or ()]
    (found,) = cursor.fetchall()
    return [name for name, count in zip(names, found, strict=True) if count]


@pytest.fixture(scope="module")
def withheld():
    """Pairs drawn by chance, and each again with every fact in turn withheld, all judged."""
    with judging() as connection:
        put_drawn(connection)
        withhold(connection)
        judge(connection)
        yield connection


def test_every_use_has_pairs_of_every_grade_that_could_become_better(withheld):
    # Were all of them blocked, nothing could be shown.
    found = withheld.execute("SELECT use, grade, count(*) FROM judged WHERE changed = '' GROUP BY ALL").fetchall()
    assert {(use, grade) for use, grade, _ in found} == {(use, grade.grade) for use in uses() for grade in grades()}
    assert all(count >= 10 for _, _, count in found)
    assert withheld.execute("SELECT count(*) FROM judged WHERE changed <> ''").fetchall() == [
        (PAIRS * len(COLUMNS) * len(uses()),)
    ]


def test_to_withhold_a_fact_never_improves_a_grade(withheld):
    assert improved(withheld) == []


def test_to_withhold_a_fact_is_never_cheaper_by_any_rule(withheld):
    assert cheapened(withheld) == []


def test_to_withhold_a_fact_that_a_rule_looks_at_is_noticed(withheld):
    # What is withheld of sound pairs costs something, by the rules that look at it and by no others.
    looked_at = {(column, use) for rule in rules() for column in rule.columns for use in rule.cost}
    dearer = withheld.execute(
        """
        SELECT DISTINCT this.changed, this.use
        FROM judged AS this JOIN judged AS before ON before.profile_a = this.base
            AND before.changed = '' AND before.use = this.use
        WHERE this.changed <> '' AND (this.rank > before.rank OR this.points > before.points)
        """
    ).fetchall()
    assert set(dearer) == looked_at


#: Ways to charge what is not known less than the worst of it. Each must be noticed.
LENIENT = {
    "what is not known costs nothing": ("_withheld", lambda *_: ibis.literal(False)),
    "what may block does not bar": ("undecided", lambda *_: ibis.literal(False)),
    "what is not known of one costs nothing": (
        "_withheld",
        lambda rule, one, other: ibis.or_(*(other[c] == UNKNOWN for c in rule.columns)),
    ),
}


@pytest.mark.parametrize("how", LENIENT)
def test_were_the_unknown_charged_less_it_would_be_seen(monkeypatch, how):
    name, lenient = LENIENT[how]
    monkeypatch.setattr(Rule, name, lenient)
    with judging() as connection:
        put_drawn(connection, count=200)
        withhold(connection)
        judge(connection)
        assert improved(connection)
        assert cheapened(connection)


def test_were_little_knowledge_forgiven_it_would_be_seen(monkeypatch):
    # The best grade of pairs of which little is known is no cost of any rule's: the grades alone show it.
    monkeypatch.setattr(
        Rule, "floor", lambda rule, a, b, use: ibis.ifelse(rule._withheld(a, b), 0.0, FLOOR(rule, a, b, use))
    )
    with judging() as connection:
        put_drawn(connection, count=200)
        withhold(connection)
        judge(connection)
        assert {changed for changed, *_ in improved(connection)} == {"metadata"}


FLOOR = Rule.floor


def swapped(connection) -> list[tuple[Any, ...]]:
    """Pairs that are judged otherwise when their figures change places."""
    connection.execute(
        "INSERT INTO pair SELECT profile_b, profile_a, profile_a, 'swapped' FROM pair WHERE changed = ''"
    )
    judge(connection)
    said = ["grade", "points", "blocked", "undecided", *(f"{rule.key}_cost" for rule in rules())]
    return connection.execute(
        f"""
        SELECT before.profile_a, before.use, before.grade, this.grade
        FROM judged AS this JOIN judged AS before ON before.profile_a = this.base
            AND before.changed = '' AND before.use = this.use
        WHERE this.changed = 'swapped' AND ({" OR ".join(f"this.{c} IS DISTINCT FROM before.{c}" for c in said)})
        """
    ).fetchall()


def test_to_swap_two_figures_changes_nothing():
    with judging() as connection:
        put_drawn(connection)
        assert swapped(connection) == []
        assert connection.execute("SELECT count(*) FROM judged").fetchall() == [(2 * PAIRS * len(uses()),)]


@pytest.mark.parametrize(
    ("name", "one_eyed"),
    [
        ("_withheld", LENIENT["what is not known of one costs nothing"][1]),
        ("_applies", lambda rule, one, other, value: ibis.or_(*(one[c] == value for c in rule.columns))),
    ],
)
def test_were_one_side_alone_looked_at_it_would_be_seen(monkeypatch, name, one_eyed):
    monkeypatch.setattr(Rule, name, one_eyed)
    with judging() as connection:
        put_drawn(connection, count=200)
        assert swapped(connection)


def test_sound_figures_are_comparable_for_every_use():
    with judging() as connection:
        put(connection, {"a-sound": {}, "b-sound": {}})
        meet(connection, [("a-sound", "b-sound", "", ""), ("a-sound", "a-sound", "", "")])
        judge(connection)
        found = connection.execute("SELECT use, grade, points, blocked, undecided FROM judged").fetchall()
        assert sorted(found) == sorted([(use, "A", 0, False, False) for use in uses()] * 2)


def test_figures_that_agree_on_what_costs_nothing_are_comparable_for_every_use():
    random = np.random.default_rng(2)
    some = {f"a-{n}": {c: str(random.choice(FREE[c])) for c in COLUMNS} for n in range(200)}
    with judging() as connection:
        put(connection, some)
        meet(connection, [(name, name, "", "") for name in some])
        judge(connection)
        assert connection.execute("SELECT grade, points, count(*) FROM judged GROUP BY ALL").fetchall() == [
            ("A", 0, 200 * len(uses()))
        ]


def test_to_differ_where_two_figures_agreed_never_improves_a_grade():
    """Every fact in turn is made to agree at no cost, and then to be anything else of one of the two."""
    random = np.random.default_rng(3)
    one_text = {c: f"'{random.choice(FREE[c])}'" for c in COLUMNS}
    with judging() as connection:
        put_drawn(connection, seed=3)
        for side in "ab":
            change(connection, one_text, "agreed", side)
        change(connection, {c: _any_other(c, one_text[c]) for c in COLUMNS}, "apart", "b")
        connection.execute(
            """
            CREATE TABLE both_pairs AS
            SELECT p.profile_a || '/' || c.name || '/agreed' AS a, p.profile_b || '/' || c.name AS b, c.name
            FROM pair AS p CROSS JOIN one_column AS c
            """
        )
        connection.execute("DELETE FROM pair")
        connection.execute("INSERT INTO pair SELECT a, b || '/agreed', '', '' FROM both_pairs")
        connection.execute("INSERT INTO pair SELECT a, b || '/apart', a, name FROM both_pairs")
        judge(connection)
        assert connection.execute("SELECT count(*) FROM judged WHERE changed <> ''").fetchall() == [
            (PAIRS * len(COLUMNS) * len(uses()),)
        ]
        assert connection.execute(
            "SELECT count(*) > 1000 FROM judged WHERE changed = '' AND grade IN ('A', 'B', 'C')"
        ).fetchall() == [(True,)]
        assert improved(connection) == []
        assert cheapened(connection) == []


def _any_other(column: str, agreed: str) -> str:
    """SQL for one of a column's other values, by the profile's place in the list."""
    others = [f"'{v}'" for v in (*VALUES[column], UNKNOWN) if f"'{v}'" != agreed]
    return f"[{', '.join(others)}][(hash(p.profile_id) % {len(others)})::BIGINT + 1]"


@pytest.fixture(scope="module")
def answers():
    """By fact, every two answers there are, of two figures that are sound else."""
    with judging() as connection:
        rows = {f"{column}={value}": {column: value} for column in COLUMNS for value in (*VALUES[column], UNKNOWN)}
        put(connection, rows)
        connection.execute(
            """
            INSERT INTO pair
            SELECT a.profile_id, b.profile_id, '', '' FROM profile AS a
            JOIN profile AS b ON split_part(a.profile_id, '=', 1) = split_part(b.profile_id, '=', 1)
            """
        )
        judge(connection)
        yield connection


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule)
def test_no_unknown_is_cheaper_than_any_answer(answers, rule):
    found = answers.execute(
        f"""
        SELECT known.profile_a, known.profile_b, known.use
        FROM judged AS unknown JOIN judged AS known ON known.profile_b = unknown.profile_b
            AND known.use = unknown.use AND split_part(known.profile_a, '=', 1) = split_part(unknown.profile_a, '=', 1)
        WHERE unknown.profile_a LIKE '%={UNKNOWN}' AND unknown.{rule.key}_cost < known.{rule.key}_cost
        """
    ).fetchall()
    assert found == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule)
def test_an_unknown_costs_as_much_as_the_worst_answer_for_each_use(answers, rule):
    """As much, and for uses that the rule says nothing of, nothing."""
    for column in rule.columns:
        found = dict(
            answers.execute(
                f"SELECT use, {rule.key}_cost FROM judged WHERE profile_a = ? AND profile_b = ?",
                [f"{column}={UNKNOWN}", f"{column}={SOUND[column]}"],
            ).fetchall()
        )
        assert found == {use: max(rule.cost.get(use, {}).values(), default=0) for use in uses()}


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule.rule)
def test_a_rule_costs_what_it_looks_at_and_nothing_else(answers, rule):
    found = answers.execute(
        f"SELECT DISTINCT split_part(profile_a, '=', 1) FROM judged WHERE {rule.key}_cost > 0"
    ).fetchall()
    assert {column for (column,) in found} == {*rule.columns}
