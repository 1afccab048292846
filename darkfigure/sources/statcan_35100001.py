"""Statistics Canada, 35-10-0001-01 and 35-10-0002-01: cybercrime recorded by police, by violation and by province.

Layout: the agency's full-table download (``statcan_layout``), zipped with its metadata or the csv alone. A series is
named by COORDINATE, the ids of its members, which are the same in both languages: the id of the violation is its code.
A copier's pivot of the same tables is read too: years down, violations or provinces across, thousands with commas.
"""

import re
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.archive import is_zip, open_member
from darkfigure.sources.columns import Distinct, filled, read_table
from darkfigure.sources.returns import TOTAL, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.statcan_layout import (
    COLUMNS,
    Member,
    Metadata,
    clean,
    delimiter_of,
    in_order,
    language_of,
    mark_of,
    period_of,
    read_metadata,
)
from darkfigure.sources.statcan_members import (
    BY_PROVINCE,
    BY_VIOLATION,
    PROVINCES,
    VIOLATIONS,
    area_of,
    check_total,
    offence_of,
)
from darkfigure.sources.statcan_pivot import parse_pivot
from darkfigure.sources.text import decode, rows

_KEYS = ("geography", "place", "unit", "scalar_id", "coordinate")


@dataclass(frozen=True)
class _Series:
    """What a series is of. ``out_of_scope``: parts of provinces, changes in percent."""

    area: str = ""
    area_label: str = ""
    offence: str = TOTAL
    offence_label: str = ""
    breakdown: str = TOTAL
    unit: str = "NR"
    scale: int = 0
    out_of_scope: bool = False
    fault: str = ""


def parse(data: bytes, file: str) -> Parsed:
    """Read the archive, the csv alone, or the pivot. Raises SourceError where it is none of them, or lacks a member."""
    metadata = None
    if is_zip(data):
        described = open_member(data, file, "*_metadata.csv")
        metadata = read_metadata(described.data, file, described.name)
        data = open_member(data, file, "3510000[12].csv").data
    text = decode(data, file)
    if metadata is None and next(rows(text, file, ","))[1][0].casefold() == "year":
        return parse_pivot(data, file)
    return _download(text, file, metadata)


def _download(text: str, file: str, metadata: Metadata | None) -> Parsed:
    lines = read_table(text, file, delimiter_of(text), is_header=filled(3))
    header = [name.replace("’", "'") for name in lines.header]
    lines = lines._replace(header=header)
    language = language_of(header)
    wanted = {key: names[language == "fr"] for key, names in COLUMNS.items()}
    if "COORDONNÉE" in header:
        wanted["coordinate"] = "COORDONNÉE"
    found = lines.at(*wanted.values())
    others = [name for name in header if name and name.casefold() not in {n.casefold() for n in wanted.values()}]
    dimensions = in_order(others, metadata, file)
    table = {key: found[name] for key, name in wanted.items()}
    table |= {name: lines.column(header.index(name)) for name in dimensions}

    reader = _Reader(dimensions, metadata, file)
    series = Distinct.of(pc.binary_join_element_wise(*(table[key] for key in (*_KEYS, *dimensions)), "\x1f"))
    kinds = [reader.series(text.split("\x1f")) for text in series.values]
    values = table["value"] if language == "en" else pc.replace_substring(table["value"], ",", ".")
    numeric = pc.match_substring_regex(values, r"^-?\d+(\.\d+)?$")
    marks = Distinct.of(
        pc.binary_join_element_wise(pc.if_else(numeric, "#", values), table["status"], table["symbol"], "\x1f")
    )
    meant = [mark_of(*text.split("\x1f")) for text in marks.values]
    periods = Distinct.of(table["period"])
    dates = [period_of(text) for text in periods.values]

    def taken(indices: Any, each: list[Any], kind: pa.DataType | None = None) -> pa.Array:
        return pa.array(each, kind or pa.string()).take(indices)

    misplaced = pc.coalesce(
        taken(periods.indices, [None if date else "not a year" for date in dates]),
        taken(series.indices, [kind.fault or None for kind in kinds]),
    )
    unread = taken(marks.indices, [None if mark else "not a number with the agency's marks" for mark in meant])
    faults = pc.coalesce(misplaced, unread)
    scope = taken(series.indices, [not kind.out_of_scope for kind in kinds], pa.bool_())
    placed = pc.and_(scope, pc.is_null(misplaced))
    good = pc.and_(scope, pc.is_null(faults))
    figures = figures_of(
        len(lines.lines),
        good,
        table_id=BY_VIOLATION if reader.violation else BY_PROVINCE,
        locator=lines.locators(wanted["value"]),
        time_period=taken(periods.indices, dates),
        measure="recorded_offences",
        obs_value=pc.if_else(numeric, values, None).cast(pa.float64()),
        obs_status=taken(marks.indices, [mark and mark[0] for mark in meant]),
        conf_status=taken(marks.indices, [mark and mark[1] for mark in meant]),
        mark=taken(marks.indices, [mark and mark[2] for mark in meant]),
        ref_area=taken(series.indices, [kind.area for kind in kinds]),
        ref_area_label=taken(series.indices, [kind.area_label for kind in kinds]),
        offence=taken(series.indices, [kind.offence for kind in kinds]),
        offence_label=taken(series.indices, [kind.offence_label for kind in kinds]),
        breakdown=taken(series.indices, [kind.breakdown for kind in kinds]),
        unit_measure=taken(series.indices, [kind.unit for kind in kinds]),
        unit_mult=taken(series.indices, [kind.scale for kind in kinds], pa.int64()),
    )
    wrong = pc.and_(scope, pc.is_valid(faults))
    rejected = [
        Rejected(BY_VIOLATION if reader.violation else BY_PROVINCE, f"line {line}", text, fault)
        for line, text, fault in zip(
            *(c.filter(wrong).to_pylist() for c in (lines.lines, table["value"], faults)), strict=True
        )
    ]
    reader.check_members()
    _check_years({key: column.filter(placed) for key, column in table.items()}, file)
    check_total(figures, file)
    return Parsed.of_table(
        figures,
        rejected,
        file,
        edition="35100001" if reader.violation else "35100002",
        vintage=metadata.last_period or None if metadata else None,
        rows_read=len(lines.lines),
        language=language,
    )


