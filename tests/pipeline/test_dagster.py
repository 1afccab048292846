"""What Dagster is told: assets, checks, schedules, the sensor, and what becomes of a run in which something fails."""

import json
import re

import dagster as dg
import duckdb
import pytest

from assets.quality import check_name
from darkfigure.repository.result import MEASURES, MODELS
from darkfigure.sources.catalogue import SOURCES
from pipelines.definitions import BUILD_JOB, INTAKE_JOB, definitions, release_due
from pipelines.home import PROJECT
from validations.contracts import CONTRACTS, MAY_BE_EMPTY, column_comments, table_comment
from validations.rules import rules
from warehouse.database import Database
from warehouse.recipes import RELEASE, recipes
from warehouse.staleness import INGESTED, Recipe, content_version

RULE_CHECKS = {check_name(rule): rule for rule in rules()}
BALANCE = "balance"
#: That all models of a repository gave the same figures.
SAME = "same_figures"
LAYOUT = "layout"


def key(table: str) -> dg.AssetKey:
    return dg.AssetKey(table.split("."))


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return definitions()


@pytest.fixture(scope="module")
def graph(defs: dg.Definitions):
    return defs.resolve_asset_graph()


@pytest.fixture
def instance(deployment):
    """The Dagster instance of the deployment."""
    with dg.DagsterInstance.from_config(str(deployment.folder)) as instance:
        yield instance


class TestDefinitions:
    def test_they_can_be_loaded(self, defs):
        dg.Definitions.validate_loadable(defs)

    def test_there_is_a_job_to_take_in_and_one_to_build(self, defs):
        built = set(defs.resolve_job_def(BUILD_JOB).asset_layer.executable_asset_keys)
        taken = set(defs.resolve_job_def(INTAKE_JOB).asset_layer.executable_asset_keys)
        assert taken == {key(table) for table in INGESTED}
        assert built == {key(table) for table in (*recipes(), RELEASE)}

    def test_the_project_is_found_by_dagsters_own_tools(self):
        text = (PROJECT / "pyproject.toml").read_text(encoding="utf-8")
        assert 'code_location_target_module = "pipelines.definitions"' in text


class TestAssets:
    @pytest.mark.parametrize("table", CONTRACTS)
    def test_a_table_is_described_by_its_contract(self, graph, table):
        assert graph.get(key(table)).description == table_comment(table)

    @pytest.mark.parametrize("table", CONTRACTS)
    def test_the_columns_of_a_table_are_those_of_its_contract(self, graph, table):
        schema = graph.get(key(table)).metadata["dagster/column_schema"]
        assert {column.name: column.description for column in schema.columns} == column_comments(table)
        assert all(column.type for column in schema.columns)

    @pytest.mark.parametrize("table", [*CONTRACTS, RELEASE])
    def test_an_asset_has_an_owner_kinds_and_the_group_of_its_layer(self, graph, table):
        asset = graph.get(key(table))
        assert asset.owners
        assert asset.description
        assert "duckdb" in asset.kinds and len(asset.kinds) == 2
        assert asset.group_name == table.split(".")[0]

    @pytest.mark.parametrize("table", recipes())
    def test_the_code_version_of_an_asset_is_that_of_its_recipe(self, graph, table):
        assert graph.get(key(table)).code_version == recipes()[table].code_version

    @pytest.mark.parametrize("table", INGESTED)
    def test_there_is_a_partition_per_source_and_one_run_for_as_many_as_are_asked_for(self, graph, table):
        asset = graph.get(key(table))
        assert {*asset.partitions_def.get_partition_keys()} == SOURCES.keys()
        assert asset.backfill_policy == dg.BackfillPolicy.single_run()


