"""Records through the pipeline: the commands, the assets here and by Dagster Pipes, and where figures go."""

import json
import re
import sys
from pathlib import Path

import dagster as dg
import pyarrow.parquet as pq
import pytest
import yaml
from typer.testing import CliRunner

from darkfigure.records.generator import generate
from darkfigure.records.layouts import COMPLAINTS, LAYOUTS
from pipelines.cli import app
from pipelines.definitions import BUILD_JOB, definitions
from pipelines.home import home

NOTHING_LOST = ("rejected: ", "records: ")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DARKFIGURE_HOME", str(tmp_path))
    return tmp_path


def drawn(place: Path, layout: str = "complaints") -> Path:
    folder = home().records.folder_of("XSY", layout)
    generate(LAYOUTS[layout], folder, reports=3_000, seed=5, months=3)
    return folder


def as_if_real(folder: Path, area: str) -> Path:
    """The same records without their label, below a country."""
    real = home().records.folder_of(area, "complaints")
    real.mkdir(parents=True)
    for file in folder.glob("*.parquet"):
        table = pq.read_table(file).replace_schema_metadata(None)
        pq.write_table(table, real / file.name.removeprefix("synthetic_"))
    return real


def reduced(layout: str, **config: object) -> dg.ExecuteInProcessResult:
    job = definitions().resolve_job_def(f"records_{layout}")
    with dg.DagsterInstance.ephemeral() as instance:
        return job.execute_in_process(
            run_config={"ops": {f"records__{layout}": {"config": config}}}, instance=instance, raise_on_error=False
        )


def metadata_of(run: dg.ExecuteInProcessResult) -> dict[str, object]:
    (event,) = run.get_asset_materialization_events()
    return {name: value.value for name, value in event.materialization.metadata.items()}


def test_commands_draw_and_reduce_and_nothing_synthetic_is_sent(place: Path) -> None:
    ran = CliRunner().invoke(app, ["records", "generate", "incidents", "--reports", "2000", "--months", "12"])
    assert ran.exit_code == 0, ran.output
    command = ["records", "reduce", "XSY", "incidents", "--since", "2023-01", "--closed", "2023-12"]
    ran = CliRunner().invoke(app, [*command, "--option", "memory_limit=1GB"])
    assert ran.exit_code == 0, ran.output
    assert "SYNTHETIC" in ran.output
    figures = home().records.folder_of("XSY", "incidents") / "figures"
    assert {path.name for path in figures.iterdir()} == {
        *(f"synthetic_{name}_{freq}.parquet" for name in ("counts", "losses") for freq in "AM"),
        "synthetic_return_XSY.csv",
    }
    for path in figures.glob("*.parquet"):
        assert b"synthetic" in pq.read_schema(path).metadata[b"darkfigure.synthetic"]
    rows = (figures / "synthetic_return_XSY.csv").read_text().splitlines()[1:]
    assert rows and all("Synthetic, of no country" in row for row in rows)
    assert not home().inbox.waiting()
    # The counts are the truth's.
    truth = json.loads((figures.parent / "truth.json").read_text())
    counts = pq.read_table(figures / "synthetic_counts_M.parquet").to_pylist()
    assert truth and sum(row["counted"] or 0 for row in counts) > 1_000


def test_what_is_drawn_already_is_not_drawn_over(place: Path) -> None:
    drawn(place)
    ran = CliRunner().invoke(app, ["records", "generate", "complaints"])
    assert ran.exit_code == 1 and "remove the folder first" in str(ran.exception)


def test_an_asset_tells_its_rows_and_takes_only_what_is_new(place: Path) -> None:
    folder = drawn(place)
    last = max(folder.glob("*.parquet"))
    kept = last.rename(place / last.name)
    first = metadata_of(reduced("complaints", area="XSY"))
    kept.rename(last)
    second = metadata_of(reduced("complaints", area="XSY"))
    assert (first["files"], second["files"], second["new files"]) == (2, 3, 1)
    assert first["rows"] + second["new rows"] == second["rows"] == sum(map(rows_of, folder.glob("*.parquet")))
    assert second["rows"] == sum(count for name, count in second.items() if name.startswith(NOTHING_LOST))


def test_rows_that_break_the_contract_are_told_by_a_check_that_stops_nothing(place: Path) -> None:
    folder = drawn(place)
    last = max(folder.glob("*.parquet"))
    table = pq.read_table(last)
    states = table["state"].to_pylist()
    changed = table.set_column(table.schema.get_field_index("state"), "state", [[None, None, *states[2:]]])
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), last)
    run = reduced("complaints", area="XSY")
    assert run.success
    (check,) = run.get_asset_check_evaluations()
    assert not check.passed and check.severity == dg.AssetCheckSeverity.WARN
    assert "state: missing state: 2 rows" in str(check.metadata["breaches"].value)
    # Nothing new: nothing to hold against it.
    (check,) = reduced("complaints", area="XSY").get_asset_check_evaluations()
    assert check.passed


