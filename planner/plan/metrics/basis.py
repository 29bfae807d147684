"""What every table of figures starts from: the plan's tables as numbers, read once."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from planner.errors import AuditError
from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names, deployed_units
from planner.plan.frames import Ints
from planner.plan.plan import Plan
from planner.plan.pricing import months_in_force, spent_of, unit_balance
from planner.plan.reading import Reading
from planner.plan.scaled import scaled_usd, started_units
from planner.plan.spend import Spent
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, counted


@dataclass(frozen=True)
class Basis:
    """A case and its audited plan.

    reading : what was read of them. flows : the dispatch at slots. units : deployed, deployments x periods. hours : of
        each period.
    """

    reading: Reading
    case: Case
    plan: Plan
    derived: Derived
    names: Names
    flows: Flows
    units: Floats
    hours: Floats

    @classmethod
    def of(cls, reading: Reading) -> "Basis":
        """Take what was read of a plan; it must have passed its audit."""
        flows, unknown = reading.dispatch
        if len(unknown):
            raise AuditError(
                f"dispatch: {counted(len(unknown), 'row names', many='rows name')} what the input does not "
                "know; audit the plan first"
            )
        hours = np.array([p.hours for p in reading.case.periods])
        units = deployed_units(reading.names, reading.plan.deployments)
        return cls(reading, reading.case, reading.plan, reading.derived, reading.names, flows, units, hours)

    @property
    def period(self) -> Ints:
        """Period of each flow."""
        found: Ints = self.flows.place // HOURS_PER_WEEK % len(self.names.periods)
        return found

    @cached_property
    def requests(self) -> Floats:
        """Expected requests of each way in each period: ways x periods."""
        return self._expected(self._slot_weeks)

    @cached_property
    def priced_requests(self) -> Floats:
        """Expected requests times what their on-demand price is multiplied by (`price_factors`): ways x periods."""
        return self._expected(self._slot_weeks, self.price_factors)

    @cached_property
    def price_factors(self) -> Floats:
        """What each flow's on-demand price is multiplied by; of reserved units, that of the equivalent option."""
        ways = self.flows.ways
        equivalent = self.reading.prices.quota_of_ways(self.names, self.flows)
        option = np.where(ways["reserved"].to_numpy(bool), equivalent, ways["quota"].to_numpy(int))
        return self.derived.price_factors(self.flows.place, option[self.flows.way])

    @cached_property
    def in_force(self) -> pd.DataFrame:
        """New commitments by month (plan.pricing)."""
        return months_in_force(self.case, self.plan.purchases)

    @cached_property
    def balance(self) -> pd.DataFrame:
        """Units committed and deployed by pool, meter and period (plan.pricing)."""
        return unit_balance(self.case, self.in_force, self.derived.earlier, self.plan.deployments)

    @cached_property
    def scaled_usd(self) -> Floats:
        """Expected cost of units that run by the hour: deployments x periods."""
        chance = np.array([s.probability for s in self.case.scenarios])
        found: Floats = np.einsum("dsp,s->dp", scaled_usd(self.case, self.names, self.flows.scaled), chance)
        return found

    @cached_property
    def scaled_unit_hours(self) -> Floats:
        """Expected unit-hours that are paid for units by the hour, cold starts included: deployments x periods."""
        run, pools = self.flows.scaled, {p.pool: p.start_hours for p in self.case.pools}
        if not run.size:
            return np.zeros((len(self.names.deployments), len(self.names.periods)))
        warm = np.array([pools[pool] for pool, _, _ in self.names.deployments])
        paid = self._by_period(run + warm[:, None] * started_units(run))
        found: Floats = np.einsum("dsph,sp->dp", paid, self._slot_weeks.reshape(paid.shape[1:3]))
        return found

    @cached_property
    def scaled_requests(self) -> Floats:
        """Expected requests of each way that units by the hour serve, in each period: ways x periods."""
        return self._expected(self._slot_weeks, self.reading.by_scaled.of_flow)

    @cached_property
    def priced_scaled_requests(self) -> Floats:
        """The same times what their on-demand price is multiplied by: ways x periods."""
        return self._expected(self._slot_weeks, self.price_factors * self.reading.by_scaled.of_flow)

    @property
    def reserved_requests(self) -> Floats:
        """Expected requests of each way that reserved units serve: ways x periods."""
        return self._reserved(self.requests, self.scaled_requests)

    @property
    def priced_reserved_requests(self) -> Floats:
        """The same times what their on-demand price is multiplied by: ways x periods."""
        return self._reserved(self.priced_requests, self.priced_scaled_requests)

    def _reserved(self, every: Floats, by_scaled: Floats) -> Floats:
        own: Floats = self.flows.ways["reserved"].to_numpy(bool)[:, None]
        found: Floats = np.where(own, np.maximum(every - by_scaled, 0.0), 0.0)
        return found

    @cached_property
    def spent(self) -> Spent:
        """What counts for each spend commitment (plan.spend)."""
        return spent_of(self.reading)

    @cached_property
    def capacity_usd(self) -> pd.DataFrame:
        """All that reserved capacity costs by pool, meter and period, USD: commitments, tail, unreserved."""
        keys, new = ["pool", "meter", "period"], self.in_force
        parts = [
            new[keys].assign(usd=new["reserved_usd"] + new["tail_usd"]),
            self.derived.earlier[[*keys, "usd"]],
            self.balance[keys].assign(usd=self.balance["unreserved_usd"]),
        ]
        return pd.concat([p for p in parts if len(p)] or parts[:1]).groupby(keys, as_index=False)[["usd"]].sum()

    @cached_property
    def weeks(self) -> Floats:
        """How often each slot is expected."""
        return np.repeat(self.derived.slots["weeks"].to_numpy(float), HOURS_PER_WEEK)

    @cached_property
    def peak_load(self) -> Floats:
        """Largest load that deployed units bear in any slot, with headroom, units: deployments x periods."""
        load = self.flows.unit_load(len(self.names.deployments), self.names.slot_count, headroom=True)
        top: Floats = self._by_period(load * (1 - self.reading.by_scaled.of_load)).max(axis=(1, 3), initial=0.0)
        return top

    @cached_property
    def used_unit_hours(self) -> Floats:
        """Expected unit-hours of deployed units used, with bursts, without headroom: deployments x periods."""
        total = np.zeros((len(self.names.deployments), len(self.names.periods)))
        np.add.at(total, self.flows.loads["deployment"].to_numpy(int), self.load_unit_hours)
        left: Floats = np.maximum(total - self.scaled_used_unit_hours, 0.0)
        return left

    @cached_property
    def load_unit_hours(self) -> Floats:
        """Expected unit-hours that each row of `Flows.loads` uses, of every kind of unit: rows x periods."""
        way = self.flows.loads["way"].to_numpy(int)
        found: Floats = self.requests[way] * self.flows.loads["units_per_request"].to_numpy(float)[:, None]
        return found

    @cached_property
    def scaled_load_unit_hours(self) -> Floats:
        """Of them, those of units that run by the hour: rows x periods."""
        loads, over = self.flows.loads, self.reading.by_scaled
        found = np.zeros((len(loads), len(self.names.periods)))
        if over:
            for nth in range(int(loads["nth"].max()) + 1):
                row = np.flatnonzero(loads["nth"].to_numpy(int) == nth)
                way, deployment = (loads[name].to_numpy(int)[row] for name in ("way", "deployment"))
                at = np.full(len(self.flows.ways), -1, np.int64)
                at[way] = deployment
                of = at[self.flows.way]
                share = np.where(of >= 0, over.of_load[np.maximum(of, 0), self.flows.place], 0.0)
                units = loads["units_per_request"].to_numpy(float)[row, None]
                found[row] = self._expected(self._slot_weeks, share)[way] * units
        return found

    @cached_property
    def scaled_used_unit_hours(self) -> Floats:
        """Expected unit-hours that units by the hour are used for, without headroom: deployments x periods."""
        total = np.zeros((len(self.names.deployments), len(self.names.periods)))
        np.add.at(total, self.flows.loads["deployment"].to_numpy(int), self.scaled_load_unit_hours)
        return total

    @property
    def _slot_weeks(self) -> Floats:
        weeks: Floats = self.derived.slots["weeks"].to_numpy(float)
        return weeks

    def _by_period(self, by_slot: Floats) -> Floats:
        """Unfold an array deployments x slots: deployments x scenarios x periods x hours of the week."""
        return by_slot.reshape(len(by_slot), len(self.names.scenarios), len(self.names.periods), HOURS_PER_WEEK)

    def _expected(self, weight: Floats, factor: Floats | float = 1.0) -> Floats:
        periods = len(self.names.periods)
        value = self.flows.rph * weight[self.flows.place // HOURS_PER_WEEK] * factor
        cell = self.flows.way * periods + self.period
        total: Floats = np.bincount(cell, value, len(self.flows.ways) * periods).astype(float)
        return total.reshape(len(self.flows.ways), periods)


def ratio(part: Floats | float, whole: Floats | float) -> Floats:
    """Divide; NaN where there is nothing to divide by."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(np.asarray(whole) > 0, np.divide(part, whole), np.nan)
    return found
