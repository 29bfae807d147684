"""A live case for sweeps: change demand, prices, quotas or policy and run on from where HiGHS stands.

The continuous programme of each component stays open in HiGHS. A changed case that keeps the programme's shape (the
same columns and matrix: demand, prices, quotas, caps, budgets and commitments may differ) only changes costs and
right-hand sides, and the dual simplex goes on from its basis; stress rows keep their rays, which do not depend on
demand, and get new right-hand sides. A component whose matrix changed (token sizes, headroom of reserved units, routes)
is opened anew; one that did not change at all is not touched.
"""

from dataclasses import dataclass, fields, replace

import numpy as np

from planner.model.columns import columns_of
from planner.model.constraints.deployment import FAMILY as DEPLOYMENT
from planner.model.constraints.spend import FAMILY as SPEND
from planner.model.index_tables import earlier_units, sets_of, spend_of
from planner.model.program import LinearProgram, program_of
from planner.model.reduce.components import parts_to_solve
from planner.model.reduce.slots import at_home, merge_slots, prune
from planner.model.sets import Sets, Spend
from planner.schema.case import Case
from planner.solver.continuous import LinearSolve, open_program, solve_linear
from planner.solver.highs import INF, Clock
from planner.solver.infeasible import explain
from planner.solver.scaling import deployment_peaks, need_peaks
from planner.solver.starts import part_shape
from planner.solver.store import digest_of, key_of
from planner.solver.stress_search import Separator


@dataclass(frozen=True)
class LiveAnswer:
    """The continuous optimum: cost over the horizon (USD, earlier commitments included), units by offer and period.

    held_usd : what the programme costs more with one more unit in force, by pool, meter and period: 0 or less.
    left_usd : what it costs more with one more dollar left to be spent on a contract: 0 or more. Both are duals, so
    with other commitments no plan costs less than they say.
    """

    total_usd: float
    units: dict[tuple[str, str], float]
    held_usd: dict[tuple[str, str, str], float]
    left_usd: dict[str, float]


@dataclass
class _Open:
    """One component that is open in HiGHS."""

    key: str
    part: Sets
    solve: LinearSolve
    solved: bool = False


class LiveCase:
    """A case that stays open; `solve` it, `change` it, `solve` again."""

    def __init__(self, case: Case, time_limit_seconds: float | None = None) -> None:
        self.clock = Clock.of(time_limit_seconds)
        self.case = case
        self._sets = sets_of(case)  # as they are stated: those of the next case are made from them
        self._open = [self._fresh(part, _stated(part)) for part in parts_to_solve(at_home(self._sets))]

    def change(self, case: Case) -> None:
        """Take another case in place of the present one; what has the same shape stays open."""
        if _differs_in_commitments_alone(self.case, case):
            spend = spend_of(case)
            if _asked(spend) == _asked(self._sets.spend):  # else other parts may have something to decide
                self._hold(case, spend)
                return
        kept = {part_shape(live.part): live for live in self._open}
        fresh = []
        self._sets = sets_of(case, self._sets)
        for part in parts_to_solve(at_home(self._sets)):
            live = kept.pop(part_shape(part), None)
            program = _stated(part)
            key = key_of(part, digest_of(program))
            if live is not None and (live.key == key or self._moved(live, part, program, key)):
                fresh.append(live)
            else:
                fresh.append(self._fresh(part, program))
        self._open, self.case = fresh, case

    def _hold(self, case: Case, spend: Spend | None) -> None:
        """Take other commitments: they are in bounds of rows alone, so everything stays open, stress rows too.

        Units in force are such a bound, and what is left to be spent on each contract.
        """
        period = {p.name: k for k, p in enumerate(case.periods)}
        for live in self._open:
            program = live.solve.program
            sets = program.sets
            held = earlier_units(case, zip(sets.meters["pool"], sets.meters["meter"]))
            held = held[:, [period[name] for name in sets.periods]]
            own = sets.spend if sets.spend is None or spend is None else replace(sets.spend, usd=spend.usd)
            if np.array_equal(held, sets.earlier) and _left(own) == _left(sets.spend):
                continue
            new = program_of(replace(sets, earlier=held, spend=own))
            live.solve.session.program = new
            live.solve.session.set_row_bounds(np.arange(new.row_count), *new.bounds())
            live.solve = replace(live.solve, program=new)
            live.part, live.key, live.solved = replace(live.part, earlier=held, spend=own), "", False
        self._sets = replace(
            self._sets,
            earlier=earlier_units(case, zip(self._sets.meters["pool"], self._sets.meters["meter"])),
            spend=spend,
            case=case,
        )
        self.case = case

    def solve(self) -> LiveAnswer:
        """Solve what changed.

        Raises
        ------
        InfeasibleError : no plan exists; the text says what cannot be met.
        """
        answer = self.attempt()
        if answer is None:
            stuck = [live.part for live in self._open if not live.solved]
            raise explain(self.case, stuck, self.clock)
        return answer

    def attempt(self) -> LiveAnswer | None:
        """Solve what changed; None where no plan exists (without the search for the reason)."""
        for live in self._open:
            if not live.solved:
                live.solved = solve_linear(live.solve, inside=True)
        if not all(live.solved for live in self._open):
            return None
        units: dict[tuple[str, str], float] = {}
        for live in self._open:
            program = live.solve.program
            values = live.solve.session.values()[program.columns.committed]
            bought = program.sets.purchases
            for offer, period, n in zip(bought["offer"], bought["period"], values):
                if n > 1e-9:
                    units[str(offer), program.sets.periods[int(period)]] = float(n)
        total = sum(live.solve.session.objective() for live in self._open) + sunk_usd(self.case)
        held_usd, left_usd = self._prices()
        return LiveAnswer(total, units, held_usd, left_usd)

    def _prices(self) -> tuple[dict[tuple[str, str, str], float], dict[str, float]]:
        """Read the duals of the rows in which commitments count: units in force, and what is left to be spent."""
        held: dict[tuple[str, str, str], float] = {}
        left: dict[str, float] = {}
        for live in self._open:
            program = live.solve.program
            sets, duals = program.sets, live.solve.session.row_duals()
            rows, first = program.family(DEPLOYMENT.name), program.first_row(DEPLOYMENT.name)
            usd = duals[first : first + rows.count]
            meters = sets.meters[["pool", "meter"]].to_numpy(object)[rows.index["meter"]]
            for (pool, meter), period, worth in zip(meters, rows.index["period"], usd):
                held[str(pool), str(meter), sets.periods[int(period)]] = float(worth)
            if sets.spend is None or SPEND.name in sets.left_out:
                continue
            rows, first = program.family(SPEND.name), program.first_row(SPEND.name)
            if rows.count:
                for contract, costs in zip(rows.index["contract"], duals[first : first + rows.count]):
                    name = sets.spend.contracts[int(contract)]
                    left[name] = left.get(name, 0.0) + float(costs)
        return held, left

    def _fresh(self, part: Sets, program: LinearProgram) -> _Open:
        return _Open(key_of(part, digest_of(program)), part, open_program(program, self.clock))

    def _moved(self, live: _Open, part: Sets, new: LinearProgram, key: str) -> bool:
        """Give an open component new numbers; False where its matrix is another."""
        if not same_matrix(live.solve.program, new):
            return False
        live.solve = moved(live.solve, new)
        committed = new.columns.committed
        live.solve.session.set_column_bounds(committed, np.zeros(len(committed)), new.columns.upper[committed])
        live.key, live.part, live.solved = key, part, False
        return True


