"""Contracts of ``reference``: reviewed tables with their provenance, and the denominators."""

import csv

from pandera.ibis import DataFrameModel, Field

from darkfigure.sources.returns import MEASURES
from warehouse import REFERENCE

#: Every act there is: a crosswalk may name no other.
ACTS = [row["act"] for row in csv.DictReader((REFERENCE / "act.csv").open(encoding="utf-8"))]
#: SDMX CL_OBS_STATUS, all of it.
OBS_STATUSES = [row["obs_status"] for row in csv.DictReader((REFERENCE / "obs_status.csv").open(encoding="utf-8"))]
RELATIONS = ["exact", "close", "narrower", "broader", "partial", "none"]
UNITS_OF_COUNT = [
    "offences", "cases", "case files", "complaints", "reports", "incidents", "crimes", "victimisations", "victims",
    "persons", "enterprises", "money", "currency units",
]  # fmt: skip
SOURCE_KINDS = ["recorded", "complaints", "survey", "enterprise_survey", "incidents", "money"]
MEASURE_TYPES = ["incidence", "prevalence", "amount"]
#: A day, or nothing: an interval without a first or a last day is open there.
DAY_OR_OPEN = r"^(\d{4}-\d{2}-\d{2})?$"
PROVENANCE = "Where the row was read, or that it was not (MEMORY, JUDGEMENT)"


class Measure(DataFrameModel):
    """What each measure counts, and in which unit of count: figures in two units of count are not one series."""

    measure: str = Field(description="Code of the measure", isin=list(MEASURES))
    unit_of_count: str = Field(description="What is counted", isin=UNITS_OF_COUNT)
    source_kind: str = Field(
        description="What kind of figure is compared with its like; empty where it is part of another",
        isin=["", *SOURCE_KINDS],
    )
    measure_type: str = Field(
        description="Whether events, those who met with any, or money are counted", isin=["", *MEASURE_TYPES]
    )
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
    valid_from: str = Field(
        description="First day for which it is so; empty where it always was", str_matches=DAY_OR_OPEN
    )
    valid_to: str = Field(description="Last day for which it is so; empty where it still is", str_matches=DAY_OR_OPEN)
    confidence: str = Field(description="High, medium, low", isin=["H", "M", "L"])
    note: str = Field(description="What there is to say about it")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["scheme", "code", "valid_from"]


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
    recorded_measure: str = Field(description="What the recorded figures count", isin=list(MEASURES))
    recorder: str = Field(description="Who recorded them; _T all together")
    quoted_offence: str = Field(description="How quotations of the survey name the offence; empty where none do")
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


class Fact(DataFrameModel):
    """What can be asked about how a figure came to be, which answers there are, and which one is the standard's."""

    fact: str = Field(description="Code of the fact", str_matches=r"^[a-z0-9_]+$")
    statement: str = Field(description="What it says about a figure", str_length={"min_value": 1})
    allowed: str = Field(description="The answers there are, joined by |; empty for any short text")
    applies_to: str = Field(
        description="Kinds of sources of which it is asked, joined by |; derived: made from figures and other tables",
        str_matches=rf"^(derived|({'|'.join(SOURCE_KINDS)})(\|({'|'.join(SOURCE_KINDS)}))*)$",
    )
    standard: str = Field(description="The answer that the reference standard gives; empty where it gives none")

    class Config:
        strict = True
        unique = ["fact"]


class RecordingPractice(DataFrameModel):
    """How figures came to be, fact by fact: for a source or a kind of sources, an area, an offence and a time."""

    source_id: str = Field(description="The source", str_length={"min_value": 1})
    source_kind: str = Field(description="The kind of its figures; empty for every kind", isin=["", *SOURCE_KINDS])
    ref_area: str = Field(description="The area in reference.area; empty for every area")
    offence: str = Field(description="The publisher's offence code or label; empty for every offence")
    valid_from: str = Field(description="First day; empty where it always was so", str_matches=DAY_OR_OPEN)
    valid_to: str = Field(description="Last day; empty where it still is so", str_matches=DAY_OR_OPEN)
    fact: str = Field(description="The fact in reference.fact", str_matches=r"^[a-z0-9_]+$")
    value: str = Field(description="One of its answers, or unknown", str_length={"min_value": 1})
    basis: str = Field(description="Where it was read, or what it was deduced from")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["source_id", "source_kind", "ref_area", "offence", "valid_from", "fact"]


