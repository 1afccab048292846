"""What is downstream of the five models: the same query over the same layer gives the same figures in all."""

import duckdb
import pytest

from darkfigure.repository.day import run_day
from darkfigure.repository.nodes_in_process import nodes_in_process
from darkfigure.repository.result import MODELS
from darkfigure.repository.scenario import scenario
from warehouse.centre import Centre
from warehouse.database import LAYERS
from warehouse.demonstration import nations_of
from warehouse.recipes import recipes, sql_of

TABLE = "harmonised.observation"
#: All that a figure is, but for ids that carry the moment of its delivery.
FIGURES = "SELECT * EXCLUDE (observation_id, input_ids) FROM harmonised.observation ORDER BY ALL"


@pytest.fixture(scope="module")
def builds(tmp_path_factory):
    """By model: the build in which it had its figures once all was quiet. The hub's is that of its last question."""
    folder, made = tmp_path_factory.mktemp("builds"), []
    nations = nations_of(4, 3)

    def centre() -> Centre:
        made.append(folder / str(len(made)))
        return Centre(made[-1])

    with nodes_in_process(nations, folder / "nodes") as reaches:
        result = run_day(nations, reaches, scenario(nations, 3), centre)
    assert len(set(result.quiet.values())) == 1
    # Each model is given a centre at first, and the hub another for each question.
    own = dict(zip(MODELS, made, strict=False))
    return {model: made[-1] if model == "hub" else path for model, path in own.items()}


def harmonised(build, reference) -> list[tuple]:
    """The harmonised figures of a build, made by the pipeline's own query."""
    with duckdb.connect() as connection:
        connection.execute(f"ATTACH '{build / 'cybercrime.duckdb'}' AS centre (READ_ONLY)")
        connection.execute(f"ATTACH '{reference}' AS released (READ_ONLY)")
        for layer in LAYERS:
            connection.execute(f"CREATE SCHEMA {layer}")
        for table in recipes()[TABLE].inputs:
            source = "centre" if table.startswith(("raw.", "returns.")) else "released"
            connection.execute(f"CREATE VIEW {table} AS FROM {source}.{table}")
        connection.execute(f"CREATE TABLE {TABLE} AS {sql_of(TABLE)}")
        return connection.execute(FIGURES).fetchall()


def test_the_same_query_gives_the_same_figures_in_all_models(builds, first_run):
    reference = first_run[0] / "build" / "cybercrime.duckdb"
    figures = {model: harmonised(build, reference) for model, build in builds.items()}
    assert figures.keys() == MODELS.keys()
    assert len(figures["push"]) > 100
    for model, found in figures.items():
        assert found == figures["push"], model
