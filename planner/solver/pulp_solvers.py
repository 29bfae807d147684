"""Any solver that PuLP knows, on the same tables: a second opinion, and LP files.

The programme is stated once (planner.model) and rendered here to PuLP, scaled like for HiGHS, size rules included.
PuLP's word on optimality is not taken (3.3 reports a time limit as optimal): the plan is audited, its cost is held
against the bound that the certificate proves, and, for whole units, against the one that the solver itself proved.
"""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pulp

from planner.errors import StoppedError
from planner.model.program import LinearProgram, program_of
from planner.solver.highs import Clock
from planner.solver.linear import ROUNDS, LinearSolve, cut_rows
from planner.solver.other_solvers import other_solver, run_solver
from planner.solver.scaling import Scale, scale_of
from planner.solver.whole import WholeResult, rounded, values_without_sizes

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

    y, z; under stress s0y: case 0.
    """
    at, names = program.columns, [""] * program.columns.count
    for k, column in enumerate(at.committed):
        names[column] = f"x{k}"
    for (d, p), column in np.ndenumerate(at.deployed):
        names[column] = f"v{d}_{p}"
    for (m, p), column in np.ndenumerate(at.unreserved):
        if column >= 0:
            names[column] = f"u{m}_{p}"
    for prefix, columns in (("more", at.more), ("fewer", at.fewer), ("on", at.size_on), ("steps", at.size_steps)):
        for k, column in enumerate(columns):
            if column >= 0:
                names[column] = f"{prefix}{k}"
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
        _add_stress(problem, columns, program, scale, solve, added)
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


def _add_stress(
    problem: pulp.LpProblem, columns: list[pulp.LpVariable], program: LinearProgram, scale: Scale,
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
