"""The solvers that PuLP can call: names, how to install each, options by each one's own names, what each one proved."""

import inspect
import math
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pulp

from planner.errors import PlannerError, StoppedError
from planner.model.program import LinearProgram, program_of
from planner.model.sets import Floats
from planner.solver.continuous import ROUNDS, LinearSolve, cut_rows
from planner.solver.highs import Clock
from planner.solver.scaling import Scale, scale_of
from planner.solver.whole import WholeResult, rounded, values_without_sizes

TIGHT = 1e-9  # feasibility asked of each solver that can be asked


def _no_bound(problem: pulp.LpProblem) -> float:
    """Return no bound: solvers that are called through files do not hand theirs back."""
    return math.nan


def _mosek_bound(problem: pulp.LpProblem) -> float:
    import mosek  # type: ignore[import-not-found, unused-ignore]

    return float(problem.solver.task.getdouinf(mosek.dinfitem.mio_obj_bound))


@dataclass(frozen=True)
class OtherSolver:
    """A solver of PuLP.

    pulp_name : its class in PuLP. install : how to get it. gap : name of its option for the relative gap ("": see
    ``settings``). settings : its other options, given the gap. bound : the lower bound that it proved, by its own
    interface, in the problem's scaled dollars; NaN where it hands none back.
    """

    pulp_name: str
    install: str
    gap: str = "gapRel"
    settings: Callable[[float], Mapping[str, Any]] = field(default=lambda gap: {})
    bound: Callable[[pulp.LpProblem], float] = _no_bound


_CBC = {"options": ["primalTolerance 1e-9", "dualTolerance 1e-9"], "threads": 1}
_SCIP = {"options": ["numerics/feastol=1e-9"]}
# With its dual reductions Xpress 9.9 proves 4,792.84 USD of a plan that can be had for 4,728.10 (measured, 2026-11).
_XPRESS = {"options": ["feastol=1e-9", "mipdualreductions=0"]}
# name on the command line: solvers in the order in which they are looked for
SOLVERS: dict[str, tuple[OtherSolver, ...]] = {
    "cbc": (
        OtherSolver("PULP_CBC_CMD", "apt install coinor-cbc", settings=lambda gap: _CBC),
        OtherSolver("COIN_CMD", "apt install coinor-cbc", settings=lambda gap: _CBC),
    ),
    "glpk": (OtherSolver("GLPK_CMD", "apt install glpk-utils", "", lambda gap: {"options": ["--mipgap", f"{gap:g}"]}),),
    "pulp-highs": (
        OtherSolver(
            "HiGHS",
            "pip install highspy",
            settings=lambda gap: {
                "threads": 1,
                "primal_feasibility_tolerance": TIGHT,
                "dual_feasibility_tolerance": TIGHT,
                "mip_feasibility_tolerance": TIGHT,
            },
            bound=lambda problem: float(problem.solverModel.getInfo().mip_dual_bound),
        ),
    ),
    "scip": (
        OtherSolver(
            "SCIP_PY",
            "pip install pyscipopt",
            settings=lambda gap: _SCIP,
            bound=lambda problem: float(problem.solverModel.getDualbound()),
        ),
        OtherSolver("SCIP_CMD", "install SCIP (https://scipopt.org)"),
    ),
    "gurobi": (
        OtherSolver(
            "GUROBI",
            "pip install gurobipy",
            settings=lambda gap: {"FeasibilityTol": TIGHT, "OptimalityTol": TIGHT, "IntFeasTol": TIGHT},
            bound=lambda problem: float(problem.solverModel.ObjBound),
        ),
        OtherSolver("GUROBI_CMD", "install Gurobi"),
    ),
    "xpress": (
        OtherSolver(
            "XPRESS_PY",
            "pip install xpress",
            settings=lambda gap: _XPRESS,
            bound=lambda problem: float(problem.solverModel.attributes.bestbound),
        ),
        OtherSolver("XPRESS", "install FICO Xpress"),
    ),
    "copt": (
        OtherSolver(
            "COPT",
            "pip install coptpy",
            settings=lambda gap: {"FeasTol": TIGHT, "DualTol": TIGHT, "IntTol": TIGHT},
            bound=lambda problem: float(problem.solverModel.BestBnd),
        ),
        OtherSolver("COPT_CMD", "install COPT", ""),
    ),
    "mosek": (
        OtherSolver(
            "MOSEK",
            "pip install mosek, and a licence file",
            "",
            lambda gap: {
                "options": {
                    "MSK_DPAR_MIO_TOL_REL_GAP": gap,
                    "MSK_DPAR_MIO_TOL_FEAS": TIGHT,
                    "MSK_DPAR_BASIS_TOL_X": TIGHT,
                }
            },
            _mosek_bound,
        ),
    ),
    "cplex": (
        OtherSolver(
            "CPLEX_PY",
            "pip install cplex",
            bound=lambda problem: float(problem.solverModel.solution.MIP.get_best_objective()),
        ),
        OtherSolver("CPLEX_CMD", "install CPLEX"),
    ),
}
BY_CLASS = {s.pulp_name.lower(): s for listed in SOLVERS.values() for s in listed}


