"""What the tests of surveys share: R's results on a synthetic survey, and that survey."""

import pandas as pd
import pytest
from reference_results import reference_file


@pytest.fixture(scope="session")
def reference() -> dict[tuple[str, str, str], float]:
    """By data set, method and statistic: what R's survey 4.1-1 gives."""
    rows = pd.read_csv(reference_file("reference_survey.csv"))
    return rows.set_index(["dataset", "method", "statistic"])["value"].to_dict()


@pytest.fixture(scope="session")
def people() -> pd.DataFrame:
    """The synthetic survey, a row per person."""
    return pd.read_csv(reference_file("reference_synthetic_survey.csv"))
