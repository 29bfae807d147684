"""The linear programme: columns, rows and entries, and the list of families in reading order."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from planner.model.columns import Columns, columns_of
from planner.model.constraints import declared
from planner.model.constraints.stress_rows import stress_columns
from planner.model.family import Family
from planner.model.objective import objective
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets

FAMILIES: tuple[Family, ...] = tuple(family for family in declared() if not family.of_stress)
STRESS_FAMILIES: tuple[Family, ...] = tuple(family for family in declared() if family.of_stress)  # rule 8, with flows


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

    def entries(self) -> tuple[Ints, Ints, Floats]:
        """Row, column and value of all entries."""
        firsts = np.cumsum([0, *(rows.count for rows in self.families)])
        return (
            np.concatenate([rows.row + first for rows, first in zip(self.families, firsts)]),
            np.concatenate([rows.column for rows in self.families]),
            np.concatenate([rows.value for rows in self.families]),
        )

    def bounds(self) -> tuple[Floats, Floats]:
        """Lower and upper bounds of all rows."""
        return (
            np.concatenate([rows.lower for rows in self.families]),
            np.concatenate([rows.upper for rows in self.families]),
        )


def families_of(sets: Sets) -> tuple[Family, ...]:
    """Return the families that are stated of some sets: all but those left out."""
    return tuple(family for family in FAMILIES if family.name not in sets.left_out)


def program_of(sets: Sets, sized: bool = False, families: Sequence[Family] | None = None) -> LinearProgram:
    """State the programme of some sets: every decision, cost term and family of constraints but rule 8 (stress).

    With ``sized`` the size rules of whole units are stated too. Rule 8 is added as projected rows (`reduce.stress`);
    `literal_program` states it with all its flows. ``families``: these only.
    """
    at = columns_of(sets, sized)
    stated = families_of(sets) if families is None else families
    return LinearProgram(sets, at, objective(sets, at), tuple(family.rows(sets, at) for family in stated))


def literal_program(sets: Sets, sized: bool = False) -> LinearProgram:
    """State every rule, rule 8 with its own flows; nothing is merged, split or projected.

    The optimum is that of the programme which is solved (`program_of` with the rows of `reduce.stress`).
    """
    program = program_of(sets, sized)
    at = stress_columns(sets, program.columns)
    return replace(
        program,
        columns=at,
        cost=np.concatenate([program.cost, np.zeros(at.count - program.columns.count)]),
        families=(*program.families, *(family.rows(sets, at) for family in STRESS_FAMILIES)),
    )
