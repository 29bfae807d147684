"""Plan: what was decided, as tables of plain numbers. Knows no LP."""

from dataclasses import MISSING, dataclass, field, fields, replace
from enum import StrEnum
from html import escape

import pandas as pd

from planner.plan import frames

PURCHASE_COLUMNS = frames.PURCHASES.columns
DEPLOYMENT_COLUMNS = frames.DEPLOYMENTS.columns
DISPATCH_COLUMNS = frames.DISPATCH.columns
SCALED_COLUMNS = frames.SCALED_UNITS.columns
STRESS_SLOT_COLUMNS = frames.STRESS_SLOTS.columns
STRESS_DISPATCH_COLUMNS = frames.STRESS_DISPATCH.columns
RENT_COLUMNS = frames.RENTS.columns
STRESS_RENT_COLUMNS = frames.STRESS_RENTS.columns
CERTIFICATE_COLUMNS = frames.CERTIFICATE.columns
TABLES = (
    frames.PURCHASES, frames.DEPLOYMENTS, frames.DISPATCH, frames.STRESS_SLOTS, frames.STRESS_DISPATCH, frames.RENTS,
    frames.STRESS_RENTS, frames.CERTIFICATE, frames.SCALED_UNITS,
)  # fmt: skip


HALF_A_CENT_USD = 0.005


class Status(StrEnum):
    """How a solve ended; the words are those of plan.json (docs/plan-files.md, "plan.json")."""

    OPTIMAL = "optimal"  # proved to be within the gap asked
    GAP = "gap"  # a plan that keeps every rule, but dearer than the bound by more than was asked
    GIVEN = "given"  # purchases that nobody optimised: an order, priced
    INFEASIBLE = "infeasible"  # no plan keeps every rule; `InfeasibleError` says why


