"""How long the contract of ``returns.observation`` takes, three ways on the same rows, in one run.

``python benchmarks/contracts.py BUILD [ROWS]``: a build database, as ``darkfigure run`` leaves it
(``warehouse/build/cybercrime.duckdb``), whose figures are repeated to a million ROWS. Once as they are, and once with
one row in a thousand broken, of which every way must find the same number for every term of the contract.

- ours: inside DuckDB, as the main job does it: one query, and pandera's Ibis backend where that finds something.
- pandera on pandas: the same checks on a frame.
- Great Expectations: the same checks as expectations on a pandas batch.

Each in a process of its own, whose greatest memory is told; to read the rows into a frame is counted apart. Here also:
how a process is measured (``apart``), for other benchmarks. Not here: the rules of comparability (``comparability``).
"""

import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

MILLION = 1_000_000
TABLE = "returns.observation"
#: One row in so many is broken, in turn by each of these.
ONE_IN = 1000
FAULTS = {
    "return_id": "'R-000000000000'",
    "ref_area": "''",
    "time_period": "'2023-13'",
    "measure": "'bears'",
    "unit_measure": "'euro'",
    "obs_value": "-1.0",
    "unit_mult": "-1",
    "start_date": "NULL",
}
#: What is found, by column and term.
Found = dict[str, int]


