"""The literal programme: docs/model.md, "The rules" in full, stress flows and all, for LP files and tests."""

from dataclasses import replace

import numpy as np

from planner.model.constraints.stress import stress_columns
from planner.model.program import STRESS_FAMILIES, LinearProgram, program_of
from planner.model.sets import Sets


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
