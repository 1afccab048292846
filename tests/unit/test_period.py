"""Periods: one spelling for each, and the days that it spans."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from darkfigure.sources.period import months, span


@pytest.mark.parametrize(
    ("spelling", "first", "last"),
    [
        ("2024", "2024-01-01", "2024-12-31"),
        ("2024-02", "2024-02-01", "2024-02-29"),
        ("2017-Q2", "2017-04-01", "2017-06-30"),
        ("2017-Q4", "2017-10-01", "2017-12-31"),
        ("2017-04-01/P1Y", "2017-04-01", "2018-03-31"),
        ("2021-10-01/P1Y", "2021-10-01", "2022-09-30"),
        ("2020-12-01/P3M", "2020-12-01", "2021-02-28"),
        ("2015-01-01/P5Y", "2015-01-01", "2019-12-31"),
    ],
)
def test_the_days_that_a_period_spans(spelling, first, last):
    assert span(spelling) == (date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    "spelling",
    [
        "",
        "24",
        "2024-13",
        "2024-00",
        "2024-Q5",
        "2024-2",
        "2024/25",
        "2024-04-02/P1Y",
        "2024-04-01/P0M",
        "YE Sep 2022",
        "1824",
    ],
)
def test_anything_else_is_no_period(spelling):
    with pytest.raises(ValueError, match="is no period"):
        span(spelling)


@given(year=st.integers(1900, 2090), month=st.integers(1, 12), count=st.sampled_from([1, 2, 3, 6, 9, 12, 24, 60]))
def test_whole_months_on_end_where_the_next_begin(year, month, count):
    first, last = span(months(year, month, count))
    assert first == date(year, month, 1)
    after = last + timedelta(days=1)
    assert (after.year * 12 + after.month) - (year * 12 + month) == count and after.day == 1


@pytest.mark.parametrize(("year", "month", "count", "spelling"), [
    (2024, 1, 12, "2024"), (2024, 3, 1, "2024-03"), (2017, 4, 3, "2017-Q2"), (2017, 5, 3, "2017-05-01/P3M"), (2021, 10, 12, "2021-10-01/P1Y"),
])  # fmt: skip
def test_a_period_has_one_spelling(year, month, count, spelling):
    assert months(year, month, count) == spelling
