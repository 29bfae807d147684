"""Rows that span parts, what their prices add to the cost of each part's decisions, and the parts alive.

The whole programme is min Σ_k c[k]·x[k] over x[k] in X[k], k a part, subject to lower ≤ Σ_k A[k]·x[k] ≤ upper, a
handful of rows. At prices y of these rows (y[i] ≥ 0 for a lower, ≤ 0 for an upper bound) each part is solved by itself,
its decisions charged the tolls −A[k]ᵀy, and for every plan of the whole (Lagrange)

    cost  ≥  Σ_k min over X[k] of (c[k] − A[k]ᵀy)·x[k]  +  Σ_i y[i] · (lower[i] if y[i] > 0 else upper[i]).

A[k] is read from the assembled rows of the whole; nothing is known of any family but its entries.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from planner.errors import PlannerError
from planner.model.columns import Columns, columns_of
from planner.model.family import Family, Reduction
from planner.model.objective import objective
from planner.model.program import LinearProgram
from planner.model.reduce.alike import WAY
from planner.model.rows import Rows
from planner.model.sets import Bools, Floats, Ints, Sets, Tolls
from planner.model.structure import refused_by, rules_on_sizes
from planner.solver.assemble import original_slots, rows_of
from planner.solver.certificate import ERROR, Certificate, certify, coupling_prices, exact_sum_down, price_table
from planner.solver.component import ComponentPlan, plan_of
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.highs import DUAL, PRIMAL, set_options
from planner.solver.joint import joint_columns, largest_joint
from planner.solver.mixture import MARGIN, NO_JOINT, Joint, PartPlan, PartRows

NEAR = 0.03  # of the prices: up to this change the primal simplex is faster from the last optimum (measured)
HAIR = 1e-5  # of a commitment's price: what is signed costs so much more where it would cost nothing


@dataclass(frozen=True)
class Coupling:
    """The rows that span parts: their bounds, each part's entries, and the columns of no part.

    unused : columns that no part has, for nothing needs them: they are 0, unless a row would pay for them.
    """

    stated: tuple[Rows, ...]
    lower: Floats
    upper: Floats
    parts: tuple[PartRows, ...]
    joint: Joint
    largest: Callable[[float], Floats]
    unused: Joint = NO_JOINT

    @property
    def count(self) -> int:
        """Number of rows."""
        return len(self.lower)

    def worth(self, prices: Floats, usd: float = 0.0) -> float:
        """Σ y · (lower or upper), less what columns of no part may earn in a plan of ``usd``, rounded down."""
        bound = np.where(prices > 0, self.lower, np.where(prices < 0, self.upper, 0.0))
        own = self.joint
        size = self.joint.cost + np.bincount(own.column, np.abs(own.value * prices[own.row]), len(own.cost))
        least = np.minimum(own.reduced(prices) - ERROR * size, 0.0)
        return exact_sum_down([(prices, bound), (least, self.largest(usd))])

    def pays_unused(self, prices: Floats) -> bool:
        """Whether at some prices a column would earn money that no part has: the parts are then not all there is."""
        return bool((self.unused.reduced(prices) < -MARGIN * self.unused.cost).any())

    def rows_of_part(self, number: int) -> Rows:
        """Return the rows as a part's programme has them, with bounds of 0: what they are worth counts once, above."""
        mine = self.parts[number]
        return Rows(
            "coupling",
            {},
            np.where(np.isfinite(self.lower), 0.0, -np.inf),
            np.where(np.isfinite(self.upper), 0.0, np.inf),
            mine.row,
            mine.column,
            mine.value,
        )

    def sensible(self, prices: Floats, programs: Sequence[LinearProgram]) -> Floats:
        """Return prices of the right sign, lowered together until no decision of any part earns money."""
        found = np.where((prices > 0) & ~np.isfinite(self.lower) | (prices < 0) & ~np.isfinite(self.upper), 0.0, prices)
        found = self.joint.allowed(found)
        share = 1.0
        earns = found[self.joint.row] * self.joint.value
        earned = np.bincount(self.joint.column, earns, len(self.joint.cost))
        dear = np.flatnonzero((earned > 0) & (self.joint.cost > 0))
        if len(dear):
            share = min(1.0, (1 - MARGIN) * float((self.joint.cost[dear] / earned[dear]).min()))
        paid = self.unused.cost - self.unused.reduced(found)
        dear = np.flatnonzero(paid > 0)
        if len(dear):
            share = min(share, (1 - MARGIN) * float((self.unused.cost[dear] / paid[dear]).min()))
        for part, program in zip(self.parts, programs):
            tolls = part.tolls(found, program.columns.count)
            lowered = np.flatnonzero(tolls < 0)
            if len(lowered):
                share = min(share, (1 - MARGIN) * float((program.cost[lowered] / -tolls[lowered]).min()))
        return np.asarray(found * share)

    def free_to_sign(self, prices: Floats, programs: Sequence[LinearProgram]) -> bool:
        """Whether some commitment costs nothing at these prices, but for rounding."""
        for part, program in zip(self.parts, programs):
            signed = program.columns.committed
            usd, tolls = program.cost[signed], part.tolls(prices, program.columns.count)[signed]
            if ((usd > 0) & (usd + tolls <= HAIR * usd)).any():
                return True
        return False


