"""The linear programme: columns, rows and entries, and the list of families in reading order."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from planner.model.columns import Columns, columns_of
from planner.model.constraints.balance import balance
from planner.model.constraints.budget import budget
from planner.model.constraints.deployment import deployment
from planner.model.constraints.egress import cross_region_share, egress
from planner.model.constraints.guaranteed import guaranteed
from planner.model.constraints.keep import keep, keep_limit
from planner.model.constraints.mix import mix
from planner.model.constraints.quota import quota
from planner.model.constraints.reserved import reserved
from planner.model.constraints.sizes import size_low, size_top
from planner.model.objective import objective
from planner.model.rows import Rows
from planner.model.sets import Floats, Sets

FAMILIES: tuple[Callable[[Sets, Columns], Rows], ...] = (
    balance,
    mix,
    guaranteed,
    reserved,
    deployment,
    quota,
    egress,
    cross_region_share,
    budget,
    keep,
    keep_limit,
    size_low,
    size_top,
)


@dataclass(frozen=True)
class LinearProgram:
    """min cost·x subject to lower ≤ A x ≤ upper, 0 ≤ x ≤ upper bounds; natural units (see Sets), not yet scaled."""

    sets: Sets
    columns: Columns
    cost: Floats
    families: tuple[Rows, ...]

    @property
    def row_count(self) -> int:
        """Number of rows of all families."""
        return sum(rows.count for rows in self.families)

    def first_row(self, family: str) -> int:
        """Return the number of the first row of a family."""
        first = 0
        for rows in self.families:
            if rows.family == family:
                return first
            first += rows.count
        raise KeyError(family)

    def family(self, name: str) -> Rows:
        """Return the rows of a family by its name."""
        return next(rows for rows in self.families if rows.family == name)

    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds of all rows."""
        return (
            np.concatenate([rows.lower for rows in self.families]),
            np.concatenate([rows.upper for rows in self.families]),
        )


def program_of(
    sets: Sets, sized: bool = False, families: Sequence[Callable[[Sets, Columns], Rows]] = FAMILIES
) -> LinearProgram:
    """State the programme of some sets: every decision, cost term and family of constraints but rule 8 (stress).

    With ``sized`` the size rules of whole units are stated too. Rule 8 is added as projected rows (`reduce.stress`);
    `model.literal` states it with all its flows.
    """
    at = columns_of(sets, sized)
    return LinearProgram(sets, at, objective(sets, at), tuple(family(sets, at) for family in families))
