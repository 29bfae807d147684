"""Among plans of equal cost, one by rule: fewest committed dollars, then offers already held, then the order of names.

The optimal face is known from one optimum and its duals (complementary slackness): columns with a reduced cost stay at
their bound, rows with a dual stay tight. On it the next objectives are minimised one after another, each face within
the last. The published duals and the certificate are those of the cost, found before. Mostly the optimum is the chosen
one already, which its basis tells without solving again.

First come, first served: from what queues take and serve by the hour to the hours of arrival that each flow serves.

A queue's arrivals and what it serves are laid out on one line, in the order of time. The work that waits at the start
of the week is the least that keeps the backlog at 0 or above, so nothing waits longer than it has to. A flow then
serves the arrivals that lie at its place on the line; `model.waiting` tells why none is past its deadline.

Of the hours that cost the same, those in which the least work waits.

The optimum says how much each way serves; where several hours have room and one price, which of them serves is left to
chance, and work would wait for nothing. A small linear programme moves it forward: units and what each way serves in a
week at each price stay as they are, so that no cost and no rule on sums can tell the difference, and the request-hours
spent waiting are the fewest.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import highspy
import numpy as np

from planner.errors import StoppedError
from planner.model import program as programme
from planner.model.columns import Columns
from planner.model.family import Reduction
from planner.model.program import LinearProgram
from planner.model.reduce.slots import unlike_hours
from planner.model.sets import Bools, Floats, Ints, Sets
from planner.model.structure import breaks
from planner.model.waiting import Weeks
from planner.solver.continuous import LinearSolve, solve_linear
from planner.solver.highs import PRIMAL, TOLERANCE, Clock, RowEntries, Session, set_options
from planner.solver.scaling import column_scale

DUST = 1e-10  # of the demand: the solver's rounding


@dataclass(frozen=True)
class ServedWork:
    """Flows that are not 0, each of one hour of arrival: arc, slot in which it arose, slot that serves it, krph."""

    arc: Ints
    arrived: Ints
    slot: Ints
    flow: Floats


def served_work(sets: Sets, at: Columns, values: Floats) -> ServedWork:
    """Drop the solver's dust, and let the flows of every hour of arrival add up to its demand exactly.

    values : of all columns, krph.
    """
    need, flow = sets.arcs["need"].to_numpy(int)[at.flow_arc], values[at.flows]
    queue = at.queues.of_arc[at.flow_arc]
    asked = sets.demand[need, at.flow_slot]
    if at.queues.count:
        asked = np.where(queue >= 0, sets.demand.max(axis=1, initial=0.0)[need], asked)
    used = np.flatnonzero(flow > DUST * asked)
    now = used[queue[used] < 0]
    parts = [(at.flow_arc[now], at.flow_slot[now], at.flow_slot[now], flow[now])]
    parts += _of_queues(sets, at, values, used[queue[used] >= 0])
    arc, arrived, slot, krph = (np.concatenate(column) for column in zip(*parts))
    of_arc = sets.arcs["need"].to_numpy(int)[arc]
    key = of_arc * len(sets.slots) + arrived
    served = np.bincount(key, krph, len(sets.needs) * len(sets.slots))[key]
    exact: Floats = krph * sets.demand[of_arc, arrived] / np.where(served > 0, served, 1.0)
    kept = np.flatnonzero(exact)
    return ServedWork(arc[kept], arrived[kept], slot[kept], exact[kept])


def flow_totals(at: Columns, work: ServedWork, slots: int) -> Floats:
    """Sum what each flow column serves, whatever its hour of arrival, krph."""
    key = at.flow_arc * slots + at.flow_slot
    order = np.argsort(key, kind="stable")
    column = order[np.searchsorted(key[order], work.arc * slots + work.slot)]
    total: Floats = np.bincount(column, work.flow, len(key)).astype(float)
    return total


def _of_queues(sets: Sets, at: Columns, values: Floats, used: Ints) -> list[tuple[Ints, Ints, Ints, Floats]]:
    """Match the used flows of each queue and week with its arrivals."""
    if not len(used):
        return []
    first = Weeks.of(sets).first
    weeks = np.unique(first)
    queue, slot = at.queues.of_arc[at.flow_arc[used]], at.flow_slot[used]
    week = np.searchsorted(weeks, first[slot])
    order = np.lexsort((at.flow_arc[used], slot, week, queue))
    group = (queue * len(weeks) + week)[order]
    bounds = np.flatnonzero(np.diff(group, prepend=-1, append=-1))
    parts = []
    for begin, end in pairwise(bounds.tolist()):
        mine = used[order[begin:end]]
        q, start = int(at.queues.of_arc[at.flow_arc[mine[0]]]), int(weeks[group[begin] % len(weeks)])
        length = int((first == start).sum())
        columns = at.taken[q, start : start + length]
        took = np.where(columns >= 0, np.maximum(values[columns], 0.0), 0.0)
        hour = at.flow_slot[mine] - start
        k, arrived, amount = matched(took, hour, values[at.flows[mine]], int(at.queues.latest_hours[q]))
        parts.append((at.flow_arc[mine[k]], start + arrived, at.flow_slot[mine[k]], amount))
    return parts


def matched(took: Floats, hour: Ints, flow: Floats, latest: int) -> tuple[Ints, Ints, Floats]:
    """Match flows with the arrivals of a week that goes round.

    Parameters
    ----------
    took : arrivals by hour of the week. hour, flow : hour and amount of each flow, in the order of time. latest : how
        many hours late work may be served.

    Returns
    -------
    Number of the flow, hour of arrival, amount. Rounding is left out: dust of an hour's arrivals, and what it would
    serve before it arises or past its deadline.
    """
    hours, all_took = len(took), float(took.sum())
    served = np.bincount(hour, flow, hours)
    waits_at_start = max(0.0, -float(np.cumsum(took - served).min()))
    line = np.concatenate([[0.0], np.cumsum(took)])
    arrivals = np.concatenate([line[:-1] - all_took, line])  # the week before, and this one
    done = np.concatenate([[0.0], np.cumsum(flow)]) - waits_at_start
    edges = np.unique(np.concatenate([done, arrivals[(arrivals > done[0]) & (arrivals < done[-1])]]))
    middle, amount = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
    k = np.clip(np.searchsorted(done, middle, side="right") - 1, 0, len(flow) - 1)
    place = np.clip(np.searchsorted(arrivals, middle, side="right") - 1, 0, 2 * hours - 1)
    late = hour[k] - (place - hours)
    fits = (late >= 0) & (late <= latest) & (amount > DUST * took[place % hours])
    return k[fits], place[fits] % hours, amount[fits]


SAME_PRICE = 1e-12  # relative: rounding of a price
LESS = 1e-6  # of the request-hours that wait: less is not worth another plan


def served_sooner(program: LinearProgram, values: Floats, scale: Floats, clock: Clock) -> Floats:
    """Return the values with work that can wait served as soon as may be, at the same cost.

    ``values`` : of the columns, rows kept. They are returned as they are where nothing waits or time runs out.
    """
    sets, at = program.sets, program.columns
    waiting = at.backlog[at.backlog >= 0]
    if not len(waiting):
        return values
    cost = np.zeros(at.count)
    cost[waiting] = np.broadcast_to(sets.slots["weeks"].to_numpy(float), at.backlog.shape)[at.backlog >= 0]
    now = float(cost @ values)
    if now <= LESS * float(values[at.flows] @ sets.slots["weeks"].to_numpy(float)[at.flow_slot]):
        return values
    session = Session(replace(program, cost=cost), clock)
    fixed = np.zeros(at.count, bool)
    fixed[: at.hours_first] = True
    for columns in (at.scaled, at.started):
        fixed[columns[columns >= 0]] = True
    fixed[at.flows] = ((at.queues.of_arc < 0) | _counted_by_hour(program))[at.flow_arc]
    still = np.flatnonzero(fixed)
    set_options(session.highs, presolve="on")
    session.set_column_bounds(still, values[still], values[still])
    session.add_rows(_same_sums(program, values, ~fixed))
    try:
        if not session.solve():
            return values
    except StoppedError:
        return values
    found = np.maximum(session.values(), 0.0)
    found[still] = values[still]
    better = float(cost @ found) < (1 - LESS) * now
    return found if better and not breaks(program, found, scale) else values


def _counted_by_hour(program: LinearProgram) -> Bools:
    """Arcs that a rule which is stated of the whole only counts in some hours and not in others."""
    sets, at = program.sets, program.columns
    found = np.zeros(len(sets.arcs), bool)
    for family in programme.FAMILIES:
        if family.name in sets.left_out:
            rows = family.rows(replace(sets, left_out=()), at)
            used = np.flatnonzero((rows.value != 0) & (rows.column >= at.flow_first))
            found |= unlike_hours(
                sets, at, row=rows.row[used], flow=rows.column[used] - at.flow_first, value=rows.value[used]
            )
    return found


def _same_sums(program: LinearProgram, values: Floats, moves: Bools) -> RowEntries:
    """State that each way serves as much as it did, in each week and at each price."""
    sets, at = program.sets, program.columns
    flows = at.flows[moves[at.flows]]
    number, weeks = flows - at.flow_first, sets.slots["weeks"].to_numpy(float)
    slot = at.flow_slot[number]
    price = np.divide(program.cost[flows], weeks[slot], out=np.zeros(len(flows)), where=weeks[slot] > 0)
    step = SAME_PRICE * max(float(np.abs(price).max(initial=0.0)), 1e-300)
    key = np.column_stack([at.flow_arc[number], Weeks.of(sets).first[slot], np.round(price / step)])
    _, group = np.unique(key, axis=0, return_inverse=True)
    group = group.ravel()
    order = np.argsort(group, kind="stable")
    total = np.bincount(group, values[flows]).astype(float)
    start = np.concatenate([[0], np.cumsum(np.bincount(group))])
    return RowEntries(total, total, start, flows[order], np.ones(len(flows)))


ON_GRID = 1e-9  # steps
ROUNDING = 1e-11  # relative, of sums of costs
ZERO = 3e-9  # reduced costs and duals (scaled) up to the solver's tolerance are none


def choose_by_rule(solve: LinearSolve) -> Floats:
    """Move the session along its optimal face; the values of the chosen optimum. The session is left on that face."""
    session, at = solve.session, solve.program.columns
    if not len(at.committed) or _is_chosen(solve):
        return session.values()
    set_options(
        session.highs, simplex_strategy=PRIMAL
    )  # the basis is primal feasible, the new costs are not dual feasible
    for cost in _objectives(solve):
        if not cost.any():
            continue
        _stay_on_face(session.highs)
        session.set_costs(cost)
        if not solve_linear(solve):
            raise ArithmeticError("the optimal face is empty")
    return session.values()


def equal_offers_by_rule(solve: LinearSolve, values: Floats) -> Floats:
    """Hand what equal offers hold together to one by rule: those held first, then by name.

    Equal: same meter, months, price and sizes. The first takes all where its sizes allow it, else the most. Where
    changes against the last plan are charged, offers are not equal; nor where a rule or a cost term tells them apart.
    """
    if solve.program.sets.keep is not None:
        return values
    bought, found = solve.program.sets.purchases, values.copy()
    held = bought["held"].to_numpy(bool)
    columns = solve.program.columns.committed
    for rows in bought.groupby([c for c in bought.columns if c not in ("offer", "held")]).indices.values():
        order = columns[rows[np.argsort(~held[rows], kind="stable")]]
        units = found[order]
        low, step, top = (float(bought[c].iloc[rows[0]]) for c in ("min_units", "unit_step", "max_units"))
        total = float(units.sum())
        stepped = step <= 0 or abs((total - low) / step - round((total - low) / step)) < ON_GRID
        takes_all = low <= total <= top and (stepped or not solve.program.sets.whole_units)
        found[order] = [total, *np.zeros(len(order) - 1)] if takes_all else -np.sort(-units)
    program = solve.program
    scale = column_scale(program.sets, program.columns)
    dearer = float(program.cost @ found) > float(program.cost @ values) * (1 + ROUNDING)
    return values if dearer or breaks(program, found, scale, Reduction.FOLLOWS) else found


def _objectives(solve: LinearSolve) -> list[Floats]:
    """Costs of the columns, first to last, each in USD so that the scale fits."""
    sets, at = solve.program.sets, solve.program.columns
    dollars = sets.purchases["committed_usd_per_unit"].to_numpy(float)
    new = ~sets.purchases["held"].to_numpy(bool)
    rank = np.arange(1, len(dollars) + 1) / len(dollars)  # purchases stand in the order of offers and periods
    found = []
    held = [] if new.all() else [dollars * new]  # where nothing is held, as the first
    for weight in (dollars, *held, dollars * rank):
        cost = np.zeros(at.count)
        cost[at.committed] = weight
        found.append(cost)
    return found


def _is_chosen(solve: LinearSolve) -> bool:
    """Whether no step along the optimal face betters an objective while those before it stay as they are.

    On the face only columns and rows outside the basis without a reduced cost or dual can move, one by one. With
    y = B⁻ᵀ c_B for an objective c, a step of column j changes it by c[j] − a[j]·y, one of row i's activity by y[i].
    """
    session, h = solve.session, solve.session.highs
    status, basic = h.getBasicVariables()
    if status != highspy.HighsStatus.kOk:
        return False
    solution, columns, rows = h.getSolution(), h.getNumCol(), h.getNumRow()
    free = np.ones(columns + rows, bool)
    free[np.where(basic >= 0, basic, columns - 1 - basic)] = False
    free &= np.abs(np.concatenate([solution.col_dual, solution.row_dual])) <= ZERO
    lp = h.getLp()
    lower, upper = np.concatenate([lp.col_lower_, lp.row_lower_]), np.concatenate([lp.col_upper_, lp.row_upper_])
    movable = np.flatnonzero(free & (lower < upper))
    if not len(movable):
        return True
    value = np.concatenate([solution.col_value, solution.row_value])[movable]
    up = np.where(np.abs(value - lower[movable]) <= np.abs(upper[movable] - value), 1.0, -1.0)
    entries = [h.getColEntries(int(j))[1:] if j < columns else None for j in movable]
    for cost in _objectives(solve):
        scaled = session.scaled_costs(cost)
        rhs = np.where(basic >= 0, scaled[np.maximum(basic, 0)], 0.0)
        price = np.array(h.getBasisTransposeSolve(rhs)[1])
        step = np.array([
            price[j - columns] if entry is None else scaled[j] - float(entry[1] @ price[entry[0]])
            for j, entry in zip(movable, entries)
        ]) * up  # fmt: skip
        if (step < -TOLERANCE).any():
            return False
        still = np.abs(step) <= TOLERANCE
        movable, up, entries = movable[still], up[still], [e for e, kept in zip(entries, still) if kept]
    return True


def _stay_on_face(h: highspy.Highs) -> None:
    """Fix what complementary slackness fixes at the present optimum."""
    solution, lp = h.getSolution(), h.getLp()
    value, reduced = np.array(solution.col_value), np.array(solution.col_dual)
    fixed = np.flatnonzero(np.abs(reduced) > ZERO).astype(np.int32)
    h.changeColsBounds(len(fixed), fixed, np.maximum(value[fixed], 0.0), np.maximum(value[fixed], 0.0))
    dual = np.array(solution.row_dual)
    lower, upper = np.array(lp.row_lower_), np.array(lp.row_upper_)
    tight = np.flatnonzero((np.abs(dual) > ZERO) & (lower != upper)).astype(np.int32)
    side = np.where(dual[tight] > 0, lower[tight], upper[tight])
    tight, side = tight[np.isfinite(side)], side[np.isfinite(side)]
    h.changeRowsBounds(len(tight), tight, side, side)
