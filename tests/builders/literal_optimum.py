"""The optimum of the literal integer programme, by HiGHS alone."""

import highspy

from planner.model.index_tables import sets_of
from planner.model.program import literal_program
from planner.schema.case import Case
from planner.solver.highs import highs_model, quiet_highs, set_options
from planner.solver.scaling import scale_of


def literal_usd(case: Case) -> float | None:
    """Optimum of the literal integer programme by HiGHS's own branch and bound; None: no plan."""
    program = literal_program(sets_of(case), sized=True)
    scale = scale_of(program)
    lp = highs_model(program, scale)
    kinds = (highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger)
    lp.integrality_ = [kinds[int(whole)] for whole in program.columns.integer]
    h = quiet_highs()
    set_options(h, mip_rel_gap=0.0, mip_abs_gap=0.0, mip_feasibility_tolerance=1e-9)
    h.passModel(lp)
    h.run()
    if h.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return None
    return float(h.getInfo().objective_function_value) * scale.cost
