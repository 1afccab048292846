"""Every source there is. A new source is its module, its line here, and its rows in the reference tables."""

from darkfigure.exchange import country_return, firm_sums
from darkfigure.sources import (
    accc_scamwatch,
    bfs_digital,
    bka_pks,
    ecb_rates,
    eurostat_crim,
    eurostat_isoc,
    fbi_ic3,
    home_office_prc,
    inegi_envipe,
    mir_cibercriminalidad,
    ncrb,
    ons_csew,
    quotations,
    sesnsp,
    statcan_35100001,
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
        ons_csew.SOURCE,
        home_office_prc.SOURCE,
        bka_pks.SOURCE,
        bfs_digital.SOURCE,
        mir_cibercriminalidad.SOURCE,
        fbi_ic3.SOURCE,
        statcan_35100001.SOURCE,
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
        country_return.ADJUSTMENT,
        firm_sums.SOURCE,
    )
}
