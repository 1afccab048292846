"""Every source there is. A new source is its module, its line here, and its rows in the reference tables."""

from darkfigure.exchange import country_return
from darkfigure.sources import (
    accc_scamwatch,
    ecb_rates,
    eurostat_crim,
    eurostat_isoc,
    inegi_envipe,
    mir_cibercriminalidad,
    ncrb,
    quotations,
    sesnsp,
    unodc_cts,
    worldbank,
    worldbank_ppp,
)
from darkfigure.sources.source import Source

SOURCES: dict[str, Source] = {
    source.id: source
    for source in (
        unodc_cts.SOURCE,
        eurostat_crim.SOURCE,
        eurostat_isoc.SOURCE,
        inegi_envipe.SOURCE,
        sesnsp.SOURCE,
        mir_cibercriminalidad.SOURCE,
        ncrb.SOURCE,
        ncrb.I4C,
        ncrb.CERT_IN,
        accc_scamwatch.SOURCE,
        worldbank.POPULATION,
        worldbank.INTERNET_USERS,
        worldbank_ppp.SOURCE,
        ecb_rates.SOURCE,
        quotations.SOURCE,
        country_return.SOURCE,
    )
}