def rows_of(file: Path) -> int:
    return int(pq.read_metadata(file).num_rows)


def test_pipes_reduce_elsewhere_and_give_the_same(place: Path) -> None:
    drawn(place)
    ran_here = reduced("complaints", area="XSY")
    here = metadata_of(ran_here)
    (checked_here,) = (check.passed for check in ran_here.get_asset_check_evaluations())
    figures = home().records.folder_of("XSY", "complaints") / "figures"
    made_here = {path.name: pq.read_table(path) for path in figures.glob("*.parquet")}
    state = figures.parent / "state"
    state.rename(place / "state-here")
    run = reduced("complaints", area="XSY", remote=[sys.executable], options={"memory_limit": "1GB"})
    assert run.success
    there = metadata_of(run)
    assert [check.passed for check in run.get_asset_check_evaluations()] == [checked_here]
    counts = [name for name in here if not name.startswith("seconds")]
    assert [there[name] for name in counts] == [here[name] for name in counts]
    assert {path.name: pq.read_table(path) for path in figures.glob("*.parquet")} == made_here
    # What passed between the two is gone.
    assert not list(figures.parent.glob(".pipes-*"))


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"remote": [sys.executable], "options": {"memory_limit": "a lot"}}, "write a limit as 4GB"),
        ({"remote": ["no-such-command"]}, "name a command that starts Python there"),
        ({"engine": "abacus"}, "use one of duckdb, spark"),
        ({"area": "Finland"}, "no country's code of three letters"),
        ({"area": "FIN"}, "no Parquet file is there"),
    ],
)
def test_a_failure_is_one_line(place: Path, config: dict[str, object], says: str) -> None:
    drawn(place)
    run = reduced("complaints", **{"area": "XSY", **config})
    assert not run.success
    (failure,) = (event for event in run.all_events if event.is_step_failure)
    error = failure.step_failure_data.error
    text = failure.step_failure_data.user_failure_data or error
    while getattr(error, "cause", None):
        error = error.cause
    assert says in f"{text} {error.message}"


def test_records_of_a_country_become_its_return(place: Path) -> None:
    real = as_if_real(drawn(place), "FIN")
    run = reduced("complaints", area="FIN", since="2022-01", closed="2022-12")
    assert run.success
    waiting = home().inbox.waiting()
    assert [path.name for path in waiting] == ["return_FIN.csv"]
    assert waiting[0].read_bytes() == (real / "figures" / "return_FIN.csv").read_bytes()
    assert "synthetic" not in waiting[0].read_text().lower()
    # The same again is not sent again.
    waiting[0].unlink()
    assert reduced("complaints", area="FIN", since="2022-01", closed="2022-12").success
    assert not home().inbox.waiting()


def test_synthetic_records_are_of_no_country(place: Path) -> None:
    folder = drawn(place)
    country = home().records.folder_of("FIN", "complaints")
    country.parent.mkdir(parents=True)
    folder.rename(country)
    run = reduced("complaints", area="FIN", since="2022-01", closed="2022-12")
    assert not run.success
    assert not home().inbox.waiting()
    assert not (country / "figures").exists()


def test_a_broken_file_is_named_and_the_others_are_taken(place: Path) -> None:
    folder = drawn(place)
    broken = folder / "synthetic_complaints_broken.parquet"
    broken.write_bytes(b"PAR1 but no more")
    run = reduced("complaints", area="XSY")
    assert not run.success
    (failure,) = (event for event in run.all_events if event.is_step_failure)
    assert broken.name in str(failure.step_failure_data)
    assert (folder / "figures" / "synthetic_counts_A.parquet").exists()


def test_the_configurations_of_the_page_are_valid() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "records.md").read_text(encoding="utf-8")
    shown = re.findall(r"^```yaml\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert len(shown) == 2
    for config in map(yaml.safe_load, shown):
        assert dg.validate_run_config(definitions().resolve_job_def("records_complaints"), config)


def test_no_release_waits_for_records() -> None:
    job = definitions().resolve_job_def(BUILD_JOB)
    built = set(job.asset_layer.selected_asset_keys)
    assert not [key for key in built if key.path[0] == "records"]
    assert COMPLAINTS.id in LAYOUTS
