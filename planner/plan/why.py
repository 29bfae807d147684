"""Why each purchase pays: the rents of its units, hour by hour (docs/model.md, "The rules": duals of rules 4 and 8)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.flows import Floats, deployed_units
from planner.plan.frames import Ints, encode, positions
from planner.plan.orders import OrderLine
from planner.plan.plan import CERTIFICATE_COLUMNS, Plan
from planner.plan.reading import Reading
from planner.schema.case import Case, hours_between
from planner.units import HOURS_PER_WEEK


@dataclass(frozen=True)
class LineRent:
    """What pays for one unit of an order line over the months of its term inside the horizon, USD per unit.

    use_by_hour : rent of ordinary use, 168 hours of the week, summed over months and scenarios.
    stress_by_hour : what stress cases pay for, in the hours that set their need.
    stress_by_case : the same by stress case.
    spend_by_contract : what it saves of the shortfall of each spend commitment that its payments count for.
    price_usd : what the unit costs: inside the horizon and the counted share past it.
    """

    price_usd: float
    use_by_hour: Floats
    stress_by_hour: Floats
    stress_by_case: dict[str, float]
    spend_by_contract: dict[str, float]

    @property
    def use_usd(self) -> float:
        """Paid by ordinary use."""
        return float(self.use_by_hour.sum())

    @property
    def stress_usd(self) -> float:
        """Paid by headroom and failover."""
        return float(self.stress_by_hour.sum())

    @property
    def spend_usd(self) -> float:
        """Paid by money that must be spent anyway."""
        return sum(self.spend_by_contract.values())

    @property
    def rent_usd(self) -> float:
        """What the unit earns in its hours."""
        return self.use_usd + self.stress_usd

    @property
    def paid_usd(self) -> float:
        """All that pays for the unit."""
        return self.rent_usd + self.spend_usd


@dataclass(frozen=True)
class _Rents:
    """Rents of units as numbers, sorted by meter: meter, period, hour, case (-1: ordinary use), USD per unit."""

    meter: Ints
    period: Ints
    hour: Ints
    case: Ints
    usd: Floats

    @classmethod
    def of(cls, reading: Reading, rents: pd.DataFrame, weight: Floats, cases: Sequence[str]) -> "_Rents":
        """Read a table of rents; `weight` (deployments x periods) says how much each counts, 0: not at all.

        A row of a deployment, period or case that the input does not know counts for nothing: `verify` names it.
        """
        names = reading.names
        deployment, period = _deployment_of(reading, rents), encode(rents["period"], names.periods)
        of_case = encode(rents["case"], cases) if "case" in rents else np.full(len(rents), -1)
        counts = np.flatnonzero((deployment >= 0) & (period >= 0) & ((of_case >= 0) | ("case" not in rents)))
        counts = counts[weight[deployment[counts], period[counts]] > 0]
        number = {key: k for k, key in enumerate(reading.meters)}
        meter = np.array([number[pool, meter] for pool, meter, _ in names.deployments], np.int64)[deployment[counts]]
        order = np.argsort(meter, kind="stable")
        own = counts[order]
        usd = rents["usd_per_unit"].to_numpy(float)[own] * weight[deployment[own], period[own]]
        return cls(
            meter[order], period[own], rents["hour_of_week"].to_numpy(float)[own].astype(np.int64), of_case[own], usd
        )

    def of_line(self, meter: int, months: Ints) -> "_Rents":
        """Rents of one meter in some months."""
        first, last = np.searchsorted(self.meter, [meter, meter + 1])
        rows = first + np.flatnonzero(np.isin(self.period[first:last], months))
        return _Rents(self.meter[rows], self.period[rows], self.hour[rows], self.case[rows], self.usd[rows])

    @property
    def by_hour(self) -> Floats:
        """Sum by hour of the week."""
        return np.bincount(self.hour, self.usd, minlength=HOURS_PER_WEEK).astype(float)


def line_rents(reading: Reading, lines: tuple[OrderLine, ...]) -> tuple[LineRent, ...]:
    """Rents of every order line.

    A pool's unit earns the same in each deployment that holds units, by use in one and by failover in another; a line's
    rents are those of the pool's deployments, weighted by the units that each holds in the month.
    """
    case, plan = reading.case, reading.plan
    cases = sorted(stress.name for stress in reading.stress_cases)
    weight = _weights(reading)
    worth = worth_of_spending(plan)
    use, stress = (_Rents.of(reading, rents, weight, cases) for rents in (plan.rents, plan.stress_rents))
    number = {key: k for k, key in enumerate(reading.meters)}
    found = []
    for line in lines:
        meter = number[line.offer.pool, line.offer.meter]
        months = np.array([k for k, p in enumerate(case.periods) if line.covers(p.start, p.end)], np.int64)
        of_stress = stress.of_line(meter, months)
        by_case = np.bincount(of_stress.case, of_stress.usd, len(cases)).tolist()
        found.append(
            LineRent(
                price_usd=_counted_price(case, line),
                use_by_hour=use.of_line(meter, months).by_hour,
                stress_by_hour=of_stress.by_hour,
                stress_by_case={name: usd for name, usd in zip(cases, by_case, strict=True) if usd > 0},
                spend_by_contract=_spend_by_contract(case, line, worth),
            )
        )
    return tuple(found)


def worth_of_spending(plan: Plan) -> dict[str, float]:
    """Find what one more dollar spent on each contract saves, expected over scenarios: the prices of its rows."""
    own = plan.certificate[plan.certificate["kind"] == "spend_floor"]
    found: dict[str, float] = {}
    for name, price in zip(own["supply"].astype(str), own["price"].tolist(), strict=True):
        found[name] = min(1.0, found.get(name, 0.0) + price)
    return found


def guarantees_on(reading: Reading) -> dict[str, tuple[str, ...]]:
    """List the workloads whose guaranteed share has a price in the certificate, by the pool that serves them."""
    prices = reading.plan.certificate.reindex(columns=list(CERTIFICATE_COLUMNS))
    paid = set(prices.loc[(prices["kind"] == "guaranteed") & (prices["price"] > 0), "workload"].astype(str))
    served = reading.plan.dispatch[["supply", "workload"]].drop_duplicates().astype(str)
    served = served[served["workload"].isin(paid)].sort_values("workload")
    return {str(pool): tuple(rows["workload"]) for pool, rows in served.groupby("supply")}


def stress_usd(reading: Reading) -> dict[str, float]:
    """Deployed units at the rents that each stress case puts on them, USD."""
    cases, names, rents = [c.name for c in reading.stress_cases], reading.names, reading.plan.stress_rents
    units = deployed_units(names, reading.plan.deployments)
    all_rents = _Rents.of(reading, rents, units, cases)
    return dict(zip(cases, np.bincount(all_rents.case, all_rents.usd, len(cases)).tolist(), strict=True))


def _deployment_of(reading: Reading, table: pd.DataFrame) -> Ints:
    """Find the deployment of each row of a table with columns pool, meter and model; -1: none."""
    columns = ["pool", "meter", "model"]
    return positions(table, pd.DataFrame(list(reading.names.deployments), columns=columns), columns)


def _weights(reading: Reading) -> Floats:
    """Share of a pool's units that each deployment holds: deployments x periods; 0 where it holds none."""
    units = deployed_units(reading.names, reading.plan.deployments)
    number = {key: k for k, key in enumerate(reading.meters)}
    meter = np.array([number[pool, meter] for pool, meter, _ in reading.names.deployments], np.int64)
    whole = np.zeros((len(number), units.shape[1]))
    np.add.at(whole, meter, units)
    share: Floats = np.divide(units, whole[meter], out=np.zeros(units.shape), where=whole[meter] > 0)
    return share


def _spend_by_contract(case: Case, line: OrderLine, worth: dict[str, float]) -> dict[str, float]:
    """Price what a unit pays in the periods of each contract that counts it: payments x worth of a dollar."""
    found = {}
    for c in case.spend_commitments:
        if not c.counts_reserved or (c.counted_regions is not None and line.region not in c.counted_regions):
            continue
        periods = [case.periods[k] for k in case.contract_periods(c)]
        hours = sum(max(0.0, hours_between(max(line.start, p.start), min(line.end, p.end))) for p in periods)
        if (usd := line.usd_per_unit_hour * hours * worth.get(c.contract, 0.0)) > 0:
            found[c.contract] = usd
    return found


def _counted_price(case: Case, line: OrderLine) -> float:
    counted = 1 - case.settings.policy.tail_value
    beyond = line.hours_term - line.hours_horizon
    return line.usd_per_unit_hour * (line.hours_horizon + counted * beyond)