class _Reader:
    """What the members of each series mean, and which of those listed were met."""

    def __init__(self, dimensions: list[str], metadata: Metadata | None, file: str) -> None:
        self.dimensions, self.metadata, self.file = dimensions, metadata, file
        self.met: dict[tuple[int, int], str] = {}
        self.violation = any(re.search(r"violation|infraction", name, re.IGNORECASE) for name in dimensions)

    def series(self, keys: list[str]) -> _Series:
        geography, place, unit, scalar, coordinate, *labels = map(clean, keys)
        ids = re.sub(r"(\.0)+$", "", coordinate).split(".")
        if len(ids) != len(labels) + 1 or not all(part.isdigit() for part in ids):
            return _Series(fault="COORDINATE is not the ids of its members")
        for dimension, (number, name) in enumerate(zip(ids, [geography, *labels], strict=True), start=1):
            self._meet(dimension, int(number), name)
        area = area_of(geography, place, self._listed(1, int(ids[0])).code)
        offence, offence_label, statistics, further = TOTAL, "", [unit], []
        for dimension, (name, label) in enumerate(zip(self.dimensions, labels, strict=True), start=2):
            if re.search(r"violation|infraction", name, re.IGNORECASE):
                offence, offence_label = offence_of(ids[dimension - 1], label, self.file), label
            elif re.match(r"(number|rate|percent|nombre|taux|pourcent|variation)", label, re.IGNORECASE):
                statistics.append(label)
            else:
                further.append(f"{clean(name)}: {label}")
        said = " ".join(statistics).casefold()
        kind = "RT_100K" if re.search(r"(rate|taux).*100.?000", said) else "NR"
        percent = re.search(r"percent|pourcent|variation|change", said)
        if not percent and kind == "NR" and not re.fullmatch(r"number|nombre", unit.casefold()):
            return _Series(fault=f"unknown unit '{unit}'")
        if not scalar.isdigit():
            return _Series(fault=f"unknown scale '{scalar}'")
        return _Series(
            area or "", geography, offence, offence_label, "; ".join(further) or TOTAL, kind, int(scalar),
            out_of_scope=area is None or bool(percent),
        )  # fmt: skip

    def _listed(self, dimension: int, number: int) -> Member:
        return (self.metadata.members[dimension] if self.metadata else {}).get(number, Member(""))

    def _meet(self, dimension: int, number: int, name: str) -> None:
        before = self.met.setdefault((dimension, number), name)
        listed = self._listed(dimension, number).name if self.metadata else name
        if not name == before == listed:
            problem = f"member {number} of dimension {dimension} is '{name}', and elsewhere '{listed or before}'"
            raise SourceError(self.file, "column COORDINATE", problem, "download the archive again")

    def check_members(self) -> None:
        """Every member that the metadata lists, or that is known of old, is in the data."""
        listed = self.metadata.members if self.metadata else {}
        if self.violation and not listed:
            listed = {2: {number: Member(name) for number, name in enumerate(VIOLATIONS, start=1)}}
        if not self.violation and not listed:
            met = {area_of(name, "", "") for (dimension, _), name in self.met.items() if dimension == 1}
            if missing := sorted(PROVINCES - met):
                raise SourceError(self.file, "whole file", f"no row of province {missing[0]}", "download it again")
        for dimension, members in listed.items():
            for number, member in members.items():
                if (dimension, number) not in self.met and not member.terminated:
                    raise SourceError(self.file, "whole file", f"no row of '{member.name}'", "download it again")


def _check_years(table: dict[str, pa.Array], file: str) -> None:
    """Each series has every year of the table, unless it is said to have ended."""
    series = pa.table({key: table[key] for key in ("coordinate", "period", "terminated")}).group_by("coordinate")
    years = series.aggregate([("period", "count_distinct"), ("terminated", "max")]).to_pylist()
    most = max((row["period_count_distinct"] for row in years), default=0)
    for row in years:
        if row["period_count_distinct"] < most and row["terminated_max"] != "t":
            problem = f"rows of the series {row['coordinate']} are missing"
            raise SourceError(file, "column COORDINATE", problem, "download the file again")


SOURCE = Source(
    id="statcan_35100001",
    publisher="Statistics Canada",
    table="35-10-0001-01 and 35-10-0002-01: police-reported cybercrime, by cyber-related violation and by province",
    urls=(
        "https://www150.statcan.gc.ca/n1/tbl/csv/35100001-eng.zip",
        "https://www150.statcan.gc.ca/n1/tbl/csv/35100002-eng.zip",
    ),
    files=("3510000[12]*.zip", "3510000[12].csv", "Cybercrime.csv", "province_wise.csv"),
    licence="Statistics Canada Open Licence",
    citation="Statistics Canada, Tables 35-10-0001-01 and 35-10-0002-01",
    cadence="0 5 1 7-9 *",
    language="en",
    source_type="police_recorded",
    area_scheme="StatCan",
    offence_scheme="StatCan 35-10-0001-01",
    parse=parse,
)