def coupling_of(sets: Sets, families: Sequence[Family], programs: Sequence[LinearProgram]) -> Coupling | None:
    """Read the coupling rows of some families, for the reduced programmes of the parts that leave them out.

    None where they cannot be priced: a family counts sizes or changes, or does not claim the reductions of the parts.
    """
    at = columns_of(sets)
    stated = tuple(family.rows(sets, at) for family in families)
    names = {family.name for family in families}
    if not names.isdisjoint(rules_on_sizes(sets)):
        return None
    if any(refused_by(families, stated, sets, at, claim) for claim in (Reduction.SLOTS, Reduction.ARCS)):
        return None
    first = np.cumsum([0, *(rows.count for rows in stated)])
    row = np.concatenate([rows.row + k for rows, k in zip(stated, first)])
    column = np.concatenate([rows.column for rows in stated])
    value = np.concatenate([rows.value for rows in stated])
    if np.isin(column, np.concatenate([at.more, at.fewer])).any():
        return None
    part_of, column_of = np.full(at.count, -1), np.full(at.count, -1)
    flow_number = at.flow_numbers(sets)
    for k, program in enumerate(programs):
        own, in_whole = _in_whole(sets, at, flow_number, program)
        part_of[in_whole], column_of[in_whole] = k, own
    parts = []
    for k in range(len(programs)):
        mine = part_of[column] == k
        many = max(programs[k].columns.count, 1)
        unique, group = np.unique(row[mine] * many + column_of[column[mine]], return_inverse=True)
        added = np.bincount(group, value[mine], len(unique))
        parts.append(PartRows(*np.divmod(unique, many), added.astype(float)))
    own = joint_columns(at)
    number = np.full(at.count, -1)
    number[own] = np.arange(len(own))
    mine = number[column] >= 0
    cost = objective(sets, at)
    joint = Joint(cost[own], row[mine], number[column[mine]], value[mine])
    return Coupling(
        stated,
        np.concatenate([rows.lower for rows in stated]),
        np.concatenate([rows.upper for rows in stated]),
        tuple(parts),
        joint,
        lambda usd: largest_joint(sets, at, usd)[own],
        _unused(cost, (part_of < 0) & (number < 0) & (np.arange(at.count) < at.flow_first), (row, column, value)),
    )


def _unused(cost: Floats, mine: Bools, entries: tuple[Ints, Ints, Floats]) -> Joint:
    row, column, value = entries
    own = mine[column] & (value != 0)
    used, number = np.unique(column[own], return_inverse=True)
    return Joint(cost[used], row[own], number.ravel(), value[own])


def _in_whole(whole: Sets, at: Columns, flow_number: np.ndarray, program: LinearProgram) -> tuple[Ints, Ints]:
    """Pairs of a part's column and a column of the whole that it stands for: a merged slot's flow for several."""
    part, own = program.sets, program.columns
    period = np.array([whole.periods.index(name) for name in part.periods], dtype=np.int64)
    bought = part.purchases.assign(period=period[part.purchases["period"].to_numpy(int)])
    deployments = rows_of(whole.deployments, part.deployments, ["pool", "meter", "model"])
    meters = rows_of(whole.meters, part.meters, ["pool", "meter"])
    priced = own.unreserved >= 0
    row, slot = original_slots(part, own.flow_slot)
    arcs = rows_of(whole.arcs, part.arcs, WAY)
    pairs = [
        (own.committed, at.committed[rows_of(whole.purchases, bought, ["offer", "period"])]),
        (own.deployed.ravel(), at.deployed[deployments[:, None], period].ravel()),
        (own.unreserved[priced], at.unreserved[meters[:, None], period][priced]),
        (own.flows[row], flow_number[arcs[own.flow_arc[row]], slot].astype(np.int64)),
    ]
    for mine, of_whole in ((own.scaled, at.scaled), (own.started, at.started)):
        part_row, merged = np.nonzero(mine >= 0)
        entry, when = original_slots(part, merged)
        pairs.append((mine[part_row, merged][entry], of_whole[deployments[part_row[entry]], when]))
    return np.concatenate([a for a, _ in pairs]), np.concatenate([b for _, b in pairs])


