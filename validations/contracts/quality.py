"""Contracts of ``quality``: figures held against each other and against the rules of comparability."""

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period
from darkfigure.sources.returns import MEASURES, POPULATIONS, TERRITORIES
from validations.contracts.reference import ACTS, MEASURE_TYPES, OBS_STATUSES, RELATIONS, SOURCE_KINDS
from validations.contracts.returns import UNIT
from validations.rules import SEVERITIES, STAGES, UNKNOWN, facts, grades, rules, uses

RULES = [rule.rule for rule in rules()]
OUTCOMES = ["broken", UNKNOWN]
GRADES = [grade.grade for grade in grades()]
PROFILE = r"^P-[0-9a-f]{12}$"
RULES_LISTED = r"^([A-Z]-\d\d( [A-Z]-\d\d)*)?$"


class Reconciliation(DataFrameModel):
    """Wholes held against the sums of their parts, wherever both were published; totals are never added to parts."""

    reconciliation: str = Field(description="Which it is (reference.reconciliation)")
    statement: str = Field(description="What ought to equal what")
    ref_area: str = Field(description="Area of the whole")
    time_period: str = Field(description="Period of the whole", str_matches=f"^{period.PATTERN}$")
    whole_count: float = Field(description="The whole, as published", ge=0)
    parts_count: float = Field(description="The sum of the parts, each as published", ge=0)
    difference_count: float = Field(description="Whole less parts")
    part_count: dt.Int64 = Field(description="How many figures the parts are", ge=1)
    reconciles: bool = Field(description="Whether whole and parts are equal")
    expected: str = Field(description="Whether they ought to be", isin=["equal", "unequal", "open"])
    whole_ids: str = Field(description="Ids of the whole's observations; empty where it is stated elsewhere")
    part_ids: str = Field(description="Ids, separated by spaces, of the parts' observations")

    class Config:
        strict = True
        unique = ["reconciliation", "ref_area", "time_period"]


class _Compared(DataFrameModel):
    observation_id: str = Field(
        description="The figure (harmonised.observation); S- where it is stated outside of the tables taken",
        str_matches=r"^[HS]-[0-9a-f]{12}$",
    )
    act: str = Field(description="One of the acts that its heading stands for", isin=ACTS)
    source_id: str = Field(description="The source")
    ref_area: str = Field(description="The area in reference.area")
    country: str = Field(
        description="Whose law and practice it is under: the country, or a part that stands for itself"
    )
    is_national: bool = Field(description="Whether it is that country's own figure and not one of a part")
    offence: str = Field(description="The publisher's offence code or label")
    measure: str = Field(description="What the figure counts", isin=list(MEASURES))
    population: str = Field(description="Whose experience it is about; _T not told apart", isin=["_T", *POPULATIONS])
    recorder: str = Field(description="Who recorded it, where the publisher tells recorders apart; _T else")
    territory: str = Field(description="Where the act was committed from; _T not told apart", isin=list(TERRITORIES))
    unit_measure: str = Field(description="NR number; money: its ISO 4217 code", str_matches=UNIT)
    time_period: str = Field(description="The period, as an SDMX time period", str_matches=f"^{period.PATTERN}$")
    year: dt.Int64 = Field(description="The calendar year that most of the period lies in")
    obs_value: float = Field(description="The figure", ge=0)


def _fact(name: str, text: str) -> str:
    answers = facts()[name]
    return Field(
        description=text,
        **({"isin": [*answers, "unknown", "not_applicable"]} if answers else {"str_length": {"min_value": 1}}),
    )


