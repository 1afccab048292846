"""Records that nations send: where their files lie in a deployment, and the figures that are made beside them.

A folder for each nation and layout holds its Parquet files, which stay as they came and are only read. Beside them lie
``state`` (what makes the next month cheap) and ``figures``. Not here: how records become figures
(``darkfigure.records``), or which engine does it.
"""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from darkfigure.errors import DarkfigureError
from darkfigure.exchange import sdmx_csv
from darkfigure.exchange.structure import is_country
from darkfigure.records.declaration import RecordReturn
from darkfigure.records.layouts import LAYOUTS, classes_of
from darkfigure.sources.returns import Return
from warehouse.inbox import Inbox

if TYPE_CHECKING:
    import pyarrow as pa

    from darkfigure.records.engines import Engine
    from darkfigure.records.state import Taken

#: Of whom synthetic records are: user-assigned in ISO 3166-1, and no country, so that no intake takes figures of it.
NOBODY = "XSY"


@dataclass(frozen=True)
class Reduced:
    """What a reduction made.

    ``breaches``: what new files break of the contract of their layout, a line for each term; the rows are rejected.
    ``figures`` are files, and ``sent`` is the return that went into the inbox, where one did.
    """

    taken: "Taken"
    breaches: tuple[str, ...]
    figures: tuple[Path, ...]
    withheld: int
    sent: Path | None

    @property
    def told(self) -> dict[str, float]:
        """Row counts and seconds, for whoever keeps them with a run."""
        return {
            "files": self.taken.files,
            "new files": self.taken.new_files,
            "rows": self.taken.rows,
            "new rows": self.taken.new_rows,
            **{f"rejected: {reason}": count for reason, count in self.taken.rejected.items()},
            **{f"records: {fate}": count for fate, count in self.taken.records.items()},
            "cells": self.taken.cells,
            "figures withheld": self.withheld,
            **{f"seconds: {step}": round(took, 2) for step, took in self.taken.seconds.items()},
        }


def layout_of(name: str) -> RecordReturn:
    """The layout of that name. Raises DarkfigureError where there is none."""
    if name not in LAYOUTS:
        raise DarkfigureError(f"layout {name!r}: there is none of that name; use one of {', '.join(LAYOUTS)}")
    return LAYOUTS[name]


@dataclass(frozen=True)
class Records:
    """The folder of all records."""

    folder: Path

    def folder_of(self, area: str, layout: str) -> Path:
        """Where the records of a nation in a layout lie. Raises DarkfigureError where either is none."""
        if not is_country(area):
            raise DarkfigureError(f"{area}: no country's code of three letters; see the table published.area")
        return self.folder / area / layout_of(layout).id


def reduce(
    records: Records,
    area: str,
    layout: str,
    engine: "Engine",
    *,
    say: Callable[[str], None],
    inbox: Inbox | None = None,
    whole: tuple[str, str] | None = None,
) -> Reduced:
    """Take what is new of a nation's records, and make their figures anew.

    With an ``inbox``, the figures of the years that the months ``whole`` (first and last) hold are sent there as the
    nation's return, where they are others than before. Synthetic ones never are.
    """
    # Imported here: whoever only asks where records lie needs no engine.
    from darkfigure.records import summary
    from darkfigure.records.contracts import breaches, records_contract
    from darkfigure.records.state import State

    folder, ret = records.folder_of(area, layout), layout_of(layout)
    files = sorted(folder.glob("*.parquet"))
    if not files:
        raise DarkfigureError(f"{folder}: no Parquet file is there; put the records there, or generate some")
    state = State(folder / "state", ret, classes_of(ret))
    before = {each.path for each in state.files()}
    taken = state.take(files, engine, say)
    if (area == NOBODY) != bool(taken.synthetic):
        what, remedy = ("synthetic", f"keep them below {NOBODY}") if taken.synthetic else ("real", "name their country")
        raise DarkfigureError(f"{folder}: its records are {what}; {remedy}")
    new = [Path(each.path) for each in state.files() if each.path not in before]
    broken = breaches(engine.read(new), records_contract(ret)) if new else []
    cells = state.cells()
    made, withheld = [], 0
    for name, figures in {"counts": summary.by_act, "losses": summary.losses}.items():
        for freq in ("A", "M"):
            table = figures(cells, freq)
            withheld += summary.withheld(table)
            made.append(_write_table(folder / "figures", f"{name}_{freq}.parquet", table, taken.synthetic))
    sent = None
    if whole is not None:
        returns = summary.returns_of(cells, ret, area, since=whole[0], closed=whole[1])
        if taken.synthetic:
            returns = [row._replace(ref_area_label="Synthetic, of no country") for row in returns]
        withheld += summary.withheld(returns)
        made.append(path := _write_return(folder / "figures", area, returns, taken.synthetic))
        sent = None if taken.synthetic or inbox is None else _send(inbox, path, folder / "figures" / "sent.csv")
    return Reduced(taken, tuple(map(str, broken)), tuple(made), withheld, sent)


def _label(synthetic: str | None) -> str:
    return "synthetic_" if synthetic else ""


def _write_table(folder: Path, name: str, table: "pa.Table", synthetic: str | None) -> Path:
    import pyarrow as pa
    import pyarrow.parquet as pq

    if synthetic:
        table = table.replace_schema_metadata({"darkfigure.synthetic": synthetic})
    sink = pa.BufferOutputStream()
    pq.write_table(table, sink, compression="zstd")
    return _write(folder / f"{_label(synthetic)}{name}", sink.getvalue().to_pybytes())


def _write_return(folder: Path, area: str, returns: Iterable[Return], synthetic: str | None) -> Path:
    return _write(folder / f"{_label(synthetic)}return_{area}.csv", sdmx_csv.of_returns(returns))


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    try:
        with part.open("wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        os.replace(part, path)
    except OSError as problem:
        part.unlink(missing_ok=True)
        raise DarkfigureError(f"{path}: {problem.strerror}; the figures before stay; free some of the disk") from None
    return path


def _send(inbox: Inbox, path: Path, before: Path) -> Path | None:
    """Put the return into the inbox, unless the same was put there the last time."""
    data = path.read_bytes()
    if before.exists() and before.read_bytes() == data:
        return None
    sent = inbox.put(path.name, data)
    _write(before, data)
    return sent
