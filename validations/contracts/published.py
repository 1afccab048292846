"""Contracts of ``published``: what people query. Each is its layer's contract, plus names to read."""

from typing import Any

import ibis.expr.datatypes as dt
from pandera.ibis import DataFrameModel, Field

from darkfigure.sources import period
from validations.contracts import estimates, firms, harmonised, own_view, quality, reference, returns, revisions


class Source(DataFrameModel):
    """Every publisher's file that figures came from, with licence and citation."""

    snapshot_id: str = Field(description="First 12 hex digits of the file's SHA-256")
    source_id: str = Field(description="The source's declaration in darkfigure.sources")
    publisher: str = Field(description="Who publishes it")
    table_title: str = Field(description="The publisher's table")
    edition: str = Field(description="Which of the source's tables or survey rounds this is")
    vintage: str = Field(description="The publisher's own date of this version, or the last period in it")
    latest: bool = Field(description="Whether this is the latest vintage of its edition, whose figures are in use")
    source_type: str = Field(description="What kind of source it is")
    language: str = Field(description="Language of codes and labels, ISO 639-1")
    url: str = Field(description="The publisher's address for the table")
    file_name: str = Field(description="The file's name as received")
    sha256: str = Field(description="SHA-256 of the publisher's file, in hex")
    retrieved_at: dt.Timestamp(scale=6) = Field(description="When the file was received, in UTC")  # type: ignore[valid-type]
    licence: str = Field(description="Terms under which the publisher lets its figures be reused")
    citation: str = Field(description="How to cite the publisher's table")
    rows_read: int = Field(description="Data rows of the publisher's tables that were read")
    returns_accepted: int = Field(description="Figures taken")
    returns_rejected: int = Field(description="Cells that could not be taken as figures")

    class Config:
        strict = True
        unique = ["snapshot_id"]


class Returned(returns.Observation):
    """Every figure as its publisher printed it, of every vintage, with the place where it stands."""

    class Config(returns.Observation.Config):
        pass


class _Named(DataFrameModel):
    area_name: str = Field(description="English name of the area")


class _Flagged(DataFrameModel):
    obs_statuses: str = Field(
        description="The publisher's status and those of the rules it breaks, the prevailing first, joined by |",
        str_matches=r"^[A-Z](\|[A-Z])*$",
    )
    comment_codes: str = Field(description="Flags of the rules of comparability that it breaks, joined by |")


class _Part(_Named):
    parent_area: str = Field(description="The country that a part belongs to; empty for countries")


class _Regional(_Named):
    region: str = Field(description="UN M49 region; empty where it has none")
    publisher: str = Field(description="Who publishes the figure")


class Observation(harmonised.Observation, _Flagged, _Part, _Regional):
    """Counts and percentages of the latest vintages under common area codes, with the act each corresponds to."""

    class Config(harmonised.Observation.Config):
        pass


class Indicator(harmonised.Indicator, _Regional):
    """Rates per 100,000 persons of a declared denominator; no row where the denominator is not known."""

    class Config(harmonised.Indicator.Config):
        pass


class Loss(harmonised.Loss, _Named):
    """Money in its own currency and year, and in two common ones: at the year's mean rate, and by what it buys."""

    class Config(harmonised.Loss.Config):
        pass


class Quotation(harmonised.Quotation):
    """Figures quoted on publishers' or others' pages: never mixed with those of published tables."""

    class Config(harmonised.Quotation.Config):
        pass


class Revision(harmonised.Revision):
    """What changed from one vintage of a table to the next, within the periods that both cover."""

    class Config(harmonised.Revision.Config):
        pass


class Reconciliation(quality.Reconciliation):
    """Wholes held against the sums of their parts, wherever both were published; totals are never added to parts."""

    class Config(quality.Reconciliation.Config):
        pass


class ReportingRate(estimates.ReportingRate, _Part):
    """Victim-stated rates, administrative ratios (recorded over surveyed) and their disagreements, with intervals."""

    class Config(estimates.ReportingRate.Config):
        pass


class DarkFigure(estimates.DarkFigure, _Part):
    """Crimes that a survey counts and authorities do not, as number and share of the surveyed, with intervals."""

    class Config(estimates.DarkFigure.Config):
        pass


