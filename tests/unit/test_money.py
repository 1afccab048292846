"""Exchange rates, purchasing power and losses: in the publisher's currency and year, and in common ones."""

from datetime import date

import pytest

from tests.unit.builds import build_for, made, put, put_return, put_snapshot


def rate(connection, currency, value, year="2021", **given):
    put_return(
        connection,
        "ecb",
        f"R-{currency}{year}",
        ref_area="U2",
        time_period=year,
        offence="_Z",
        measure="exchange_rate",
        unit_measure=currency,
        obs_value=value,
        **given,
    )


def test_rates_through_the_euro(tmp_path):
    with build_for(tmp_path, "reference.exchange_rate") as connection:
        put_snapshot(connection, "ecb", source_type="denominator")
        rate(connection, "USD", 1.25)
        rate(connection, "INR", 100.0)
        rate(connection, "ISK", 150.0, obs_status="E", mark="N/A on 200 days")
        rate(connection, "INR", 90.0, year="2020")
        rows = {
            (r["currency"], r["time_period"]): (r["units_per_eur"], r["units_per_usd"], r["input_ids"])
            for r in made(connection, "reference.exchange_rate")
        }
    assert rows == {
        ("EUR", "2021"): (1, 0.8, "R-USD2021"),
        ("INR", "2021"): (100, 80, "R-INR2021 R-USD2021"),
        ("USD", "2021"): (1.25, 1, "R-USD2021"),
    }, "none where the dollar is not known, and none of a year that is not whole"


def amount(connection, number, **given):
    usual = {
        "observation_id": f"H-{number}", "source_id": "office", "ref_area": "IND", "time_period": "2021", "start_date": date(2021, 1, 1), "end_date": date(2021, 12, 31),
        "offence": "_T", "measure": "amount_lost", "unit_measure": "INR", "obs_value": 8000.0,
    }  # fmt: skip
    put(connection, "harmonised.observation", **{**usual, **given})


@pytest.fixture
def losses(tmp_path):
    with build_for(tmp_path, "harmonised.loss") as connection:
        put(connection, "reference.area", ref_area="IND", kind="country", parent_area="")
        put(connection, "reference.area", ref_area="IN-GA", kind="subnational", parent_area="IND")
        put(
            connection,
            "reference.exchange_rate",
            currency="INR",
            time_period="2021",
            units_per_eur=100.0,
            units_per_usd=80.0,
            input_ids="R-1 R-2",
        )
        put(
            connection,
            "reference.purchasing_power",
            ref_area="IND",
            time_period="2021",
            units_per_international_usd=20.0,
            input_ids="R-3",
        )
        yield connection


def test_an_amount_in_dollars_and_in_international_dollars(losses):
    amount(losses, 1)
    amount(losses, 2, ref_area="IN-GA", time_period="2021-03", start_date=date(2021, 3, 1), end_date=date(2021, 3, 31))
    for row in made(losses, "harmonised.loss"):
        assert (row["amount"], row["amount_usd"], row["amount_international_usd"], row["price_year"]) == (
            8000,
            100,
            400,
            "2021",
        )
        assert row["input_ids"].split()[1:] == ["R-1", "R-2", "R-3"]


def test_without_a_rate_there_is_an_amount_and_no_other(losses):
    amount(losses, 1, time_period="2022", start_date=date(2022, 1, 1), end_date=date(2022, 12, 31))
    (row,) = made(losses, "harmonised.loss")
    assert (row["amount"], row["amount_usd"], row["amount_international_usd"], row["input_ids"]) == (
        8000,
        None,
        None,
        "H-1",
    )


def test_a_period_of_two_years_has_no_one_years_rate(losses):
    amount(losses, 1, time_period="2021-04-01/P1Y", start_date=date(2021, 4, 1), end_date=date(2022, 3, 31))
    amount(losses, 2, measure="complaints", unit_measure="NR")
    assert made(losses, "harmonised.loss") == []