class Scheme(DataFrameModel):
    """The publishers' schemes of offences whose codes the crosswalks hold."""

    scheme: str = Field(description="Code of the scheme", str_length={"min_value": 1})
    ref_area: str = Field(description="The area that it is used in; empty for more than one country")
    publisher: str = Field(description="Who draws it up", str_length={"min_value": 1})
    scheme_name: str = Field(description="What it is", str_length={"min_value": 1})
    valid_from: str = Field(description="First day in use; empty where not known", str_matches=DAY_OR_OPEN)
    valid_to: str = Field(description="Last day in use; empty where it still is", str_matches=DAY_OR_OPEN)
    note: str = Field(description="What there is to say about it")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["scheme"]


class Relation(DataFrameModel):
    """What a publisher's code can be to an act, and the SKOS property from the code to the act that says the same."""

    relation: str = Field(description="The relation, as the crosswalks have it", isin=RELATIONS)
    skos: str = Field(
        description="SKOS mapping property, the code its subject and the act its object; empty for none",
        isin=["", "skos:exactMatch", "skos:closeMatch", "skos:broadMatch", "skos:narrowMatch", "skos:relatedMatch"],
    )
    statement: str = Field(description="What it says", str_length={"min_value": 1})

    class Config:
        strict = True
        unique = ["relation"]


class Convention(DataFrameModel):
    """The international conventions that name acts of cybercrime. No figure rests on any of them."""

    convention: str = Field(description="Code of the convention", str_matches=r"^[A-Z0-9_]+$")
    convention_name: str = Field(description="Its name", str_length={"min_value": 1})
    organisation: str = Field(description="In which organisation it was made", str_length={"min_value": 1})
    opened_for_signature: str = Field(description="Day on which it was opened for signature", str_matches=DAY_OR_OPEN)
    in_force_from: str = Field(
        description="Day on which it came into force; empty where it is not known to be", str_matches=DAY_OR_OPEN
    )
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["convention"]


class ConventionArticle(DataFrameModel):
    """The articles of the conventions that name offences, and the acts that they correspond to."""

    convention: str = Field(description="The convention in reference.convention", str_matches=r"^[A-Z0-9_]+$")
    article: str = Field(description="Number of the article", str_matches=r"^\d+$")
    title: str = Field(description="What it is about", str_length={"min_value": 1})
    act: str = Field(description="Act in reference.act; empty for none", isin=["", *ACTS])
    relation: str = Field(description="What the article is to the act", isin=RELATIONS)
    confidence: str = Field(description="High, medium, low", isin=["H", "M", "L"])
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["convention", "article", "act"]


class Criminalisation(DataFrameModel):
    """Which act is an offence by which article of a country's law, and from which day to which.

    Of rows that were READ, the article and its days were; intent, attempt and aiding are from memory throughout.
    """

    ref_area: str = Field(description="The area in reference.area", str_length={"min_value": 3})
    act: str = Field(description="Act in reference.act", isin=ACTS)
    law: str = Field(description="The law; empty where it is not known")
    article: str = Field(description="Its article or section; empty where it is not known")
    valid_from: str = Field(
        description="First day; empty where it is not known, and lies before the figures", str_matches=DAY_OR_OPEN
    )
    valid_to: str = Field(description="Last day; empty where it still is so", str_matches=DAY_OR_OPEN)
    status: str = Field(
        description="Whether the act is an offence; gap_declared: the country itself says that its law lacks it",
        isin=["criminalised", "administrative", "not_criminalised", "gap_declared", "unknown"],
    )
    intent: str = Field(
        description="What state of mind it takes; further_intent: one to do or gain something by it",
        isin=["required", "further_intent", "recklessness_enough", "not_required", "unknown", "not_applicable"],
    )
    attempt: str = Field(
        description="Whether an attempt is punishable",
        isin=["punishable", "not_punishable", "unknown", "not_applicable"],
    )
    aiding: str = Field(
        description="Whether aiding and abetting is punishable",
        isin=["punishable", "not_punishable", "unknown", "not_applicable"],
    )
    general_law: bool = Field(description="An offence by any means, whose law is applied to what is done by computer")
    budapest_articles: str = Field(description="Articles of the Council of Europe convention, as in reference.act")
    un_convention_articles: str = Field(description="Articles of the United Nations convention, as in reference.act")
    confidence: str = Field(description="High, medium, low", isin=["H", "M", "L"])
    note: str = Field(description="What there is to say about it")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["ref_area", "act", "law", "article", "valid_from"]


