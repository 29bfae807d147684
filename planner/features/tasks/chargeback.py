"""Chargeback: every dollar of the plan by team and month, with what nobody used on lines of its own.

The rule, for a deployment d (units set aside for a model; "*": for all models of its pool) in a month:

    rate      = what its pool's units in force cost in the month / (units in force x hours)          [USD/unit-hour]
    used      = rate x unit-hours that requests take, bursts included, without headroom: to the team of each request
    kept      = rate x unit-hours that no request takes, but that the plan's routing for the loss of a region in that
                very hour would: to teams by the units that their demand would take there while a region is lost
    idle      = rate x unit-hours in force - used - kept; and days that are paid but serve no whole period: to nobody
    by the hour = what units that run by the hour cost in each hour, starts included: by the units that requests take;
                in an hour in which none does, as where a contract is spent on them, idle

Units in force are commitments, new and earlier, and units deployed beyond them; an upfront price is spread evenly over
its term. A request on demand pays its own price, one that crosses regions its egress. What a spend commitment asks for
beyond what is spent, and payments past the horizon that the plan counts (tail), are lines of their own too: no team
caused them in a month. All lines add up to the plan's cost.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pandas as pd

from planner.features.tasks.unit_use import ROUNDING, Held, Taken, by_deployment, kept_hours_of, taken_of
from planner.plan.flows import Floats
from planner.plan.frames import NUMBER, TEXT, Field, Frame, Ints
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.task_costs import UNDEPLOYED
from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.schema.case import Case
from planner.units import counted

USED: Final = "used"
KEPT: Final = "kept for failover"
BY_HOUR: Final = "by the hour"
ON_DEMAND: Final = "on demand"
EGRESS: Final = "egress"
IDLE: Final = "idle"
UNSPENT: Final = "unspent commitments"
TAIL: Final = "counted past the horizon"
OF_TEAMS: Final = (USED, KEPT, BY_HOUR, ON_DEMAND, EGRESS)  # what a team is charged for
OF_NOBODY: Final = (IDLE, UNSPENT, TAIL)  # lines of their own
NO_TEAM: Final = "no team"

CHARGES = Frame("charges", "one row for each charge of a workload, model, region and supply in a month", (
    Field("charge", TEXT, f"{', '.join(OF_TEAMS)}; of no team: {', '.join(OF_NOBODY)}"),
    Field("team", TEXT, "team of the workload; blank: none"),
    Field("cost_centre", TEXT, "cost centre of the workload; blank: none"),
    Field("workload", TEXT, "workload; blank: nobody's"),
    Field("model", TEXT, "model; `*`: all models of a pool whose units move by the hour; blank: of no model"),
    Field("region", TEXT, "region where it is served, or whose units they are; blank: of no region"),
    Field("supply", TEXT, "pool or on-demand option; blank: neither"),
    Field("meter", TEXT, "what the pool's units count; blank: no units"),
    Field("period", TEXT, "month"),
    Field("unit_hours", NUMBER, "units times hours; NaN: not counted in units", "unit-hours"),
    Field("requests", NUMBER, "requests on demand or sent to another region; NaN: not counted in requests",
          "requests"),
    Field("usd", NUMBER, "what is charged", "USD"),
    Field("billed_usd", NUMBER, "of it invoiced as it is used: on demand, egress, units beyond commitments", "USD"),
))  # fmt: skip
_KEY = ["charge", "team", "cost_centre", "workload", "model", "region", "supply", "meter", "period"]
_AMOUNTS = ["unit_hours", "requests", "usd", "billed_usd"]
GROUPS: Final = ("team", "cost_centre", "workload", "model", "region", "period")
_SUMS = {USED: "used_usd", KEPT: "kept_usd", BY_HOUR: "by_the_hour_usd", ON_DEMAND: "on_demand_usd",
         EGRESS: "egress_usd"}  # fmt: skip
SUMS: Final = tuple(_SUMS.values())


@dataclass(frozen=True)
class Chargeback:
    """What each team pays of a plan.

    basis : what it was made from. table : columns CHARGES; adds up to the plan's total. idle_by_hour : USD of idle
    lines that are of units by the hour, by supply, meter, model and period.
    """

    basis: Basis
    table: pd.DataFrame
    idle_by_hour: Mapping[tuple[str, str, str, str], float] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Name the plan and the size of the table."""
        return f"<Chargeback of {self.basis.plan.name}: {counted(len(self.table), 'row')}>"

    @property
    def months(self) -> tuple[str, ...]:
        """Names of the months of the horizon."""
        return self.basis.names.periods

    @property
    def total_usd(self) -> float:
        """Sum of all lines: the cost of the plan."""
        return float(self.table["usd"].sum())

    @property
    def by_the_hour(self) -> bool:
        """Whether units that run by the hour are charged."""
        return bool((self.table["charge"] == BY_HOUR).any())

    def of_teams(self, *keys: str) -> pd.DataFrame:
        """Sum what teams are charged by some of GROUPS: those keys, a column for each of SUMS, total_usd."""
        own = self.table[self.table["charge"].isin(OF_TEAMS)]
        columns = {name: own["usd"].where(own["charge"] == charge, 0.0) for charge, name in _SUMS.items()}
        sums = own[list(keys)].assign(**columns).groupby(list(keys), as_index=False)[list(SUMS)].sum()
        return sums.assign(total_usd=sums[list(SUMS)].sum(axis=1))

    def of_nobody(self, *keys: str) -> pd.DataFrame:
        """Sum the lines that no team is charged for: charge, the keys (such as period) and usd; charges in order."""
        own = self.table[self.table["charge"].isin(OF_NOBODY)]
        sums = own.groupby(["charge", *keys], as_index=False)[["usd"]].sum()
        return _in_order(sums, list(keys))


