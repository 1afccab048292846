"""The history of a run: in Dagster's own files, at once, whoever reads them; and in another storage where one is named."""

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.history import KeptOpen, instance_in


@dg.asset
def counted() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"rows": 3})


def plain(folder):
    return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(folder)))


@pytest.fixture
def instance(tmp_path):
    with instance_in(tmp_path) as instance:
        yield instance


def test_another_process_reads_every_event_while_the_run_has_the_files_open(instance, tmp_path):
    made = dg.materialize([counted], instance=instance)

    with plain(tmp_path) as other:
        told = [event.dagster_event_type for event in other.all_logs(made.run_id) if event.is_dagster_event]
        assert {dg.DagsterEventType.STEP_SUCCESS, dg.DagsterEventType.ASSET_MATERIALIZATION} < {*told}
        assert told[-1] == dg.DagsterEventType.RUN_SUCCESS
        assert other.get_run_by_id(made.run_id).is_success
        found = other.get_latest_materialization_event(dg.AssetKey("counted"))
    assert found.asset_materialization.metadata["rows"].value == 3


def test_a_run_goes_on_where_another_process_has_written_in_between(instance, tmp_path):
    dg.materialize([counted], instance=instance)
    with plain(tmp_path) as other:
        dg.materialize([counted], instance=other)
    dg.materialize([counted], instance=instance)

    assert len(instance.fetch_materializations(dg.AssetKey("counted"), limit=9).records) == 3


def test_the_files_are_let_go_of_at_the_end(tmp_path):
    with instance_in(tmp_path) as instance:
        dg.materialize([counted], instance=instance)

    assert not [path.name for path in (tmp_path / "history").rglob("*") if path.name.endswith(("-wal", "-shm"))]


def test_a_storage_that_is_named_stays(tmp_path):
    (tmp_path / "dagster.yaml").write_text(f"storage:\n  sqlite:\n    base_dir: {tmp_path / 'elsewhere'}\n")

    with instance_in(tmp_path) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert not isinstance(instance.event_log_storage, KeptOpen)