def _differs_in_commitments_alone(old: Case, new: Case) -> bool:
    """Whether commitments are all that differs."""
    if old.demand is not new.demand:
        return False
    names = (f.name for f in fields(Case) if f.name not in ("demand", "commitments"))
    return all(getattr(old, name) == getattr(new, name) for name in names)


def _asked(spend: Spend | None) -> tuple[bool, ...]:
    """Whether something is left to be spent on each contract."""
    return () if spend is None else tuple((spend.usd > 0).tolist())


def _left(spend: Spend | None) -> tuple[float, ...]:
    return () if spend is None else tuple(spend.usd.tolist())


def _stated(part: Sets) -> LinearProgram:
    return program_of(prune(merge_slots(part)))


def moved(solve: LinearSolve, new: LinearProgram) -> LinearSolve:
    """Give an open programme the costs and row bounds of another of the same matrix; stress rows keep their rays."""
    session, sets = solve.session, new.sets
    session.program = new
    session.set_costs(new.cost)
    lower, upper = new.bounds()
    session.set_row_bounds(np.arange(new.row_count), lower, upper)
    separator = Separator(sets, need_peaks(sets), deployment_peaks(sets), session.clock)
    cuts = [separator.renewed(cut, cut.case) for cut in solve.cuts]
    first = new.row_count
    session.set_row_bounds(
        np.arange(first, first + len(cuts)), np.array([cut.need for cut in cuts]), np.full(len(cuts), INF)
    )
    return LinearSolve(new, session, separator, cuts)


def same_matrix(old: LinearProgram, new: LinearProgram) -> bool:
    """Whether two programmes differ in costs and bounds only, stress networks included."""
    return same_shape(old, new) and all(np.array_equal(x.value, y.value) for x, y in zip(old.families, new.families))


def same_shape(old: LinearProgram, new: LinearProgram) -> bool:
    """Whether two programmes differ in costs, bounds and coefficients only."""
    a, b = columns_of(old.sets), columns_of(new.sets)
    if not (np.array_equal(a.flow_arc, b.flow_arc) and np.array_equal(a.flow_slot, b.flow_slot)):
        return False
    if len(old.sets.cases) != len(new.sets.cases) or not old.sets.shares.equals(new.sets.shares):
        return False
    if any(p.failed != q.failed or (p.quota_scale > 0) != (q.quota_scale > 0)
           for p, q in zip(old.sets.cases, new.sets.cases)):  # fmt: skip
        return False
    finite = [np.isfinite(sets.quotas["tokens_per_minute"].to_numpy(float)) for sets in (old.sets, new.sets)]
    if not np.array_equal(*finite):
        return False
    return all(
        x.count == y.count and np.array_equal(x.row, y.row) and np.array_equal(x.column, y.column)
        for x, y in zip(old.families, new.families)
    )


def sunk_usd(case: Case) -> float:
    """Add up what earlier commitments still cost inside the horizon, USD."""
    price = {o.offer: o.usd_per_unit_hour for o in case.offers}
    return float(
        sum(
            c.units * price[c.offer] * period.hours
            for c in case.commitments
            for period in case.periods
            if case.commitment_in_force(c, period)
        )
    )