class TestChecks:
    def test_contracts_block_and_rules_do_not(self, graph):
        blocking = {check: graph.get(check).blocking for check in graph.asset_check_keys}
        assert {check.name for check, blocks in blocking.items() if blocks} == {"contract", SAME}
        assert {check.name for check, blocks in blocking.items() if not blocks} == {*RULE_CHECKS, BALANCE, LAYOUT}

    def test_every_check_says_what_must_hold(self, graph):
        for check in (check for check in graph.asset_check_keys if check.name not in {BALANCE, SAME, LAYOUT}):
            rule = RULE_CHECKS.get(check.name)
            table = ".".join(check.asset_key.path)
            assert graph.get(check).description == (rule.statement if rule else f"The contract of {table} holds.")

    def test_a_broken_rule_warns_with_the_evidence_in_a_table(self, instance):
        event = self.latest(instance, "quality.rule_result", "c_17_part_gt_whole")
        assert (event.passed, event.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert event.metadata["breaches"].value == 1
        header, line, row = event.metadata["first"].value.splitlines()
        assert header == "| observation_id | ref_area | time_period | offence | evidence |"
        assert set(line) == set("|- ")
        assert re.fullmatch(r"\| H-[0-9a-f]{12} \| SEN \| 2016 \| Fraud: Cyber-related \(Cy\) \| .*81.*12.* \|", row)

    def test_a_rule_that_nothing_breaks_passes(self, instance):
        event = self.latest(instance, "quality.rule_result", "r_01_scope_mismatch")
        assert event.passed
        assert event.metadata["breaches"].value == 0

    def test_a_region_of_which_nobody_collects_warns(self, instance):
        event = self.latest(instance, "quality.balance", BALANCE)
        assert (event.passed, event.severity) == (False, dg.AssetCheckSeverity.WARN)
        assert "| unodc_cts | region | Oceania |" in event.metadata["first"].value

    @pytest.mark.parametrize("table", ["raw.snapshot", "reference.act", "estimates.dark_figure", "published.source"])
    def test_a_contract_that_held_is_in_the_history(self, instance, table):
        event = self.latest(instance, table, "contract")
        assert (event.passed, event.blocking) == (True, True)

    def latest(self, instance, table, name):
        check = dg.AssetCheckKey(key(table), name)
        (record,) = instance.event_log_storage.get_asset_check_execution_history(check, limit=1)
        return record.event.dagster_event.event_specific_data


class TestSchedules:
    #: Sources that have an address to look at; what countries send is collected from their nodes.
    FETCHED = [source.id for source in SOURCES.values() if source.urls or source.id == "country_return"]

    @pytest.fixture(params=FETCHED)
    def schedule(self, request, defs):
        return SOURCES[request.param], defs.resolve_schedule_def(f"fetch_{request.param}")

    def test_there_is_one_per_source_and_no_other(self, defs):
        assert {schedule.name for schedule in defs.schedules} == {f"fetch_{source}" for source in self.FETCHED}

    def test_it_runs_as_often_as_the_publisher_brings_out_a_vintage(self, schedule):
        source, found = schedule
        assert (found.cron_schedule, found.execution_timezone) == (source.cadence, None)

    def test_it_asks_for_that_source_with_a_config_that_fetches_and_that_the_job_takes(self, schedule, defs, instance):
        source, found = schedule
        context = dg.build_schedule_context(instance=instance, repository_def=defs.get_repository_def())
        (request,) = found.evaluate_tick(context).run_requests
        assert found.job_name == INTAKE_JOB
        assert request.partition_key == source.id
        assert request.run_config["ops"] == {"take_snapshots": {"config": {"fetch": True}}}
        assert dg.validate_run_config(defs.resolve_job_def(INTAKE_JOB), request.run_config)


class TestSensor:
    def evaluate(self, deployment):
        context = dg.build_sensor_context(
            resources={"database": deployment.home.database, "releases": deployment.home.releases}
        )
        return release_due(context)

    def test_it_starts_the_build(self, defs):
        jobs = {sensor.name: sensor.job_name for sensor in defs.sensors}
        assert jobs == {"release_due": BUILD_JOB, "inbox_arrived": INTAKE_JOB}

    def test_it_says_that_there_is_no_build(self, tmp_path, monkeypatch, deployment):
        monkeypatch.setenv("DARKFIGURE_HOME", str(tmp_path / "nowhere"))
        skipped = self.evaluate(deployment)
        assert "there is no build yet; run 'darkfigure run' first" in skipped.skip_message

    def test_it_says_that_nothing_is_due(self, deployment):
        assert self.evaluate(deployment).skip_message == "Nothing is due."

    def test_it_asks_for_a_release_that_the_day_has_made_due(self, deployment, monkeypatch):
        monkeypatch.setattr("warehouse.release.view_version", lambda connection, day: "a window has closed")
        assert len(self.evaluate(deployment).run_requests) == 1

    def test_it_says_that_another_run_is_writing(self, deployment, monkeypatch):
        def busy(*args, **kwargs):
            raise duckdb.IOException("IO Error: Could not set lock on file: Conflicting lock is held")

        monkeypatch.setattr("warehouse.database.duckdb.connect", busy)
        assert "another run is writing" in self.evaluate(deployment).skip_message

    def test_it_asks_for_one_build_after_an_intake(self, deployment):
        with deployment.home.database.write() as connection:
            connection.execute("UPDATE raw.snapshot SET parse_version = 'other' WHERE source_id = 'sesnsp'")
        (first,) = self.evaluate(deployment).run_requests
        (again,) = self.evaluate(deployment).run_requests
        assert first.run_key == again.run_key, "by which Dagster knows that it has started this one"

    def test_it_asks_anew_after_the_next_intake(self, deployment):
        keys = set()
        for version in ("one", "other"):
            with deployment.home.database.write() as connection:
                connection.execute(f"UPDATE raw.snapshot SET parse_version = '{version}' WHERE source_id = 'sesnsp'")
            keys |= {request.run_key for request in self.evaluate(deployment).run_requests}
        assert len(keys) == 2

    def test_it_asks_anew_after_a_change_of_code(self, deployment, monkeypatch):
        keys = set()
        for version in ("one", "other"):
            changed = {table: Recipe(table, version, recipe.inputs) for table, recipe in recipes().items()}
            for module in ("definitions", "running"):
                monkeypatch.setattr(f"pipelines.{module}.recipes", lambda changed=changed: changed)
            keys |= {request.run_key for request in self.evaluate(deployment).run_requests}
        assert len(keys) == 2


class TestInstance:
    def test_it_tells_nobody_and_runs_one_thing_at_a_time(self, instance):
        assert not instance.telemetry_enabled
        assert instance.get_settings("concurrency")["runs"]["max_concurrent_runs"] == 1
        assert not instance.run_retries_enabled

    def test_its_settings_are_those_of_the_checkout(self, deployment):
        assert (deployment.folder / "dagster.yaml").read_bytes() == (PROJECT / "dagster.yaml").read_bytes()

    @pytest.mark.parametrize("table", recipes())
    def test_a_table_that_was_made_is_in_the_history_with_its_rows_and_its_version(self, instance, deployment, table):
        event = instance.get_latest_materialization_event(key(table)).asset_materialization
        with deployment.home.database.read() as connection:
            rows = connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]
            version = content_version(connection, table)
        assert event.metadata["dagster/row_count"].value == rows
        assert rows > 0 or table in MAY_BE_EMPTY
        assert event.metadata["made_anew"].value is True
        assert event.tags["dagster/data_version"] == version

    def test_the_release_is_in_the_history_with_its_version_and_its_place(self, instance, first_run, deployment):
        event = instance.get_latest_materialization_event(key(RELEASE)).asset_materialization
        version = deployment.home.releases.current()
        assert event.metadata["version"].value == version
        assert event.metadata["path"].value == str(first_run[0] / "published" / version / "cybercrime.duckdb")

    @pytest.mark.parametrize("table", INGESTED)
    def test_every_source_that_was_taken_is_a_partition_in_the_history(self, instance, table):
        assert instance.get_materialized_partitions(key(table)) == SOURCES.keys()

    def test_every_run_succeeded(self, instance):
        runs = instance.get_runs()
        assert sorted(run.job_name for run in runs) == ["audit_returns", "build", "take"]
        assert {run.status for run in runs} == {dg.DagsterRunStatus.SUCCESS}


