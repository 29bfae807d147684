"""A small linear programme for HiGHS, from (row, column, value) entries, and all ways of a case; for proofs only."""

import functools
import os
import sys
from dataclasses import dataclass
from typing import Any

import highspy
import numpy as np
import numpy.typing as npt
import pandas as pd

from planner.errors import PlannerError
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.schema.case import Case

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
INF = highspy.kHighsInf
FEASIBILITY = 1e-9


@dataclass(frozen=True)
class Entries:
    """Entries of a matrix; repeated places add up."""

    row: Ints
    column: Ints
    value: Floats

    @classmethod
    def joined(cls, parts: "list[Entries]") -> "Entries":
        """Join parts."""
        return cls(
            np.concatenate([p.row for p in parts] or [np.empty(0, np.int64)]),
            np.concatenate([p.column for p in parts] or [np.empty(0, np.int64)]),
            np.concatenate([p.value for p in parts] or [np.empty(0)]),
        )


def _quiet() -> highspy.Highs:
    """Return a silent HiGHS on one thread (its scheduler is shared by the process, so the threads are always one)."""
    highs = highspy.Highs()
    for option, setting in (
        ("output_flag", False), ("threads", 1), ("parallel", "off"), ("random_seed", 0), ("small_matrix_value", 1e-12),
        ("primal_feasibility_tolerance", FEASIBILITY), ("dual_feasibility_tolerance", FEASIBILITY),
    ):  # fmt: skip
        _taken(highs.setOptionValue(option, setting), f"option {option}")
    return highs


def _taken(answer: highspy.HighsStatus, what: str) -> None:
    """Refuse to go on where HiGHS did not take what it was given: it would prove another programme."""
    if answer == highspy.HighsStatus.kError:
        raise PlannerError(f"the check could not be finished: HiGHS does not take {what}")


@functools.cache
def _let_banner_pass() -> None:
    """Let HiGHS print its licence banner into nothing: highspy 1.16 does so once a process, whatever its options."""
    sys.stdout.flush()
    kept, nowhere = os.dup(1), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 1)
        _quiet().run()
    finally:
        os.dup2(kept, 1)
        os.close(kept)
        os.close(nowhere)