class Practice(_Compared):
    """Figures that may be compared, one row for each act that their heading stands for, and how they came to be."""

    start_date: dt.Date = Field(description="First day of the period")
    end_date: dt.Date = Field(description="Last day of the period")
    offence_scheme: str = Field(description="The scheme that the offence code belongs to")
    obs_status: str = Field(description="SDMX CL_OBS_STATUS, the publisher's", isin=OBS_STATUSES)
    legal_scope: str = _fact("legal_scope", "Which offences are counted")
    attempts: str = _fact("attempts", "Whether attempts are counted")
    participation: str = _fact("participation", "Whether aiding and abetting are counted")
    unit_of_count: str = _fact("unit_of_count", "What is counted")
    counting_stage: str = _fact("counting_stage", "When a case enters the statistics")
    principal_offence_rule: str = _fact(
        "principal_offence_rule", "Whether only the gravest of several offences is counted"
    )
    booked_elsewhere: str = _fact("booked_elsewhere", "Whether such acts are known to be counted under another heading")
    serial_rule: str = _fact("serial_rule", "How repeated acts and acts with many victims are counted")
    continuing_rule: str = _fact("continuing_rule", "How an offence that goes on is counted")
    separability: str = _fact("separability", "Whether the act is counted apart from others")
    territory_rule: str = _fact("territory_rule", "What makes an act the country's own")
    geographic_coverage: str = _fact("geographic_coverage", "How much of the population the recorders serve")
    institutional_coverage: str = _fact("institutional_coverage", "Whether all bodies that record are in it")
    channels: str = _fact("channels", "By which ways acts come into the figure")
    channel_overlap: str = _fact("channel_overlap", "Whether an act that came by two ways is counted twice")
    classification_version: str = _fact("classification_version", "Name and year of the classification")
    classification_bridge: str = _fact("classification_bridge", "Whether there are factors from the one before")
    denominator: str = _fact("denominator", "The population that rates are made with")
    survey_mode: str = _fact("survey_mode", "How the questions were put")
    recall_window: str = _fact("recall_window", "Over how many months the survey asks back")
    age_range: str = _fact("age_range", "Ages of those who were asked")
    question_version: str = _fact("question_version", "Name and year of the set of questions")
    enterprise_size_floor: str = _fact("enterprise_size_floor", "Fewest persons employed of an enterprise")
    sector_scope: str = _fact("sector_scope", "Economic activities in the survey")
    loss_concept: str = _fact("loss_concept", "Which loss it is")
    reply_state: str = _fact("reply_state", "Whether the country has been shown the figure for its reply")
    relation: str = Field(description="What the offence code is to the act", isin=RELATIONS)
    law: str = _fact("law", "Whether the act was an offence in the period")
    source_kind: str = Field(description="What kind of figure it is", isin=SOURCE_KINDS)
    measure_type: str = Field(description="Events, those who met with any, or money", isin=MEASURE_TYPES)
    reference_period: str = _fact("reference_period", "The month in which the period of twelve months begins")
    maturity: str = _fact("maturity", "Whether the publisher says that it is not yet final")
    precision: str = _fact("precision", "Whether an interval is published")
    money_basis: str = _fact("money_basis", "Whether an amount can be stated in a common currency of its year")
    tag: str = Field(description="Emergent tags of the heading (reference.tag), joined by |; none for none")
    tag_collected: str = _fact("tag_collected", "Whether the publisher collected the tag in the period")
    licence: str = _fact("licence", "Whether the terms of publication are known")
    metadata: str = _fact("metadata", "How many of the facts that apply are known")

    class Config:
        strict = True
        unique = ["observation_id", "act"]


class Rule(DataFrameModel):
    """The rules of comparability: what each says, what it looks at, and what is said of a figure that breaks it."""

    rule: str = Field(description="Id of the rule", str_matches=r"^[A-Z]-\d\d$")
    dimension: str = Field(description="What it is about")
    statement: str = Field(description="What ought to hold")
    severity: str = Field(description="How grave a breach is", isin=list(SEVERITIES))
    flag: str = Field(description="Comment code on a figure that breaks it", str_matches=r"^[A-Z_]+$")
    obs_status: str = Field(description="SDMX CL_OBS_STATUS of such a figure; empty for none", isin=["", *OBS_STATUSES])
    stage: str = Field(description="Where in the making of statistics the obstacle lies", isin=list(STAGES))
    remedy: str = Field(description="What would remove it")
    facts: str = Field(description="Facts that it looks at, separated by spaces; empty where it asks the figures")
    basis: str = Field(description="Where the rule is from")
    basis_provenance: str = Field(description="How that was read")

    class Config:
        strict = True
        unique = ["rule"]


class RuleCost(DataFrameModel):
    """What a rule costs a pair of figures for a use: the most of what applies; what is not known costs the most."""

    rule: str = Field(description="The rule", isin=RULES)
    use: str = Field(description="What the pair is to be used for", isin=list(uses()))
    value: str = Field(description="A value that either figure has; different: where the two differ")
    points: float = Field(description="Points; null where it blocks the use", ge=0, nullable=True)

    class Config:
        strict = True
        unique = ["rule", "use", "value"]


class Finding(DataFrameModel):
    """What rules find out by asking the figures; of those that are not named the rule's first value holds."""

    rule: str = Field(description="The rule", isin=[rule.rule for rule in rules() if rule.finding])
    observation_id: str = Field(description="The figure")
    value: str = Field(
        description="What was found",
        isin=sorted({UNKNOWN, *(v for r in rules() if r.finding for v in r.finding.values)}),
    )
    evidence: str = Field(description="What shows it", str_length={"min_value": 1})

    class Config:
        strict = True
        unique = ["rule", "observation_id"]