def apart(*command: str) -> dict[str, Any]:
    """What a process of its own prints as JSON, by ``tell``. Called from a process that is small: on Linux the greatest
    memory of a process begins with that of the process that started it.
    """
    done = subprocess.run([sys.executable, *command], check=True, stdout=subprocess.PIPE)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def tell(**measured: object) -> None:
    """Print what was measured, with the greatest memory of this process in MB."""
    print(json.dumps(measured | {"peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


def timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    """What ``work`` gives, how many seconds it took by the clock, and how many of the processor (all threads)."""
    clock, processor = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - clock, time.process_time() - processor


def write_rows(build: str, path: str, rows: int, *, broken: bool) -> None:
    """So many figures of the build, each with an id of its own."""
    import duckdb

    faults = [
        f"if(n % {ONE_IN} = 0 AND n // {ONE_IN} % {len(FAULTS)} = {turn}, {value}, {column}) AS {column}"
        for turn, (column, value) in enumerate(FAULTS.items())
    ]
    other = f"REPLACE ({', '.join(faults)})" if broken else ""
    with duckdb.connect(path, config={"threads": 2}) as connection:
        connection.execute(f"ATTACH '{build}' AS build (READ_ONLY)")
        connection.execute("CREATE SCHEMA returns")
        connection.execute(
            f"""
            CREATE TABLE {TABLE} AS
            SELECT * EXCLUDE (n) {other}
            FROM (
                SELECT
                    o.* REPLACE ('R-' || left(md5(return_id || '/' || copy), 12) AS return_id),
                    row_number() OVER () AS n
                FROM build.{TABLE} AS o
                CROSS JOIN range(1 + {rows} // (SELECT count(*) FROM build.{TABLE})) AS c (copy)
                LIMIT {rows}
            )
            """
        )


def ours(path: str) -> None:
    import duckdb

    from validations.audit import audit

    with duckdb.connect(path, read_only=True, config={"threads": 2}) as connection:
        breaches, seconds, processor = timed(lambda: audit(connection, TABLE))
    _tell_breaches(breaches, seconds, processor, 0.0)


def pandera_on_pandas(path: str) -> None:
    import pandera.pandas as pa
    from pandera.errors import SchemaErrors

    from validations.audit import Breach
    from validations.contracts import CONTRACTS

    frame, read = _frame(path)
    schema = CONTRACTS[TABLE].to_schema()
    columns = {
        name: pa.Column(str(frame[name].dtype), checks=column.checks, nullable=column.nullable)
        for name, column in schema.columns.items()
    }
    same = pa.DataFrameSchema(columns, strict=True, unique=schema.unique)

    def validate() -> list[Any]:
        try:
            same.validate(frame, lazy=True)
        except SchemaErrors as failure:
            return [
                Breach(
                    str(each.schema.name or schema.unique[0]),
                    str(getattr(each.check, "name", each.check)),
                    len(each.failure_cases),
                    (),
                )
                for each in failure.schema_errors
            ]
        return []

    _tell_breaches(*timed(validate), read)


def great_expectations(path: str) -> None:
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    frame, read = _frame(path)
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    drawn = context.data_sources.add_pandas("returns").add_dataframe_asset(TABLE)
    batch = drawn.add_batch_definition_whole_dataframe("all").get_batch({"dataframe": frame})
    suite = gx.ExpectationSuite(name=TABLE, expectations=_expectations(frame))
    result, seconds, processor = timed(lambda: batch.validate(suite, result_format="BASIC"))
    found: Counter[str] = Counter()
    for each in result.results:
        if not each.success:
            told = each.expectation_config
            column = told.kwargs.get("column", "")
            found[f"{column}: {_TERMS.get(told.type, told.type)}"] += each.result.get("unexpected_count", 1)
    tell(found=found, seconds=seconds, processor=processor, read=read)


#: Expectations as pandera calls them.
_TERMS = {
    "expect_column_values_to_not_be_null": "not_nullable",
    "expect_column_values_to_be_unique": "multiple_fields_uniqueness",
    "expect_column_values_to_be_in_set": "isin",
    "expect_column_values_to_match_regex": "str_matches",
    "expect_column_value_lengths_to_be_between": "str_length",
    "expect_column_values_to_be_between": "range",
}


def _expectations(frame: Any) -> list[Any]:
    """The terms of the contract as expectations. Its types are those of the frame, which is all that is to be said."""
    from great_expectations import expectations as gxe

    from validations.contracts import CONTRACTS

    schema = CONTRACTS[TABLE].to_schema()
    made: list[Any] = [gxe.ExpectTableColumnsToMatchSet(column_set=[*schema.columns], exact_match=True)]
    made += [gxe.ExpectColumnValuesToBeUnique(column=name) for name in schema.unique]
    for name, column in schema.columns.items():
        made.append(gxe.ExpectColumnValuesToBeOfType(column=name, type_=str(frame[name].dtype)))
        if not column.nullable:
            made.append(gxe.ExpectColumnValuesToNotBeNull(column=name))
        for check in column.checks:
            made.append(_expectation(gxe, name, check.name, check.statistics))
    return made


def _expectation(gxe: Any, column: str, check: str, given: dict[str, Any]) -> Any:
    match check:
        case "isin":
            return gxe.ExpectColumnValuesToBeInSet(column=column, value_set=[*given["allowed_values"]])
        case "str_matches":
            return gxe.ExpectColumnValuesToMatchRegex(column=column, regex=given["pattern"])
        case "str_length":
            return gxe.ExpectColumnValueLengthsToBeBetween(column=column, min_value=given["min_value"])
        case "greater_than_or_equal_to" | "greater_than":
            strict = check == "greater_than"
            return gxe.ExpectColumnValuesToBeBetween(column=column, min_value=given["min_value"], strict_min=strict)
    raise SystemExit(f"{check}: say in benchmarks/contracts.py what it is as an expectation")


def _frame(path: str) -> tuple[Any, float]:
    import duckdb
    import pandas  # noqa: F401  (imported before the clock starts)

    with duckdb.connect(path, read_only=True, config={"threads": 2}) as connection:
        frame, _, processor = timed(lambda: connection.execute(f"FROM {TABLE}").df())
    return frame, processor


def _tell_breaches(breaches: list[Any], seconds: float, processor: float, read: float) -> None:
    found: Counter[str] = Counter()
    for breach in breaches:
        term = re.sub(r"\(.*", "", breach.term, flags=re.DOTALL)
        found[f"{breach.column}: {'range' if term.startswith('greater_than') else term}"] += breach.row_count
    tell(found=found, seconds=seconds, processor=processor, read=read)


WAYS = {
    "ours, inside DuckDB": ours,
    "pandera on pandas": pandera_on_pandas,
    "Great Expectations on pandas": great_expectations,
}


def main(build: str, rows: int) -> None:
    """Print a table for the rows as they are, and one for the broken ones."""
    with tempfile.TemporaryDirectory() as folder:
        for said, broken in (("as they are", False), (f"one in {ONE_IN:,} broken", True)):
            path = str(Path(folder) / f"{broken}.duckdb")
            apart(__file__, "--write", build, path, str(rows), str(int(broken)))
            measured = {way: apart(__file__, "--way", way, path) for way in WAYS}
            _print(f"{rows:,} rows, {said}", rows, measured)


def _print(said: str, rows: int, measured: dict[str, dict[str, Any]]) -> None:
    first = next(iter(measured.values()))
    heads = (
        "seconds a million | of the processor | times ours | to read them | times ours with reading | peak MB | found"
    )
    print(f"\n| {said} | {heads} |\n|---|---|---|---|---|---|---|---|")
    for way, each in measured.items():
        clock, processor, read = (each[part] * MILLION / rows for part in ("seconds", "processor", "read"))
        times, whole = (taken / first["processor"] for taken in (each["processor"], each["processor"] + each["read"]))
        found = f"{sum(each['found'].values()):,}"
        shown = (
            f"{clock:.1f} | {processor:.1f} | {times:.1f} | {read:.1f} | {whole:.1f} | {each['peak_mb']:,.0f} | {found}"
        )
        print(f"| {way} | {shown} |")
    for way, each in measured.items():
        if each["found"] != first["found"]:
            print(f"\n{way} does not agree: {each['found']}, and ours {first['found']}")
            break
    else:
        print(f"\nAll agree, term by term: {first['found'] or 'nothing is broken'}", flush=True)


if __name__ == "__main__":
    if "--write" in sys.argv:
        write_rows(sys.argv[2], sys.argv[3], int(sys.argv[4]), broken=sys.argv[5] == "1")
        tell()
    elif "--way" in sys.argv:
        WAYS[sys.argv[2]](sys.argv[3])
    elif len(sys.argv) > 1:
        main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else MILLION)
    else:
        raise SystemExit(__doc__)
