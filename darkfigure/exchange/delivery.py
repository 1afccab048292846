"""Reading what a country sends: the questionnaire, a csv, SDMX-CSV 2.x, or a withdrawal; told apart by content.

A csv has the structure's ids as its column names, in any case. SDMX-CSV has ``STRUCTURE``, ``STRUCTURE_ID`` and
``ACTION`` before them. A row without an action, or with I (information) or R (replace), states its year whole: what
stood before for the year goes. A (append) and M (merge) put single figures beside what stands, D (delete) takes one
away.
"""

import json
import re
from collections.abc import Mapping, Sequence

from darkfigure.errors import SourceError
from darkfigure.exchange import hostile, questionnaire
from darkfigure.exchange.reading import Collector, Delivered, Place, Reading, as_parsed
from darkfigure.exchange.structure import (
    COMPONENTS,
    CONFIDENTIAL,
    DIMENSIONS,
    STRUCTURE_ID,
    TABLE_ID,
    Key,
    is_country,
    key_of,
    row_of,
    text_problem,
    year_of,
)
from darkfigure.sources.returns import Rejected, Return
from darkfigure.sources.text import decode, full_rows, rows
from darkfigure.sources.workbook import Sheet, open_sheets

WITHDRAWAL_ID = "DARKFIGURE:WITHDRAWAL(1.0)"

_REQUIRED = ("REF_AREA", "TIME_PERIOD", "OFFENCE", "MEASURE", "UNIT_MEASURE", "OBS_VALUE")
_SDMX = ("STRUCTURE", "STRUCTURE_ID", "ACTION")
_SDMX_OPTIONAL = ("STRUCTURE_NAME", "SERIES_KEY", "OBS_KEY", "FREQ")  # said again by the other columns
_ACTIONS = {"", "I", "R", "A", "M", "D"}
_STRUCTURE = re.compile(re.escape(STRUCTURE_ID).replace(r"1\.0", r"1\.0(\.\d+)?"))
_FORM = "send the questionnaire, or a csv whose columns have the ids of the data structure"


def parse(data: bytes, file: str) -> Delivered:
    """What a country sent, as returns. Raises SourceError where it is harmful, no return, or nothing in it holds."""
    return as_parsed(read(data, file), file)


def read(data: bytes, file: str) -> Reading:
    """What a country sent, cell by cell. Raises SourceError where the file as a whole is none."""
    hostile.check(data, file)
    if data.startswith(b"PK"):
        sheets = open_sheets(data, file)
        if not questionnaire.is_questionnaire(sheets):
            raise SourceError(file, "whole file", "a workbook, and no questionnaire", _FORM)
        return questionnaire.read(sheets, file)
    text = decode(data, file)
    if text.lstrip().startswith("{"):
        return _withdrawal(text, file)
    return _delimited(text, file)


def withdrawal(area: str, years: Sequence[str], reason: str, requested_at: str) -> bytes:
    """A notice that a country withdraws its figures of some years."""
    notice = {
        "structure_id": WITHDRAWAL_ID,
        "ref_area": area,
        "years": sorted(years),
        "reason": reason,
        "requested_at": requested_at,
    }
    return (json.dumps(notice, indent=1, ensure_ascii=False) + "\n").encode()


def _withdrawal(text: str, file: str) -> Reading:
    try:
        notice = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise SourceError(file, "whole file", "begins as JSON does and is none", _FORM) from exc
    if not isinstance(notice, dict) or notice.get("structure_id") != WITHDRAWAL_ID:
        raise SourceError(file, "structure_id", f"is not {WITHDRAWAL_ID}", _FORM)
    area, years, reason = notice.get("ref_area"), notice.get("years"), notice.get("reason")
    remedy = "write it with 'darkfigure withdraw'"
    if not isinstance(area, str) or not is_country(area):
        raise SourceError(file, "ref_area", "no country's code of three letters", remedy)
    if not isinstance(years, list) or not years or not all(isinstance(y, str) and _is_year(y) for y in years):
        raise SourceError(file, "years", "no list of years", remedy)
    if not isinstance(reason, str) or not reason.strip() or text_problem(reason):
        raise SourceError(file, "reason", "is missing, or no plain text", remedy)
    return Reading("withdrawal", area, rows_read=1, withdrawn_years=frozenset(years), reason=reason)


def _is_year(text: str) -> bool:
    return re.fullmatch(r"(19|20)[0-9]{2}", text) is not None