class Programme:
    """A live programme: minimise cost over columns from 0 to their upper bound, rows between bounds."""

    def __init__(
        self,
        cost: Floats,
        column_upper: Floats,
        row_lower: Floats,
        row_upper: Floats,
        entries: Entries,
        integer: Ints | None = None,
    ) -> None:
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = len(cost), len(row_lower)
        lp.col_cost_, lp.col_lower_, lp.col_upper_ = cost, np.zeros(len(cost)), column_upper
        lp.row_lower_, lp.row_upper_ = row_lower, row_upper
        key = entries.column * max(1, len(row_lower)) + entries.row
        places, at = np.unique(key, return_inverse=True)
        value = np.bincount(at, entries.value, len(places))
        column, row = np.divmod(places, max(1, len(row_lower)))
        lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
        lp.a_matrix_.start_ = np.searchsorted(column, np.arange(len(cost) + 1)).astype(np.int32)
        lp.a_matrix_.index_ = row.astype(np.int32)
        lp.a_matrix_.value_ = value.astype(float)
        _let_banner_pass()
        self.highs = _quiet()
        _taken(self.highs.passModel(lp), "the programme")
        if integer is not None and len(integer):
            kinds = np.full(len(integer), highspy.HighsVarType.kInteger)
            _taken(
                self.highs.changeColsIntegrality(len(integer), integer.astype(np.int32), kinds),
                "columns that are whole",
            )

    def row_bounds(self, rows: Ints, lower: Floats, upper: Floats) -> None:
        """Change the bounds of some rows."""
        _taken(self.highs.changeRowsBounds(len(rows), rows.astype(np.int32), lower, upper), "bounds of rows")

    def costs(self, columns: Ints, cost: Floats) -> None:
        """Change the cost of some columns."""
        self.highs.changeColsCost(len(columns), columns.astype(np.int32), cost)

    def column_bounds(self, columns: Ints, lower: Floats, upper: Floats) -> None:
        """Change the bounds of some columns."""
        self.highs.changeColsBounds(len(columns), columns.astype(np.int32), lower, upper)

    def entry(self, row: int, column: int, value: float) -> None:
        """Change one entry of the matrix."""
        self.highs.changeCoeff(row, column, value)

    def prices(self) -> Floats:
        """Row duals of the last solution: what one more of a row's right-hand side adds to the cost."""
        return np.array(self.highs.getSolution().row_dual)

    def solve(self) -> float:
        """Return the least cost; `values` has the columns. inf: no values of the columns keep every row."""
        status = self._run()
        if status == highspy.HighsModelStatus.kOptimal:
            return float(self.highs.getInfo().objective_function_value)
        if status == highspy.HighsModelStatus.kInfeasible:
            return float("inf")
        raise _unfinished(self.highs, status)

    def search(self, gap: float, seconds: float) -> tuple[float, float]:
        """Search over the integer columns: the least cost found (inf: none exists) and a bound on it.

        Raises
        ------
        PlannerError : nothing was found in time.
        """
        for option, setting in (("mip_rel_gap", gap), ("mip_abs_gap", 0.0), ("mip_feasibility_tolerance", FEASIBILITY),
                                ("time_limit", seconds)):  # fmt: skip
            _taken(self.highs.setOptionValue(option, setting), f"option {option}")
        status = self._run()
        info = self.highs.getInfo()
        if status == highspy.HighsModelStatus.kInfeasible:
            return float("inf"), float("inf")
        found = info.primal_solution_status == 2  # feasible
        if status == highspy.HighsModelStatus.kOptimal or (status == highspy.HighsModelStatus.kTimeLimit and found):
            best = float(info.objective_function_value)
            whole = bool(len(self.highs.getLp().integrality_))
            return best, float(info.mip_dual_bound) if whole else best
        raise _unfinished(self.highs, status)

    def _run(self) -> Any:
        """Solve, and return the status of the programme."""
        if self.highs.run() == highspy.HighsStatus.kError:  # another user of HiGHS has set the threads of the process
            highspy.Highs.resetGlobalScheduler(True)
            _taken(self.highs.run(), "the programme")
        status = self.highs.getModelStatus()
        if status == highspy.HighsModelStatus.kUnboundedOrInfeasible:  # presolve does not say which of the two
            _taken(self.highs.setOptionValue("presolve", "off"), "option presolve")
            _taken(self.highs.run(), "the programme")
            status = self.highs.getModelStatus()
            _taken(self.highs.setOptionValue("presolve", "choose"), "option presolve")
        return status

    def values(self) -> Floats:
        """Columns of the last solution."""
        return np.array(self.highs.getSolution().col_value)


def _unfinished(highs: highspy.Highs, status: Any) -> PlannerError:
    return PlannerError(f"the check could not be finished: HiGHS stopped with {highs.modelStatusToString(status)}")


def every_way(case: Case, derived: Derived, names: Names) -> pd.DataFrame:
    """All ways that the case allows, with need, mix row, quota, prices and data."""
    held = derived.loads[["workload", "model", "region", "pool"]].drop_duplicates().rename(columns={"pool": "supply"})
    bought = derived.options.rename(columns={"option": "supply"})
    both = pd.concat([held.assign(reserved=True), bought.assign(reserved=False)], ignore_index=True)
    both["guaranteed"] = both["reserved"] | both["guaranteed"].eq(True)
    deadline = both["workload"].map({w.workload: w.deadline_hours for w in case.workloads})
    both["latest_hours"] = both["latest_hours"].fillna(deadline).astype(int)
    both = both.fillna({"on_demand_usd": 0.0, "quota_per_request": 0.0})
    ways = derived.travel.merge(both, on=["workload", "region"])
    quota = {key: k for k, key in enumerate(names.quotas)}
    keys = zip(ways["region"], ways["model"], ways["supply"], ways["reserved"], strict=True)
    ways["quota"] = np.array([-1 if pool else quota[r, m, s] for r, m, s, pool in keys], dtype=np.int64)
    mix = {(m.workload, m.model): k for k, m in enumerate(case.mix)}
    ways["mix"] = np.array([mix[key] for key in zip(ways["workload"], ways["model"], strict=True)], dtype=np.int64)
    ways["need"] = names.needs(ways["origin"], ways["workload"])
    return ways