def tolled(program: LinearProgram, tolls: Floats) -> LinearProgram:
    """Return the same programme with tolls on its columns.

    Raises
    ------
    PlannerError : some column would earn money.
    """
    cost = program.cost + tolls
    if (cost < 0).any():
        raise PlannerError("prices of rows that span parts make something cost less than nothing: no bound is proved")
    sets, at = program.sets, program.columns
    flow = np.zeros((len(sets.arcs), len(sets.slots)))
    flow[at.flow_arc, at.flow_slot] = tolls[at.flows]
    charged = replace(
        sets,
        tolls=Tolls(
            tolls[at.committed],
            tolls[at.deployed],
            np.where(at.unreserved >= 0, tolls[at.unreserved], 0.0),
            flow,
            np.where(at.scaled >= 0, tolls[at.scaled], 0.0),
            np.where(at.started >= 0, tolls[at.started], 0.0),
        ),
    )
    return replace(program, sets=charged, cost=cost)


@dataclass
class LivePart:
    """A part alive in HiGHS.

    whole : as it was given. program : at true costs. number : among the parts. sized : columns with sizes. prices :
        those of its last optimum. plans : on the size grids.
    """

    whole: Sets
    solve: LinearSolve
    program: LinearProgram
    number: int
    sized: Ints
    prices: Floats
    plans: list[PartPlan] = field(default_factory=list)

    def solved(self, coupling: Coupling, prices: Floats, hair: float = 0.0) -> bool:
        """Solve it at some prices, on from its last optimum; ``hair`` : of commitments' prices, charged besides."""
        session, signed = self.solve.session, self.program.columns.committed
        tolls = coupling.parts[self.number].tolls(prices, self.program.columns.count)
        tolls[signed] += hair * self.program.cost[signed]
        self.solve.program = session.program = tolled(self.program, tolls)
        session.set_costs(session.program.cost)
        near = float(np.abs(prices - self.prices).max()) <= NEAR * float(np.abs(prices).max())
        self.prices = prices
        set_options(session.highs, simplex_strategy=PRIMAL if near else DUAL)
        found = session.solve()
        set_options(session.highs, simplex_strategy=DUAL)
        return found and solve_linear(self.solve)

    def plan(self, coupling: Coupling, values: Floats, keep: bool = False) -> PartPlan:
        """Price some values of its columns as a plan of the master; ``keep`` : with the values."""
        use = coupling.parts[self.number].activity(values, coupling.count)
        used = np.flatnonzero(values)
        usd = float((self.program.cost[used] * values[used]).sum())  # no product of long vectors: it calls every core
        bought = values[self.program.columns.committed]
        signed = float((self.program.sets.purchases["committed_usd_per_unit"].to_numpy(float) * bought).sum())
        if not keep:
            return PartPlan(usd, use, signed_usd=signed)
        return PartPlan(usd, use, values[self.sized].tobytes(), used, values[used], signed)

    def free(self) -> None:
        """Let every size be any again."""
        upper = self.program.columns.upper[self.sized]
        self.solve.session.set_column_bounds(self.sized, np.zeros(len(self.sized)), upper)

    def reset(self) -> None:
        """Put it back to true costs and free sizes."""
        self.solve.program = self.solve.session.program = self.program
        self.free()
        self.solve.session.set_costs(self.program.cost)


@dataclass(frozen=True)
class Proved:
    """What was found for all parts together: cost and bound, prices of the coupling rows, and each part's values.

    duals : of each part's rows, at these prices.
    """

    usd: float
    bound_usd: float
    prices: Floats
    values: tuple[Floats, ...]
    duals: tuple[Floats, ...]


def plans_of(
    coupling: Coupling, parts: Sequence[LivePart], sets: Sets, families: Sequence[Family], proof: Proved
) -> list[ComponentPlan]:
    """Return each part's plan with its share of the proof; the first part's bounds hold what the rows are worth."""
    found, prices = [], proof.prices
    worth = coupling.worth(prices, proof.usd)
    cost = sum(float(part.program.cost @ values) for part, values in zip(parts, proof.values))
    apart = max(proof.usd - cost, 0.0) if len(coupling.joint.cost) else 0.0  # what columns of no part cost
    for k, (part, values, duals) in enumerate(zip(parts, proof.values, proof.duals)):
        program = replace(part.program, families=(*part.program.families, coupling.rows_of_part(k)))
        rows, cuts = part.program.row_count, part.solve.cuts[: len(duals) - part.program.row_count]
        usd = float(part.program.cost @ values)
        certificate = certify(program, np.concatenate([duals[:rows], prices, duals[rows:]]), cuts, usd)
        networks = [problem.net for problem in part.solve.separator.problems]
        table = price_table(program, certificate, cuts, networks, part.whole)
        if k == 0:
            table = coupling_prices(table, sets, families, coupling.stated, prices)
            certificate = Certificate(certificate.bound_usd + worth, certificate.row_price, certificate.cut_price)
        usd += apart if k == 0 else 0.0
        tree = usd - (cost + apart - min(proof.bound_usd, cost + apart)) if k == 0 else usd
        found.append(
            plan_of(part.solve, values, usd=usd, tree_bound=tree, certificate=certificate, duals=duals, prices=table)
        )
    return found
