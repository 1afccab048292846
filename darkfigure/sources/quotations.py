"""Figures quoted on publishers' pages, and on pages about them: one row a figure, with its publisher and its address.

They are quotations and no tables: a page rounds, leaves out and may err, so that they are a source of their own kind
and stand beside published tables, never among them. What a row counts is said in words. Which words mean which measure
and unit is reviewed, and stands in ``MEANINGS``; a row in other words, or of a publisher not reviewed, is rejected, and
so is one whose period or figure is not told plainly. The sentences that are quoted are not ours, and are not read.

Layout: a csv with a header; a row for each figure.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from darkfigure.errors import SourceError
from darkfigure.sources.period import months
from darkfigure.sources.returns import NOT_APPLICABLE, TOTAL, Parsed, Rejected, Return
from darkfigure.sources.source import Source
from darkfigure.sources.text import decode, find_columns, full_rows, rows

TABLE_ID = "published_quotes"
COLUMNS = ("country_iso3", "year", "offence_label", "measure", "unit", "value", "publisher", "url", "kind")


class Meaning(NamedTuple):
    """What the words of a measure and a unit say together, in the terms of a return."""

    measure: str
    unit_measure: str = "NR"
    base_measure: str = NOT_APPLICABLE
    population: str = TOTAL
    unit_mult: int = 0
    age: str = TOTAL
    size_emp: str = TOTAL
    recorder: str = TOTAL
    mark: str = ""  # what the words say beside, as printed
    years_back: int = 0  # how far the period that it is about lies before the survey year that is printed


def _people(measure: str, mult: int = 0, age: str = TOTAL) -> Meaning:
    return Meaning(measure, population="individuals", unit_mult=mult, age=age)


def _prevalence(base: str = "population", age: str = TOTAL, mark: str = "") -> Meaning:
    return Meaning("victims", "PC", base, "individuals", age=age, mark=mark)


def _enterprises(size_emp: str = TOTAL, years_back: int = 0) -> Meaning:
    return Meaning("enterprises", "PC", "enterprises", "enterprises", size_emp=size_emp, years_back=years_back)


_REPORTED = Meaning("crimes_reported", "PC", "crimes", "individuals")
_REPORTING = Meaning("victims_reporting", "PC", "victims", "individuals")
_RECORDED = Meaning("recorded_offences")

#: What each measure and unit means, in the words of the file. A share of what is reported names to whom in its measure,
#: which is a part of the table's name: reports to a centre, to any authority and to the police are not one figure.
MEANINGS: dict[tuple[str, str], Meaning] = {
    # surveys of people
    ("CSEW incidents", "million"): _people("crimes", 6),
    ("TCSEW offences", "million"): _people("crimes", 6),
    ("NZCVS incidents", "number"): _people("crimes"),
    ("NZCVS offences", "number"): _people("crimes"),
    ("CVS victims", "million"): _people("victims", 6),
    ("victims", "million"): _people("victims", 6),
    ("NCVS-ITS victims", "million persons 16+"): _people("victims", 6, "16+"),
    ("total losses", "billion USD"): Meaning("amount_lost", "USD", population="individuals", unit_mult=9),
    ("CIUS prevalence", "percent"): _prevalence(),
    ("CIUS prevalence, internet users", "percent"): _prevalence("internet_users"),
    ("FRA Fundamental Rights Survey prevalence", "percent"): _prevalence(),
    ("NTU prevalence", "percent 16-84"): _prevalence(age="16-84"),
    ("OVeC prevalence 12 months", "percent 15+"): _prevalence(age="15+"),
    ("Personal Fraud Survey prevalence", "percent 15+"): _prevalence(age="15+"),
    ("prevalence", "percent 15+"): _prevalence(age="15+"),
    ("prevalence 12 months", "percent 16+"): _prevalence(age="16+"),
    ("isoc_cisci_pb prevalence", "percent of individuals 16-74"): _prevalence(age="16-74"),
    (
        "Australian Cybercrime Survey prevalence",
        "percent of online adults (non-probability panel)",
    ): _prevalence("internet_users", "adults", "non-probability panel"),
    # what was reported of it
    ("Anzeigequote", "percent of cases"): _REPORTED,
    ("reported to Action Fraud or police", "fraction"): _REPORTED,
    ("reported to Action Fraud or police", "percent of incidents"): _REPORTED,
    ("reported to police", "percent"): _REPORTED,
    ("aangifte bij politie", "percent of victims"): _REPORTING,
    ("melding bij politie", "percent of victims"): _REPORTING,
    ("naar de politie", "percent of victims"): _REPORTING,
    ("plainte", "percent of victims"): _REPORTING,
    ("reported to any authority", "percent of victims"): _REPORTING,
    ("reported to law enforcement", "percent of victims"): _REPORTING,
    ("reported to a police service", "percent of impacted businesses"): _REPORTING._replace(population="enterprises"),
    # surveys of enterprises
    ("CSBS prevalence", "percent"): _enterprises(),
    ("CSBS estimated instances", "million"): Meaning("crimes", population="enterprises", unit_mult=6),
    ("CSCSC prevalence", "percent"): _enterprises(),
    ("isoc_cisce_ic prevalence", "percent of enterprises 10+"): _enterprises("10+"),
    # Quoted from Eurostat's database, which files it under the year of the survey; it asks about the year before.
    ("isoc_cisce_ic, size 50-249", "percent of enterprises"): _enterprises("50-249", years_back=1),
    # what authorities recorded or received
    ("Action Fraud", "number"): _RECORDED._replace(recorder="Action Fraud"),
    ("infracciones penales", "number"): _RECORDED,
    ("police-recorded (NFIB)", "number"): _RECORDED,
    ("police-reported incidents", "number"): _RECORDED,
    ("police-reported incidents (first release)", "number"): _RECORDED._replace(mark="first release"),
    ("registros", "number"): _RECORDED,
    ("registros (21 of 27 units)", "number"): _RECORDED._replace(mark="21 of 27 units"),
    ("reported (anmälda)", "number"): _RECORDED,
    ("認知件数", "number"): _RECORDED,
    ("발생건수", "number"): _RECORDED,
    ("検挙件数 (cleared, not recorded)", "number"): Meaning("cleared_offences"),
    ("complaints", "number"): Meaning("complaints"),
    ("reports", "number"): Meaning("complaints"),
}

#: Whose figures are quoted, and by whom, in the words of the file.
PUBLISHERS = frozenset({
    "ABS", "ABS via psnews", "AIC", "ASD via daijiworld", "BJS", "BJS (ojp.gov)", "BJS release reprinted",
    "BKA via dbb magazin", "BKA via networknowledge.de", "Brå", "CBS", "CBS Veiligheidsmonitor via nu.nl",
    "CBS via gelderlander.nl", "CBS via security.nl", "DSIT", "DSIT via nwcrc.co.uk", "DSIT via planet.cybertzar.com",
    "EU FRA", "Eurostat", "Eurostat (third-party note)", "Eurostat Statistics Explained", "Eurostat release reprinted",
    "FBI IC3", "FBI IC3 via homelandprepnews", "FBI IC3 via wect.com", "FBSP", "INSEE/SSMSI via lesfrancais.press",
    "KNPA via boannews", "KNPA via daum", "Ministerio del Interior via seguritecnia",
    "Ministry of Justice White Paper on Crime 2023", "Ministry of Justice White Paper on Crime 2025",
    "MoJ NZ via RNZ", "MoJ NZ via brokersview", "MoJ NZ via unifiedguru", "ONS", "OSR quoting ONS",
    "StatCan via Statista", "Statistics Canada", "Statistics Canada via insurancebusinessmag",
})  # fmt: skip

#: A copy on somebody else's page is not vouched for by its publisher any more than a report of it is.
STATUS_OF_KIND = {"primary": "A", "copy of primary": "V", "secondary": "V"}

#: The month in which the years begin that a country's publishers write as 2022-23.
_YEARS_BEGIN = {"AUS": 7}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_YEAR = r"(?:19|20)\d\d"
_MONTH = f"(?:{'|'.join(_MONTHS)})"
_RECALL = re.compile(r"\blast ([1-9]) years$")
_NUMBER = r"\d+(?:\.\d+)?|\d{1,3}(?:,\d{3})+(?:\.\d+)?"
_NOTE = re.compile(r"\s*\[note \d+\]$|\s\(\d\)$|[*¹²³⁴⁵⁶⁷⁸⁹]+$")


class _Unclear(Exception):
    """A cell that does not say plainly what a return needs: which column it is in, and why."""


def parse(data: bytes, file: str) -> Parsed:
    """Read the list of quotations. Raises SourceError where it is none."""
    lines = rows(decode(data, file), file, ",")
    header = _header(lines, file)
    at = find_columns(header, COLUMNS, file, "the header")
    cells: list[Return | Rejected] = []
    for number, row in full_rows(lines, header, file):
        quote = {name: _NOTE.sub("", row[place]) for name, place in at.items()}
        if sum(map(bool, row)) > 1 or re.fullmatch(_NUMBER, quote["value"]):  # else it is prose
            cells.append(_read(quote, f"line {number}"))
    return Parsed.of(cells, file, edition="all", rows_read=len(cells))


def _header(lines: Iterator[tuple[int, list[str]]], file: str) -> list[str]:
    for _, row in lines:
        names = [_NOTE.sub("", name) for name in row]
        if COLUMNS[0] in names:
            return names
        if sum(map(bool, row)) > 1:
            break
    raise SourceError(
        file, "whole file", f"no header with '{COLUMNS[0]}'", "give the list of quotations with its header"
    )


def _read(quote: dict[str, str], line: str) -> Return | Rejected:
    try:
        meaning = _meaning(quote)
        time_period, period_label = _period(quote, meaning)
        value, mark = _value(quote, meaning)
    except _Unclear as unclear:
        column, reason = unclear.args
        return Rejected(TABLE_ID, f"{line}, column {column}", quote[column], reason)
    # The number of somebody's search leads nowhere.
    url = re.sub(r",? find_string id \d+", "", quote["url"])
    return Return(
        table_id=f"{quote['publisher']}: {quote['measure']}",
        locator=f"{line}, column value",
        ref_area=quote["country_iso3"],
        time_period=time_period,
        offence=quote["offence_label"],
        measure=meaning.measure,
        unit_measure=meaning.unit_measure,
        obs_value=value,
        obs_status=STATUS_OF_KIND[quote["kind"]],
        mark=mark,
        base_measure=meaning.base_measure,
        origin=f"{quote['publisher']}, {url}, {quote['kind']}",
        age=meaning.age,
        population=meaning.population,
        size_emp=meaning.size_emp,
        recorder=meaning.recorder,
        unit_mult=meaning.unit_mult,
        period_label=period_label,
    )


def _meaning(quote: dict[str, str]) -> Meaning:
    if quote["publisher"] not in PUBLISHERS:
        raise _Unclear("publisher", "a publisher that was not reviewed")
    if quote["kind"] not in STATUS_OF_KIND:
        raise _Unclear("kind", f"none of {', '.join(STATUS_OF_KIND)}")
    for column in ("country_iso3", "offence_label", "url"):
        if not quote[column]:
            raise _Unclear(column, "nothing stands there")
    meaning = MEANINGS.get((quote["measure"], quote["unit"]))
    if meaning is None:
        raise _Unclear("unit", f"it is not known what '{quote['measure']}' in this unit counts")
    return meaning


def _period(quote: dict[str, str], meaning: Meaning) -> tuple[str, str]:
    """The period that a figure is about, and how it is printed where that says more."""
    text = quote["year"]
    # Some say in the words of the offence how many years they ask about.
    recall = _RECALL.search(text) or _RECALL.search(quote["offence_label"])
    year = re.fullmatch(f"({_YEAR})(?:,? last [1-9] years)?", text)
    if year and recall:
        count = int(recall[1])
        return months(int(year[1]) - count + 1, 1, 12 * count), f"{year[1]}, {recall[0]}"
    if year:
        return str(int(text) - meaning.years_back), text if meaning.years_back else ""
    if ending := re.fullmatch(f"YE ({_MONTH}) ({_YEAR})", text):
        return _twelve_months_to(int(ending[2]), _month(ending[1])), text
    if named := re.fullmatch(f"({_MONTH}) ({_YEAR})-({_MONTH}) ({_YEAR})", text):
        first, last = (int(named[n + 1]) * 12 + _month(named[n]) - 1 for n in (1, 3))
        if not 0 <= last - first < 12:
            raise _Unclear("year", f"{last - first + 1} months, of which it is not told which the figure is about")
        return months(first // 12, first % 12 + 1, last - first + 1), text
    begun = re.fullmatch(f"({_YEAR})[-/](\\d\\d)", text)
    if begun and (int(begun[1]) + 1) % 100 == int(begun[2]) and quote["country_iso3"] in _YEARS_BEGIN:
        return months(int(begun[1]), _YEARS_BEGIN[quote["country_iso3"]], 12), text
    raise _Unclear("year", "no single period: which months it is about is not told" if begun else "no period")


def _month(name: str) -> int:
    return _MONTHS.index(name) + 1


def _twelve_months_to(year: int, month: int) -> str:
    return months(year, 1, 12) if month == 12 else months(year - 1, month + 1, 12)


def _value(quote: dict[str, str], meaning: Meaning) -> tuple[float, str]:
    """The figure, and its mark. A fraction becomes a percentage, and stays as printed in the mark."""
    text, mark = quote["value"], meaning.mark
    odds = re.fullmatch(r"(\d+) in ([1-9]\d*)", text)
    if not re.fullmatch(_NUMBER, text) and not (odds and quote["unit"] == "fraction"):
        raise _Unclear("value", "no plain number")
    value = int(odds[1]) / int(odds[2]) if odds else float(text.replace(",", ""))
    if quote["unit"] == "fraction":
        value, mark = 100 * value, text if odds else f"fraction {text}"
    if meaning.unit_measure == "PC" and value > 100:
        raise _Unclear("value", "more than all of them")
    return value, mark


SOURCE = Source(
    id="quotations",
    publisher="Various: the publisher of each figure is named with it",
    table="Figures quoted on publishers' pages, and on pages about them",
    urls=(),
    files=("published_quotes*.csv",),
    licence="Figures as facts, each with its publisher and address; the quoted sentences are not carried",
    citation="As quoted: publisher and address of each figure stand in its origin",
    cadence="0 5 1 * *",
    language="en",
    source_type="quotation",
    area_scheme="Quotations",
    offence_scheme="Quotations",
    parse=parse,
)