@contextmanager
def _silence() -> Iterator[None]:
    """Let solvers print where nobody reads it: some do so whatever their options, and --json owns the output."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PuLP 4.0 will not bring CBC along; Gurobi tells of its licence
            yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


def is_there(solver: OtherSolver) -> bool:
    """Whether a solver can be called here."""
    with _silence():
        try:
            return bool(pulp.getSolver(solver.pulp_name, msg=False).available())
        except Exception:  # a solver that cannot even be asked is not there
            return False


def other_solver(name: str) -> OtherSolver:
    """Return the solver of a name: one of SOLVERS, or a class of PuLP, in any case.

    Raises
    ------
    PlannerError : PuLP does not know it, or it is not installed; the message says how to get it, and what is there.
    """
    known = {solver.lower(): solver for solver in pulp.listSolvers()}
    asked = name.lower()
    wanted = SOLVERS.get(asked, ())
    if not wanted and asked in known:
        wanted = (BY_CLASS.get(asked) or OtherSolver(known[asked], ""),)
    for solver in wanted:
        if is_there(solver):
            return solver
    choice = ", ".join(["highs", *(short for short, listed in SOLVERS.items() if any(map(is_there, listed)))])
    if not wanted:
        raise PlannerError(f"--solver {name}: is not a solver that PuLP knows; available: {choice}")
    how = f"; to install it: {wanted[0].install}" if wanted[0].install else ""
    raise PlannerError(f"--solver {name}: is not installed here{how}. Available: {choice}")


def pulp_solver(solver: OtherSolver, clock: Clock, gap: float) -> Any:
    """Return PuLP's object of a solver, with the options that it understands."""
    left = clock.left()
    options: dict[str, Any] = {"msg": False, **solver.settings(gap)}
    accepted = inspect.signature(type(pulp.getSolver(solver.pulp_name, msg=False)).__init__).parameters
    if solver.gap and solver.gap in accepted:
        options[solver.gap] = gap
    if np.isfinite(left) and "timeLimit" in accepted:
        options["timeLimit"] = max(1, math.ceil(left)) if solver.pulp_name == "GLPK_CMD" else left
    return pulp.getSolver(solver.pulp_name, **options)


def run_solver(problem: pulp.LpProblem, name: str, solver: OtherSolver, clock: Clock, gap: float) -> int:
    """Solve a problem, and return PuLP's status.

    Raises
    ------
    PlannerError : the solver stopped with an error of its own, such as a licence that does not allow the problem.
    """
    with _silence(), TemporaryDirectory(prefix="planner-") as folder:
        try:
            chosen = pulp_solver(solver, clock, gap)
            if isinstance(chosen, pulp.LpSolver_CMD):
                chosen.tmpDir = folder  # PuLP leaves GLPK's report behind
            return int(problem.solve(chosen))
        except Exception as error:  # each solver has errors of its own
            if isinstance(error, PlannerError):  # the time is over
                raise
            text = " ".join(str(error).split())[:300] or type(error).__name__
            size = f"{len(problem.variables()):,} variables and {len(problem._constraints):,} constraints"
            if any(word in text.lower() for word in LICENCE_WORDS):
                raise PlannerError(
                    f"--solver {name}: its licence does not allow this plan ({size}): {text}. "
                    "Use --solver highs, which has no such limit"
                ) from None
            raise PlannerError(f"--solver {name} stopped with an error of its own: {text}") from None


