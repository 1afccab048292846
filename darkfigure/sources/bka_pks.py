"""BKA (Germany), Polizeiliche Kriminalstatistik, table 01: cases by offence key, of the Länder or of the Kreise.

Layout: one row per key and area. The workbook has titles, a header of several rows under merged cells and a row of
column numbers; the csv (Latin-1, ``;``) has the numbers above the names, a comma for thousands, and has lost the
leading zeros of municipality keys. It does not say its year either: the name of its file must. A column is known by its
whole header, with its group (``bka_layout``); cells under any other header are rejected.

The keys of cybercrime and fraud (``KEYS``) and all offences together are taken; the other rows are read past.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import product
from typing import NamedTuple

import pyarrow as pa

from darkfigure.errors import SourceError
from darkfigure.sources.bka_layout import KEY, KREIS, LAND, OFFENCE, RIGHT_TABLE, Table, label, open_table, plain
from darkfigure.sources.period import months
from darkfigure.sources.returns import NOT_APPLICABLE, RETURN_SCHEMA, TOTAL, Parsed, Rejected, figures_of
from darkfigure.sources.source import Source

ALL_OFFENCES, CYBERCRIME = "------", "897000"

#: The keys that the publisher makes up of others, and of which: the label of 517500 lists the other parts of 897100.
PARTS = {
    CYBERCRIME: ("897100", "543000", "674200", "678000"),
    "897100": ("511120", "511212", "516300", "516520", "516920", "517220", "517500", "517900", "518112", "518302"),
    "517500": ("517510", "517520"),
    "543000": ("543010", "543020"),
    "674200": ("674210", "674220"),
    "678000": ("678010", "678020", "678030", "678040"),
}
#: Cybercrime and its parts; software piracy; and all fraud and extortion, under which the rest of it is filed.
KEYS = frozenset({ALL_OFFENCES, "510000", "610000", "611000", "715100", "715200"}.union(PARTS, *PARTS.values()))
#: Every edition prints these. That of the Länder of 2024 prints all of KEYS, and so must later ones.
CORE = frozenset({ALL_OFFENCES, "510000", CYBERCRIME})
ALL_KEYS_SINCE = "2024"

NATION = "Bundesrepublik Deutschland"
LAENDER = frozenset({
    "Baden-Württemberg", "Bayern", "Berlin", "Brandenburg", "Bremen", "Hamburg", "Hessen", "Mecklenburg-Vorpommern",
    "Niedersachsen", "Nordrhein-Westfalen", "Rheinland-Pfalz", "Saarland", "Sachsen", "Sachsen-Anhalt",
    "Schleswig-Holstein", "Thüringen",
})  # fmt: skip


class _Column(NamedTuple):
    measure: str
    unit_measure: str = "NR"
    base_measure: str = NOT_APPLICABLE
    sex: str = TOTAL
    breakdown: str = TOTAL


_FOREIGN = "Staatsangehörigkeit: nichtdeutsch"
#: The columns by their folded headers; each share after the count that it is a share of.
_COLUMNS = {
    "anzahlerfasstefaelle": _Column("recorded_cases"),
    "haeufigkeitszahl|hz": _Column("recorded_cases", "RT_100K"),
    "%anteilanallenfaellen": _Column("recorded_cases", "PC", "recorded_cases"),
    "erfasstefaelledavonversucheanzahl": _Column("attempted_cases"),
    "erfasstefaelledavonversuche(anteil)?in%": _Column("attempted_cases", "PC", "recorded_cases"),
    "tatortverteilungbisunter20000einwohner": _Column("recorded_cases", breakdown="Tatort: bis unter 20.000 Einwohner"),
    "tatortverteilung20000bisunter100000": _Column("recorded_cases", breakdown="Tatort: 20.000 bis unter 100.000"),
    "tatortverteilung100000bisunter500000": _Column("recorded_cases", breakdown="Tatort: 100.000 bis unter 500.000"),
    "tatortverteilung500000undmehr": _Column("recorded_cases", breakdown="Tatort: 500.000 und mehr"),
    "tatortverteilungunbekannt": _Column("recorded_cases", breakdown="Tatort: unbekannt"),
    "mitschusswaffegedroht": _Column("recorded_cases", breakdown="mit Schusswaffe: gedroht"),
    "mitschusswaffegeschossen": _Column("recorded_cases", breakdown="mit Schusswaffe: geschossen"),
    "auff?klaerunganzahlfaelle": _Column("cleared_cases"),
    r"aufklaerungsquote|aufklaerungaq|aufklaerungin%\(aq\)": _Column("cleared_cases", "PC", "recorded_cases"),
    "tatverdaechtigeinsgesamt": _Column("suspects"),
    "tatverdaechtigemaennlich": _Column("suspects", sex="M"),
    "tatverdaechtigeweiblich": _Column("suspects", sex="F"),
    "nichtdeutschetatverdaechtigeanzahl": _Column("suspects", breakdown=_FOREIGN),
    "nichtdeutschetatverdaechtigeanteil(antvinsgin%|in%andergesamtzahl)": _Column(
        "suspects", "PC", "suspects", breakdown=_FOREIGN
    ),
}
_CASES = next(iter(_COLUMNS))
_KREIS_NAME = "stadt/landkreis"
_TEXTS = (KEY, OFFENCE, LAND, KREIS, _KREIS_NAME, "kreisart")

_NUMBER = re.compile(r"-?(\d+|\d{1,3}(,\d{3})+)(\.\d+)?")
_GERMAN = re.compile(r"-?\d{1,3}(\.\d{3})+")
_NO_SHARE = "#DIV/0!"  # the csv's mark where there is nothing to take a share of; the workbook leaves it blank


class _Cell(NamedTuple):
    obs_value: float | None
    obs_status: str
    mark: str


class _Rows(NamedTuple):
    """What the rows taken are of, and the cells of each column: None where a cell is no figure."""

    keys: list[str]
    areas: list[str]
    labels: list[str]
    cells: dict[str, list[_Cell | None]]

    def cases(self) -> dict[tuple[str, str], float | None]:
        return {(k, a): c and c.obs_value for k, a, c in zip(self.keys, self.areas, self.cells[_CASES], strict=True)}


def parse(data: bytes, file: str) -> Parsed:
    """Read a table 01, csv or workbook. Raises SourceError where it is none, or lacks a row that it ought to have."""
    table = open_table(data, file, KEYS)
    texts = {text: at for text in _TEXTS if (at := table.find(text)) is not None}
    columns = {pattern: at for pattern in _COLUMNS if (at := table.find(pattern)) is not None}
    if not ({KEY, OFFENCE, _CASES} <= {*texts, *columns} and {LAND, KREIS} & set(texts)):
        problem = "no column of Schlüssel, Straftat, Bundesland or Gemeindeschlüssel, or Anzahl erfasste Fälle"
        raise SourceError(file, table.place, problem, RIGHT_TABLE)
    kind, period = "laender" if LAND in texts else "kreise", _period(table)
    rows = _Rows(
        [plain(row[texts[KEY]]) for row in table.rows],
        [_area(table, number, texts) for number in range(len(table.rows))],
        [label(row[texts[OFFENCE]]) for row in table.rows],
        _cells(table, columns),
    )
    _check_rows(table, rows, kind, period)
    _check_sums(table, rows)
    names = [label(row[texts[_KREIS_NAME]]) for row in table.rows] if _KREIS_NAME in texts else [""] * len(table.rows)
    table_id = "LA-F-01-T01" if kind == "laender" else "KR-F-01-T01"
    shared: dict[str, str | list[str]] = {
        "table_id": table_id,
        "ref_area": rows.areas,
        "time_period": period,
        "offence": [TOTAL if key == ALL_OFFENCES else key for key in rows.keys],
        "territory": "domestic",
        "ref_area_label": names,
        "offence_label": rows.labels,
    }
    printed = re.search(r"(?:erstellt am|Stand)\D{0,3}(\d\d)\.(\d\d)\.(\d{4})", table.prose)
    return Parsed.of_table(
        _figures(table, columns, rows, shared),
        list(_rejected(table, columns, rows.cells, {*texts.values(), *columns.values()}, table_id)),
        file,
        edition=f"{kind}-{period}",
        rows_read=table.rows_read,
        vintage="-".join(reversed(printed.groups())) if printed else period,
    )


def _period(table: Table) -> str:
    day = r"\d\d\.(\d\d)\.(\d{4})"
    if printed := re.search(rf"Berichtszeitraum\W*{day} bis {day}", table.prose):
        month, year, last_month, last_year = map(int, printed.groups())
        return months(year, month, 12 * (last_year - year) + last_month - month + 1)
    if named := re.search(r"(?<!\d)20\d\d(?!\d)", table.file):
        return named[0]
    remedy = "put the file into a folder of the year of its figures: 2022/KR-F-01-T01-..."
    raise SourceError(table.file, "whole file", "neither the file nor its name says the year", remedy)


def _area(table: Table, row: int, texts: Mapping[str, int]) -> str:
    if LAND in texts:
        return label(table.rows[row][texts[LAND]])
    code = plain(table.rows[row][texts[KREIS]]).zfill(5)
    if not re.fullmatch(r"\d{5}", code):
        problem = f"'{code}' is no Gemeindeschlüssel of five digits"
        raise SourceError(table.file, table.locate(row, texts[KREIS]), problem, "correct it, or download it again")
    return code


def _cells(table: Table, columns: Mapping[str, int]) -> dict[str, list[_Cell | None]]:
    counts = [at for name, at in columns.items() if _COLUMNS[name].unit_measure == "NR"]
    texts = [cell for row in table.rows for at in counts if isinstance(cell := row[at], str)]
    # A file saved in German writes 9.677 where the publisher's csv writes 9,677. One without either is read alike.
    german = any(_GERMAN.fullmatch(text) for text in texts) and not any("," in text for text in texts)
    cells: dict[str, list[_Cell | None]] = {}
    bases: dict[str, list[_Cell | None]] = {}
    for name, at in columns.items():
        column = _COLUMNS[name]
        of = bases.get(column.base_measure, [None] * len(table.rows))
        cells[name] = [
            _cell(row[at], column.unit_measure, base, german) for row, base in zip(table.rows, of, strict=True)
        ]
        bases.setdefault(column.measure, cells[name])
    return cells


@lru_cache(maxsize=1 << 14, typed=True)
def _cell(cell: object, unit: str, base: _Cell | None, german: bool) -> _Cell | None:
    if isinstance(cell, float):
        return _Cell(cell, "A", "") if unit != "NR" or cell.is_integer() else None
    text = cell.strip() if isinstance(cell, str) else None
    if text == "" or (text == _NO_SHARE and unit == "PC"):
        return _Cell(None, "M" if text or (base and base.obs_value == 0) else "O", text)
    if text is not None and german:
        text = text.translate(str.maketrans(".,", ",."))
    number = _NUMBER.fullmatch(text) if text else None
    if text is None or number is None or (number[3] and unit == "NR"):
        return None
    return _Cell(float(text.replace(",", "")), "A", "")


def _figures(table: Table, columns: Mapping[str, int], rows: _Rows, shared: Mapping[str, str | list[str]]) -> pa.Table:
    """The figures of all columns, one column after the other; ``shared`` is what those of a row have alike."""
    count = len(table.rows)
    kinds = [_COLUMNS[name] for name in columns]
    cells = [cell for name in columns for cell in rows.cells[name]]
    whole = [cell or _Cell(None, "", "") for cell in cells]
    values = zip(*whole, strict=True) if whole else ([], [], [])
    return figures_of(
        len(whole),
        pa.array([cell is not None for cell in cells], pa.bool_()),
        **{k: v if isinstance(v, str) else pa.array(v * len(kinds), pa.string()) for k, v in shared.items()},
        **{
            field: pa.concat_arrays([pa.repeat(getattr(kind, field), count) for kind in kinds])
            for field in _Column._fields
        },
        **{field: pa.array(v, RETURN_SCHEMA.field(field).type) for field, v in zip(_Cell._fields, values, strict=True)},
        locator=pa.array([table.locate(row, at) for at in columns.values() for row in range(count)], pa.string()),
    )


def _rejected(
    table: Table, columns: Mapping[str, int], cells: Mapping[str, list[_Cell | None]], known: set[int], table_id: str
) -> Iterator[Rejected]:
    for name, at in columns.items():
        for number, (row, cell) in enumerate(zip(table.rows, cells[name], strict=True)):
            if cell is None:
                yield Rejected(table_id, table.locate(number, at), str(row[at]), "not a number of this column's kind")
    for number, row in enumerate(table.rows):
        for at in set(range(len(row))) - known:
            if row[at] != "":
                reason = f"the table is not known to have a column '{table.names[at]}'"
                yield Rejected(table_id, table.locate(number, at), str(row[at]), reason)


def _check_rows(table: Table, rows: _Rows, kind: str, period: str) -> None:
    """Every key that this edition is known to have, every Land, and every area under each key."""
    must = KEYS if kind == "laender" and period >= ALL_KEYS_SINCE else CORE
    lacking = [f"key {key}" for key in sorted(must - set(rows.keys))]
    if kind == "laender":
        lacking += [f"area '{land}'" for land in sorted(LAENDER - set(rows.areas))]
    printed = set(zip(rows.keys, rows.areas, strict=True))
    pairs = set(product(set(rows.keys), set(rows.areas))) - printed
    lacking += [f"area '{area}' of key {key}" for key, area in sorted(pairs)]
    if lacking:
        problem = f"{lacking[0]} is missing" + (f", and {len(lacking) - 1} more" if len(lacking) > 1 else "")
        raise SourceError(table.file, "whole file", problem, "download it again; if it is so, amend the parser's lists")


def _check_sums(table: Table, rows: _Rows) -> None:
    """Parts make up what the publisher makes up of them, and Länder the nation, wherever all are printed."""
    cases, areas = rows.cases(), list(dict.fromkeys(rows.areas))
    labels = dict(zip(rows.keys, rows.labels, strict=True))
    sums = {}
    if NATION in areas:
        sums = {(key, NATION): [(key, area) for area in areas if area != NATION] for key in labels}
    _check(table, cases, sums)
    for whole, parts in PARTS.items():
        here = [part for part in parts if part in labels]
        # Until 2020 the key was that of 'Computerkriminalität', and was made up otherwise.
        if here and whole in labels and (whole != CYBERCRIME or labels[whole] == "Cybercrime"):
            _check(table, cases, {(whole, area): [(part, area) for part in here] for area in areas})


_Place = tuple[str, str]  # key and area


def _check(table: Table, cases: Mapping[_Place, float | None], sums: Mapping[_Place, list[_Place]]) -> None:
    for whole, parts in sums.items():
        values = [value for part in parts if (value := cases[part]) is not None]
        total = cases[whole]
        if total is not None and len(values) == len(parts) and total != sum(values):
            problem = f"key {whole[0]} of {whole[1]} has {total:,.0f} cases, its parts have {sum(values):,.0f}"
            remedy = "download the file again; if the publisher made it up of other keys, amend PARTS"
            raise SourceError(table.file, "whole file", problem, remedy)


SOURCE = Source(
    id="bka_pks",
    publisher="Bundeskriminalamt (BKA), Germany",
    table="Polizeiliche Kriminalstatistik, table 01: cases by offence, of Länder and of Kreise",
    urls=(),
    files=("*LA-F-01-T01-*.xlsx", "*KR-F-01-T01-*.xlsx", "*LA-F-01-T01-*.csv", "*KR-F-01-T01-*.csv"),
    licence="BKA: reuse with the source named",
    citation="Bundeskriminalamt, Polizeiliche Kriminalstatistik (PKS), table 01",
    cadence="0 5 15 4-6 *",
    language="de",
    source_type="police_recorded",
    area_scheme="BKA PKS",
    offence_scheme="PKS",
    parse=parse,
    named_with_folder=True,  # a csv does not say its year: KR-F-01-T01-... stands in a folder of the year
)