def _delimited(text: str, file: str) -> Reading:
    lines = list(rows(text, file, hostile.delimiter_of(text)))
    number, heads = lines[0]
    # Programs that label write 'REF_AREA: Reference area', and 'STRUCTURE[;]' to name a separator.
    labelled = [": " in head or head.endswith(":") for head in heads]
    ids = [re.sub(r"\[.?\]$", "", head.partition(":")[0].strip()).upper() for head in heads]
    sdmx = ids[:1] == ["STRUCTURE"]
    _check_heads(ids, sdmx, file, f"line {number}")
    body = list(full_rows(lines[1:], heads, file))
    if sdmx:
        _check_structure(body, ids, labelled, file)
    found = _Rows(ids)
    for at, (line, row) in enumerate(body, start=1):
        values = [
            value.partition(":")[0].strip() if named and ": " in value else value
            for value, named in zip(row, labelled, strict=True)
        ]
        found.read(at, line, values)
    areas = {row.ref_area for _, row in found.collected.accepted} | {key[0] for key in found.withdrawn}
    if len(areas) > 1:
        raise SourceError(file, "column REF_AREA", f"figures of {len(areas)} countries", "send a file for each country")
    accepted, rejected = found.collected.sorted_out()
    grid: list[list[object]] = [list[object](heads), *(list[object](row) for _, row in body)]
    given = {key_of(row._asdict()) for _, row in accepted}
    return Reading(
        form="SDMX-CSV" if sdmx else "csv",
        ref_area=min(areas, default=""),
        rows_read=max(len(body), 1),
        accepted=accepted,
        rejected=rejected,
        amended=frozenset(found.amended - found.whole),
        withdrawn=frozenset(found.withdrawn - given),
        sheets=(Sheet("csv", grid),),
    )


def _check_heads(ids: list[str], sdmx: bool, file: str, place: str) -> None:
    known = {*COMPONENTS, *(_SDMX if sdmx else ()), *_SDMX_OPTIONAL}
    for column in (*_REQUIRED, *(_SDMX if sdmx else ())):
        if column not in ids:
            raise SourceError(file, place, f"column {column} is missing", _FORM)
    for number, column in enumerate(ids, start=1):
        if column not in known:
            problem = f"column {number} has a name that is no column of the data structure"
            raise SourceError(
                file, place, problem, "a column that is not known may change what a figure is: take it out"
            )
        if ids.count(column) > 1:
            raise SourceError(file, place, f"column {column} stands {ids.count(column)} times", "leave one of them")


def _check_structure(body: Sequence[tuple[int, list[str]]], ids: list[str], labelled: list[bool], file: str) -> None:
    of, name = ids.index("STRUCTURE"), ids.index("STRUCTURE_ID")
    for line, row in body:
        structure = re.sub(r"(?<=\)):.*", "", row[name])
        if row[of].lower() not in {"dataflow", "datastructure", "dataprovision"} or not _STRUCTURE.fullmatch(structure):
            raise SourceError(
                file, f"line {line}, column STRUCTURE_ID", f"is not {STRUCTURE_ID}", "send data of this structure"
            )


class _Rows:
    """The rows of a delimited text, one figure each."""

    def __init__(self, ids: list[str]) -> None:
        self.ids = ids
        self.collected = Collector()
        self.withdrawn: set[Key] = set()
        self.whole: set[str] = set()
        self.amended: set[str] = set()

    def read(self, at: int, line: int, row: list[str]) -> None:
        values = dict(zip(self.ids, row, strict=True))
        action = values.get("ACTION", "").upper()[:1]
        if len(values.get("ACTION", "")) > 1 or action not in _ACTIONS:
            self.reject(at, line, "ACTION", values, "is none of I, A, M, R, D")
            return
        if action == "D":
            # A row that is deleted needs no figure; its key must be right.
            values = {column: value for column, value in values.items() if column in DIMENSIONS} | {"OBS_STATUS": "O"}
        # Small letters are no other codes, but for measures, populations and territories, which have them.
        values = {column: value.upper() if column in {"REF_AREA", "SEX"} else value for column, value in values.items()}
        taken = row_of(values, f"line {line}, column OBS_VALUE")
        if not isinstance(taken, Return):
            original = dict(zip(self.ids, row, strict=True))
            for problem in taken:
                self.reject(at, line, problem.id, original, problem.reason)
            return
        year = year_of(taken.time_period)
        (self.amended if action in {"A", "M", "D"} else self.whole).add(year)
        if action == "D":
            self.withdrawn.add(key_of(taken._asdict()))
        else:
            self.collected.take(self.place(at, "OBS_VALUE"), taken)

    def place(self, at: int, column: str) -> Place:
        return Place(0, at, self.ids.index(column) if column in self.ids else self.ids.index("OBS_VALUE"))

    def reject(self, at: int, line: int, column: str, values: Mapping[str, str], reason: str) -> None:
        period = values.get("TIME_PERIOD", "")
        year = year_of(period) if _is_year(period[:4]) else ""
        hidden = column == "OBS_VALUE" and values.get("CONF_STATUS", "") in CONFIDENTIAL
        text = "" if hidden else values.get(column, "")
        rejected = Rejected(TABLE_ID, f"line {line}, column {column}", text, reason)
        self.collected.reject(self.place(at, column), year, rejected)
