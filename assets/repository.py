"""The models of a repository as assets: each lives through the same day, and the scorecard holds them side by side.

They read the figures carried and nothing of the build, so no release waits for them.
"""

import json
import time
from collections.abc import Iterator

import dagster as dg

from assets.building import OWNERS
from darkfigure.repository.result import MEASURES, MODELS
from warehouse.database import Database
from warehouse.progress import Progress

GROUP = "repository"


class DayConfig(dg.Config):
    """Which day: so many nations (beyond twelve they are simulated), by which seed."""

    nations: int = 12
    seed: int = 1


def model_key(model: str) -> dg.AssetKey:
    """The asset of a model."""
    return dg.AssetKey([GROUP, model])


def _model_asset(model: str, name: str) -> dg.AssetsDefinition:
    @dg.asset(
        key=model_key(model),
        group_name=GROUP,
        description=f"{name}: a day of this model of a repository, in virtual hours, and what it scores.",
        owners=OWNERS,
        kinds={"duckdb", "python"},
    )
    def day(
        config: DayConfig, database: dg.ResourceParam[Database], progress: dg.ResourceParam[Progress]
    ) -> dg.MaterializeResult:
        # Imported here: a run of the pipeline needs no nodes.
        from warehouse.demonstration import live

        started = time.perf_counter()
        result = live(config.nations, config.seed, loopback=False, models=[model])
        told = {**result.scores[model], "seed": result.seed, "nations": len(result.nations)}
        folder = database.folder / GROUP
        folder.mkdir(parents=True, exist_ok=True)
        content = json.dumps({"scores": told, "quiet": result.quiet[model]}, indent=1) + "\n"
        (folder / f"{model}.json").write_text(content, encoding="utf-8")
        progress.made(f"{GROUP}.{model}", f"{len(result.nations)} nations", time.perf_counter() - started)
        return dg.MaterializeResult(
            metadata={MEASURES[code].name if code in MEASURES else code: value for code, value in told.items()},
            data_version=dg.DataVersion(result.quiet[model]),
        )

    return day


@dg.asset(
    key=dg.AssetKey([GROUP, "scorecard"]),
    deps=[model_key(model) for model in MODELS],
    group_name=GROUP,
    description="The models side by side, where each gave the same figures once its day was over.",
    owners=OWNERS,
    kinds={"duckdb", "python"},
    check_specs=[
        dg.AssetCheckSpec(
            "same_figures",
            asset=dg.AssetKey([GROUP, "scorecard"]),
            description="All models give the same figures once the network is quiet.",
            blocking=True,
        )
    ],
)
def scorecard(database: dg.ResourceParam[Database]) -> Iterator[dg.MaterializeResult]:
    """Hold the days of the models side by side."""
    folder = database.folder / GROUP
    days = {model: json.loads((folder / f"{model}.json").read_text(encoding="utf-8")) for model in MODELS}
    same = len({(day["quiet"], day["scores"]["seed"], day["scores"]["nations"]) for day in days.values()}) == 1
    head = f"| measure | unit | {' | '.join(MODELS.values())} |\n|{'---|' * (len(MODELS) + 2)}"
    rows = [
        f"| {measure.name} | {measure.unit} | {' | '.join(_told(days[m]['scores'].get(code)) for m in MODELS)} |"
        for code, measure in MEASURES.items()
    ]
    yield dg.MaterializeResult(
        metadata={"scorecard": dg.MetadataValue.md("\n".join([head, *rows]))},
        check_results=[dg.AssetCheckResult(check_name="same_figures", passed=same)],
    )


def _told(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


ASSETS = [*(_model_asset(model, name) for model, name in MODELS.items()), scorecard]
