"""Reading: the tables of a case and a plan as numbers, read once for the audit, the figures and the reports."""

from dataclasses import dataclass
from functools import cached_property

from planner.plan.derived import Derived
from planner.plan.flows import Floats, Flows, Ints, Names
from planner.plan.plan import Plan
from planner.plan.prices import OnDemandPrices
from planner.plan.stress_cases import StressCase, stress_cases
from planner.plan.witness import Witness
from planner.schema.case import Case


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
        return Flows.of(self.case, self.derived, self.names, self.plan.dispatch, self.names.slots(self.plan.dispatch))

    @cached_property
    def stress_cases(self) -> tuple[StressCase, ...]:
        """Headroom, and the loss of each region that fails."""
        return stress_cases(self.case, self.names)

    @cached_property
    def witnesses(self) -> tuple[list[Witness], Ints]:
        """Read the witness of each stress case; also the positions of flows that name what the case does not know."""
        names = [case.name for case in self.stress_cases]
        return Witness.each(self.case, self.derived, self.names, self.plan, names)
