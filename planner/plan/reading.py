"""Reading: a case and a plan as numbers, read once for audit, figures and reports; on-demand prices of any request."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Names, deployed_units
from planner.plan.frames import ARRIVED, Ints, encode
from planner.plan.plan import Plan
from planner.plan.scaled import ServedByScaled, scaled_array
from planner.plan.stress_cases import StressCase, Witness, stress_cases
from planner.schema.case import Case


@dataclass(frozen=True)
class OnDemandPrices:
    """The price of one request on demand, before the scenario's factor; arrays workloads x regions x models.

    It is that of the cheapest option there that is not a guaranteed tier; where only a guaranteed tier is sold, of
    that.

    usd : USD; NaN where nothing is sold. nearest_usd : workloads x origins x models, the least within an origin's
    reach, and nearest_quota its option. quota : the option, as a row of case.on_demand; -1: none.
    quota_per_request : what a request per hour counts on it, tokens per minute (0: none).
    """

    usd: Floats
    nearest_usd: Floats
    nearest_quota: Ints
    quota: Ints
    quota_per_request: Floats

    @classmethod
    def of(cls, derived: Derived, names: Names) -> "OnDemandPrices":
        """Choose the option of every workload, region and model."""
        shape = len(names.workloads), len(names.regions), len(names.models)
        options, travel = derived.options, derived.travel
        order = np.lexsort((options["on_demand_usd"].to_numpy(float), options["guaranteed"].to_numpy(bool)))[::-1]
        at = tuple(
            encode(options[column], known)[order]
            for column, known in (("workload", names.workloads), ("region", names.regions), ("model", names.models))
        )
        number = {key: k for k, key in enumerate(names.quotas)}
        keys = zip(options["region"], options["model"], options["option"], strict=True)
        usd, quota, counted = np.full(shape, np.nan), np.full(shape, -1), np.zeros(shape)
        usd[at] = options["on_demand_usd"].to_numpy(float)[order]  # the first choice is written last
        quota[at] = np.array([number[key] for key in keys], np.int64)[order]
        counted[at] = options["quota_per_request"].to_numpy(float)[order]
        nearest = np.full(shape, np.nan)
        workload = encode(travel["workload"], names.workloads)
        origin, region = encode(travel["origin"], names.regions), encode(travel["region"], names.regions)
        np.fmin.at(nearest, (workload, origin), usd[workload, region])
        nearest_quota = np.full(shape, -1)
        for w, o, r in zip(workload.tolist(), origin.tolist(), region.tolist(), strict=True):
            least = usd[w, r] == nearest[w, o]
            nearest_quota[w, o, least] = quota[w, r, least]
        return cls(usd, nearest, nearest_quota, quota, counted)

    def of_ways(self, names: Names, flows: Flows) -> Floats:
        """Price a request of each way where it is served, else the least within its origin's reach; NaN: neither."""
        origin, workload, model, region, _ = names.codes(flows.ways)
        here = self.usd[workload, region, model]
        found: Floats = np.where(np.isnan(here), self.nearest_usd[workload, origin, model], here)
        return found

    def quota_of_ways(self, names: Names, flows: Flows) -> Ints:
        """Return the option that has that price, as a row of case.on_demand; -1: none."""
        origin, workload, model, region, _ = names.codes(flows.ways)
        here = self.quota[workload, region, model]
        return np.where(here >= 0, here, self.nearest_quota[workload, origin, model])


@dataclass(frozen=True)
class Reading:
    """A case and a plan, each of its parts read when it is first asked for. The plan need not be sound."""

    case: Case
    plan: Plan

    def __repr__(self) -> str:
        """Name both."""
        return f"<Reading of {self.case!r} and {self.plan!r}>"

    @cached_property
    def derived(self) -> Derived:
        """Loads and prices of a request."""
        return Derived.of(self.case)

    @cached_property
    def names(self) -> Names:
        """Every name of the case and its number."""
        return Names.of(self.case, self.derived)

    @cached_property
    def meters(self) -> tuple[tuple[str, str], ...]:
        """Every pool and meter, sorted."""
        return tuple(sorted({(t.pool, t.meter) for t in self.case.throughput}))

    @cached_property
    def prices(self) -> OnDemandPrices:
        """On-demand prices of any request."""
        return OnDemandPrices.of(self.derived, self.names)

    @cached_property
    def demand(self) -> Floats:
        """Requests per hour, needs x slots."""
        return self.names.demand(self.case)

    @cached_property
    def dispatch(self) -> tuple[Flows, Ints]:
        """Read the dispatch at slots; also the positions of rows that name what the case does not know."""
        dispatch, slots = self.plan.dispatch, self.names.slots
        arrived = slots(dispatch, ARRIVED) if ARRIVED in dispatch else None
        flows, unknown = Flows.of(self.case, self.derived, self.names, dispatch, slots(dispatch), arrived)
        return replace(flows, scaled=scaled_array(self.names, self.plan.scaled_units)), unknown

    @cached_property
    def by_scaled(self) -> ServedByScaled:
        """What units that run by the hour serve."""
        flows, shape = self.dispatch[0], (len(self.names.deployments), len(self.names.periods))
        run = flows.scaled.any()
        units = deployed_units(self.names, self.plan.deployments) if run else np.zeros(shape)
        return ServedByScaled.of(self.names, flows, units)

    @cached_property
    def stress_cases(self) -> tuple[StressCase, ...]:
        """Headroom, and the loss of each region that fails."""
        return stress_cases(self.case, self.names)

    @cached_property
    def witnesses(self) -> tuple[list[Witness], Ints]:
        """Read the witness of each stress case; also the positions of flows that name what the case does not know."""
        names = [case.name for case in self.stress_cases]
        return Witness.each(self.case, self.derived, self.names, self.plan, names)
