"""Tables of lists for the tests: three published ones, and the reference folder where there is one; its results."""

import csv
import json
from collections import defaultdict
from functools import cache

import numpy as np
from reference_results import reference_file

from darkfigure.estimation.lists.loglinear import search
from darkfigure.estimation.lists.tables import ListTable
from darkfigure.estimation.lists.terms import model_name

# Seber (1982), page 107: two samples of 948 and 421, 167 in both.
SEBER = ListTable.of({"10": 781, "01": 254, "11": 167})
# Killings in Kosovo 1999 (Ball and others 2002), as in R package MultipleSystemsEstimation 1.2.0.
KOSOVO = ListTable(
    ("EXH", "ABA", "OSCE", "HRW"),
    np.array([0, 1131, 845, 177, 936, 228, 217, 181, 306, 106, 31, 18, 123, 42, 32, 27]),
)
# Children with spina bifida on three registers in upstate New York: Madigan and York (1997), table 1.
SPINA_BIFIDA = ListTable(("birth", "death", "rehabilitation"), np.array([0, 60, 49, 4, 247, 112, 142, 12]))
# Ours for Rcapture's names of heterogeneity.
RCAPTURE_KINDS = {"Chao (LB)": "chao", "Poisson2": "poisson", "Darroch": "darroch", "Gamma3.5": "gamma", "": None}


@cache
def tables() -> dict[str, ListTable]:
    """The reference tables that are of lists, by the name that the results use."""
    out = {}
    for key, table in json.loads(reference_file("reference_tables.json").read_text()).items():
        if "rows" not in table or "country" in table["columns"]:
            continue
        names, rows, name = table["columns"], np.array(table["rows"]), key.split("@")[0]
        if name == "hare":
            out[name] = ListTable.from_rows(names, rows)
        else:
            out[name.replace("Kosovo", "kosovo")] = ListTable.from_rows(names[:-1], rows[:, :-1], rows[:, -1])
    return out


def table_of(dataset: str) -> ListTable:
    """The table by any of the names that results have for it."""
    if dataset.startswith("MadiganYork3"):
        return SPINA_BIFIDA
    return tables()[dataset.replace("Kosovo", "kosovo").removesuffix("_aggregate")]


def searched(table: ListTable, **options) -> dict[str, dict[str, float]]:
    """The statistics of all models of a search, by the model's name."""
    done = search(table, **options)
    columns = {
        "abundance": done.population, "stderr": done.standard_error, "deviance": done.deviance,
        "df": done.degrees_of_freedom, "AIC": done.aic, "BIC": done.bic,
    }  # fmt: skip
    out = {}
    for i in range(len(done.population)):
        held = {sum(1 << table.lists.index(name) for name in term) for term in done.model(i)}
        held |= {1 << k for k in range(table.t)}
        out[model_name(table.t, held)] = {name: float(values[i]) for name, values in columns.items()}
    return out


def results(file: str = "reference_rcapture.csv") -> dict[tuple[str, str, str], dict[str, float]]:
    """Statistics by data set, function and model, without those that are not numbers."""
    out: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    with reference_file(file).open() as lines:
        for row in csv.DictReader(lines):
            if row["value"] not in ("", "NA"):
                out[row["dataset"], row["fn"], row["model"]][row["statistic"]] = float(row["value"])
    return out
