"""A copier's pivot of Statistics Canada's cybercrime: years down, violations or provinces across, with thousands."""

import re
from collections.abc import Iterator

from darkfigure.errors import SourceError
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, Return
from darkfigure.sources.statcan_layout import clean, period_of
from darkfigure.sources.statcan_members import (
    AREAS,
    BY_PROVINCE,
    BY_VIOLATION,
    NUMBERS,
    PROVINCES,
    SELECTED,
    VIOLATIONS,
    check_total,
)
from darkfigure.sources.text import decode, full_rows, rows


def parse_pivot(data: bytes, file: str) -> Parsed:
    """A copier's pivot: the years down, and across violations, or provinces with all violations together."""
    lines = rows(decode(data, file), file, ",")
    _, header = next(lines)
    labels = [clean(name).replace("_", " ") for name in header[1:]]
    provinces = all(label.casefold() in AREAS for label in labels)
    numbers = {**NUMBERS, "total violations": 1}
    codes = [AREAS[label.casefold()] if provinces else str(numbers.get(label.casefold(), label)) for label in labels]
    known = PROVINCES if provinces else set(map(str, range(1, len(VIOLATIONS) + 1)))
    if missing := sorted(known - set(codes)):
        raise SourceError(file, "line 1", f"no column of {', '.join(missing)}", "give the whole table")
    cells: list[Return | Rejected] = []
    rows_read = 0
    for number, row in full_rows(lines, header, file):
        rows_read += 1
        cells += _pivot_row(row, codes, labels, provinces, number)
    parsed = Parsed.of(cells, file, edition="35100002" if provinces else "35100001", rows_read=rows_read, language="en")
    check_total(parsed.returns, file)
    return parsed


def _pivot_row(
    row: list[str], codes: list[str], labels: list[str], provinces: bool, line: int
) -> Iterator[Return | Rejected]:
    table = BY_PROVINCE if provinces else BY_VIOLATION
    period = period_of(row[0])
    for text, code, label in zip(row[1:], codes, labels, strict=True):
        locator = f"line {line}, column {label}"
        if period is None or (text and not re.fullmatch(r"\d+|\d{1,3}(,\d{3})+", text)):
            yield Rejected(table, locator, text, "not a whole number" if period else f"'{row[0]}' is no year")
            continue
        yield Return(
            table_id=table,
            locator=locator,
            ref_area=code if provinces else SELECTED,
            time_period=period,
            offence=TOTAL if provinces or code == "1" else code,
            measure="recorded_offences",
            unit_measure="NR",
            obs_value=float(text.replace(",", "")) if text else None,
            obs_status="A" if text else "O",
            origin="copy, pivoted",
            ref_area_label=label if provinces else "",
            offence_label="" if provinces else label,
        )
