"""Use and cost of what is held, month by month, at any count of hours: planned, expected at the calendar, actual.

The count says how often each slot (scenario, period, hour of week) occurs: probability x days / 7 as planned, or the
hours of the calendar that were seen. Commitments cost their price in those hours; the tail is left out.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.features.review.review_tables import MONTHLY, POOLS
from planner.plan.flows import Floats
from planner.plan.metrics.basis import Basis, ratio
from planner.plan.metrics.task_costs import equivalent_usd

_KEYS = ["pool", "meter", "period"]


@dataclass(frozen=True)
class Counted:
    """A plan whose slots occur a given number of times.

    basis : the plan's tables. count : of each slot. hours : of each period, that the count covers.
    """

    basis: Basis
    count: Floats
    hours: Floats

    @classmethod
    def planned(cls, basis: Basis) -> "Counted":
        """Count as the case weighs its slots, whole months."""
        return cls(basis, basis.weeks, basis.hours)

    def by_way(self, factor: bool = False) -> Floats:
        """Count requests of each way in each period (times the scenario's price factor): ways x periods."""
        flows, periods = self.basis.flows, len(self.basis.names.periods)
        value = flows.rph * self.count[flows.place]
        if factor:
            value = value * self.basis.price_factors
        cell = flows.way * periods + self.basis.period
        total: Floats = np.bincount(cell, value, len(flows.ways) * periods).astype(float)
        return total.reshape(len(flows.ways), periods)

    def months(self, side: str, unserved: Floats | None = None) -> pd.DataFrame:
        """Cost and use of each period: columns MONTHLY. unserved : requests of each period."""
        names, ways = self.basis.names, self.basis.flows.ways
        priced, requests = self.by_way(factor=True), self.by_way()
        pools = self.pools(side)
        sums = pools.assign(
            used=pools["usd"] * pools["utilisation"].fillna(0.0), vacant=pools["usd"] * pools["vacancy"].fillna(0.0)
        )
        by_period = sums.groupby("period")[["usd", "used", "vacant"]].sum().reindex(list(names.periods)).fillna(0.0)
        capacity = by_period["usd"].to_numpy(float)
        paid = ways["on_demand_usd"].to_numpy(float) @ priced
        crossed = ways["egress_usd"].to_numpy(float) @ requests
        value = equivalent_usd(self.basis)[:, None] * priced
        reserved = ways["reserved"].to_numpy(bool)
        whole, covered = value.sum(axis=0), value[reserved].sum(axis=0)
        return pd.DataFrame(
            {
                "period": list(names.periods),
                "side": side,
                "hours": self.hours,
                "requests": requests.sum(axis=0),
                "capacity_usd": capacity,
                "on_demand_usd": paid,
                "egress_usd": crossed,
                "total_usd": capacity + paid + crossed,
                "coverage": ratio(covered, whole),
                "utilisation": ratio(by_period["used"].to_numpy(float), capacity),
                "vacancy": ratio(by_period["vacant"].to_numpy(float), capacity),
                "effective_savings_rate": 1 - ratio(capacity + paid, whole),
                "unserved_requests": np.zeros(len(names.periods)) if unserved is None else unserved,
            }
        )[list(MONTHLY.columns)]

    def pools(self, side: str) -> pd.DataFrame:
        """Use and cost of each pool and meter in each period in which units are held: columns POOLS.

        What a pool with several meters serves is divided among them as their cost.
        """
        basis, names = self.basis, self.basis.names
        region = {p.pool: p.region for p in basis.case.pools}
        share = dict(zip(names.periods, ratio(self.hours, basis.hours).tolist(), strict=True))
        hours = dict(zip(names.periods, self.hours.tolist(), strict=True))
        table = basis.balance.merge(self._use(), on=_KEYS, how="left").merge(self._cost(), on=_KEYS, how="left")
        table = table.merge(self._value(), on=_KEYS, how="left").fillna(
            {"used_unit_hours": 0.0, "peak": 0.0, "usd": 0.0, "covered_usd": 0.0}
        )
        table["units"] = table["committed_units"] + table["unreserved_units"]
        table = table[table["units"] > 0].reset_index(drop=True)
        table["usd"] *= table["period"].map(share).astype(float)
        table["capacity_unit_hours"] = table["units"] * table["period"].map(hours).astype(float)
        table["region"] = table["pool"].map(region)
        capacity, usd = table["capacity_unit_hours"].to_numpy(float), table["usd"].to_numpy(float)
        table["utilisation"] = ratio(table["used_unit_hours"].to_numpy(float), capacity)
        vacant = np.maximum(0.0, table["units"].to_numpy(float) - table["peak"].to_numpy(float))
        table["vacancy"] = ratio(vacant, table["units"].to_numpy(float))
        table["coverage"] = ratio(table["covered_usd"].to_numpy(float), table["wanted_usd"].to_numpy(float))
        pool_usd = table.groupby(["pool", "period"])["usd"].transform("sum").to_numpy(float)
        table["covered_usd"] *= np.where(pool_usd > 0, usd / np.where(pool_usd > 0, pool_usd, 1.0), 1.0)
        table["effective_savings_rate"] = 1 - ratio(usd, table["covered_usd"].to_numpy(float))
        table["side"] = side
        return table[list(POOLS.columns)]

    def _use(self) -> pd.DataFrame:
        """Unit-hours used, and the busiest slot's load with headroom, by pool, meter and period."""
        basis, names = self.basis, self.basis.names
        load = basis.flows.loads
        way, deployment = load["way"].to_numpy(int), load["deployment"].to_numpy(int)
        used = np.zeros((len(names.deployments), len(names.periods)))
        np.add.at(used, deployment, self.by_way()[way] * load["units_per_request"].to_numpy(float)[:, None])
        rows = [
            (pool, meter, period, used[d, p], basis.peak_load[d, p])
            for d, (pool, meter, _) in enumerate(names.deployments)
            for p, period in enumerate(names.periods)
        ]
        table = pd.DataFrame(rows, columns=[*_KEYS, "used_unit_hours", "peak"])
        return table.groupby(_KEYS, as_index=False).sum()

    def _cost(self) -> pd.DataFrame:
        """Add up what is held in a whole period: commitments and units beyond them, without the tail."""
        basis = self.basis
        parts = [
            basis.in_force[_KEYS].assign(usd=basis.in_force["reserved_usd"]),
            basis.derived.earlier[[*_KEYS, "usd"]],
            basis.balance[_KEYS].assign(usd=basis.balance["unreserved_usd"]),
        ]
        return pd.concat([p for p in parts if len(p)] or parts[:1]).groupby(_KEYS, as_index=False)[["usd"]].sum()

    def _value(self) -> pd.DataFrame:
        """On-demand price of what a pool serves, and of all that is served of its models in its region."""
        basis, ways = self.basis, self.basis.flows.ways
        value = equivalent_usd(basis)[:, None] * self.by_way(factor=True)
        models: dict[tuple[str, str], set[str]] = {}
        for t in basis.case.throughput:
            models.setdefault((t.pool, t.meter), set()).add(t.model)
        region = {p.pool: p.region for p in basis.case.pools}
        rows = []
        for (pool, meter), able in models.items():
            here = (ways["region"] == region[pool]).to_numpy() & ways["model"].isin(able).to_numpy()
            mine = here & (ways["supply"] == pool).to_numpy()
            for p, period in enumerate(basis.names.periods):
                rows.append((pool, meter, period, value[mine, p].sum(), value[here, p].sum()))
        return pd.DataFrame(rows, columns=[*_KEYS, "covered_usd", "wanted_usd"])