@dataclass(frozen=True, kw_only=True)
class Totals:
    """Cost of the plan over the horizon, USD (docs/model.md, "What it costs").

    A part with a default came later: a plan.json without it was written by an older planner, and has none of it.
    """

    reserved_usd: float  # new commitments, inside the horizon
    tail_usd: float  # counted share of their payments past the horizon
    unreserved_usd: float
    on_demand_usd: float
    egress_usd: float
    scaled_usd: float = 0.0  # units that run by the hour, and their starts
    shortfall_usd: float = 0.0  # expected: what spend commitments ask for beyond what is spent on them
    sunk_usd: float  # what earlier commitments still cost inside the horizon

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of the parts, in the order of plan.json."""
        return tuple(part.name for part in fields(cls))

    @classmethod
    def later(cls) -> tuple[str, ...]:
        """Names of the parts that older plans do not state."""
        return tuple(part.name for part in fields(cls) if part.default is not MISSING)

    def parts(self) -> dict[str, float]:
        """USD of each part by name."""
        return {name: float(getattr(self, name)) for name in self.names()}

    @property
    def total_usd(self) -> float:
        """Sum of all parts."""
        return sum(self.parts().values())


NO_COST = Totals(**dict.fromkeys(Totals.names(), 0.0))
UNIT_PARTS = tuple(name for name in Totals.names() if name not in ("on_demand_usd", "egress_usd"))  # what units cost


@dataclass(frozen=True)
class PlanRisk:
    """What the dearest scenarios cost on average, and what is minimised with a weight on it, USD."""

    cvar_usd: float
    objective_usd: float


def gap_of(total_usd: float, bound_usd: float) -> float:
    """Share of a cost that a lower bound leaves open; 0 where it is less than half a cent, which nobody can pay."""
    open_usd = total_usd - bound_usd
    return 0.0 if open_usd < HALF_A_CENT_USD else open_usd / abs(total_usd)


@dataclass(frozen=True)
class Proof:
    """How good the plan is, and how we know.

    ``bound_usd`` is proved: a lower bound on the cost of any plan, from exact rational arithmetic on dual values.
    ``tree_bound_usd`` (whole units only) is the branch-and-bound's own claim: tighter, but the solver's word.
    """

    status: Status
    bound_usd: float
    gap: float  # (total - bound) / total
    tree_bound_usd: float | None = None
    tree_gap: float | None = None
    gap_asked: float = 0.0


@dataclass(frozen=True)
class Plan:
    """A finished plan.

    Tables (columns, types and units in planner.plan.frames; a table that lacks one is refused):

    purchases : units bought under an offer at the start of a period; usd inside the horizon.
    deployments : units set aside for a model ("*": all models of a pool whose units move by the hour) in a period.
    dispatch : requests per hour served, one row a non-zero flow; supply is a pool or an on-demand option.
    stress_slots, stress_dispatch : the witness of the stress cases. Slots of one case that one routing serves form a
        group; the routing of a group serves at least the stressed demand of each of its slots.
    rents : hourly rent of one unit of a deployment, USD per unit over all occurrences of the slot: the dual of rule 4.
    stress_rents : what one more unit is worth to a stress case in the slot that sets its need: the dual of rule 8.
        Over the term of a purchase, rents and stress rents add up to its price where units are not whole.
    certificate : the prices that prove bound_usd (plan.audit.bound recomputes it from them alone). `kind` is the
        rule that a price belongs to; flows count in thousand requests per hour, units in units, quota in tokens/minute:
        rent (supply, meter, model, slot), quota (region, model, supply, slot), mix_low, mix_high (origin, workload,
        model, slot), guaranteed (origin, workload, slot), deployment (supply, meter, period), egress (origin, region,
        period), cross_region_share, budget; and for each ray of rule 8: stress (case, slot: the price of its row),
        stress_unit (supply, meter, model), stress_quota (region, model, supply), stress_mix_low, stress_mix_high
        (origin, workload, model). All prices are >= 0; what does not apply is blank (hour_of_week and ray: -1).
    """

    name: str
    input_digest: str
    totals: Totals
    proof: Proof
    purchases: pd.DataFrame
    deployments: pd.DataFrame
    dispatch: pd.DataFrame
    stress_slots: pd.DataFrame = field(default_factory=frames.STRESS_SLOTS.empty)
    stress_dispatch: pd.DataFrame = field(default_factory=frames.STRESS_DISPATCH.empty)
    rents: pd.DataFrame = field(default_factory=frames.RENTS.empty)
    stress_rents: pd.DataFrame = field(default_factory=frames.STRESS_RENTS.empty)
    certificate: pd.DataFrame = field(default_factory=frames.CERTIFICATE.empty)
    scaled_units: pd.DataFrame = field(default_factory=frames.SCALED_UNITS.empty)
    risk: PlanRisk | None = None  # None: only the expected cost counts

    def __post_init__(self) -> None:
        """Refuse a table that is not what it is declared to be."""
        for frame in TABLES:
            frame.check(getattr(self, frame.name))

    @property
    def judged_usd(self) -> float:
        """What is minimised, and what the bound is on: the expected cost, or with a risk weight the objective."""
        return self.totals.total_usd if self.risk is None else self.risk.objective_usd

    def __repr__(self) -> str:
        """Name the plan, its cost and how well it is proved."""
        lines = f"{len(self.purchases)} purchase{'' if len(self.purchases) == 1 else 's'}"
        return (
            f"<Plan {self.name}: {self.totals.total_usd:,.2f} USD, {self.proof.status}, "
            f"bound {self.proof.bound_usd:,.2f} USD, {lines}>"
        )

    def _repr_html_(self) -> str:
        """Show cost and purchases in a notebook."""
        heading = f"<p><b>{escape(repr(self)[1:-1])}</b></p>"
        return heading + str(self.purchases.to_html(index=False, float_format="{:,.2f}".format))


def proved_by(free: Plan, found: Plan) -> Plan:
    """Return a plan of a case with more limits with the bound, and the prices, of the plan that is free of them."""
    total, proof = found.judged_usd, free.proof

    def gap(bound: float | None) -> float | None:
        return None if bound is None else gap_of(total, bound)

    gaps = [g for g in (gap(proof.bound_usd), gap(proof.tree_bound_usd)) if g is not None]
    return replace(
        found,
        proof=replace(
            proof,
            status=Status.OPTIMAL if min(gaps) <= proof.gap_asked else Status.GAP,
            gap=gaps[0],
            tree_gap=gap(proof.tree_bound_usd),
        ),
        certificate=free.certificate,
        rents=free.rents,  # of the same dual prices; those of the limited programme hold what the limits are worth
        stress_rents=free.stress_rents,
    )
