"""Writing the figures that the project carries, from publishers' files in a folder."""

import csv
import io
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from darkfigure.sources import unsd_m49
from darkfigure.sources.accept import check_returns
from darkfigure.sources.catalogue import SOURCES
from warehouse import FIGURES, REFERENCE, carried
from warehouse.intake import known_codes


def carry_all(folder: Path, figures: Path = FIGURES) -> None:
    """Parse every publisher's file below ``folder`` and carry its figures; what is carried already keeps its date."""
    listed = {snapshot.sha256: snapshot for snapshot in carried.snapshots(figures)}
    for source in SOURCES.values():
        for path in source.files_in(folder):
            data, name = path.read_bytes(), source.name_of(path)
            digest = sha256(data).hexdigest()
            parsed = source.parse(data, name)
            check_returns(parsed, known_codes(source), name)
            before = listed.get(digest)
            listed[digest] = carried.CarriedSnapshot(
                source_id=source.id,
                edition=parsed.edition,
                vintage=parsed.vintage,
                file_name=name,
                sha256=digest,
                byte_count=len(data),
                url=source.url_of(name),
                retrieved_at=before.retrieved_at if before else f"{datetime.now(UTC):%Y-%m-%dT00:00:00}",
                rows_read=parsed.rows_read,
                language=parsed.language,
            )
            carried.save(listed[digest], parsed, figures)
            print(f"{source.id} {name}: {parsed.returns.num_rows:,} returns, {parsed.rejected.num_rows:,} rejected")
    carried.save_table(list(listed.values()), figures)
    for path in sorted(folder.rglob("UNSD*.csv")):
        _write_areas(unsd_m49.parse(path.read_bytes(), path.name))


def _write_areas(areas: list[unsd_m49.Area]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(unsd_m49.Area._fields)
    writer.writerows(areas)
    (REFERENCE / "area" / "m49.csv").write_text(text.getvalue(), encoding="utf-8")
    print(f"reference.area: {len(areas)} areas of M49")
