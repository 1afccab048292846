"""The source of protected sums of what firms return: what leaves the encrypted store, as a country's return does.

Not here: a firm's own return (``firm_return``), and how sums are protected (``darkfigure.disclosure``).
"""

from dataclasses import replace

from darkfigure.exchange import country_return

SOURCE = replace(
    country_return.SOURCE,
    id="firm_return",
    publisher="Firms, through national focal points",
    table="Sums of cybercrime that firms returned, protected",
    files=(),  # made here, and never taken from a folder
    licence="Sums from which no firm can be told; what a firm returned is confidential",
    citation="Returns of firms of the country, protected sums",
    source_type="firm_return",
)
