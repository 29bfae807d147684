"""The margin of a stress case as data: how far demand may grow before it breaks. Found by `verify.margins`."""

from dataclasses import dataclass

import pandas as pd

from planner.plan.stress_cases import StressCase

LOAD_COLUMNS = ("region", "model", "supply", "reserved", "unlimited", "requests_per_hour")


@dataclass(frozen=True)
class WorkloadMargin:
    """How far one workload alone may grow in a stress case: ``growth`` as a factor, and the slot where it ends."""

    workload: str
    growth: float
    slot: int


@dataclass(frozen=True)
class Margin:
    """A stress case and the slot that binds.

    slot : where growth ends first; where nothing ends it, the slot of most demand; -1: the case asks for nothing.
    need_rph : stressed demand of that slot, requests per hour.
    growth : largest factor by which all demand can grow, in every slot, with every request still served by what stands;
        below 1 the case is broken; inf: nothing that is used has a limit.
    load : columns LOAD_COLUMNS: who serves that slot's demand (where the case is broken: as much of it as can be),
        reserved units first.
    workloads : the same of each workload alone, the others as they are; empty where that was not asked.
    """

    case: StressCase
    slot: int
    need_rph: float
    growth: float
    load: pd.DataFrame
    workloads: tuple[WorkloadMargin, ...] = ()

    @property
    def share(self) -> float:
        """Margin as a share of demand: growth less 1; NaN where the case asks for nothing."""
        return self.growth - 1 if self.slot >= 0 else float("nan")
