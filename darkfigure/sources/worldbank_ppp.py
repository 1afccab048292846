"""World Bank, PA.NUS.PPP: units of the national currency that buy what one US dollar buys in the United States.

In the layouts of the World Bank's other indicators (``worldbank``); in the long csv the column is ``PPP``. The United
States stand in it with 1 by definition, by which a table of something else is told. What is missing is taken too.
"""

import pyarrow as pa
import pyarrow.compute as pc

from darkfigure.errors import SourceError
from darkfigure.sources.returns import NOT_APPLICABLE, Parsed, figures_of
from darkfigure.sources.source import Source
from darkfigure.sources.worldbank import read

INDICATOR = "PA.NUS.PPP"

_NO_FIGURE = ("", "..")  # a blank, and the data bank's mark of what is not available


def parse(data: bytes, file: str) -> Parsed:
    """Read any of the layouts. Raises SourceError where it is none of them, or another series."""
    found = read(data, file, INDICATOR, "PPP")
    of_base = pc.and_(pc.is_in(found.area, pa.array(["US", "USA"])), pc.not_equal(found.value, 1))
    if (row := pc.index(of_base, True).as_py()) >= 0:
        problem = f"{found.value[row].as_py():g} for the United States, where a US dollar buys 1"
        raise SourceError(file, found.locator[row].as_py(), problem, f"give the series {INDICATOR}")
    absent = pc.is_in(found.text, pa.array(_NO_FIGURE))
    taken = pc.or_(pc.is_valid(found.value), absent)
    figures = figures_of(
        len(found.text),
        taken,
        table_id=INDICATOR,
        locator=found.locator,
        ref_area=found.area,
        time_period=found.year,
        offence=NOT_APPLICABLE,
        measure="purchasing_power_parity",
        unit_measure="NR",
        obs_value=found.value,
        obs_status=pc.if_else(absent, "O", "A"),
        mark=pc.if_else(absent, found.text, ""),
        ref_area_label=found.label,
    )
    return Parsed.of_table(
        figures,
        found.rejected(INDICATOR, taken),
        file,
        edition=INDICATOR,
        vintage=found.updated,
        rows_read=found.rows_read,
    )


SOURCE = Source(
    id="worldbank_ppp",
    publisher="World Bank",
    table=f"{INDICATOR}: PPP conversion factor, GDP (local currency units per international dollar)",
    urls=(f"https://api.worldbank.org/v2/country/all/indicator/{INDICATOR}?format=json&per_page=20000",),
    files=("ppp-gdp*.csv", f"API_{INDICATOR}_*.csv", f"{INDICATOR}*.json", f"{INDICATOR}*.csv"),
    licence="CC BY 4.0",
    citation=f"World Bank, World Development Indicators, PPP conversion factor, GDP ({INDICATOR})",
    cadence="0 5 1 * *",
    language="en",
    source_type="denominator",
    area_scheme="World Bank",
    offence_scheme=NOT_APPLICABLE,
    parse=parse,
)