class Profile(DataFrameModel):
    """Profiles of figures, fact by fact: figures of one profile are the same to every rule."""

    profile_id: str = Field(description="P- and 12 hex digits", str_matches=PROFILE)
    fact: str = Field(description="The fact in reference.fact; a rule's id in small letters: what it found")
    value: str = Field(description="What holds", str_length={"min_value": 1})

    class Config:
        strict = True
        unique = ["profile_id", "fact"]


class Figure(_Compared):
    """Figures that may be compared, one row for each act that their heading stands for, with their profile."""

    relation: str = Field(description="What the offence code is to the act", isin=RELATIONS)
    profile_id: str = Field(description="The profile (quality.profile)", str_matches=PROFILE)

    class Config:
        strict = True
        unique = ["observation_id", "act"]


class RuleResult(DataFrameModel):
    """Rules that a figure breaks, or of which it is not known whether it does; those not listed hold."""

    rule: str = Field(description="The rule", isin=RULES)
    observation_id: str = Field(description="The figure (quality.figure)")
    act: str = Field(description="The act of that row", isin=ACTS)
    outcome: str = Field(description="broken, or not known", isin=OUTCOMES)
    evidence: str = Field(description="What shows it", str_length={"min_value": 1})

    class Config:
        strict = True
        unique = ["rule", "observation_id", "act"]


class Flag(DataFrameModel):
    """Every status and comment on a figure that may be compared: its publisher's and those of the rules it breaks."""

    observation_id: str = Field(description="The figure (quality.figure)")
    obs_status: str = Field(description="SDMX CL_OBS_STATUS that prevails", isin=OBS_STATUSES)
    obs_statuses: str = Field(
        description="All of them, the prevailing first, joined by |", str_matches=r"^[A-Z](\|[A-Z])*$"
    )
    comment_codes: str = Field(description="Flags of the rules that it breaks, joined by |; empty for none")

    class Config:
        strict = True
        unique = ["observation_id"]


class PairMet(DataFrameModel):
    """Pairs of profiles that meet in figures of one act and year, or of one country and year."""

    act: str = Field(description="The act; empty for pairs in one country and year", isin=["", *ACTS])
    profile_a: str = Field(description="The profile whose id comes first", str_matches=PROFILE)
    profile_b: str = Field(description="The other, or the same", str_matches=PROFILE)
    country_pair_count: dt.Int64 = Field(description="How many pairs of figures of two countries it stands for", ge=0)

    class Config:
        strict = True
        unique = ["act", "profile_a", "profile_b"]


class PairGrade(DataFrameModel):
    """How well two profiles compare, for each use, and which rules make it so."""

    profile_a: str = Field(description="The profile whose id comes first", str_matches=PROFILE)
    profile_b: str = Field(description="The other, or the same", str_matches=PROFILE)
    use: str = Field(description="What the pair is to be used for", isin=list(uses()))
    grade: str = Field(description="A to E; U where a fact that could block it is not known", isin=GRADES)
    points: float = Field(description="Sum of the rules' points", ge=0)
    blocked_by: str = Field(description="Rules that block it, separated by spaces", str_matches=RULES_LISTED)
    undecided_by: str = Field(description="Rules that may, a fact not being known", str_matches=RULES_LISTED)
    cost_by: str = Field(description="Rules that cost it points", str_matches=RULES_LISTED)

    class Config:
        strict = True
        unique = ["profile_a", "profile_b", "use"]


class GradeCount(DataFrameModel):
    """How many pairs of figures of two countries, of one act in one year, have which grade for which use."""

    act: str = Field(description="The act", isin=ACTS)
    use: str = Field(description="What the pair is to be used for", isin=list(uses()))
    grade: str = Field(description="The grade", isin=GRADES)
    pair_count: dt.Int64 = Field(description="Pairs of figures", ge=1)

    class Config:
        strict = True
        unique = ["act", "use", "grade"]


class GradeSensitivity(DataFrameModel):
    """How many of those grades change where the points of one rule for one use move by one."""

    rule: str = Field(description="The rule", isin=RULES)
    use: str = Field(description="What the pair is to be used for", isin=list(uses()))
    step: str = Field(description="By how much its points move; not below 0", isin=["-1", "+1"])
    pair_count: dt.Int64 = Field(description="Pairs of figures", ge=0)
    changed_count: dt.Int64 = Field(description="Those whose grade changes", ge=0)

    class Config:
        strict = True
        unique = ["rule", "use", "step"]


