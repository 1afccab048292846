"""The registry of assumptions: every code explained, every estimator's code known."""

import re
from pathlib import Path

import pytest

from darkfigure.estimation import assumptions, bounds, losses, multiplier, reporting
from darkfigure.estimation.assumptions import ASSUMPTIONS
from darkfigure.estimation.lists import closed_form
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.result import REASONS, Estimate, Reason
from docs import estimators, source_facts

PROJECT = Path(__file__).parents[3]
SOURCES = sorted((PROJECT / "darkfigure" / "estimation").rglob("*.py"))
CODE = re.compile(r"[A-Z]+(_[A-Z]+)+")
#: Codes that are put together: with what may stand in the gap.
PUT_TOGETHER = {"NONRESPONSE_AT_MOST_OBSERVED", "NONRESPONSE_AT_LEAST_OBSERVED", "REPORTING_ANY_SHARE"}
PUT_TOGETHER |= {"RECORDING_ANY_SHARE"}
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
    assert unused <= PUT_TOGETHER | OF_PUBLISHED_FIGURES


def test_an_estimate_knows_no_other_codes():
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
    f"{module.name}.{node.name}": (module, node)
    for module in source_facts.modules()
    for node in module.public
    if module.path.stem != "grading" and source_facts.gives_estimates(module, node)
}


@pytest.mark.parametrize("name", ESTIMATORS)
def test_every_estimator_says_what_it_assumes(name):
    assert estimators.assumptions(*ESTIMATORS[name])


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
def test_the_index_says_of_an_estimator_what_it_gives(name, made):
    module, node = ESTIMATORS[f"darkfigure.estimation.{name}"]
    found = made()
    (read,) = source_facts.estimates(module, node)
    assert (read.quantity, read.method) == ({found.quantity}, {found.method})
    assert read.assumptions == set(found.assumptions) and module.version == found.version


def test_codes_that_are_put_together_are_found():
    module, node = ESTIMATORS["darkfigure.estimation.bounds.monotone"]
    both = ("NONRESPONSE_AT_MOST_OBSERVED", "NONRESPONSE_AT_LEAST_OBSERVED")
    assert estimators.assumptions(module, node) == both


def test_the_functions_stand_on_a_page_once_and_what_is_written_by_hand_stays():
    page = "# Bounds\n\nCode: `darkfigure/estimation/bounds.py`.\n\n## By hand\n\nText.\n"
    made = estimators.with_functions(page)
    assert made.startswith(page) and made.count("#### `worst_case`") == 1
    assert estimators.with_functions(made) == made
    assert (
        estimators.with_functions("# Other\n\nCode: `darkfigure/sources/`.\n")
        == "# Other\n\nCode: `darkfigure/sources/`.\n"
    )
