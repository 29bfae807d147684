"""Re-pricing: what purchases, units by the hour, deployments and dispatch cost, from these tables and the case alone.

Month by month and by scenario, with the mean cost of the dearest scenarios (the conditional value at risk).
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from planner.errors import AuditError
from planner.plan.derived import Derived
from planner.plan.flows import WAY, Floats, Flows, Names
from planner.plan.frames import NUMBER, TEXT, WHOLE, Field, Frame
from planner.plan.plan import Plan, PlanRisk, Totals
from planner.plan.reading import Reading
from planner.plan.scaled import scaled_array, scaled_usd
from planner.plan.spend import Spent, spent
from planner.schema.case import Case, hours_between
from planner.units import HOURS_PER_WEEK, counted

MONTHS_IN_FORCE = Frame("months in force", "one row for each purchase and period that its term touches", (
    Field("row", WHOLE, "position of the purchase"),
    Field("pool", TEXT, "pool"),
    Field("meter", TEXT, "what its units count"),
    Field("period", TEXT, "period"),
    Field("units", NUMBER, "in force: 0 in a period that the term covers in part", "units"),
    Field("reserved_usd", NUMBER, "what they cost in the period", "USD"),
    Field("tail_usd", NUMBER, "(1 - tail_value) of the payments past the horizon, spread over the hours that are paid "
                              "for inside it", "USD"),
))  # fmt: skip
_METER = ["pool", "meter", "period"]


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


def months_in_force(case: Case, purchases: pd.DataFrame) -> pd.DataFrame:
    """Spread each purchase over the periods that its term touches: it is in force in those that it covers whole.

    Parameters
    ----------
    purchases : offer, period, units; names that the case knows.

    Returns
    -------
    The table MONTHS_IN_FORCE.
    """
    offers = {o.offer: o for o in case.offers}
    periods = case.periods
    first = {p.name: k for k, p in enumerate(periods)}
    counted = 1 - case.settings.policy.tail_value
    rows = []
    for row, (name, period, units) in enumerate(
        purchases[["offer", "period", "units"]].itertuples(index=False, name=None)
    ):
        offer, k = offers[name], first[period]
        end = offer.term_end(periods[k].start)
        hours, beyond = case.paid_hours(offer, k)
        usd = units * offer.usd_per_hour(periods[k].start)  # an hour
        tail = usd * beyond * counted
        for p in periods[k:]:
            if p.start >= end:
                break
            paid = hours_between(p.start, min(p.end, end))
            held = units if p.end <= end else 0.0
            rows.append((row, offer.pool, offer.meter, p.name, held, usd * paid,
                         tail * paid / hours))  # fmt: skip
    return MONTHS_IN_FORCE.of(rows)


def unit_balance(case: Case, in_force: pd.DataFrame, earlier: pd.DataFrame, deployments: pd.DataFrame) -> pd.DataFrame:
    """Set what is deployed against what is committed, by pool, meter and period (rule 5).

    Parameters
    ----------
    in_force : from `months_in_force`. earlier : `Derived.earlier`. deployments : pool, meter, period, units.

    Returns
    -------
    Columns pool, meter, period, committed_units (earlier and new), deployed_units, unreserved_units (deployed beyond
    the commitments), usd_per_unit_hour of those (NaN: the pool has no such price), unreserved_usd (0 without a price).
    """
    units: dict[tuple[str, str, str], list[float]] = {}
    for frame, deployed in ((in_force, 0), (earlier, 0), (deployments, 1)):
        for pool, meter, period, n in zip(*(frame[column] for column in (*_METER, "units")), strict=True):
            units.setdefault((pool, meter, period), [0.0, 0.0])[deployed] += n
    rows = [(*key, *amounts) for key, amounts in sorted(units.items())]
    table = pd.DataFrame(rows, columns=[*_METER, "committed_units", "deployed_units"])
    table = table.astype({"committed_units": float, "deployed_units": float})
    price = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
    hours = {p.name: p.hours for p in case.periods}
    table["unreserved_units"] = (table["deployed_units"] - table["committed_units"]).clip(lower=0.0)
    table["usd_per_unit_hour"] = table["pool"].map(price).astype(float)
    table["unreserved_usd"] = (
        table["unreserved_units"] * table["usd_per_unit_hour"].fillna(0.0) * table["period"].map(hours).astype(float)
    )
    return table


def price(
    case: Case,
    purchases: pd.DataFrame,
    deployments: pd.DataFrame,
    dispatch: pd.DataFrame,
    derived: Derived | None = None,
    scaled_units: pd.DataFrame | None = None,
) -> Totals:
    """Cost over the horizon, USD (docs/model.md, "What it costs").

    Parameters
    ----------
    purchases, deployments, dispatch : tables with the columns of plan.plan; millions of rows of dispatch are fine.
    derived : of this case, if the caller has it.

    Raises
    ------
    AuditError : a table names what the case does not know or does not allow.
    """
    derived = Derived.of(case) if derived is None else derived
    names = Names.of(case, derived)
    flows, unknown = Flows.of(case, derived, names, dispatch, names.slots(dispatch))
    if len(unknown):
        row = dispatch.iloc[int(unknown[0])].to_dict()
        raise AuditError(
            f"dispatch: {counted(len(unknown), 'row names', many='rows name')} what the input does not know, "
            f"the first is {row}"
        )
    for row in flows.ways[flows.ways["fault"] != ""].to_dict("records"):
        way = ", ".join(f"{name} {row[name]}" for name in WAY)
        raise AuditError(f"dispatch: {way}: {row['fault']}")
    known = {o.offer for o in case.offers}
    for name, period in zip(purchases["offer"], purchases["period"], strict=True):
        if name not in known or period not in names.periods:
            raise AuditError(f"purchases: the input knows no offer {name!r} in {period}")
    if scaled_units is not None:
        flows = replace(flows, scaled=scaled_array(names, scaled_units))
    return totals(case, derived, flows, purchases, deployments)


def totals(case: Case, derived: Derived, flows: Flows, purchases: pd.DataFrame, deployments: pd.DataFrame) -> Totals:
    """Add up the parts; all names are known."""
    in_force = months_in_force(case, purchases)
    beyond = unit_balance(case, in_force, derived.earlier, deployments)
    paid, crossed = flow_usd(derived, flows)
    return Totals(
        reserved_usd=float(in_force["reserved_usd"].sum()),
        tail_usd=float(in_force["tail_usd"].sum()),
        unreserved_usd=float(beyond["unreserved_usd"].sum()),
        on_demand_usd=float(paid.sum()),
        egress_usd=float(crossed.sum()),
        sunk_usd=derived.sunk_usd,
        scaled_usd=_scaled_usd(case, derived, flows),
        shortfall_usd=_shortfall_usd(case, derived, flows=flows, in_force=in_force, beyond=beyond),
    )


def scenario_costs_of(
    case: Case, derived: Derived, names: Names, flows: Flows, purchases: pd.DataFrame, deployments: pd.DataFrame
) -> ScenarioCosts:
    """Divide what a plan costs among its scenarios; all names are known."""
    in_force = months_in_force(case, purchases)
    beyond = unit_balance(case, in_force, derived.earlier, deployments)
    short = spent(case, derived, names, flows=flows, in_force=in_force, beyond=beyond).short_usd.sum(axis=0)
    whole = totals(case, derived, flows, purchases, deployments)
    return scenario_costs(case, derived, names, flows=flows, totals=whole, short_usd=short)


def risk_of(case: Case, plan: Plan) -> PlanRisk | None:
    """Weigh the dearest scenarios of a plan from its tables; None where the policy does not."""
    if case.settings.policy.risk.weight <= 0:
        return None
    reading = Reading(case, plan)
    flows = reading.dispatch[0]
    costs = scenario_costs_of(case, reading.derived, reading.names, flows, plan.purchases, plan.deployments)
    return plan_risk(case, costs, plan.totals.total_usd)


def _scaled_usd(case: Case, derived: Derived, flows: Flows) -> float:
    if not flows.scaled.size:
        return 0.0
    chance = np.array([s.probability for s in case.scenarios])
    return float(np.einsum("dsp,s->", scaled_usd(case, Names.of(case, derived), flows.scaled), chance))


def _shortfall_usd(case: Case, derived: Derived, *, flows: Flows, in_force: pd.DataFrame, beyond: pd.DataFrame
) -> float:  # fmt: skip
    if not case.spend_commitments:
        return 0.0
    names = Names.of(case, derived)
    return spent(case, derived, names, flows=flows, in_force=in_force, beyond=beyond).shortfall_usd


def spent_of(reading: Reading) -> Spent:
    """Add up what a plan spends on each contract."""
    case, derived, plan = reading.case, reading.derived, reading.plan
    in_force = months_in_force(case, plan.purchases)
    beyond = unit_balance(case, in_force, derived.earlier, plan.deployments)
    return spent(case, derived, reading.names, flows=reading.dispatch[0], in_force=in_force, beyond=beyond)


def flow_usd(derived: Derived, flows: Flows) -> tuple[Floats, Floats]:
    """Price each way over the horizon, expected USD: on demand, and egress (arrays by way)."""
    weeks = derived.slots["weeks"].to_numpy(float)[flows.place // HOURS_PER_WEEK]
    factor = derived.price_factors(flows.place, flows.ways["quota"].to_numpy(int)[flows.way])
    count = len(flows.ways)
    requests = np.bincount(flows.way, flows.rph * weeks, count)
    at_price = np.bincount(flows.way, flows.rph * weeks * factor, count)
    paid = at_price * flows.ways["on_demand_usd"].to_numpy(float)
    return paid, requests * flows.ways["egress_usd"].to_numpy(float)


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