class Incidence(estimates.Incidence, _Part):
    """How many incidents there were: as the survey counts them, by the multiplier, and by a pooled multiplier."""

    class Config(estimates.Incidence.Config):
        pass


class Sensitivity(estimates.Sensitivity):
    """What a pooled number of a whole area would be were one assumption another, and without each source."""

    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="The period", str_matches=f"^{period.PATTERN}$")
    offence: str = Field(description="The survey's offence")
    published_count: float = Field(description="The number as it is published", gt=0)

    class Config(estimates.Sensitivity.Config):
        pass


def _limit(text: str) -> Any:
    return Field(description=text, nullable=True, ge=0)


class ReportingGap(_Named):
    """One row per area, year and offence: what victims say, what authorities recorded, how far apart the two are."""

    source_id: str = Field(description="The survey")
    ref_area: str = Field(description="The area in reference.area")
    time_period: str = Field(description="Reference period of the survey", str_matches=f"^{period.PATTERN}$")
    offence: str = Field(description="The survey's offence; _T all offences")
    act: str = Field(description="Act in reference.act; several joined by |; empty for none")
    unit: str = Field(description="What the numbers count", isin=estimates.UNITS)
    surveyed_count: float = _limit("Surveyed crimes, as published")
    recorded_count: float = _limit("Case files that authorities counted; null where not published for the whole year")
    denounced_pct: float = _limit("Of the surveyed crimes, those that victims say were denounced")
    denounced_pct_lower: float = _limit("Lower limit")
    denounced_pct_upper: float = _limit("Upper limit")
    case_file_pct: float = _limit("Of the surveyed crimes, those that victims say have a case file")
    case_file_pct_lower: float = _limit("Lower limit")
    case_file_pct_upper: float = _limit("Upper limit")
    administrative_pct: float = _limit("Recorded over surveyed: another quantity than the two before")
    administrative_pct_lower: float = _limit("Lower limit")
    administrative_pct_upper: float = _limit("Upper limit")
    disagreement_denounced: float = _limit("Denounced by victims' word, over recorded: a factor")
    disagreement_case_file: float = _limit("With a case file by victims' word, over recorded: a factor")
    dark_count: float = _limit("Surveyed crimes without a case file by victims' word (cifra negra)")
    dark_count_lower: float = _limit("Lower limit")
    dark_count_upper: float = _limit("Upper limit")
    dark_pct: float = _limit("The same as a share of the surveyed crimes")
    dark_pct_lower: float = _limit("Lower limit")
    dark_pct_upper: float = _limit("Upper limit")
    less_recorded_count: float = _limit("Surveyed less recorded crimes")
    less_recorded_count_lower: float = _limit("Lower limit")
    less_recorded_count_upper: float = _limit("Upper limit")

    class Config:
        strict = True
        unique = ["source_id", "ref_area", "time_period", "offence"]


class Assumption(reference.Assumption):
    """What an estimate takes for granted, and what would break it."""

    class Config(reference.Assumption.Config):
        pass


class Figure(quality.Figure, _Flagged, _Named):
    """Figures that may be compared, one row for each act that their heading stands for, with all that is to be said."""

    prevailing_status: str = Field(
        description="SDMX CL_OBS_STATUS that prevails: the publisher's, or that of a rule it breaks",
        isin=reference.OBS_STATUSES,
    )

    class Config(quality.Figure.Config):
        pass


class Profile(quality.Profile):
    """Profiles of figures, fact by fact: figures of one profile are the same to every rule."""

    class Config(quality.Profile.Config):
        pass


class PairGrade(quality.PairGrade):
    """How well two profiles compare, for each use, and which rules make it so."""

    class Config(quality.PairGrade.Config):
        pass


class Rule(quality.Rule):
    """The rules of comparability: what each says, what it looks at, and what is said of a figure that breaks it."""

    class Config(quality.Rule.Config):
        pass


class RuleCost(quality.RuleCost):
    """What a rule costs a pair of figures for a use: the most of what applies; what is not known costs the most."""

    class Config(quality.RuleCost.Config):
        pass


