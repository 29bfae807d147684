"""Pools whose units cannot be had by the hour, beside a case where they can: a bound of 0 in place of no column.

A case that refuses new units in a region has no price by the hour there. With the price of the other case its programme
has the same columns, and with those units at 0 the same plans.
"""

from dataclasses import dataclass, replace

import numpy as np

from planner.model.program import LinearProgram
from planner.model.sets import Sets
from planner.schema.capacity import Pool
from planner.schema.case import Case


@dataclass(frozen=True)
class Closed:
    """A case with the prices by the hour of another one, and the pools that have none in truth."""

    case: Case
    pools: frozenset[str] = frozenset()

    @classmethod
    def beside(cls, case: Case, pools: tuple[Pool, ...]) -> "Closed":
        """Give a case the prices by the hour of some pools, where its own differ in that some have none."""
        if case.pools == pools or len(case.pools) != len(pools):
            return cls(case)
        pairs = list(zip(case.pools, pools, strict=True))
        closed = [own.pool for own, other in pairs if own != other]
        if any(own != other.model_copy(update={"usd_per_unreserved_unit_hour": None})
               for own, other in pairs if own != other):  # fmt: skip
            return cls(case)
        return cls(replace(case, pools=pools), frozenset(closed))

    def bounded(self, program: LinearProgram) -> LinearProgram:
        """Bound the units by the hour of closed pools by 0."""
        if not self.pools:
            return program
        at, upper = program.columns, program.columns.upper.copy()
        shut = at.unreserved[program.sets.meters["pool"].isin(self.pools).to_numpy(bool)]
        upper[shut[shut >= 0]] = 0.0
        return replace(program, columns=replace(at, upper=upper))

    def truly(self, sets: Sets, case: Case) -> Sets:
        """Return sets of the case as the case itself has them."""
        if not self.pools:
            return sets
        price = sets.meters["usd_per_unreserved_unit_hour"].to_numpy(float)
        shut = sets.meters["pool"].isin(self.pools).to_numpy(bool)
        meters = sets.meters.assign(usd_per_unreserved_unit_hour=np.where(shut, np.nan, price))
        return replace(sets, meters=meters, case=case)
