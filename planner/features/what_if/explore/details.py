"""What the page says of an audited plan, as plain data: it comes from another process."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.features.what_if.explore.quick import Picture, ServedBy, study_lines
from planner.plan.hours import served_weeks
from planner.units import HOURS_PER_WEEK
from planner.workbook import proof_story, rules_story, story
from planner.workbook.html import stress_table
from planner.workbook.report import Report


@dataclass(frozen=True)
class Strategy:
    """A way to serve the same usage."""

    name: str
    total_usd: float
    possible: bool
    note: str


@dataclass(frozen=True)
class Detail:
    """A finished plan, as the page shows it.

    rules : what each rule costs, a sentence each; None: not worked out yet. margins : heads and rows of a table.
    """

    picture: Picture
    headline: tuple[str, str]
    strategies: tuple[Strategy, ...]
    rules: tuple[str, ...] | None
    margins: tuple[Sequence[str], Sequence[Sequence[str]]] | None
    without_margins: str
    risks: tuple[str, ...]
    proof: tuple[str, ...]


def detail_of(report: Report) -> Detail:
    """Read off a report what the page shows."""
    plan = report.plan
    lines = study_lines(report.case, plan.purchases)
    picture = Picture(
        total_usd=plan.totals.total_usd,
        parts=plan.totals.parts(),
        to_sign_usd=sum(line.usd for line in lines),
        lines=lines,
        weeks=_weeks(report),
    )
    return Detail(
        picture=picture,
        headline=story.decision(report),
        strategies=tuple(Strategy(w.name, w.total_usd, w.possible, w.note) for w in story.ways(report)),
        rules=None if report.rules is None else tuple(rules_story.rule_lines(report)),
        margins=stress_table(report),
        without_margins=report.without_margins,
        risks=tuple(map(str, story.risks(report))),  # plain text: advice is more than that
        proof=tuple(proof_story.proof(report)),
    )


def _weeks(report: Report) -> dict[str, ServedBy]:
    """Mean week of each region: its months weighted by their weeks."""
    weeks = {period.name: period.weeks for period in report.case.periods}
    total = sum(weeks.values())
    sums: dict[str, tuple[list[float], list[float]]] = {}
    for week in served_weeks(report.reading):
        reserved, on_demand = sums.setdefault(week.region, ([0.0] * HOURS_PER_WEEK, [0.0] * HOURS_PER_WEEK))
        share = weeks[week.period] / total
        for hour in range(HOURS_PER_WEEK):
            reserved[hour] += share * week.reserved_rph[hour]
            on_demand[hour] += share * week.on_demand_rph[hour]
    return {region: ServedBy(tuple(own), tuple(other)) for region, (own, other) in sorted(sums.items())}
