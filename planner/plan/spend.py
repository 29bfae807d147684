"""Spend commitments: what a plan spends on each contract, month by month, and what it falls short of."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names
from planner.plan.frames import Ints
from planner.plan.scaled import scaled_usd
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK

ROUNDING = 1e-12  # of what is to be spent


@dataclass(frozen=True)
class Spent:
    """What counts for each contract; contracts in the order of the case.

    on_demand_usd : contracts x scenarios x periods, were the scenario certain. reserved_usd : contracts x periods, new
    and earlier commitments and unreserved units. probability : of each scenario.
    """

    case: Case
    on_demand_usd: Floats
    reserved_usd: Floats
    probability: Floats

    @property
    def by_scenario_usd(self) -> Floats:
        """USD spent on each contract in each scenario."""
        found: Floats = self.on_demand_usd.sum(axis=2) + self.reserved_usd.sum(axis=1)[:, None]
        return found

    @property
    def short_usd(self) -> Floats:
        """USD that each contract falls short of in each scenario, contracts x scenarios; rounding is none."""
        asked = np.array([c.usd for c in self.case.spend_commitments])[:, None]
        short = asked - self.by_scenario_usd
        return np.where(short > ROUNDING * asked, short, 0.0)

    @property
    def shortfall_usd(self) -> float:
        """Expected USD that is paid without being spent."""
        return float((self.short_usd * self.probability).sum())

    @property
    def due_usd(self) -> Floats:
        """Expected USD of shortfall by the period in which it falls due: the last that the contract counts."""
        found = np.zeros(self.reserved_usd.shape[1])
        for c, usd in zip(self.case.spend_commitments, self.short_usd @ self.probability):
            found[self.case.contract_periods(c)[-1]] += usd
        return found

    @property
    def expected_usd(self) -> Floats:
        """Expected USD spent on each contract in each period."""
        found: Floats = np.einsum("csp,s->cp", self.on_demand_usd, self.probability) + self.reserved_usd
        return found


def spent(case: Case, derived: Derived, names: Names, *, flows: Flows, in_force: pd.DataFrame, beyond: pd.DataFrame
) -> Spent:  # fmt: skip
    """Add up what a plan spends on each contract (docs/model.md, "What it costs").

    Parameters
    ----------
    in_force : from `pricing.months_in_force`. beyond : from `pricing.unit_balance`.
    """
    number = {name: k for k, name in enumerate(names.regions)}
    period = {p.name: k for k, p in enumerate(case.periods)}
    of_pool = {p.pool: number[p.region] for p in case.pools}
    held = np.zeros((len(number), len(period)))
    for table, column in ((in_force, "reserved_usd"), (derived.earlier, "usd"), (beyond, "unreserved_usd")):
        for pool, name, usd in table[["pool", "period", column]].itertuples(index=False, name=None):
            held[of_pool[pool], period[name]] += usd
    tokens = on_demand_by_scenario(derived, names, flows)
    by_hour = scaled_usd(case, names, flows.scaled)
    for usd, (pool, _, _) in zip(by_hour, names.deployments):
        tokens[of_pool[pool]] += usd
    return counted(case, names, held, tokens)


def counted(case: Case, names: Names, held_usd: Floats, tokens_usd: Floats) -> Spent:
    """Count spend for each contract: units (regions x periods) and on-demand tokens (regions x scenarios x periods)."""
    counts, (_, scenarios, periods) = len(case.spend_commitments), tokens_usd.shape
    on_demand, reserved = np.zeros((counts, scenarios, periods)), np.zeros((counts, periods))
    for k, c in enumerate(case.spend_commitments):
        own = [n for n, r in enumerate(names.regions) if c.counted_regions is None or r in c.counted_regions]
        when = list(case.contract_periods(c))
        if c.counts_on_demand:
            on_demand[k][:, when] = tokens_usd[own][..., when].sum(axis=0)
        if c.counts_reserved:
            reserved[k, when] = held_usd[own][:, when].sum(axis=0)
    return Spent(case, on_demand, reserved, np.array([s.probability for s in case.scenarios]))


def on_demand_by_scenario(
    derived: Derived, names: Names, flows: Flows, price_usd: Floats | None = None, quota: Ints | None = None
) -> Floats:
    """Add up what is paid on demand, were each scenario certain: regions x scenarios x periods, USD.

    0 in a scenario without probability, which is in no expectation. ``price_usd`` : of a request of each way, where it
    is not what the way pays, and ``quota`` the option that has this price, by way.
    """
    shape = len(names.regions), len(names.scenarios), len(names.periods)
    _, _, _, region, _ = names.codes(flows.ways)
    block = flows.place // HOURS_PER_WEEK
    option = flows.ways["quota"].to_numpy(int) if quota is None else quota
    each = derived.slots["weeks"].to_numpy(float)[block] * derived.price_factors(flows.place, option[flows.way])
    price = flows.ways["on_demand_usd"].to_numpy(float) if price_usd is None else price_usd
    usd = flows.rph * each * price[flows.way]
    cell = region[flows.way] * (shape[1] * shape[2]) + block
    expected = np.bincount(cell, usd, int(np.prod(shape))).reshape(shape)
    chance = derived.slots["probability"].to_numpy(float).reshape(shape[1:])
    found: Floats = np.divide(expected, chance, out=np.zeros(shape), where=chance > 0)
    return found
