"""Contracts of ``reference``: reviewed tables with their provenance, and the denominators."""

import csv

from pandera.ibis import DataFrameModel, Field

from darkfigure.sources.returns import MEASURES
from warehouse import REFERENCE

#: Every act there is: a crosswalk may name no other.
ACTS = [row["act"] for row in csv.DictReader((REFERENCE / "act.csv").open(encoding="utf-8"))]
RELATIONS = ["exact", "close", "narrower", "broader", "partial", "none"]
UNITS_OF_COUNT = [
    "offences", "cases", "case files", "complaints", "reports", "incidents", "crimes", "victimisations", "victims",
    "persons", "enterprises", "money", "currency units",
]  # fmt: skip
PROVENANCE = "Where the row was read, or that it was not (MEMORY, JUDGEMENT)"


class Measure(DataFrameModel):
    """What each measure counts, and in which unit of count: figures in two units of count are not one series."""

    measure: str = Field(description="Code of the measure", isin=list(MEASURES))
    unit_of_count: str = Field(description="What is counted", isin=UNITS_OF_COUNT)
    note: str = Field(description="What there is to say about it")

    class Config:
        strict = True
        unique = ["measure"]


class Area(DataFrameModel):
    """Countries and areas (UN M49, ISO 3166-1), and sub-national or statistical areas under codes of their own."""

    ref_area: str = Field(
        description="ISO 3166-1 alpha-3, ISO 3166-2, or the publishers' code", str_length={"min_value": 3}
    )
    area_name: str = Field(description="English name")
    kind: str = Field(description="What kind of area it is", isin=["country", "subnational", "statistical"])
    parent_area: str = Field(description="The country that a part belongs to; empty for countries")
    iso_alpha2: str = Field(description="ISO 3166-1 alpha-2, where there is one")
    m49: str = Field(description="UN M49 code, three digits, where there is one")
    region: str = Field(description="UN M49 region")
    subregion: str = Field(description="UN M49 sub-region or intermediate region")
    least_developed: bool = Field(description="Least developed country (LDC)")
    landlocked_developing: bool = Field(description="Land-locked developing country (LLDC)")
    small_island_developing: bool = Field(description="Small island developing State (SIDS)")
    provenance: str = Field(description=PROVENANCE)

    class Config:
        strict = True
        unique = ["ref_area"]


class AreaCode(DataFrameModel):
    """Publishers' area codes and names that are not ISO codes themselves, and the areas they mean."""

    scheme: str = Field(description="The scheme the code belongs to")
    code: str = Field(description="The publisher's code or name", str_length={"min_value": 1})
    ref_area: str = Field(description="The area in reference.area; empty for an aggregate")
    kind: str = Field(
        description="area, or aggregate: a group of countries, or no area at all (abroad, unknown)",
        isin=["area", "aggregate"],
    )
    note: str = Field(description="What there is to say about it")

    class Config:
        strict = True
        unique = ["scheme", "code"]


class Act(DataFrameModel):
    """The 14 acts of cybercrime in three groups, with ICCS classes and the articles of both conventions."""

    act: str = Field(description="Code of the act", str_matches=r"^[ABC]\d$")
    act_group: str = Field(description="Group of acts", isin=["CIA", "GAIN_HARM", "CONTENT"])
    act_name: str = Field(description="English name")
    iccs: str = Field(description="ICCS classes; +Cy means with the cyber-related tag")
    budapest_articles: str = Field(description="Articles of the Council of Europe convention (ETS 185)")
    un_convention_articles: str = Field(description="Articles of the United Nations convention (2024)")
    provenance: str = Field(description=PROVENANCE)

    class Config:
        strict = True
        unique = ["act"]


class Crosswalk(DataFrameModel):
    """Publishers' offence codes, every one that is known, and the acts that they correspond to."""

    scheme: str = Field(description="The scheme the code belongs to")
    code: str = Field(description="The publisher's offence code or label", str_length={"min_value": 1})
    code_label: str = Field(description="The publisher's label")
    act: str = Field(
        description="Code of the act; several joined by | where the code covers them all; empty for none",
        str_matches=rf"^(({'|'.join(ACTS)})(\|({'|'.join(ACTS)}))*)?$",
    )
    relation: str = Field(
        description="What the code is to the act: the code is exact, close, narrower, ...", isin=RELATIONS
    )
    confidence: str = Field(description="High, medium, low", isin=["H", "M", "L"])
    note: str = Field(description="What there is to say about it")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["scheme", "code"]