class Obstacle(DataFrameModel):
    """What stands in the way of comparing a country's figures of an act: rules broken, facts missing."""

    ref_area: str = Field(description="The country, or a part that stands for itself (reference.area)")
    act: str = Field(description="The act", isin=ACTS)
    stage: str = Field(description="Where in the making of statistics it lies", isin=list(STAGES))
    rule: str = Field(description="The rule", isin=RULES)
    flag: str = Field(description="Its comment code")
    severity: str = Field(description="How grave it is", isin=list(SEVERITIES))
    source_id: str = Field(description="The source")
    kind: str = Field(description="A difference, or a fact that is missing", isin=["difference", "missing fact"])
    first_year: dt.Int64 = Field(description="First year of figures that it hinders")
    last_year: dt.Int64 = Field(description="Last year of such figures")
    figure_count: dt.Int64 = Field(description="How many figures it hinders", ge=1)
    state: str = Field(description="closed where figures of later years pass the rule", isin=["open", "closed"])
    closed_year: dt.Int64 = Field(description="The first of those years; null while it is open", nullable=True)
    evidence: str = Field(description="What shows it, in the last of its years")
    observation_id: str = Field(description="A figure of that year")
    remedy: str = Field(description="What would remove it")

    class Config:
        strict = True
        unique = ["ref_area", "act", "rule", "source_id", "kind"]


class Collector(DataFrameModel):
    """Who collects cybercrime specially, apart from other crime and by act: in which collection, and since when."""

    ref_area: str = Field(description="The country, or a part that stands for itself (reference.area)")
    source_id: str = Field(description="The collection")
    act_count: dt.Int32 = Field(description="How many acts it ever told apart there", ge=1)
    acts: str = Field(description="Which acts")
    latest_act_count: dt.Int32 = Field(description="How many in the collection's latest year", ge=0)
    first_period: str = Field(description="First year with any of them", str_matches=r"^\d{4}$")
    last_period: str = Field(description="Last year with any of them", str_matches=r"^\d{4}$")

    class Config:
        strict = True
        unique = ["ref_area", "source_id"]


class Balance(DataFrameModel):
    """How evenly regions, development groups and kinds of respondent are represented among those who collect."""

    collection: str = Field(description="unodc_cts, or all collections", isin=["unodc_cts", "all"])
    dimension: str = Field(description="What the world is divided by", isin=["region", "development", "respondent"])
    category: str = Field(description="Region of UN M49, development group, or kind of respondent")
    collecting_count: dt.Int64 = Field(description="Countries and areas that collect; that the kind speaks for", ge=0)
    area_count: dt.Int64 = Field(description="Countries and areas of the category; null for respondents", nullable=True)
    share_pct: float = Field(description="Those that collect; null for respondents", ge=0, nullable=True)
    verdict: str = Field(
        description="none, few (below half of the overall share), or balanced", isin=["none", "few", "balanced"]
    )

    class Config:
        strict = True
        unique = ["collection", "dimension", "category"]


class DefinitionSensitivity(DataFrameModel):
    """One country and year under a narrow, a tagged and a broad definition of cybercrime."""

    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Year", str_matches=r"^\d{4}$")
    narrow_source_id: str = Field(description="The source of the narrow count")
    narrow_count: float = Field(description="Acts against computer systems and data (ICCS 0903)", ge=0)
    tagged_count: float = Field(description="With cyber-related fraud too", ge=0)
    broad_count: float = Field(description="With all fraud", ge=0)
    tagged_over_narrow: float = Field(description="A factor; null where the narrow count is 0", ge=1, nullable=True)
    broad_over_narrow: float = Field(description="A factor; null where the narrow count is 0", ge=1, nullable=True)
    input_ids: str = Field(description="Ids, separated by spaces, of the observations it was made from")

    class Config:
        strict = True
        unique = ["ref_area", "time_period", "narrow_source_id"]


CONTRACTS: dict[str, type[DataFrameModel]] = {
    "quality.reconciliation": Reconciliation,
    "quality.practice": Practice,
    "quality.rule": Rule,
    "quality.rule_cost": RuleCost,
    "quality.finding": Finding,
    "quality.profile": Profile,
    "quality.figure": Figure,
    "quality.rule_result": RuleResult,
    "quality.flag": Flag,
    "quality.pair_met": PairMet,
    "quality.pair_grade": PairGrade,
    "quality.grade_count": GradeCount,
    "quality.grade_sensitivity": GradeSensitivity,
    "quality.obstacle": Obstacle,
    "quality.collector": Collector,
    "quality.balance": Balance,
    "quality.definition_sensitivity": DefinitionSensitivity,
}
