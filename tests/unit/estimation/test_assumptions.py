"""The registry of assumptions: every code explained, every estimator's code known."""

import inspect
import re
from pathlib import Path
from typing import get_type_hints

import pytest

from darkfigure.estimation import assumptions, bounds, losses, multiplier, reporting
from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.grading import graded
from darkfigure.estimation.lists import closed_form
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import REASONS, Estimate, Reason
from docs import estimators, source_facts

PROJECT = Path(__file__).parents[3]
SOURCES = sorted((PROJECT / "darkfigure" / "estimation").rglob("*.py"))
CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")
#: What only the pipeline's estimates from published figures assume.
OF_PUBLISHED_FIGURES = {
    "CASES_BY_CV", "DESIGN_EFFECT_TWO", "REPEATS_GEOMETRIC", "QUOTED_PRECISION", "QUOTED_FIGURE"
}  # fmt: skip


@pytest.mark.parametrize("code", ASSUMPTIONS)
def test_each_is_a_code_with_two_sentences(code):
    found = ASSUMPTIONS[code]
    assert found.code == code and CODE.fullmatch(code)
    for said in (found.statement, found.broken_by):
        assert said[0].isupper() and not said.endswith(".") and "\n" not in said and len(said) > 20


def test_no_code_stands_twice():
    text = Path(assumptions.__file__).read_text(encoding="utf-8")
    assert text.count("    Assumption(\n") == len(ASSUMPTIONS)


def test_each_is_assumed_by_some_estimator():
    texts = [path.read_text(encoding="utf-8") for path in SOURCES if path.name != "assumptions.py"]
    unused = {code for code in ASSUMPTIONS if not any(f'"{code}"' in text for text in texts)}
    assert unused <= OF_PUBLISHED_FIGURES


def test_an_estimate_has_codes_and_knows_no_others():
    with pytest.raises(ValueError, match="without assumptions"):
        Estimate("people", 1.0, None, "some method", "1", ())
    Estimate("people", 1.0, None, "some method", "1", ("LINKS_RIGHT", "SAME_YEAR"))
    for wrong in ("LINK_RIGHT", "links_right", "records of one person are linked without error"):
        with pytest.raises(ValueError, match=wrong):
            Estimate("people", 1.0, None, "some method", "1", ("LINKS_RIGHT", wrong))


def test_estimators_of_reporting_name_codes_of_the_registry():
    tuples = [value for value in vars(reporting).values() if isinstance(value, tuple)]
    codes = {code for each in tuples for code in each if isinstance(code, str) and CODE.fullmatch(code)}
    codes |= {code for each in tuples for made in each for code in getattr(made, "assumptions", ())}
    assert codes and codes <= set(ASSUMPTIONS)


def test_every_reason_for_a_refusal_has_its_words():
    assert set(REASONS) == set(Reason) and all(REASONS.values())


#: Every function of the package that gives an Estimate but the one that judges it.
ESTIMATORS = {
    f"{module.__name__}.{each.__name__}".removeprefix("darkfigure.estimation."): each
    for module in source_facts.modules()
    for each in source_facts.public(module)
    if inspect.isfunction(each) and "Estimate" in str(get_type_hints(each)["return"]) and each is not graded
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_says_what_it_assumes(name):
    assert source_facts.facts(ESTIMATORS[name])[0]


TWO = ListTable.of({"10": 40, "01": 50, "11": 20})
RECORDED = multiplier.Recorded(100, multiplier.Share(0.5, 0.05))


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("lists.closed_form.chapman", lambda: closed_form.chapman(TWO)),
        ("lists.closed_form.sadinle", lambda: closed_form.sadinle(TWO)),
        ("lists.closed_form.zelterman", lambda: closed_form.zelterman(TWO)),
        ("multiplier.fieller", lambda: multiplier.fieller(RECORDED)),
        ("multiplier.unrecorded_share", lambda: multiplier.unrecorded_share(RECORDED)),
        ("losses.quantile", lambda: losses.quantile(range(1, 60), 0.5)),
        ("bounds.worst_case", lambda: bounds.worst_case(0.2, 0.9)),
    ],
)
def test_the_index_says_of_an_estimator_what_it_assumes_and_its_version(name, made):
    function, found = ESTIMATORS[name], made()
    assert set(source_facts.facts(function)[0]) == set(found.assumptions)
    assert found.version == inspect.getmodule(function).VERSION


def test_the_index_names_every_estimator_every_code_and_every_reason():
    index, registry = (made() for made in estimators.PAGES.values())
    assert all(f"| `{name}` |" in index for name in ESTIMATORS)
    assert all(f"`{reason.name}`" in index for reason in Reason)
    unnamed = {line.split("`")[1] for line in registry.splitlines() if "| estimates from published figures |" in line}
    assert unnamed <= OF_PUBLISHED_FIGURES


def test_reasons_and_codes_are_followed_to_where_they_stand():
    """Through helpers, modules, tables of functions and a class's checks, and not where a name is only a type."""
    codes, reasons = source_facts.facts(ESTIMATORS["lists.heterogeneity.capture_model"])
    assert {"FOUND_AT_OWN_RATE", "FOUND_CHANGES_ONCE"} <= set(codes)  # of closed_form.py and behaviour.py
    assert {Reason.NO_OVERLAP, Reason.UNBOUNDED} <= set(reasons)
    assert source_facts.facts(bounds.union_of_lists) == (("NONE_OF_OVERLAP",), (Reason.BAD_INPUT,))
    assert Reason.UNBOUNDED not in source_facts.facts(bounds.multiplier_bounds)[1]


def test_the_functions_stand_on_a_page_once_and_what_is_written_by_hand_stays():
    page = "# Bounds\n\nCode: `darkfigure/estimation/bounds.py`.\n\n## By hand\n\nText.\n"
    made = estimators.with_functions(page)
    assert made.startswith(page) and made.count("#### `worst_case`") == 1
    assert estimators.with_functions(made) == made
    assert (
        estimators.with_functions("# Other\n\nCode: `darkfigure/sources/`.\n")
        == "# Other\n\nCode: `darkfigure/sources/`.\n"
    )
