"""The optimum of the literal integer programme, by HiGHS alone, and whether planner finds it."""

import highspy
import pytest

from planner.errors import InfeasibleError
from planner.model.index_tables import sets_of
from planner.model.program import literal_program
from planner.plan.audit import audit
from planner.schema.case import Case
from planner.solver.find import Options, find_plan
from planner.solver.highs import highs_model, quiet_highs, set_options
from planner.solver.scaling import scale_of
from planner.solver.session import sunk_usd

TINY_GAP = 1e-7


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


def right(case: Case) -> bool:
    """Whether planner finds the literal optimum and proves it, or finds that there is no plan where there is none."""
    want = literal_usd(case)
    try:
        plan = find_plan(case, Options(gap=TINY_GAP))
    except InfeasibleError:
        assert want is None
        return True
    assert want is not None
    want += sunk_usd(case)
    near = pytest.approx(want, rel=1e-6, abs=1e-6)
    assert plan.judged_usd == near
    assert plan.proof.bound_usd <= want * (1 + 1e-7) + 1e-6
    assert str(plan.proof.status) == "optimal"
    assert audit(case, plan) == []
    if not case.settings.policy.whole_units:
        assert plan.proof.bound_usd == near
    return True