class ObsStatus(DataFrameModel):
    """SDMX CL_OBS_STATUS, with the order in which several statuses on one figure take precedence."""

    obs_status: str = Field(description="SDMX CL_OBS_STATUS code")
    obs_status_name: str = Field(description="English name")
    precedence: int = Field(description="1 comes first", ge=1)
    provenance: str = Field(description=PROVENANCE)

    class Config:
        strict = True
        unique = ["obs_status"]


class SurveyRecordedPair(DataFrameModel):
    """Which offence of a victim survey is to be set beside which offence of a recording scheme."""

    survey_scheme: str = Field(description="Offence scheme of the survey")
    survey_offence: str = Field(description="Offence code or label in the survey")
    recorded_scheme: str = Field(description="Offence scheme of the recorded figures")
    recorded_offence: str = Field(description="Offence code or label in the recorded figures")
    known_differences: str = Field(description="What is known to differ between the two")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["survey_scheme", "survey_offence", "recorded_scheme"]


class Assumption(DataFrameModel):
    """What an estimate takes for granted, and what would break it."""

    assumption: str = Field(description="Code of the assumption", str_matches=r"^[A-Z_]+$")
    statement: str = Field(description="What is assumed")
    broken_by: str = Field(description="What would break it")

    class Config:
        strict = True
        unique = ["assumption"]


class Denominator(DataFrameModel):
    """Population and internet users by area and year, from the latest vintage of each."""

    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Year", str_matches=r"^\d{4}$")
    denominator: str = Field(description="What it counts", isin=["population", "internet_users"])
    denominator_count: float = Field(description="Persons", gt=0)
    input_ids: str = Field(description="Ids, separated by spaces, of the returns it was made from")

    class Config:
        strict = True
        unique = ["ref_area", "time_period", "denominator"]


class ExchangeRate(DataFrameModel):
    """Currencies by year: units of each for one euro, and for one US dollar, mean of the year's daily rates."""

    currency: str = Field(description="ISO 4217 code", str_matches=r"^[A-Z]{3}$")
    time_period: str = Field(description="Year", str_matches=r"^\d{4}$")
    units_per_eur: float = Field(description="Units of the currency for one euro", gt=0)
    units_per_usd: float = Field(description="Units of the currency for one US dollar", gt=0)
    input_ids: str = Field(description="Ids, separated by spaces, of the returns it was made from")

    class Config:
        strict = True
        unique = ["currency", "time_period"]


class PurchasingPower(DataFrameModel):
    """Purchasing power parities by country and year: units of its currency that buy what one US dollar buys."""

    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Year", str_matches=r"^\d{4}$")
    units_per_international_usd: float = Field(description="Units of the national currency", gt=0)
    input_ids: str = Field(description="Id of the return it was made from")

    class Config:
        strict = True
        unique = ["ref_area", "time_period"]


class Reconciliation(DataFrameModel):
    """What ought to add up: a whole and its parts, in one table, in two tables, or in two publishers' tables."""

    reconciliation: str = Field(description="Its code", str_matches=r"^[a-z0-9_]+$")
    statement: str = Field(description="What ought to equal what")
    whole_scheme: str = Field(description="Offence scheme of the whole")
    whole_offences: str = Field(description="Offence codes that make the whole, joined by |")
    whole_measure: str = Field(description="Measure of the whole", isin=list(MEASURES))
    part_scheme: str = Field(description="Offence scheme of the parts")
    part_offences: str = Field(description="Offence codes of the parts, joined by |")
    part_measure: str = Field(description="Measure of the parts", isin=list(MEASURES))
    part_kind: str = Field(
        description="Kind of areas within the whole's that the parts are of; empty for the same area",
        isin=["", "subnational", "statistical"],
    )
    stated_area: str = Field(description="Area of a whole that the publisher states elsewhere; empty else")
    stated_period: str = Field(description="Its period")
    stated_count: str = Field(description="Its figure")
    expected: str = Field(description="Whether the publisher means them to be equal", isin=["equal", "unequal", "open"])
    note: str = Field(description="Why they are or are not equal, and where that was read")

    class Config:
        strict = True
        unique = ["reconciliation"]


CONTRACTS = {
    "reference.exchange_rate": ExchangeRate,
    "reference.purchasing_power": PurchasingPower,
    "reference.reconciliation": Reconciliation,
    "reference.measure": Measure,
    "reference.area": Area,
    "reference.area_code": AreaCode,
    "reference.act": Act,
    "reference.crosswalk": Crosswalk,
    "reference.obs_status": ObsStatus,
    "reference.survey_recorded_pair": SurveyRecordedPair,
    "reference.assumption": Assumption,
    "reference.denominator": Denominator,
}
