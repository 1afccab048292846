"""The figures that the project carries, so that it runs without a network.

One Parquet file per snapshot, of typed returns and rejected cells with their locators, and one table that says where
each came from. They are written by a command from parsed files, never by hand.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from darkfigure.sources.returns import REJECTED_SCHEMA, RETURN_SCHEMA, Parsed
from warehouse import FIGURES

_TABLE = "snapshots.csv"


@dataclass(frozen=True)
class CarriedSnapshot:
    """One row of ``figures/snapshots.csv``: a publisher's file whose figures are carried."""

    source_id: str
    edition: str
    vintage: str
    file_name: str
    sha256: str
    byte_count: int
    url: str
    retrieved_at: str  # UTC, ISO 8601
    rows_read: int
    language: str = ""  # where the source publishes in several

    def path(self, folder: Path = FIGURES) -> Path:
        return folder / self.source_id / f"{self.sha256[:12]}.parquet"

    def load(self, folder: Path = FIGURES) -> Parsed:
        """The snapshot's returns, as a parse of the publisher's file gives them."""
        table = pq.read_table(self.path(folder))
        rejected = table.filter(table["rejected_because"].is_valid())
        accepted = table.filter(table["rejected_because"].is_null())
        return Parsed(
            edition=self.edition,
            vintage=self.vintage,
            rows_read=self.rows_read,
            language=self.language,
            returns=accepted.select(RETURN_SCHEMA.names).cast(RETURN_SCHEMA),
            rejected=pa.table(
                [rejected["table_id"], rejected["locator"], rejected["mark"], rejected["rejected_because"]],
                schema=REJECTED_SCHEMA,
            ),
        )


def snapshots(folder: Path = FIGURES) -> Iterator[CarriedSnapshot]:
    """Every snapshot that is carried."""
    with (folder / _TABLE).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            values = {**row, "byte_count": int(row["byte_count"]), "rows_read": int(row["rows_read"])}
            yield CarriedSnapshot(**values)  # type: ignore[arg-type]


def save(snapshot: CarriedSnapshot, parsed: Parsed, folder: Path = FIGURES) -> None:
    """Write a snapshot's figures; the same figures give the same bytes."""
    accepted = parsed.returns.append_column("rejected_because", pa.nulls(parsed.returns.num_rows, pa.string()))
    nothing = {name: pa.nulls(parsed.rejected.num_rows, RETURN_SCHEMA.field(name).type) for name in RETURN_SCHEMA.names}
    rejected = pa.table(
        {
            **nothing,
            "table_id": parsed.rejected["table_id"],
            "locator": parsed.rejected["locator"],
            "mark": parsed.rejected["text"],
            "rejected_because": parsed.rejected["reason"],
        }
    )
    path = snapshot.path(folder)
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        pa.concat_tables([accepted, rejected.cast(accepted.schema)]), path, compression="zstd", compression_level=19
    )


def save_table(listed: list[CarriedSnapshot], folder: Path = FIGURES) -> None:
    """Write ``snapshots.csv``, sorted."""
    names = [field.name for field in fields(CarriedSnapshot)]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    for snapshot in sorted(listed, key=lambda s: (s.source_id, s.edition, s.vintage, s.sha256)):
        writer.writerow([getattr(snapshot, name) for name in names])
    (folder / _TABLE).write_text(text.getvalue(), encoding="utf-8")
