"""What the asset of records starts on a machine of the cluster: ``python -m pipelines.records_job``, by Dagster Pipes.

It knows what to do from the file that Dagster has written, and tells progress and row counts into another. Not here:
anything of Dagster's own, which that machine needs not have but for ``dagster-pipes``.
"""

import sys
from pathlib import Path

from dagster_pipes import PipesCliArgsParamsLoader, open_dagster_pipes

from darkfigure.errors import DarkfigureError
from darkfigure.records.engines import engine_of
from warehouse.inbox import Inbox
from warehouse.records import Records, reduce


def main() -> None:
    """Reduce what the context names, or end with one line and exit code 1."""
    with open_dagster_pipes(params_loader=PipesCliArgsParamsLoader()) as pipes:
        asked = pipes.extras
        records = Records(Path(asked["records"]))
        whole = (asked["since"], asked["closed"]) if asked["since"] and asked["closed"] else None
        with engine_of(asked["engine"], asked["options"]) as engine:
            result = reduce(
                records,
                asked["area"],
                asked["layout"],
                engine,
                say=pipes.log.info,
                inbox=Inbox(records.folder.parent / "inbox"),
                whole=whole,
            )
        pipes.report_asset_check(
            "layout", not result.breaches, severity="WARN", metadata={"breaches": "; ".join(result.breaches)}
        )
        pipes.report_asset_materialization({"area": asked["area"], "engine": asked["engine"], **result.told})
    if result.taken.refused:
        raise DarkfigureError("; ".join(result.taken.refused))


if __name__ == "__main__":
    try:
        main()
    except DarkfigureError as error:
        print(f"darkfigure: {error}", file=sys.stderr)
        raise SystemExit(1) from None
