"""What a shift of the model mix is worth: a study's result, as tables of plain numbers.

Tiers are those of the table models: small, mid, frontier. A share is of requests. What an answer of a smaller model is
worth is not in these numbers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from planner.errors import Shortfall
from planner.plan.frames import NUMBER, TEXT, Field, Frame

TIERS = ("small", "mid", "frontier")  # from the cheapest to the best
ALL = "(all)"  # of workloads
_WORKLOAD = Field("workload", TEXT, f"workload; `{ALL}`: all of them")
_TIER = Field("tier", TEXT, "small, mid or frontier")
_TARGET = Field("target_share", NUMBER, "share of requests asked; NaN: the mix as it is", "share")
WORKLOADS = Frame("workloads", "cost of each workload at a target", (
    Field("workload", TEXT, "workload"), Field("tasks", NUMBER, "tasks", "tasks"),
    Field("total_usd", NUMBER, "cost", "USD"), Field("usd_per_task", NUMBER, "cost of a task", "USD"),
    Field("difference_usd", NUMBER, "cost less that of the mix as it is", "USD"),
    Field("difference_share", NUMBER, "the same, over that cost", "share"),
))  # fmt: skip
TIERS_REACHED = Frame("tiers", "one row for each workload and tier, then for all workloads", (
    _WORKLOAD, _TIER, _TARGET, Field("share", NUMBER, "share of requests reached", "share"),
))  # fmt: skip
HELD = Frame("held", "one row for each workload and tier that limits hold from the target", (
    Field("workload", TEXT, "workload"), _TIER, _TARGET, Field("share", NUMBER, "nearest permitted share", "share"),
    Field("limit", TEXT, "which limit; blank: it takes or gives what another tier is held from"),
))  # fmt: skip
MIX_FIGURES = (WORKLOADS, TIERS_REACHED, HELD)


@dataclass(frozen=True)
class MixTarget:
    """Target shares of the tiers; `shares` (tier: share, together 1) is None for the mix as it is."""

    name: str
    shares: Mapping[str, float] | None


@dataclass(frozen=True)
class MixVariant:
    """A plan at a target.

    shortfalls : what would have to change for there to be a plan. Without a plan figures are NaN and tables empty.
    total_usd : of the plan, bound_usd: what no plan at these shares can cost less than. difference_usd : total_usd less
        that of the mix as it is; difference_share: over it. Negative: it costs less.
    reserved_usd, scaled_usd, shortfall_usd, on_demand_usd, egress_usd : of the total. Reserved: what commitments and
        units beyond them cost; scaled: units that run by the hour; shortfall: what spend commitments fall short of.
    commitments : what it buys: offer, period, units, usd inside the horizon.
    workloads : columns WORKLOADS; adds up to total_usd, but for capacity that nobody asks for.
    tiers : columns TIERS_REACHED: asked and reached, of each workload and of ALL. target_share is NaN for the mix as it
        is. More of a better tier than asked may be cheaper.
    held : columns HELD: where a workload's limits do not permit the target, the nearest permitted share, and
        which limit ("" where it only takes or gives what another tier is held from).
    """

    target: MixTarget
    shortfalls: tuple[Shortfall, ...]
    total_usd: float
    bound_usd: float
    reserved_usd: float
    scaled_usd: float
    shortfall_usd: float
    on_demand_usd: float
    egress_usd: float
    difference_usd: float
    difference_share: float
    commitments: pd.DataFrame
    workloads: pd.DataFrame
    tiers: pd.DataFrame
    held: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse a table that is not what it is declared to be."""
        for frame in MIX_FIGURES:
            frame.check(getattr(self, frame.name))

    @property
    def possible(self) -> bool:
        """Whether there is a plan."""
        return not math.isnan(self.total_usd)

    @property
    def problem(self) -> str:
        """Why there is no plan, in words; "" where there is one."""
        return "" if self.possible else "; ".join(map(str, self.shortfalls)) or "no plan exists"


@dataclass(frozen=True)
class LeftOut:
    """A mix that was asked for and not solved, and why, in words."""

    name: str
    reason: str


@dataclass(frozen=True)
class MixStudy:
    """Plans of one case at several mixes; the first is the mix as it is (the optimum within the allowed shares)."""

    name: str
    input_digest: str
    months: tuple[str, ...]
    variants: tuple[MixVariant, ...]
    left_out: tuple[LeftOut, ...] = ()

    @property
    def all_frontier(self) -> MixVariant | None:
        """The variant that asks for frontier models only, where it was studied and has a plan."""
        found = [v for v in self.variants if v.possible and v.target.shares and v.target.shares["frontier"] == 1]
        return found[0] if found else None