@pytest.fixture(scope="module")
def ran(tmp_path_factory) -> dg.ExecuteInProcessResult:
    """The job of all five models of a repository, on a day of three nations."""
    defs = definitions(database=Database(tmp_path_factory.mktemp("models") / "build"))
    config = {"ops": {f"repository__{model}": {"config": {"nations": 3, "seed": 4}} for model in MODELS}}
    with dg.DagsterInstance.ephemeral() as instance:
        return defs.resolve_job_def("repository").execute_in_process(run_config=config, instance=instance)


class TestRepositoryModels:
    """A day of each model, as assets."""

    def test_each_model_has_a_job_of_its_own(self, defs):
        for model in MODELS:
            keys = defs.resolve_job_def(f"repository_{model}").asset_layer.executable_asset_keys
            assert set(keys) == {dg.AssetKey(["repository", model])}

    def test_a_release_waits_for_none_of_them(self, defs):
        built = defs.resolve_job_def(BUILD_JOB).asset_layer.executable_asset_keys
        assert not [key for key in built if key.path[0] == "repository"]

    def test_each_tells_its_measures(self, ran):
        for model in MODELS:
            (event,) = ran.asset_materializations_for_node(f"repository__{model}")
            told = {name: entry.value for name, entry in event.metadata.items()}
            assert told["nations"] == 3
            assert 0 < told["Coverage, mean"] <= 100
            assert (told["Bytes kept by the centre"] == 0) == (model == "hub")

    def test_the_scorecard_holds_them_side_by_side_and_checks_that_they_gave_the_same(self, ran):
        (event,) = ran.asset_materializations_for_node("repository__scorecard")
        head, _, *rows = event.metadata["scorecard"].value.splitlines()
        assert head == "| measure | unit | " + " | ".join(MODELS.values()) + " |"
        assert len(rows) == len(MEASURES)
        (check,) = ran.get_asset_check_evaluations()
        assert (check.check_name, check.passed) == (SAME, True)

    def test_days_that_differ_are_not_held_side_by_side(self, ran, defs, tmp_path):
        folder = tmp_path / "repository"
        folder.mkdir()
        for number, model in enumerate(MODELS):
            day = {"quiet": "a", "scores": {"seed": number, "nations": 3}}
            (folder / f"{model}.json").write_text(json.dumps(day), encoding="utf-8")
        with dg.DagsterInstance.ephemeral() as instance:
            result = (
                definitions(database=Database(tmp_path))
                .resolve_job_def("repository")
                .execute_in_process(
                    asset_selection=[dg.AssetKey(["repository", "scorecard"])], instance=instance, raise_on_error=False
                )
            )
        assert not result.success