def chargeback(case: Case, plan: Plan) -> Chargeback:
    """Charge all cost of an audited plan to teams, by the rule of this file."""
    return chargeback_of(Basis.of(Reading(case, plan)))


def chargeback_of(basis: Basis) -> Chargeback:
    """Do what `chargeback` does, of a plan that has been read."""
    held = Held.of(basis)
    taken = taken_of(basis, held)
    kept_hours, by_workload = kept_hours_of(basis, held, taken)
    parts = [
        *_unit_rows(basis, held, taken),
        _kept_rows(basis, held, by_workload),
        *_idle_rows(basis, held, taken, kept_hours),
        *_request_rows(basis),
        _unspent_rows(basis),
    ]
    table = pd.concat([part for part in parts if len(part)] or [CHARGES.empty()], ignore_index=True)
    table = table.groupby(_KEY, as_index=False)[_AMOUNTS].sum(min_count=1)
    table = _in_order(table, _KEY[1:])
    scaled = taken.idle_scaled_usd
    by_hour = {
        (*basis.names.deployments[d], basis.names.periods[p]): float(scaled[d, p]) for d, p in np.argwhere(scaled)
    }
    return Chargeback(basis, table[list(CHARGES.columns)], by_hour)


def _in_order(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    rank = table["charge"].map({name: k for k, name in enumerate((*OF_TEAMS, *OF_NOBODY))})
    return table.assign(rank=rank).sort_values(["rank", *keys], ignore_index=True).drop(columns="rank")


def _unit_rows(basis: Basis, held: Held, taken: Taken) -> list[pd.DataFrame]:
    """Charge what requests take, of units in force and of units by the hour."""
    loads = basis.flows.loads
    way, deployment = loads["way"].to_numpy(int), loads["deployment"].to_numpy(int)
    meter = [basis.names.deployments[d][1] for d in deployment]
    labels = _labels(basis, way).assign(meter=meter)
    usd = taken.hours * held.rate[deployment]
    used = _rows(basis, USED, labels, usd, usd * held.billed_share[deployment], unit_hours=taken.hours)
    scaled = taken.scaled_usd
    return [used, _rows(basis, BY_HOUR, labels, scaled, scaled, unit_hours=taken.scaled_hours)]


def _kept_rows(basis: Basis, held: Held, hours: Floats) -> pd.DataFrame:
    """Charge what is kept for failover to the workloads that would need it."""
    region = {p.pool: p.region for p in basis.case.pools}
    shape = hours.shape[0] * hours.shape[1]
    d, w = (index.ravel() for index in np.indices(hours.shape[:2]))
    own = [basis.names.deployments[k] for k in d]
    labels = pd.DataFrame({
        "workload": [basis.names.workloads[k] for k in w], "model": [model for _, _, model in own],
        "region": [region[pool] for pool, _, _ in own], "supply": [pool for pool, _, _ in own],
        "meter": [meter for _, meter, _ in own],
    })  # fmt: skip
    flat = hours.reshape(shape, -1)
    usd = flat * held.rate[d]
    return _rows(basis, KEPT, labels, usd, usd * held.billed_share[d], unit_hours=flat)


def _idle_rows(basis: Basis, held: Held, taken: Taken, kept_hours: Floats) -> list[pd.DataFrame]:
    """Put what nobody uses, and what is counted past the horizon, on lines of their own."""
    region = {p.pool: p.region for p in basis.case.pools}

    def labels(owners: Sequence[tuple[str, str, str]]) -> pd.DataFrame:
        return pd.DataFrame(
            [("", model, region[pool], pool, meter) for pool, meter, model in owners],
            columns=["workload", "model", "region", "supply", "meter"],
        )

    deployments = labels(basis.names.deployments)
    pools = labels([(pool, meter, UNDEPLOYED) for pool, meter in held.pools])
    in_force = held.units * basis.hours
    hours = in_force - by_deployment(basis, taken.hours) - kept_hours
    hours = np.where(hours > ROUNDING * in_force, hours, 0.0)
    usd = hours * held.rate
    scaled, left = taken.idle_scaled_usd, held.undeployed_usd
    none = np.full(left.shape, np.nan)
    return [
        _rows(basis, IDLE, deployments, usd, usd * held.billed_share, unit_hours=hours),
        _rows(basis, IDLE, deployments, scaled, scaled),
        _rows(basis, IDLE, pools, left, np.zeros(left.shape), unit_hours=held.undeployed_hours),
        _rows(basis, IDLE, pools, held.lost_usd, np.zeros(left.shape)),
        _rows(basis, TAIL, pools, held.tail_usd, np.zeros(left.shape), unit_hours=none),
    ]


def _request_rows(basis: Basis) -> list[pd.DataFrame]:
    """Charge on demand and egress to the workload of each request."""
    ways = basis.flows.ways
    labels = _labels(basis, np.arange(len(ways))).assign(meter="")
    bought = ways["on_demand_usd"].to_numpy(float)[:, None] * basis.priced_requests
    sent = ways["egress_usd"].to_numpy(float)[:, None] * basis.requests
    own = ~ways["reserved"].to_numpy(bool)[:, None] & (basis.requests > 0)
    away = ways["away"].to_numpy(bool)[:, None] & (basis.requests > 0)
    return [
        _rows(basis, charge, labels, usd, usd, requests=np.where(shown, basis.requests, 0.0))
        for charge, usd, shown in ((ON_DEMAND, bought, own), (EGRESS, sent, away))
    ]


def _unspent_rows(basis: Basis) -> pd.DataFrame:
    due = basis.spent.due_usd[None, :]
    labels = pd.DataFrame([[""] * 5], columns=["workload", "model", "region", "supply", "meter"])
    return _rows(basis, UNSPENT, labels, due, due)


def _labels(basis: Basis, way: Ints) -> pd.DataFrame:
    found = basis.flows.ways.iloc[way][["workload", "model", "region", "supply"]]
    return found.astype(object).reset_index(drop=True)


def _rows(
    basis: Basis, charge: str, labels: pd.DataFrame, usd: Floats, billed_usd: Floats, *,
    unit_hours: Floats | None = None, requests: Floats | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Lay amounts (rows of `labels` x periods) out as CHARGES; a row without money and without use is left out."""
    none = np.full(usd.shape, np.nan)
    hours, asked = (none if values is None else values for values in (unit_hours, requests))
    row, p = np.nonzero((usd != 0) | (np.nan_to_num(hours) > 0) | (np.nan_to_num(asked) > 0))
    found = labels.iloc[row].reset_index(drop=True)
    teams = {w.workload: (w.team or "", w.cost_centre or "") for w in basis.case.workloads} | {"": ("", "")}
    own = [teams[name] for name in found["workload"]]
    return found.assign(
        charge=charge,
        team=[team for team, _ in own],
        cost_centre=[centre for _, centre in own],
        period=np.array(basis.names.periods, dtype=object)[p],
        unit_hours=hours[row, p],
        requests=asked[row, p],
        usd=usd[row, p],
        billed_usd=billed_usd[row, p],
    )[list(CHARGES.columns)]
