"""Findings: what an audit says, the worst first, and how much it tolerates."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from planner.plan.flows import Bools, Floats, Names
from planner.plan.plan import Plan
from planner.plan.stress_cases import Margin
from planner.units import HOURS_PER_WEEK, counted, hour_label

TOLERANCE = 1e-6  # absolute (in the rule's own unit) and relative, of every limit
BALANCE_TOLERANCE = 1e-5  # of what is served against demand, requests per hour
GRID_TOLERANCE = 1e-5  # of a step
SHOWN = 5  # findings of one rule that are spelled out; the rest are counted


@dataclass(frozen=True)
class Finding:
    """One broken rule: which, where and by how much in words; ``excess`` is relative, to put the worst first.

    ``places`` : how many places the finding stands for; more than one where they are counted, not spelled out.
    """

    rule: str
    message: str
    excess: float
    places: int = 1

    def __str__(self) -> str:
        return f"{self.rule}: {self.message}"


def over(value: Floats, limit: Floats | float) -> Bools:
    """Whether a value is above its limit by more than the tolerance; NaN is."""
    value = np.asarray(value, dtype=float)
    size = np.maximum(np.abs(value), np.abs(limit))
    with np.errstate(invalid="ignore"):
        room = np.where(np.isposinf(limit), np.inf, limit + TOLERANCE + TOLERANCE * size)
        above: Bools = ~(value <= room)
    return above


def worst(
    rule: str, broken: Bools, amount: Floats, limit: Floats | float, describe: Callable[[int], str]
) -> list[Finding]:
    """Spell out the worst broken places of a rule and count the others.

    Parameters
    ----------
    broken : one flag a place; ``amount`` by how much it is broken, ``limit`` what it is compared with (for the order).
    describe : words for a place.
    """
    places = np.flatnonzero(broken)
    if not len(places):
        return []
    scale = np.maximum(np.abs(np.broadcast_to(limit, np.shape(broken)).ravel()[places]), 1.0)
    excess = np.nan_to_num(np.abs(np.ravel(amount)[places]) / scale, nan=np.inf, posinf=np.inf)
    order = np.argsort(-excess, kind="stable")
    found = [Finding(rule, describe(int(places[k])), float(excess[k])) for k in order[:SHOWN]]
    rest = len(places) - len(found)
    if rest:
        found.append(Finding(rule, f"and in {counted(rest, 'more place')}", float(excess[order[SHOWN]]), rest))
    return found


OF_PROOF = ("bound", "status", "gap")  # findings about how good a plan is, not about a rule of the case
STRESS = "stress"
OF_ORDERS = (STRESS, "sizes", "budget")  # an order that was priced may break them; whatever else it breaks is an error
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


def margin_digits(share: float) -> int:
    """Decimals of a percentage with which a margin is told: more where it is small."""
    return 1 if abs(share) >= 0.01 else 2


def requests_of(part_rph: float, whole_rph: float) -> str:
    """Tell requests per hour of which something is lost, and what share of all that is."""
    part, share = part_rph, part_rph / whole_rph if whole_rph > 0 else 0.0
    told = f"{part:,.0f}" if part >= 10 else f"{part:.2g}"
    return f"{told} request{'s' * (told != '1')}/hour ({share * 100:.{margin_digits(share)}f} %)"


def _case(margin: Margin, names: Names) -> BrokenRule:
    block, hour = divmod(margin.slot, HOURS_PER_WEEK)
    scenario, period = divmod(block, len(names.periods))
    of = f" in scenario {names.scenarios[scenario]}" if len(names.scenarios) > 1 else ""
    lost = margin.case.failed
    what = "the spare capacity asked for" if lost is None else f"the loss of {lost}"
    served = f"{margin.need_rph * margin.growth:,.0f} of {margin.need_rph:,.0f} requests/hour"
    worst = (
        f"{what} cannot be served: {served} on {hour_label(hour)} UTC, {names.periods[period]}{of}, if all demand is "
        f"cut alike: a margin of {margin.share * 100:.{margin_digits(margin.share)}f} %; at least "
        f"{requests_of(margin.unserved_rph, margin.need_rph)} go unserved then, whichever they are"
    )
    return BrokenRule(STRESS, margin.case.name, worst, 1)
