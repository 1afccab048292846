"""Tables of lists for the tests: two published ones, and the reference folder where there is one."""

import csv
import json
from collections import defaultdict

import numpy as np
from reference_results import reference_file

from darkfigure.estimation.lists.tables import ListTable

# Seber (1982), page 107: two samples of 948 and 421, 167 in both.
SEBER = ListTable.of({"10": 781, "01": 254, "11": 167})
# Killings in Kosovo 1999 (Ball and others 2002), as in R package MultipleSystemsEstimation 1.2.0.
KOSOVO = ListTable(
    ("EXH", "ABA", "OSCE", "HRW"),
    np.array([0, 1131, 845, 177, 936, 228, 217, 181, 306, 106, 31, 18, 123, 42, 32, 27]),
)


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


def results(file: str = "reference_rcapture.csv") -> dict[tuple[str, str, str], dict[str, float]]:
    """Statistics by data set, function and model, without those that are not numbers."""
    out: dict[tuple[str, str, str], dict[str, float]] = defaultdict(dict)
    with reference_file(file).open() as lines:
        for row in csv.DictReader(lines):
            if row["value"] not in ("", "NA"):
                out[row["dataset"], row["fn"], row["model"]][row["statistic"]] = float(row["value"])
    return out