class GradeCount(quality.GradeCount):
    """How many pairs of figures of two countries, of one act in one year, have which grade for which use."""

    class Config(quality.GradeCount.Config):
        pass


class GradeSensitivity(quality.GradeSensitivity):
    """How many of those grades change where the points of one rule for one use move by one."""

    class Config(quality.GradeSensitivity.Config):
        pass


class Obstacle(quality.Obstacle, _Named):
    """What stands in the way of comparing a country's figures of an act: rules broken, facts missing."""

    class Config(quality.Obstacle.Config):
        pass


class Collector(quality.Collector, _Named):
    """Who collects cybercrime specially, apart from other crime and by act: in which collection, and since when."""

    region: str = Field(description="UN M49 region; empty where it has none")

    class Config(quality.Collector.Config):
        pass


class Balance(quality.Balance):
    """How evenly regions, development groups and kinds of respondent are represented among those who collect."""

    class Config(quality.Balance.Config):
        pass


class DefinitionSensitivity(quality.DefinitionSensitivity, _Named):
    """One country and year under a narrow, a tagged and a broad definition of cybercrime."""

    class Config(quality.DefinitionSensitivity.Config):
        pass


class RecordingPractice(reference.RecordingPractice):
    """How figures came to be, fact by fact: for a source or a kind of sources, an area, an offence and a time."""

    class Config(reference.RecordingPractice.Config):
        pass


class Criminalisation(reference.Criminalisation, _Named):
    """Which act is an offence by which article of a country's law, and from which day to which."""

    act_name: str = Field(description="English name of the act")

    class Config(reference.Criminalisation.Config):
        pass


class Act(reference.Act):
    """The 14 acts of cybercrime in three groups, with ICCS classes and the articles of both conventions."""

    class Config(reference.Act.Config):
        pass


class Crosswalk(reference.Crosswalk):
    """Publishers' offence codes, every one that is known, and the acts that they correspond to."""

    skos: str = Field(description="SKOS mapping property, the code its subject and the act its object; empty for none")

    class Config(reference.Crosswalk.Config):
        pass


class Component(harmonised.Component, _Named):
    """Counts of incidents that are several acts in one, a row for each act. Only counted rows may be summed."""

    class Config(harmonised.Component.Config):
        pass


class Tag(harmonised.Tag, _Named):
    """Figures of codes that carry a tag; and, for years before it was collected, a row that says so and no zero."""

    tag_name: str = Field(description="English name of the tag")

    class Config(harmonised.Tag.Config):
        pass


CONTRACTS: dict[str, type[DataFrameModel]] = {
    "published.source": Source,
    "published.returned": Returned,
    "published.observation": Observation,
    "published.indicator": Indicator,
    "published.loss": Loss,
    "published.quotation": Quotation,
    "published.revision": Revision,
    "published.revision_triangle": revisions.RevisionTriangle,
    "published.mean_revision": revisions.MeanRevision,
    "published.reconciliation": Reconciliation,
    "published.reporting_rate": ReportingRate,
    "published.dark_figure": DarkFigure,
    "published.reporting_gap": ReportingGap,
    "published.incidence": Incidence,
    "published.sensitivity": Sensitivity,
    "published.pool": estimates.Pool,
    "published.pool_evidence": estimates.PoolEvidence,
    "published.assumption": Assumption,
    "published.figure": Figure,
    "published.profile": Profile,
    "published.pair_grade": PairGrade,
    "published.rule": Rule,
    "published.rule_cost": RuleCost,
    "published.grade_count": GradeCount,
    "published.grade_sensitivity": GradeSensitivity,
    "published.obstacle": Obstacle,
    "published.collector": Collector,
    "published.balance": Balance,
    "published.definition_sensitivity": DefinitionSensitivity,
    "published.recording_practice": RecordingPractice,
    "published.criminalisation": Criminalisation,
    "published.act": Act,
    "published.crosswalk": Crosswalk,
    "published.component": Component,
    "published.tag": Tag,
    "published.statement": own_view.Statement,
    "published.reply_window": own_view.ReplyWindow,
    "published.own_view": own_view.OwnView,
    "published.firm_return": firms.FirmReturn,
    "published.disclosure": firms.PublishedDisclosure,
}