LICENCE_WORDS = ("licen", "size-limited", "size limit", "too large", "community", "err_license", "limit exceeded")


ROOMS = (0.0, 1e-7, 1e-6)  # by which units may change where their digits were cut
LOOSE = 5e-7  # other solvers' tolerances are not ours to set: a slot counts as served up to this share of a peak


def to_pulp(program: LinearProgram, scale: Scale, name: str) -> tuple[pulp.LpProblem, list[pulp.LpVariable]]:
    """Render a programme (scaled) to a PuLP problem and its variables in the order of the columns."""
    problem = pulp.LpProblem(name, pulp.LpMinimize)
    whole = program.columns.integer
    cost = program.cost * scale.column / scale.cost
    upper = program.columns.upper / scale.column
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # PuLP 3.3 announces the API of 4.0
        columns = [
            pulp.LpVariable(
                column, 0, float(top) if np.isfinite(top) else None, pulp.LpInteger if i else pulp.LpContinuous
            )
            for column, top, i in zip(column_names(program), upper, whole)
        ]
        problem += pulp.LpAffineExpression([(x, float(c)) for x, c in zip(columns, cost) if c])
        first = 0
        for rows in program.families:
            factor = scale.row[first : first + rows.count]
            first += rows.count
            order = np.argsort(rows.row, kind="stable")
            value = rows.value[order] * scale.column[rows.column[order]] * factor[rows.row[order]]
            start = np.searchsorted(rows.row[order], np.arange(rows.count + 1))
            for k in range(rows.count):
                at = slice(start[k], start[k + 1])
                terms = [(columns[j], float(a)) for j, a in zip(rows.column[order][at], value[at])]
                _add(problem, f"{rows.family}_{k}", terms, rows.lower[k] * factor[k], rows.upper[k] * factor[k])
    return problem, columns


def _add(problem: pulp.LpProblem, name: str, terms: list[tuple[Any, float]], lower: float, upper: float) -> None:
    body = pulp.LpAffineExpression(terms)
    if lower == upper:
        problem += pulp.LpConstraint(body, pulp.LpConstraintEQ, name, float(lower))
        return
    if np.isfinite(lower):
        problem += pulp.LpConstraint(body, pulp.LpConstraintGE, f"{name}_low", float(lower))
    if np.isfinite(upper):
        problem += pulp.LpConstraint(body.copy(), pulp.LpConstraintLE, f"{name}_up", float(upper))


def column_names(program: LinearProgram) -> list[str]:
    """Name all columns, the same in every run: x0, v0_1, u0_1, more0, fewer0, on0, steps0, then flows by arc and slot.

    a0_5, b0_5, s0_5: work that can wait, by queue and slot. run0_5, start0_5: units by the hour, by deployment and
    slot. y, z; under stress s0y: case 0.
    """
    at, names = program.columns, [""] * program.columns.count
    for k, column in enumerate(at.committed):
        names[column] = f"x{k}"
    for (d, p), column in np.ndenumerate(at.deployed):
        names[column] = f"v{d}_{p}"
    for (m, p), column in np.ndenumerate(at.unreserved):
        if column >= 0:
            names[column] = f"u{m}_{p}"
    for word, columns in (("run", at.scaled), ("start", at.started)):
        for (d, t), column in np.ndenumerate(columns):
            if column >= 0:
                names[column] = f"{word}{d}_{t}"
    for (c, s), column in np.ndenumerate(at.short):
        if column >= 0:
            names[column] = f"short{c}_{s}"
    for prefix, columns in (
        ("threshold", at.threshold),
        ("over", at.over),
        ("under", at.under),
        ("more", at.more),
        ("fewer", at.fewer),
        ("on", at.size_on),
        ("steps", at.size_steps),
    ):
        for k, column in enumerate(columns):
            if column >= 0:
                names[column] = f"{prefix}{k}"
    for prefix, waiting in (("a", at.taken), ("b", at.backlog), ("s", at.credit)):
        for (queue, slot), column in np.ndenumerate(waiting):
            if column >= 0:
                names[column] = f"{prefix}{queue}_{slot}"
    reserved = program.sets.arcs["reserved"].to_numpy(bool)
    for column, arc, slot, case in zip(at.flows, at.flow_arc, at.flow_slot, at.flow_case):
        stressed = "" if case < 0 else f"s{case}"
        names[column] = f"{stressed}{'y' if reserved[arc] else 'z'}{arc}_{slot}"
    return names


