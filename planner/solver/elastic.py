r"""The elastic programme: every limit of the input may be changed at a charge.

Where no plan exists, let a[k] ≥ 0 be the change of a cell k of the input (a quota raised, units for sale added, ...).
Put into every row in which the cell stands, ordinary use and stress cases alike, and whole units included,

    min Σ_k weight[k] · a[k] / full[k]        subject to all rules of model.md with the cells changed by a

says what has to change together. It is the least such change, so it is enough, and no smaller multiple of it is: with
97 % of every amount there is no plan. ``full`` is the amount that would serve everything through that cell alone.

Costs do not count here. Stress cases enter as rows that are generated as they are violated (model.reduce.stress); a
row of a ray (μ, π, ν) of case c and slot τ, with the changes of quotas, on-demand trust and failover shares in it, is

    Σ_d π[d] v[d,p] + Σ_q ν[q] (trust_c a[q] + quota[q] Δtrust) + Σ_w μ[w] d[w,τ] a[w]  ≥  Σ_w μ[w] d[w,τ] scale[c,w]
                                                                                         − Σ_q ν[q] quota[q] trust_c.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import highspy
import numpy as np

from planner.model.family import Asked
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.project_stress import SlotTree, network_tables, slot_tree
from planner.model.reduce.slots import merge_slots
from planner.model.sets import Bools, Floats, Ints, Sets
from planner.solver.elastic_sizes import ElasticSizes
from planner.solver.highs import DEVEX, INF, INFEASIBLE, OPTIMAL, Clock, highs_model, quiet_highs, run, set_options
from planner.solver.limits import (
    LimitChange,
    failover_stretch,
    limits_of,
    with_case_limits,
    with_single_bounds,
)
from planner.solver.scaling import deployment_peaks, need_peaks, scale_of
from planner.solver.stress_search import SHORT, StressCaseProblem

ROUNDS = 500
MOST_ROWS = 8  # new rows of a stress case and period in one round
MIP_GAP = 1e-3  # of the least break of an order, where units are whole
NEAR = 0.024  # of the least change where units are whole: 97 % of it, rounded up by half a percent, is still below it
LEAST = 1e-9  # changes below this share of `full` are none
FEW_ROWS = 10  # new stress rows after which HiGHS goes on; after more it is ten times faster to start afresh (measured)


@dataclass(frozen=True)
class _Row:
    """A stress row: Σ units · v[:, period] + Σ coefficient · a ≥ need."""

    case: int
    slot: int
    period: int
    units: Floats
    limits: Floats
    need: float


class Elastic:
    """The elastic programme of some sets, alive in HiGHS; `least_change` solves it for any kinds of limits.

    Parameters
    ----------
    sets : of a case, or of parts that cannot be planned. open_trust : count on-demand as usable in a failover case
        also where its trust is 0, so that the trust can be raised. sized : in whole units, where the sets have them.
        by_case : what each stress case asks for is a limit too: how much less of it, as a share.
    """

    def __init__(
        self, sets: Sets, clock: Clock, open_trust: bool = False, *, sized: bool = True, by_case: bool = False
    ) -> None:
        self.sets = merge_slots(replace(sets, keep=None))
        self.clock = clock
        bought = self.sets.purchases
        free = replace(self.sets, purchases=bought.assign(max_units=np.inf))
        self.program: LinearProgram = with_single_bounds(program_of(free, sized and self.sets.whole_units))
        self.trust = np.array([case.quota_scale for case in self.sets.cases])
        self.failover = np.array([case.failed is not None for case in self.sets.cases], bool)
        self.stretch = failover_stretch(self.sets)
        known = limits_of(self.sets, self.program)
        self.known = with_case_limits(known, self.sets) if by_case else known
        self.limits = self.known.limits
        self.rules = np.array([limit.rule for limit in self.limits], object)
        self.full = np.array([limit.full for limit in self.limits])
        self.scale = scale_of(self.program)
        self.rows: list[_Row] = []
        self.duals = np.empty(0)  # of the last linear programme before sizes
        self._quota = self.known.of("quota", self.sets.quotas, ("region", "model", "option"))
        self._share = self.known.of("failover_share", self.sets.needs, ("workload",))
        self._demand = self.known.of("demand", self.sets.needs, ("origin", "workload"))
        self._case = self.known.of_cases(self.sets)
        self.first_stress = 0
        self.highs = self._model()
        self.sizes = ElasticSizes(self.highs, self.program.columns, self.scale, self._settle)
        opened = np.where((self.trust > 0) | open_trust, 1.0, 0.0)
        cases = tuple(replace(c, quota_scale=float(s)) for c, s in zip(self.sets.cases, opened))
        peaks, units, tables = need_peaks(self.sets), deployment_peaks(self.sets), network_tables(self.sets)
        usable = replace(self.sets, cases=cases)
        self.problems = [StressCaseProblem(usable, k, peaks, units, clock, tables) for k in range(len(cases))]
        scaled = self.sets.demand / peaks[:, None]
        self.trees: dict[int, SlotTree] = {}
        for p in range(len(self.sets.periods)):
            slots = np.flatnonzero(self.sets.slot_period == p)
            if len(slots):
                self.trees[p] = slot_tree(scaled, slots)
        self.least = self._stranded()

    def keep_to(self, clock: Clock) -> None:
        """Stop at another time from here on, in the programme and in its stress cases."""
        self.clock = clock
        for problem in self.problems:
            problem.clock = clock

    # -- the programme -------------------------------------------------------------------
    def _model(self) -> highspy.Highs:
        """Columns of the programme without costs, then the limits; its rows, then max_units of the purchases."""
        lp = highs_model(self.program, self.scale)
        count, limits = self.program.columns.count, len(self.limits)
        lp.col_cost_ = np.zeros(count)
        h = quiet_highs()
        set_options(h, presolve="on", solver="simplex", simplex_dual_edge_weight_strategy=DEVEX)
        h.passModel(lp)
        row, limit = self.known.row, self.known.limit
        value = self.known.value * self.scale.row[row] * self.full[limit]
        order = np.argsort(limit, kind="stable")
        start = np.searchsorted(limit[order], np.arange(limits))
        weight = np.array([limit.asked.value for limit in self.limits])
        h.addCols(limits, weight, np.zeros(limits), np.zeros(limits), len(row), start.astype(np.int32),
                  row[order].astype(np.int32), value[order])  # fmt: skip
        units = self.known.of("units", self.sets.purchases, ("offer",))
        top = self.sets.purchases["max_units"].to_numpy(float)
        for k in np.flatnonzero(units >= 0):
            column = int(self.program.columns.committed[k])
            size = float(self.scale.column[column])
            self._add_row(h, -INF, top[k], np.array([column, count + units[k]]),
                          np.array([size, -self.full[units[k]]]))  # fmt: skip
        self.first_stress = h.getNumRow()
        return h

    @staticmethod
    def _add_row(h: highspy.Highs, lower: float, upper: float, column: Ints, value: Floats) -> None:
        factor = 1.0 / float(np.abs(value).max(initial=0.0) or 1.0)
        h.addRow(max(lower * factor, -INF), min(upper * factor, INF), len(column), column.astype(np.int32),
                 value * factor)  # fmt: skip

    def _stranded(self) -> Mapping[int, float]:
        """Least change of the limits of what nothing at all may serve in some stress case."""
        least: dict[int, float] = {}
        asked = np.any(self.sets.demand > 0, axis=1)
        for problem, failover in zip(self.problems, self.failover):
            for need in problem.net.stranded():
                limit = int(self._share[need] if failover else self._demand[need])
                if asked[need] and limit >= 0:
                    least[limit] = self.limits[limit].most
        return least

    # -- solving -------------------------------------------------------------------------
    def can_change(self, rules: Collection[str]) -> bool:
        """Whether some change of the limits of some rules is enough for a plan."""
        return self._least_of(np.isin(self.rules, list(rules)), told=False, near=INF) is not None

    def least_change(self, rules: Collection[str]) -> list[LimitChange] | None:
        """Find the least change of the limits of some rules with which there is a plan; None: no such change is enough.

        Where units are whole it may be above the least; `sizes.least_share` says by how much at most.

        Raises
        ------
        StoppedError : the time limit ran out.
        """
        return self.least_of(np.isin(self.rules, list(rules)))

    def least_of(self, free: Bools, *, in_proportion: bool = False) -> list[LimitChange] | None:
        """Find the least change of some of the limits, as `least_change` does; ``free`` : whether each may change.

        ``in_proportion`` : all of them by the same factor. Where such a change is set is not told then.
        """
        if in_proportion:
            first = self.highs.getNumRow()
            free = free & np.array([limit.has > 0 for limit in self.limits], bool)
            ties = self._tie(np.flatnonzero(free))
            try:
                return self._least_of(free, told=False)
            finally:
                self.highs.deleteRows(ties, np.arange(first, first + ties, dtype=np.int32))
        return self._least_of(free, told=True)

    def _tie(self, limits: Ints) -> int:
        """Let limits change by the same factor; how many rows that takes."""
        count = self.program.columns.count
        size = [self.full[k] / self.limits[k].has for k in limits]
        for k in range(1, len(limits)):
            columns = np.array([count + limits[0], count + limits[k]])
            self._add_row(self.highs, 0.0, 0.0, columns, np.array([size[0], -size[k]]))
        return max(0, len(limits) - 1)

    def least_less(self, less: Mapping[str, float], free: Collection[str]) -> float | None:
        """Find by what share at least some stress cases have to ask for less, all of them by the same (`by_case`).

        less : of the other cases, by name: what they ask for less. None: no plan, however little the free ask for; 0
        where there are none that are free.
        """
        first, lower = self.highs.getNumRow(), np.zeros(len(self.limits))
        mine = [int(self._case[k]) for k, case in enumerate(self.sets.cases) if case.name in free]
        for k, case in enumerate(self.sets.cases):
            lower[self._case[k]] = less.get(case.name, 0.0)
        upper = lower.copy()
        lower[mine], upper[mine] = 0.0, 1.0
        ties = self._tie(np.array(mine, dtype=np.int64))
        try:
            values = self._values(lower, upper, MIP_GAP, search=True)
        finally:
            self.highs.deleteRows(ties, np.arange(first, first + ties, dtype=np.int32))
        if values is None:
            return None
        return float(values[self.program.columns.count + mine[0]]) if mine else 0.0

    def _least_of(self, free: Bools, *, told: bool, near: float = NEAR) -> list[LimitChange] | None:
        lower = np.array([self.least.get(k, 0.0) for k in range(len(self.limits))])
        if (lower[~free] > 0).any():
            return None
        count = self.program.columns.count
        most = np.array([limit.most for limit in self.limits]) / self.full
        values = self._values(lower / self.full, np.where(free, most, 0.0), near, search=False)
        if values is None:
            return None
        whole = np.flatnonzero(self.program.columns.integer)
        amounts = values[count:]
        setters = self._setters() if told else {}
        found = []
        for k in np.flatnonzero(amounts > LEAST):
            case, slot = setters.get(int(k), ("", -1))
            amount = float(amounts[k] * self.full[k])
            found.append(
                LimitChange(self.limits[k], amount, case, slot, self._size(int(k), values) if len(whole) else None)
            )
        return found

    def _values(self, lower: Floats, upper: Floats, near: float, *, search: bool) -> Floats | None:
        """Solve with changes between bounds (shares of `full`); the values of all columns.

        near, search : where units are whole, how near to the least change will do, and whether to search for it.
        """
        count = self.program.columns.count
        column = np.arange(count, count + len(self.limits), dtype=np.int32)
        self.highs.changeColsBounds(len(column), column, lower, upper)
        values = self._settle()
        self.duals = np.array(self.highs.getSolution().row_dual)
        if values is None or not self.program.columns.integer.any():
            return values
        return self.sizes.found(values, near, search=search)

    def _size(self, limit: int, values: Floats) -> float | None:
        """Return the largest purchase under an offer with steps; None for all else."""
        bought = self.sets.purchases
        mine = np.flatnonzero(self.known.of("units", bought, ("offer",)) == limit)
        if not len(mine) or bought["unit_step"].iloc[int(mine[0])] <= 0:
            return None
        at = self.program.columns.committed[mine]
        return float((values[at] * self.scale.column[at]).max())

    def _settle(self, *, whole: bool = False) -> Floats | None:
        """Solve, and add stress rows until every stress case is served; the values of all columns (scaled)."""
        new = FEW_ROWS + 1
        for _ in range(ROUNDS):
            if new > FEW_ROWS:
                self.highs.clearSolver()
            status = run(self.highs, self.clock, whole=whole)
            if status != OPTIMAL and status not in INFEASIBLE:  # a numerical stop: start afresh, without presolve
                self.highs.clearSolver()
                set_options(self.highs, presolve="off")
                status = run(self.highs, self.clock, whole=whole)
                set_options(self.highs, presolve="on")
            if status in INFEASIBLE:
                return None
            if status != OPTIMAL:
                raise ArithmeticError(f"HiGHS stopped with {self.highs.modelStatusToString(status)}")
            values = np.array(self.highs.getSolution().col_value)
            new = self._add_violated(values)
            if not new:
                return values
        raise ArithmeticError("the stress rows did not settle")

    def _add_violated(self, values: Floats) -> int:
        """Add the stress rows that some values violate; how many there were."""
        count, added = self.program.columns.count, 0
        deployed = values[self.program.columns.deployed] * self.scale.column[self.program.columns.deployed]
        amounts = values[count:] * self.full
        for problem, scale, tpm in self._asked(amounts):
            self._set_quotas(problem, tpm)
            for p in self.trees:
                problem.set_units(np.maximum(deployed[:, p], 0.0))
                for row in self._search(problem, p, scale=scale, units=deployed[:, p], amounts=amounts):
                    self._add_stress(row)
                    added += 1
        return added

    def _asked(self, amounts: Floats) -> list[tuple[StressCaseProblem, Floats, Floats]]:
        """For each stress case: its problem, factor of each need's demand, tokens per minute of each quota."""
        more = np.append(amounts, 0.0)
        quota = self.sets.quotas["tokens_per_minute"].to_numpy(float) + more[self._quota]
        trust = float(amounts[self.rules == "trust"].sum())
        found = []
        for k, problem in enumerate(self.problems):
            scale = problem.net.case.demand_scale
            part = np.where(self.failover[k], scale - more[self._share] * self.stretch, scale) * (
                1 - more[self._demand]
            )
            part *= 1 - more[self._case[k]]
            with np.errstate(invalid="ignore"):
                tpm = np.where(np.isfinite(quota), quota * (self.trust[k] + trust * self.failover[k]), np.inf)
            found.append((problem, np.maximum(part, 0.0), tpm))
        return found

    def _set_quotas(self, problem: StressCaseProblem, tpm: Floats) -> None:
        first = problem.net.classes + len(self.sets.deployments)
        row = np.arange(first, first + len(tpm), dtype=np.int32)
        problem.highs.changeRowsBounds(len(tpm), row, np.full(len(tpm), -INF), tpm / problem.limit_scale)

    def _search(
        self, problem: StressCaseProblem, p: int, *, scale: Floats, units: Floats, amounts: Floats
    ) -> list[_Row]:
        net, tree, rows, todo = problem.net, self.trees[p], list[_Row](), [0]
        while todo and len(rows) < MOST_ROWS:
            node = todo.pop()
            envelope = tree.envelope(node, self.sets.demand) * scale
            if problem.unserved(np.bincount(net.class_of, envelope, net.classes).astype(float)) <= SHORT:
                continue
            if tree.left[node] >= 0:
                todo += [int(tree.right[node]), int(tree.left[node])]
                continue
            row = self._row(problem, p, int(tree.slots(node)[0]))
            over = row.need - float(row.units @ units) - float(row.limits @ amounts)
            if over > SHORT * 1e-2 * max(abs(row.need), 1e-12):
                rows.append(row)
        return rows

    def _row(self, problem: StressCaseProblem, p: int, slot: int) -> _Row:
        """Return the row of the ray of the last `unserved`."""
        ray, net, k = problem.ray(), problem.net, problem.number
        finite = np.isfinite(self.sets.quotas["tokens_per_minute"].to_numpy(float))
        quota = np.where(finite, self.sets.quotas["tokens_per_minute"].to_numpy(float), 0.0)
        limits = np.zeros(len(self.limits) + 1)
        np.add.at(limits, self._quota, np.where(finite, ray.quota * self.trust[k], 0.0))
        worth = ray.class_value[net.class_of] * self.sets.demand[:, slot]
        np.add.at(limits, self._demand, worth * net.case.demand_scale)
        limits[self._case[k]] = float(worth @ net.case.demand_scale)
        if self.failover[k]:
            np.add.at(limits, self._share, worth * self.stretch)
            limits[:-1][self.rules == "trust"] = float(ray.quota @ quota)
        need = float(worth @ net.case.demand_scale) - float(ray.quota @ quota) * float(self.trust[k])
        return _Row(k, slot, p, ray.units, limits[:-1], need)

    def _add_stress(self, row: _Row) -> None:
        used, changed = np.flatnonzero(row.units > 0), np.flatnonzero(row.limits)
        column = self.program.columns.deployed[used, row.period]
        value = np.concatenate([row.units[used] * self.scale.column[column], row.limits[changed] * self.full[changed]])
        columns = np.concatenate([column, self.program.columns.count + changed])
        self._add_row(self.highs, row.need, INF, columns, value)
        self.rows.append(row)

    # -- where a change is set -------------------------------------------------------------
    def _setters(self) -> dict[int, tuple[str, int]]:
        """Stress case and slot of the dearest row that each limit stands in, for units of any size."""
        dual = np.abs(self.duals)
        best: dict[int, tuple[float, str, int]] = {}

        def offer(limit: int, worth: float, case: str, slot: int) -> None:
            if worth > best.get(limit, (1e-9, "", -1))[0]:
                best[limit] = (worth, case, slot)

        slots = np.concatenate([r.index.get("slot", np.full(r.count, -1)) for r in self.program.families])
        for at, number in zip(self.known.row, self.known.limit):
            if slots[at] >= 0 and self.limits[number].asked in (Asked.BUYER, Asked.SELLER):
                offer(int(number), float(dual[at]), "", int(slots[at]))
        reserved = self.program.family("reserved")
        first = self.program.first_row("reserved")
        meter = self.sets.deployments["meter_row"].to_numpy(int)
        units = self.known.of("units", self.sets.purchases, ("offer",))
        of_meter: dict[int, set[int]] = {}
        for number, m in zip(units, self.sets.purchases["meter_row"]):
            if number >= 0:
                of_meter.setdefault(int(m), set()).add(int(number))
        for k, (d, slot) in enumerate(zip(reserved.index["deployment"], reserved.index["slot"])):
            for limit in of_meter.get(int(meter[d]), ()):
                offer(limit, float(dual[first + k]), "", int(slot))
        for row, price in zip(self.rows, dual[self.first_stress :]):
            name = self.sets.cases[row.case].name
            for changed in np.flatnonzero(row.limits):
                offer(int(changed), float(price), name, row.slot)
            for d in np.flatnonzero(row.units > 0):
                for limit in of_meter.get(int(meter[d]), ()):
                    offer(limit, float(price), name, row.slot)
        return {limit: (case, slot) for limit, (_, case, slot) in best.items()}
