"""What estimators assume, by code: the one registry.

An estimate names its assumptions by these codes and knows no others, so that a table of estimates can be asked which
of them rest on what. Here: each assumption in a sentence, and what would break it. Not here: who makes it; an
estimator's own module says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class Assumption:
    """``statement``: what is assumed. ``broken_by``: what would break it. A sentence each, without a full stop."""

    code: str
    statement: str
    broken_by: str


_SURVEYS = (
    Assumption(
        "SURVEY_ANSWERS_TRUE",
        "Respondents tell what happened to them in the reference year, and know whether they denounced it",
        "Forgetting, telescoping from earlier years, shame, answering for other members of the household",
    ),
    Assumption(
        "CASE_FILE_KNOWN",
        "Respondents know whether a case file was opened",
        "Taking another document of the prosecutor for a case file, of which the publisher warns",
    ),
    Assumption(
        "WEIGHTS_MAKE_THE_POPULATION",
        "The survey's weights turn those who answered into the population asked about",
        "People without a dwelling or a telephone, refusals that go with victimisation, an outdated census",
    ),
    Assumption(
        "LINEAR_IN_TOTALS",
        "The estimate varies with the sample as its linear part in the estimated totals does",
        "A ratio with few cases in its denominator, a share close to 0 or 1",
    ),
    Assumption(
        "PSUS_WITH_REPLACEMENT",
        "First-stage units are drawn as if with replacement, so that their spread tells the whole variance",
        "A large part of a stratum's units in the sample: the variance is then stated too large, not too small",
    ),
    Assumption(
        "REPLICATES_FOLLOW_THE_DESIGN",
        "The published replicate weights vary as samples of this design would",
        "Another scale or kind of replicates than stated, weights not calibrated anew in each replicate",
    ),
    Assumption(
        "RECALL_PRIOR",
        "Incidents told of beyond those of the period are as many as the stated prior says",
        "A bounded interview, a longer or more salient reference period than in the studies behind the prior",
    ),
    Assumption(
        "CORRELATION_OF_ERRORS",
        "The sampling errors of the two estimates are correlated as stated",
        "Two figures of one survey taken as independent",
    ),
)

_PRECISION = (
    Assumption(
        "CV_AS_PUBLISHED",
        "The published coefficient of variation is that of the figure's sampling error",
        "Variances that leave out the design or the weighting, a CV printed beside another figure",
    ),
    Assumption(
        "CV_BAND_UPPER",
        "The coefficient of variation is the upper end of the published band: the interval is at least as wide as the "
        "survey's own",
        "Nothing on the wide side; a band printed wrongly",
    ),
    Assumption(
        "CV_OF_NUMERATOR",
        "The CV of a share p is at most that of its numerator times sqrt(1 - p^2): the rest is at most twice as "
        "clustered in the sample and does not vary against it",
        "Long series of unreported crimes from few respondents, reported crimes from few places",
    ),
    Assumption(
        "CASES_BY_CV",
        "A published CV is that of a sample whose effective number of cases is 1 / CV squared, and as many answers "
        "carry a share within it",
        "A share within cases that is far more clustered than the cases, a question put to part of the cases only",
    ),
    Assumption(
        "DESIGN_EFFECT_TWO",
        "Where no precision is published, the variance of the survey's estimate is twice that of a simple random "
        "sample of its respondents",
        "Large clusters, very unequal weights, crimes that come in places or in series",
    ),
    Assumption(
        "DESIGN_EFFECT_OF_THE_FIGURE",
        "The stated design effect is that of this figure",
        "A design effect averaged over other questions, or over the whole survey",
    ),
    Assumption(
        "QUOTED_PRECISION",
        "A quoted survey figure without precision rests on at least 100 effective answers",
        "A figure of a small subgroup, or of few victims among many respondents",
    ),
    Assumption(
        "QUOTED_FIGURE",
        "The figure is as quoted on the publisher's page, rounded there",
        "A slip in the quotation, a later revision of the figure, rounding that hides a small base",
    ),
)

_SCOPE = (
    Assumption(
        "SAME_CONDUCT",
        "Survey and authorities mean the same conduct by the same word",
        "An offence asked more widely than it is recorded, attempts counted on one side only",
    ),
    Assumption(
        "SAME_VICTIMS",
        "Survey and authorities count crimes against the same victims",
        "Case files on behalf of firms, minors or visitors, whom the survey does not ask",
    ),
    Assumption(
        "SAME_YEAR",
        "Crimes are recorded in the year in which they happened",
        "Late denunciation, backlogs at the prosecutor",
    ),
    Assumption(
        "SAME_SCOPE_SURVEYED_AND_RECORDED",
        "The survey's shares hold for the incidents that the records count: the same acts, victims and period",
        "Records of acts or victims that the survey leaves out, another reference period",
    ),
    Assumption(
        "RECORDING_RATE_KNOWN",
        "The share of reports that are recorded is as stated, with the stated error; 1 where none is given",
        "Reports turned away, reclassified or recorded elsewhere, without an audit that tells how many",
    ),
    Assumption(
        "SOURCES_ERR_APART",
        "Shares taken from different sources err independently of each other",
        "Surveys with one questionnaire or method, one audit behind the recording rates of several cells",
    ),
    Assumption(
        "REPEATS_GEOMETRIC",
        "Repeat victimisation follows a geometric law with the published mean",
        "A few victims of very long series, a cap on the number of incidents asked about",
    ),
)

_MODELS = (
    Assumption(
        "CELLS_EXCHANGEABLE_WITHIN_FACTORS",
        "Cells differ from what their factors say at random, each as much as any other of its kind",
        "A reporting campaign, a new duty to report or an online form in some of the cells",
    ),
    Assumption(
        "SURVEYED_CELLS_LIKE_OTHERS",
        "Cells without a survey report like those with one that have the same factors",
        "Surveys held where reporting is known to be good, or where a crisis called for one",
    ),
    Assumption(
        "LOGIT_NORMAL_RATES",
        "The logits of reporting rates vary between cells by a normal law",
        "A few cells that report nearly everything or nearly nothing",
    ),
    Assumption(
        "VALIDATED_LIKE_ALL",
        "Incidents in the validation sample were as likely to be recorded as the others of their category",
        "A validation of the cases that were easy to follow up",
    ),
    Assumption(
        "POISSON_COUNTS",
        "Given their rate, recorded counts vary by a Poisson law",
        "Series of incidents recorded together, waves of one offender or one fraud",
    ),
    Assumption(
        "INCIDENCE_AS_HELD",
        "Incidence varies log-normally as the prior says, and goes with reporting only as its correlation says",
        "A correlation that is held fixed and wrong, areas whose incidence is of another kind",
    ),
)

_LISTS = (
    Assumption(
        "CLOSED_POPULATION",
        "The people counted are the same while the lists are drawn up",
        "People who become victims, leave or die between the first list and the last",
    ),
    Assumption(
        "LINKS_RIGHT",
        "Records of one person on several lists are linked, and records of different persons are not",
        "Missing identifiers, several spellings of a name: missed links make the estimate too high, false ones too low",
    ),
    Assumption(
        "LISTS_INDEPENDENT",
        "For each person, being on one list changes nothing of the chance to be on another",
        "Referral from one list to the next, or one service in place of the other",
    ),
    Assumption(
        "ALIKE_WITHIN_MODEL",
        "People whom the model does not tell apart are as likely as each other to be on each list",
        "Easily found and hardly found people in one table",
    ),
    Assumption(
        "NO_HIGHEST_INTERACTION",
        "The lists have no interaction of all of them together",
        "A kind of people that all lists reach or all lists miss; no data of the lists can tell",
    ),
    Assumption(
        "HIGHEST_INTERACTION_AS_GIVEN",
        "The interaction of all lists together has the stated odds ratio",
        "Any other one; no data of the lists can tell",
    ),
    Assumption(
        "GRAPH_DECOMPOSABLE",
        "One of the decomposable graphs says which lists depend on each other, each as likely beforehand",
        "A ring of dependences between four lists or more, pairs of lists that depend without their common graph",
    ),
    Assumption(
        "INDEPENDENT_WITHIN_CLASS",
        "Within a class of people the lists are independent",
        "Referral between lists, which no class of people explains",
    ),
    Assumption(
        "ALL_CAN_BE_LISTED",
        "Every person counted could be on some list; those whom no list could hold are not counted",
        "Victims whom no service reaches and who never go to the authorities",
    ),
    Assumption(
        "ALIKE_BUT_FOR_HETEROGENEITY",
        "People differ in how likely they are to be found by the stated law, and in nothing else",
        "Another law of the differences, which fits the lists as well and gives another number",
    ),
    Assumption(
        "FOUND_AT_OWN_RATE",
        "Each person is found at a rate of their own, and differences between these only raise the number",
        "Dependence between lists, which can put the lower bound above the truth",
    ),
    Assumption(
        "FOUND_AT_ONE_RATE",
        "Those found once or twice are found at one rate, in a Poisson process",
        "Being found once that leads to being found again, or that prevents it",
    ),
    Assumption(
        "LISTS_IN_TIME_ORDER",
        "The lists stand in their order in time",
        "Lists that were drawn up at the same time, or an order that is not known",
    ),
    Assumption(
        "FOUND_CHANGES_ONCE",
        "Being found for the first time changes the chance to be found again, and later times do not",
        "A chance that changes with each time, or that fades",
    ),
)

_LOSSES = (
    Assumption(
        "LOSS_ANSWERS_TRUE",
        "Victims state what they lost",
        "Rounding, the loss before what the bank gave back, shame about large losses",
    ),
    Assumption(
        "ANSWERS_REPRESENT_VICTIMS",
        "With their weights, those who stated a loss stand for all victims",
        "Victims of large losses who do not answer, complaints to an authority taken for a sample of victims",
    ),
    Assumption(
        "NUMBER_OF_VICTIMS_KNOWN",
        "The weights add up to the number of victims, taken as known",
        "A sampling error of that number, which the interval leaves out",
    ),
    Assumption(
        "LOSSES_ABOVE_CAP_LEFT_OUT",
        "What is lost beyond the cap does not count, by definition of the winsorised mean",
        "Reading the winsorised mean as a mean",
    ),
    Assumption(
        "LOSSES_LOG_NORMAL",
        "Losses follow a log-normal law, tail included",
        "A tail that falls as a power: the mean and the total are then too low",
    ),
    Assumption(
        "TAIL_SEEN_IN_SAMPLE",
        "The sample holds losses as large as those that make the total",
        "A tail so heavy that the largest losses are not in the sample",
    ),
    Assumption(
        "TAIL_IS_PARETO",
        "Beyond the threshold losses follow a Pareto law",
        "A threshold too low, or a tail with an end",
    ),
    Assumption(
        "TAIL_IS_GENERALISED_PARETO",
        "Beyond the threshold losses follow a generalised Pareto law",
        "A threshold too low, or stated losses that cluster at round numbers",
    ),
)

_GAPS = (
    Assumption(
        "MISSING_LIKE_REPORTED_IN_STRATUM",
        "Agencies that did not report are like those of their stratum that did",
        "Agencies that report nothing because they have much to report, or nothing",
    ),
    Assumption(
        "REPORTS_COMPLETE",
        "An agency that reported has reported everything",
        "Months or offences left out of a report without a mark",
    ),
    Assumption(
        "SIZES_KNOWN",
        "The size of every agency is known, of those that did not report too",
        "Populations that overlap between agencies, or that are out of date",
    ),
    Assumption(
        "DELAYS_ALIKE_IN_ALL_PERIODS",
        "Reports come in with the same delays in all periods",
        "A new form or system, a backlog worked off, a campaign for old cases",
    ),
    Assumption(
        "PERIODS_INDEPENDENT",
        "What comes in late of one period says nothing about another period",
        "A delivery that holds the late reports of several periods",
    ),
    Assumption(
        "COMPLETE_AT_LAST_DELAY",
        "Nothing comes in after the longest delay seen",
        "Reports years later, such as those of crimes against children",
    ),
)

_BOUNDS = (
    Assumption(
        "NONE_OF_NONRESPONSE",
        "Nothing is assumed of those who did not answer",
        "Only a share of answers that is stated wrongly",
    ),
    Assumption(
        "NONRESPONSE_AT_MOST_OBSERVED",
        "The mean of those who did not answer is at most that of those who did",
        "Victims who are harder to reach, or less willing to speak, than others",
    ),
    Assumption(
        "NONRESPONSE_AT_LEAST_OBSERVED",
        "The mean of those who did not answer is at least that of those who did",
        "Victims who answer a survey on crime more readily than others",
    ),
    Assumption(
        "GROUP_MEANS_RISE",
        "From one of the ordered groups to the next the mean does not fall",
        "A group that stands in the wrong place of the order",
    ),
    Assumption(
        "REPORTING_ANY_SHARE",
        "The share of incidents that are reported may be anything up to 1",
        "More reports than incidents, as where one incident is reported twice",
    ),
    Assumption(
        "RECORDING_ANY_SHARE",
        "The share of reports that are recorded may be anything up to 1",
        "More records than reports, as where the police find crimes themselves",
    ),
    Assumption(
        "NONE_OF_OVERLAP",
        "Nothing is assumed of how many stand on several lists",
        "A person who stands twice on one list",
    ),
)

#: All of them, by code.
ASSUMPTIONS: Mapping[str, Assumption] = MappingProxyType(
    {
        each.code: each
        for group in (_SURVEYS, _PRECISION, _SCOPE, _MODELS, _LISTS, _LOSSES, _GAPS, _BOUNDS)
        for each in group
    }
)
