"""Every source there is. A new source is its module, its line here, and its rows in the reference tables."""

from darkfigure.sources import eurostat_crim, inegi_envipe, sesnsp, unodc_cts, worldbank
from darkfigure.sources.source import Source

SOURCES: dict[str, Source] = {
    source.id: source
    for source in (
        unodc_cts.SOURCE,
        eurostat_crim.SOURCE,
        inegi_envipe.SOURCE,
        sesnsp.SOURCE,
        worldbank.POPULATION,
        worldbank.INTERNET_USERS,
    )
}
