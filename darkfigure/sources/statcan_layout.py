"""Statistics Canada's full-table download: the names of its columns in both languages, its metadata, its marks.

Layout: a csv of a row per series and period, comma-separated in English, semicolon-separated in French; beside it, in
the same archive, a csv of blocks of metadata that lists every dimension's members. Not here: what a table counts.
"""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from darkfigure.errors import SourceError
from darkfigure.sources.period import months
from darkfigure.sources.text import decode, unmarked

#: What each column is called, English and French.
COLUMNS = {
    "period": ("REF_DATE", "PÉRIODE DE RÉFÉRENCE"),
    "geography": ("GEO", "GÉO"),
    "place": ("DGUID", "DGUID"),
    "unit": ("UOM", "UNITÉ DE MESURE"),
    "unit_id": ("UOM_ID", "IDENTIFICATEUR D'UNITÉ DE MESURE"),
    "scalar": ("SCALAR_FACTOR", "FACTEUR SCALAIRE"),
    "scalar_id": ("SCALAR_ID", "IDENTIFICATEUR SCALAIRE"),
    "vector": ("VECTOR", "VECTEUR"),
    "coordinate": ("COORDINATE", "COORDONNÉES"),
    "value": ("VALUE", "VALEUR"),
    "status": ("STATUS", "STATUT"),
    "symbol": ("SYMBOL", "SYMBOLE"),
    "terminated": ("TERMINATED", "TERMINÉ"),
    "decimals": ("DECIMALS", "DÉCIMALES"),
}
#: Marks instead of a number: SDMX status, and confidentiality.
_INSTEAD = {"": ("O", "F"), "..": ("O", "F"), "...": ("M", "F"), "x": ("Q", "C"), "F": ("Q", "F"), "-": ("O", "F")}
#: Marks beside a number. 'A' to 'D' are grades of quality, from excellent to acceptable; '0s' is rounded to zero.
_BESIDE = {"": "A", "A": "A", "B": "A", "C": "A", "D": "A", "0s": "A", "r": "A", "t": "A", "p": "P", "E": "U"}

_IN_METADATA = {
    "dimension": r"dimension id|numéro d'identification de la dimension",
    "member": r"member id|numéro d'identification du membre",
    "name": r"member name|nom du membre",
    "dimension_name": r"dimension name|nom de la dimension",
    "code": r"classification code|code sur la classification",
    "terminated": r"terminated|terminée?",
    "last_period": r"end reference period|(période de référence de fin|fin de la période de référence)",
}


@dataclass
class Member:
    """A member of a dimension: what it is called, its code in a classification, whether it is continued."""

    name: str
    code: str = ""
    terminated: bool = False


@dataclass
class Metadata:
    """The dimensions in their order, each with its members by their ids; the last period, as a date."""

    dimensions: dict[int, str] = field(default_factory=dict)
    members: dict[int, dict[int, Member]] = field(default_factory=dict)
    last_period: str = ""


def clean(text: str) -> str:
    """A label without marks of footnotes and stray spaces."""
    return unmarked(text.replace("’", "'"))


def delimiter_of(text: str) -> str:
    """Comma or semicolon, whichever the first line has more of."""
    return max(",;", key=text.partition("\n")[0].count)


def language_of(header: list[str]) -> str:
    """The language whose names of columns the header has more of."""
    names = {name.casefold() for name in header}
    french = sum(french.casefold() in names for _, french in COLUMNS.values())
    return "fr" if french > sum(english.casefold() in names for english, _ in COLUMNS.values()) else "en"


def read_metadata(data: bytes, file: str, member: str) -> Metadata:
    """The metadata of a table. Raises SourceError where its dimensions or members are not listed."""
    metadata = Metadata()
    at: dict[str, int] = {}
    # Notes at the end hold quotes that are not closed: nothing is read there.
    for row in _rows(data, file, member):
        names = [clean(cell).casefold() for cell in row]
        found = {
            key: place
            for key, name in _IN_METADATA.items()
            for place, cell in enumerate(names)
            if re.fullmatch(name, cell)
        }
        if len(found) > 1 or "last_period" in found or not any(names):
            at = found
        elif "last_period" in at and not metadata.last_period:
            metadata.last_period = _cell(row, at, "last_period")
        elif {"dimension", "member", "name"} <= at.keys():
            _take_member(metadata, row, at, file, member)
        elif {"dimension", "dimension_name"} <= at.keys() and _cell(row, at, "dimension").isdigit():
            metadata.dimensions[int(_cell(row, at, "dimension"))] = clean(_cell(row, at, "dimension_name"))
    if not metadata.dimensions or metadata.dimensions.keys() != metadata.members.keys():
        raise SourceError(file, member, "does not list the members of each dimension", "download the archive again")
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", metadata.last_period):
        metadata.last_period = ""
    return metadata


def _rows(data: bytes, file: str, member: str) -> Iterator[list[str]]:
    text = decode(data, file)
    try:
        yield from csv.reader(io.StringIO(text), delimiter=delimiter_of(text))
    except csv.Error as exc:
        raise SourceError(file, member, f"no delimited text ({exc})", "download the archive again") from exc


def _take_member(metadata: Metadata, row: list[str], at: dict[str, int], file: str, member: str) -> None:
    dimension, number = _cell(row, at, "dimension"), _cell(row, at, "member")
    if not (dimension.isdigit() and number.isdigit()):
        return
    members = metadata.members.setdefault(int(dimension), {})
    name = clean(_cell(row, at, "name"))
    if members.setdefault(int(number), Member(name)).name != name:
        raise SourceError(file, member, f"member {number} of dimension {dimension} stands twice", "download it again")
    members[int(number)] = Member(name, _cell(row, at, "code"), _cell(row, at, "terminated") == "t")


def _cell(row: list[str], at: dict[str, int], key: str) -> str:
    return row[at[key]].strip() if key in at and at[key] < len(row) else ""


def in_order(names: list[str], metadata: Metadata | None, file: str) -> list[str]:
    """The columns of dimensions but that of geography, in the order in which COORDINATE has them."""
    if metadata is None and len(names) == 1:
        return names
    listed = {clean(name).casefold(): number for number, name in (metadata.dimensions if metadata else {}).items()}
    places = {listed.get(clean(name).casefold(), 0): name for name in names}
    if sorted(places) != list(range(2, len(names) + 2)) or len(listed) != len(names) + 1:
        problem = f"columns {', '.join(names) or 'of dimensions'} are not those that its metadata lists"
        raise SourceError(file, "line 1", problem, "give the archive that the agency offers, with both files in it")
    return [places[number] for number in sorted(places)]


def mark_of(value: str, status: str, symbol: str) -> tuple[str, str, str] | None:
    """Status, confidentiality and mark of a cell; None where they are not known, or contradict the figure."""
    mark = " ".join(filter(None, [status, symbol]))
    if value == "#":
        if not {status, symbol} <= _BESIDE.keys():
            return None
        return next((_BESIDE[m] for m in ("p", "E") if m in {status, symbol}), "A"), "F", mark
    given = status or ("-" if value in {"-", "–", "—"} else value)
    if given not in _INSTEAD or (value and status and value != status) or symbol not in _BESIDE:
        return None
    return *_INSTEAD[given], mark or value


def period_of(text: str) -> str | None:
    """A calendar year, or a financial one from April on; None for anything else."""
    if match := re.fullmatch(r"((?:19|20)\d\d)/((?:19|20)\d\d)", text):
        return months(int(match[1]), 4, 12) if int(match[2]) == int(match[1]) + 1 else None
    return text if re.fullmatch(r"(19|20)\d\d", text) else None
