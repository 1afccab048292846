"""The sources of what countries send: returns, and their own adjustments of figures, in the same forms.

They come by hand or through the inbox, and are dated by their receipt. An adjustment is a source of its own, so that no
figure that was recorded is ever replaced by one that was made of it.
"""

from dataclasses import replace

from darkfigure.exchange.delivery import parse
from darkfigure.sources.source import Source

SOURCE = Source(
    id="country_return",
    publisher="National focal points",
    table="Returns of cybercrime figures sent by countries",
    urls=(),
    files=("return_*.xlsx", "return_*.csv", "withdrawal_*.json"),
    licence="Sent by the country for publication; figures marked C or D are not published",
    citation="Return of the country, by the national focal point",
    cadence="0 6 * * *",
    language="en",
    source_type="country_return",
    area_scheme="ISO 3166",
    offence_scheme="darkfigure questionnaire",
    parse=parse,
)

ADJUSTMENT = replace(
    SOURCE,
    id="country_adjustment",
    table="Figures of cybercrime as countries adjust them",
    files=("adjusted_*.xlsx", "adjusted_*.csv"),
    citation="Adjustment by the country, by the national focal point",
    source_type="country_adjustment",
)
