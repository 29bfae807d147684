"""What a plan costs in each scenario, and the mean cost of the dearest: the conditional value at risk."""

from dataclasses import dataclass

import numpy as np

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names
from planner.plan.plan import PlanRisk, Totals
from planner.plan.scaled import scaled_usd
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK


@dataclass(frozen=True)
class ScenarioCosts:
    """Cost of a plan in each scenario, in the order of the case.

    probability : of each. usd : what the plan costs in it, units and earlier commitments included; of a scenario
    without probability, these alone.
    """

    names: tuple[str, ...]
    probability: Floats
    usd: Floats

    def cvar_usd(self, level: float) -> float:
        """Mean cost of the dearest 1 - level of the probability, USD."""
        order = np.argsort(-self.usd, kind="stable")
        chance = self.probability[order]
        before = np.concatenate([[0.0], np.cumsum(chance)[:-1]])
        part = np.clip(1 - level - before, 0.0, chance)
        return float(part @ self.usd[order] / part.sum())

    def tail(self, level: float) -> tuple[str, ...]:
        """Scenarios that the dearest 1 - level of the probability are in, the dearest first."""
        order = np.argsort(-self.usd, kind="stable")
        before = np.concatenate([[0.0], np.cumsum(self.probability[order])[:-1]])
        return tuple(
            self.names[k] for k, sooner in zip(order, before) if self.probability[k] > 0 and sooner < 1 - level - 1e-9
        )


def scenario_costs(
    case: Case, derived: Derived, names: Names, *, flows: Flows, totals: Totals, short_usd: Floats
) -> ScenarioCosts:
    """Divide what a plan costs among its scenarios.

    short_usd : what contracts fall short of in each scenario (`plan.spend`). totals : of the same tables.
    """
    chance = np.array([s.probability for s in case.scenarios])
    block = flows.place // HOURS_PER_WEEK
    weeks = derived.slots["weeks"].to_numpy(float)[block]
    factor = derived.price_factors(flows.place, flows.ways["quota"].to_numpy(int)[flows.way])
    price, trip = (flows.ways[name].to_numpy(float)[flows.way] for name in ("on_demand_usd", "egress_usd"))
    paid = flows.rph * weeks * (factor * price + trip)
    expected = np.bincount(block // len(names.periods), paid, len(chance)).astype(float)
    own = np.divide(expected, chance, out=np.zeros_like(expected), where=chance > 0) + short_usd
    own = own + scaled_usd(case, names, flows.scaled).sum(axis=(0, 2))
    sure = totals.total_usd - totals.on_demand_usd - totals.egress_usd - totals.shortfall_usd - totals.scaled_usd
    return ScenarioCosts(names.scenarios, chance, sure + own)


def plan_risk(case: Case, costs: ScenarioCosts, total_usd: float) -> PlanRisk | None:
    """Weigh the dearest scenarios against the expected cost; None where the policy does not."""
    risk = case.settings.policy.risk
    if risk.weight <= 0:
        return None
    cvar = costs.cvar_usd(risk.level)
    return PlanRisk(cvar, (1 - risk.weight) * total_usd + risk.weight * cvar)
