"""A figure whose area or offence the reference tables do not know breaks a contract: it is not let fall in silence."""

import shutil

import duckdb
import pytest

from validations.audit import audit
from warehouse.recipes import sql_of


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ("DELETE FROM reference.crosswalk WHERE scheme = 'SESNSP' AND code = 'Fraude'", "relation"),
        ("UPDATE reference.area_code SET ref_area = 'MX-XXX' WHERE ref_area = 'MX-AGU'", "ref_area"),
        ("DELETE FROM reference.area WHERE ref_area = 'FIN'", "ref_area"),
        # A figure outside of every validity of its code, and one that two rows are valid for.
        ("UPDATE reference.crosswalk SET valid_from = '2016-01-01' WHERE scheme = 'SESNSP'", "relation"),
        ("UPDATE reference.crosswalk SET valid_to = '' WHERE scheme = 'StatCan 35-10-0001-01'", "observation_id"),
    ],
)
def test_an_unknown_code_breaks_the_contract_of_the_observations(released, tmp_path, change, column):
    copy = shutil.copy(released.home.build / "cybercrime.duckdb", tmp_path)
    with duckdb.connect(str(copy)) as connection:
        connection.execute(change)
        connection.execute(f"CREATE OR REPLACE TABLE harmonised.observation AS {sql_of('harmonised.observation')}")
        breaches = audit(connection, "harmonised.observation")
    assert column in {breach.column for breach in breaches}
    assert all(breach.row_count > 0 for breach in breaches)


def test_a_crosswalk_to_an_act_that_there_is_not_breaks_its_contract(released, tmp_path):
    copy = shutil.copy(released.home.build / "cybercrime.duckdb", tmp_path)
    with duckdb.connect(str(copy)) as connection:
        connection.execute("UPDATE reference.crosswalk SET act = 'B1|A9' WHERE code = 'Fraude'")
        (breach,) = audit(connection, "reference.crosswalk")
    assert (breach.column, breach.row_count) == ("act", 2)
