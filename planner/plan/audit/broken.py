"""Broken rules as a buyer reads them: one sentence a rule, from the audit's findings and the margins."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from planner.plan.audit.findings import Finding
from planner.plan.flows import Names
from planner.plan.margins import Margin
from planner.plan.plan import Plan
from planner.units import HOURS_PER_WEEK, hour_label

OF_PROOF = ("bound", "status", "gap")  # findings about how good a plan is, not about a rule of the case
STRESS = "stress"
BROKEN = 1e-6  # relative: growth below 1 that counts as broken

WORDS = {
    "balance": "demand is served",
    "mix": "shares of the model mix",
    "guaranteed": "guaranteed share",
    "reserved": "headroom of reserved units",
    "deployment": "no more units than are committed",
    "sizes": "sizes that are sold",
    "quota": "on-demand quotas",
    "egress": "egress caps",
    "routes": "routes and residency",
    "budget": "budget",
    STRESS: "headroom and failover",
    "totals": "costs add up",
    "names": "names of the input",
    "input": "the input of the plan",
    "bound": "the proof",
    "summary": "figures of plan.json",
}


@dataclass(frozen=True)
class BrokenRule:
    """A rule that a plan breaks: its name in the audit, what is broken, the worst place in figures, all places."""

    rule: str
    what: str
    worst: str
    places: int

    def __str__(self) -> str:
        rest = self.places - 1
        more = f" (and in {rest:,} more place{'s' * (rest > 1)})" if rest > 0 else ""
        return f"{self.what}: {self.worst}{more}"


def lacks_witness(plan: Plan) -> bool:
    """Whether a plan is an order as given that comes without a witness of its stress cases."""
    return plan.proof.status == "given" and not len(plan.stress_slots)


def one_a_rule(findings: Iterable[Finding]) -> tuple[BrokenRule, ...]:
    """Sum up findings: the worst place of each rule, and how many places there are, in the order of the findings."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.rule, []).append(finding)
    return tuple(
        BrokenRule(rule, WORDS.get(rule, rule), found[0].message, sum(f.places for f in found))
        for rule, found in groups.items()
    )


def broken_rules(findings: Iterable[Finding], margins: Sequence[Margin], names: Names) -> tuple[BrokenRule, ...]:
    """List the rules of a case that a plan breaks, stress cases by their margins, the rest by the audit's findings."""
    others = [f for f in findings if f.rule != STRESS and f.rule not in OF_PROOF]
    broken = sorted((m for m in margins if m.slot >= 0 and m.growth < 1 - BROKEN), key=lambda m: m.growth)
    return (*(_case(m, names) for m in broken), *one_a_rule(others))


def _case(margin: Margin, names: Names) -> BrokenRule:
    block, hour = divmod(margin.slot, HOURS_PER_WEEK)
    scenario, period = divmod(block, len(names.periods))
    of = f" in scenario {names.scenarios[scenario]}" if len(names.scenarios) > 1 else ""
    lost = margin.case.failed
    what = "the spare capacity asked for" if lost is None else f"the loss of {lost}"
    served = f"{margin.need_rph * margin.growth:,.0f} of {margin.need_rph:,.0f} requests/hour"
    worst = (
        f"{what} cannot be served: {served} on {hour_label(hour)} UTC, {names.periods[period]}{of}, a margin of "
        f"{margin.share * 100:.1f} %"
    )
    return BrokenRule(STRESS, margin.case.name, worst, 1)