class Combination(DataFrameModel):
    """Incidents that are several acts in one, by act: the part each plays, and the one under which they are counted."""

    combination: str = Field(description="Code of the combination", str_matches=r"^[a-z]+(_[a-z]+)*$")
    act: str = Field(description="Act in reference.act", isin=ACTS)
    role: str = Field(
        description="What the act is in it: a means, what is attacked, what it is done for",
        isin=["preparatory", "target", "payoff"],
    )
    counts: bool = Field(description="Whether the incident is counted under this act: so for one act of each")
    note: str = Field(description="Why, and what there is to say about it")
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["combination", "act"]


class CombinationCode(DataFrameModel):
    """Publishers' offence codes that are combinations of acts."""

    scheme: str = Field(description="The scheme the code belongs to", str_length={"min_value": 1})
    code: str = Field(description="The publisher's offence code or label", str_length={"min_value": 1})
    combination: str = Field(description="The combination in reference.combination", str_length={"min_value": 1})

    class Config:
        strict = True
        unique = ["scheme", "code"]


class Tag(DataFrameModel):
    """What came up after the acts were drawn: techniques, venues, means of payment, devices. A tag changes no act."""

    tag: str = Field(description="Code of the tag", str_matches=r"^[a-z]+(_[a-z]+)*$")
    tag_name: str = Field(description="English name", str_length={"min_value": 1})
    kind: str = Field(description="What kind of thing it is", isin=["technique", "venue", "payment", "device"])
    vocabulary_version: str = Field(description="Version of the vocabulary that brought it", str_matches=r"^\d+$")
    valid_from: str = Field(description="Year from which the vocabulary has it", str_matches=r"^\d{4}$")
    statement: str = Field(description="What carries it", str_length={"min_value": 1})
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["tag"]


class TagCode(DataFrameModel):
    """Publishers' offence codes that carry a tag, and since when the publisher collects it."""

    scheme: str = Field(description="The scheme the code belongs to", str_length={"min_value": 1})
    code: str = Field(description="The publisher's offence code or label", str_length={"min_value": 1})
    tag: str = Field(description="The tag in reference.tag", str_length={"min_value": 1})
    collected_from: str = Field(
        description="First year for which the publisher collects it; empty where not known", str_matches=r"^(\d{4})?$"
    )
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["scheme", "code", "tag"]


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


class RevisionNote(DataFrameModel):
    """Why figures changed from one vintage to the next: what lets the gate pass a revision that is beyond its bounds.

    A note is about two vintages of one table. It says nothing of the next one.
    """

    source_id: str = Field(description="The source", str_length={"min_value": 1})
    edition: str = Field(description="Which of its tables or survey rounds", str_length={"min_value": 1})
    vintage_before: str = Field(description="The earlier vintage", str_length={"min_value": 1})
    vintage_after: str = Field(description="The vintage that follows it", str_length={"min_value": 1})
    change: str = Field(
        description="Which kind of change is explained, as in harmonised.revision",
        isin=["revised", "restated", "added", "withdrawn"],
    )
    ref_area: str = Field(description="The publisher's codes of the areas, joined by |; empty for every area")
    reason: str = Field(description="Why the figures changed", str_length={"min_value": 1})
    basis: str = Field(description="Where it was read, or what it was deduced from", str_length={"min_value": 1})
    provenance: str = Field(description=PROVENANCE, isin=["READ", "MEMORY", "JUDGEMENT"])

    class Config:
        strict = True
        unique = ["source_id", "edition", "vintage_before", "vintage_after", "change", "ref_area"]


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
    "reference.fact": Fact,
    "reference.recording_practice": RecordingPractice,
    "reference.scheme": Scheme,
    "reference.relation": Relation,
    "reference.convention": Convention,
    "reference.convention_article": ConventionArticle,
    "reference.criminalisation": Criminalisation,
    "reference.combination": Combination,
    "reference.combination_code": CombinationCode,
    "reference.tag": Tag,
    "reference.tag_code": TagCode,
    "reference.denominator": Denominator,
    "reference.revision_note": RevisionNote,
}