def solve_with_pulp(solve: LinearSolve, name: str, gap: float, clock: Clock) -> WholeResult | None:
    """Solve a component (whose LP is solved, with its stress rows) by a solver of PuLP; None where it finds no plan."""
    program, other = program_of(solve.program.sets, True), other_solver(name)
    scale = scale_of(program)
    problem, columns = to_pulp(program, scale, "component")
    solve.separator.short = LOOSE
    added = 0
    for _ in range(ROUNDS):
        _add_stress(problem, columns, program=program, scale=scale, solve=solve, added=added)
        added = len(solve.cuts)
        status = run_solver(problem, name, other, clock, gap)
        clock.left()
        if status in (pulp.LpStatusInfeasible, pulp.LpStatusUndefined):
            return None
        if status != pulp.LpStatusOptimal:
            raise StoppedError(f"{name} stopped with '{pulp.LpStatus[status]}'; nothing was written")
        values = np.array([x.varValue or 0.0 for x in columns]) * scale.column
        values = rounded(program, values)
        cuts = solve.separator.violated(np.maximum(values[program.columns.deployed], 0.0))
        if not cuts:
            usd = float(program.cost @ values)
            bound = other.bound(problem) * scale.cost if program.columns.integer.any() else np.nan
            return WholeResult(values_without_sizes(solve.program, program, values), usd, usd if bound > usd else bound)
        solve.cuts += cuts
    raise ArithmeticError("the stress rows did not settle")


def routed(solve: LinearSolve, values: Floats) -> tuple[float, Floats]:
    """Keep the units of some values and let HiGHS find all else: a solver that answers by a file rounds what it says.

    Returns the cost, USD, and the values; those given, where HiGHS finds nothing for these units.
    """
    session, at = solve.session, solve.program.columns
    units = np.concatenate([at.committed, at.deployed.ravel(), at.unreserved[at.unreserved >= 0]])
    held = np.maximum(values[units], 0.0)
    try:
        for room in ROOMS:
            session.set_column_bounds(units, held * (1 - room), held * (1 + room))
            if session.solve():
                return session.objective(), session.values()
    finally:
        session.set_column_bounds(units, np.zeros(len(units)), at.upper[units])
    return float(solve.program.cost @ values), values


def _add_stress(
    problem: pulp.LpProblem, columns: list[pulp.LpVariable], *, program: LinearProgram, scale: Scale,
    solve: LinearSolve, added: int,
) -> None:  # fmt: skip
    rows = cut_rows(program, solve.cuts[added:])
    for k in range(len(rows.lower)):
        at = slice(rows.start[k], rows.start[k + 1])
        value = rows.value[at] * scale.column[rows.column[at]]
        size = 1.0 / np.abs(value).max() if len(value) else 1.0
        terms = [(columns[j], float(a)) for j, a in zip(rows.column[at], value * size)]
        _add(problem, f"stress_{added + k}", terms, float(rows.lower[k] * size), np.inf)


def write_lp(program: LinearProgram, path: Path) -> None:
    """Write a programme as an LP file (scaled), for reading and for other tools."""
    problem, _ = to_pulp(program, scale_of(program), "planner")
    problem.writeLP(str(path))
