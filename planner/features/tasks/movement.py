"""Why the cost of a task moved: between two months of a plan, or between two plans, or a plan and what happened."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from math import factorial
from typing import Any

import numpy as np
import pandas as pd

from planner.errors import AuditError
from planner.features.tasks.span import Span, span_of
from planner.features.tasks.task_formula import (
    CACHE,
    COVERAGE,
    FACTORS,
    MIX,
    PRICE,
    REGIONS,
    TASK_SIZE,
    TASKS,
    THROUGHPUT,
    TOKENS,
    UTILISATION,
    VOLUME,
    Pair,
    Sides,
    cost_of_task,
)
from planner.plan.flows import Floats
from planner.plan.frames import NUMBER, TEXT, Field, Frame
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.metrics.task_costs import NOBODY, TaskCosts

EVIDENCE = Frame("evidence", "one row for each thing that changed, of a factor of a workload", (
    Field("workload", TEXT, "workload"), Field("factor", TEXT, "factor of the cost of a task"),
    Field("what", TEXT, "what changed"), Field("before", NUMBER, "before, as `kind` says"),
    Field("after", NUMBER, "after"), Field("kind", TEXT, "number, share or index"),
))  # fmt: skip
_SAME = 1e-9  # relative
_Line = tuple[str, str, float, float, str]


def evidence(s: Sides, indices: dict[str, Floats]) -> pd.DataFrame:
    """List what changed for each workload with tasks on both sides: columns EVIDENCE.

    Parameters
    ----------
    indices : by factor (PRICE, THROUGHPUT): the cost of a task with that factor alone changed, over the cost before.
    """
    told = [_covered(s, side) for side in (0, 1)], [_utilisation(s, side) for side in (0, 1)]
    rows = [(name, *line) for k, name in enumerate(s.workloads) for line in _lines(s, k, indices, *told)]
    found = EVIDENCE.of(rows)
    gap = (found["after"] - found["before"]).abs()
    shown: pd.DataFrame = found[gap > _SAME * found[["before", "after"]].abs().max(axis=1)].reset_index(drop=True)
    return shown


def in_words(row: Any) -> str:
    """Say one row of the evidence: ``utilisation 81.0 % → 62.3 %``."""
    if row.kind == "share":
        return f"{row.what} {100 * row.before:.1f} % → {100 * row.after:.1f} %"
    if row.kind == "index":
        return f"{row.what} {100 * (row.after / row.before - 1):+.1f} %"
    return f"{row.what} {row.before:,.6g} → {row.after:,.6g}"


def _lines(s: Sides, k: int, indices: dict[str, Floats], covered: list[Floats], used: list[Floats]) -> Iterator[_Line]:
    def line(factor: str, what: str, values: Pair | list[Floats], kind: str, column: int | None = None) -> _Line:
        before, after = (v[k] if column is None else v[k, column] for v in values)
        return factor, what, float(before), float(after), kind

    tasks = s.per_hour[0] / s.requests_per_task[0], s.per_hour[1] / s.requests_per_task[1]
    placed = s.model_share[0] * s.place_share[0], s.model_share[1] * s.place_share[1]
    yield line(VOLUME, "tasks per hour", tasks, "number")
    yield PRICE, "prices of the same usage", 1.0, float(indices[PRICE][k]), "index"
    yield _largest(s, s.model_share, k, MIX, "share of {2}")
    yield _largest(s, placed, k, REGIONS, "from {0}, served in {3}, {2}")
    yield line(CACHE, "cache hit rate", s.rates, "share", 0)
    yield line(CACHE, "cache hit rate on demand", s.rates, "share", 1)
    yield line(CACHE, "cache write rate", s.rates, "share", 2)
    yield line(TOKENS, "input tokens per request", s.tokens, "number", 0)
    yield line(TOKENS, "output tokens per request", s.tokens, "number", 1)
    yield line(TASK_SIZE, "requests per task", s.requests_per_task, "number")
    yield THROUGHPUT, "units for the same requests", 1.0, float(indices[THROUGHPUT][k]), "index"
    yield line(COVERAGE, "coverage", covered, "share")
    yield line(UTILISATION, "utilisation", used, "share")


def _largest(s: Sides, shares: Pair, k: int, factor: str, text: str) -> _Line:
    """Name the model, or way, whose share grew most."""
    own = np.flatnonzero(s.flow_workload == k)
    row = int(own[int(np.argmax(shares[1][own] - shares[0][own]))])
    return factor, text.format(*s.flows[row]), float(shares[0][row]), float(shares[1][row]), "share"


def _covered(s: Sides, side: int) -> Floats:
    """Share of each workload's requests that reserved units serve."""
    share = s.model_share[side] * s.place_share[side] * s.covered[side] * s.supply_share[side]
    found: Floats = np.bincount(s.flow_workload, np.where(s.reserved, share, 0.0), len(s.workloads)).astype(float)
    return found


def _utilisation(s: Sides, side: int) -> Floats:
    """Unit-hours used over those that each workload pays for; NaN where it pays for none."""
    count = len(s.workloads)
    used = np.bincount(s.load_workload, s.used[side], count)
    paid = np.bincount(s.load_workload, s.used[side] * s.inverse[side], count)
    paid = paid + np.bincount(s.standby_workload, s.standby_unit_hours[side], count)
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(paid > 0, used / paid, np.nan)
    return found


def shapley(value: Callable[[frozenset[str]], Floats], factors: tuple[str, ...]) -> Floats:
    """Divide value(all factors) − value(none) among the factors, exactly.

        φ_f = Σ_{S without f} |S|! (k − |S| − 1)! / k! · (value(S + f) − value(S))

    the mean, over all orders, of what changing f adds. A factor that changes nothing gets nothing; turning the question
    round (all for none) turns every sign; the parts add up.

    Parameters
    ----------
    value : of a set of changed factors: an array of n numbers. Called 2**len(factors) times.
    factors : k names, at most a dozen.

    Returns
    -------
    array : k x n.
    """
    k = len(factors)
    sets = np.arange(1 << k)
    size = np.array([int(s).bit_count() for s in sets])
    found = np.array([value(frozenset(f for b, f in enumerate(factors) if s >> b & 1)) for s in sets.tolist()])
    weight = np.array([factorial(n) * factorial(k - n - 1) / factorial(k) for n in range(k)] or [0.0])
    parts = np.zeros((k, found.shape[1]))
    for b in range(k):
        without = sets[sets >> b & 1 == 0]
        parts[b] = weight[size[without]] @ (found[without | 1 << b] - found[without])
    return parts


WORKLOADS = Frame("workloads", "one row for each workload with tasks or cost on one side", (
    Field("workload", TEXT, "workload"),
    *(Field(f"{name}_{word}", NUMBER, f"{meaning}, {word}", unit)
      for name, meaning, unit in (("tasks", "tasks", "tasks"), ("tasks_per_hour", "tasks an hour", "tasks/hour"),
                                  ("usd_per_task", "cost of a task; NaN: no tasks", "USD"), ("usd", "cost", "USD"))
      for word in ("before", "after")),
))  # fmt: skip
EFFECTS = Frame("effects", "one row for each factor of a workload that changed its cost", (
    Field("workload", TEXT, "workload"), Field("factor", TEXT, "factor; `tasks`: more or fewer of them"),
    Field("usd_per_task", NUMBER, "part of the change of the cost of a task", "USD"),
    Field("usd", NUMBER, "part of the change of the cost", "USD"),
))  # fmt: skip
MOVEMENT_FIGURES = (WORKLOADS, EFFECTS, EVIDENCE)
NOTHING = 1e-12  # of the cost of both: less is rounding
CLOSE = 1e-8  # relative: the formula and the attributed cost


@dataclass(frozen=True)
class Movement:
    """A change of the cost of tasks and its reasons.

    before, after : what is compared, in words: a month, with the plan's name where plans differ.
    workloads : columns WORKLOADS, one row a workload; usd_per_task is NaN where there are no tasks.
    effects : columns EFFECTS. usd_per_task of a workload's factors add up to the change of its cost of a task;
        usd of its factors and of `tasks` (more or fewer of them) add up to the change of its cost, and all of them to
        the change of the total. A workload with tasks on one side only has the factor `tasks` alone. Effects of
        nothing are left out.
    evidence : columns EVIDENCE: what of a factor changed, before and after.
    """

    before: str
    after: str
    workloads: pd.DataFrame
    effects: pd.DataFrame
    evidence: pd.DataFrame

    def __post_init__(self) -> None:
        """Refuse a table that is not what it is declared to be."""
        for frame in MOVEMENT_FIGURES:
            frame.check(getattr(self, frame.name))

    @property
    def by_factor(self) -> pd.DataFrame:
        """Effects of all workloads together in USD, in the order of FACTORS: columns factor, usd."""
        order = {name: k for k, name in enumerate((*FACTORS, TASKS))}
        sums = self.effects.groupby("factor", as_index=False)[["usd"]].sum()
        return sums.assign(rank=sums["factor"].map(order)).sort_values("rank", ignore_index=True)[["factor", "usd"]]


def why_moved(
    before: TaskCosts,
    after: TaskCosts,
    before_period: str = HORIZON,
    after_period: str = HORIZON,
    labels: tuple[str, str] | None = None,
) -> Movement:
    """Divide the change of each workload's cost of a task among the factors (tasks.task_formula), exactly.

    Parameters
    ----------
    before, after : of one plan, or of two; names (workloads, models, regions, pools) say what belongs together.
    before_period, after_period : months of each, such as 2027-01; HORIZON: all months.
    labels : what to call the two; None: months of one plan by their names, plans by theirs.

    Raises
    ------
    InputError : a plan has no such month.
    AuditError : the formula does not give a plan's attributed cost; nothing is said rather than something wrong.
    """
    movement = moved(span_of(before, before_period), span_of(after, after_period))
    return movement if labels is None else replace(movement, before=labels[0], after=labels[1])


def month_by_month(costs: TaskCosts) -> tuple[Movement, ...]:
    """Why it moved from each month to the next and, with three months or more, from the first to the last."""
    spans = [span_of(costs, period) for period in costs.months]
    pairs = [*pairwise(spans), *([(spans[0], spans[-1])] if len(spans) > 2 else [])]
    return tuple(moved(before, after) for before, after in pairs)


def moved(before: Span, after: Span) -> Movement:
    """Divide the change between two spans."""
    sides = Sides.of(before, after)
    value, factors = cost_of_task(sides)
    workloads = _workloads(before, after)
    _check(before, sides, value(frozenset()), workloads, "before")
    _check(after, sides, value(frozenset(factors)), workloads, "after")
    base = value(frozenset())
    with np.errstate(divide="ignore", invalid="ignore"):
        indices = {f: np.where(base > 0, value(frozenset([f])) / base, 1.0) for f in (PRICE, THROUGHPUT)}
    same = before.plan == after.plan and before.period != after.period
    return Movement(
        before=before.period if same else f"{before.plan}, {before.period}",
        after=after.period if same else f"{after.plan}, {after.period}",
        workloads=workloads,
        effects=_effects(workloads, sides, factors, shapley(value, factors)),
        evidence=evidence(sides, indices),
    )


def _workloads(before: Span, after: Span) -> pd.DataFrame:
    names = sorted({*before.workloads.keys, *after.workloads.keys})
    found: dict[str, object] = {"workload": [name for (name,) in names]}
    for word, span in (("before", before), ("after", after)):
        rows = span.workloads.rows_of(names)
        requests, usd = span.workloads.take("requests", rows, 0.0), span.workloads.take("usd", rows, 0.0)
        tasks = requests / span.workloads.take("requests_per_task", rows, 1.0)
        found |= {f"tasks_{word}": tasks, f"tasks_per_hour_{word}": tasks / span.hours, f"usd_{word}": usd}
        found[f"usd_per_task_{word}"] = np.divide(usd, tasks, out=np.full(len(tasks), np.nan), where=tasks > 0)
    table = pd.DataFrame(found)[list(WORKLOADS.columns)]
    if before.nobody_usd or after.nobody_usd:
        none = dict.fromkeys(WORKLOADS.columns[1:5], 0.0)
        rest = {"workload": NOBODY, **none, "usd_before": before.nobody_usd, "usd_after": after.nobody_usd}
        table = pd.concat([table, pd.DataFrame([rest])], ignore_index=True)
    used = (table[["tasks_before", "tasks_after", "usd_before", "usd_after"]] != 0).any(axis=1)
    return table.loc[used].reset_index(drop=True)


def _check(span: Span, sides: Sides, found: Floats, workloads: pd.DataFrame, word: str) -> None:
    table = workloads.set_index("workload").loc[list(sides.workloads), f"usd_per_task_{word}"].to_numpy(float)
    wrong = np.abs(found - table) > CLOSE * np.maximum(np.abs(table), 1e-12)
    if wrong.any():
        k = int(np.flatnonzero(wrong)[0])
        raise AuditError(
            f"{span.plan}, {span.period}: the formula gives {found[k]:.12g} USD for a task of {sides.workloads[k]}, "
            f"its attributed cost is {table[k]:.12g}"
        )


def _effects(workloads: pd.DataFrame, sides: Sides, factors: tuple[str, ...], parts: Floats) -> pd.DataFrame:
    rows: list[tuple[str, str, float, float]] = []
    number = {name: k for k, name in enumerate(sides.workloads)}
    each: list[Any] = list(workloads.itertuples(index=False))
    for w in each:
        name, change = str(w.workload), float(w.usd_after) - float(w.usd_before)
        if name == NOBODY:
            rows.append((name, UTILISATION, float("nan"), change))
        elif name not in number:
            rows.append((name, TASKS, float("nan"), change))
        else:
            mean_tasks = (float(w.tasks_before) + float(w.tasks_after)) / 2
            mean_usd = (float(w.usd_per_task_before) + float(w.usd_per_task_after)) / 2
            own = parts[:, number[name]].tolist()
            rows += [(name, f, usd, usd * mean_tasks) for f, usd in zip(factors, own, strict=True)]
            rows.append((name, TASKS, 0.0, mean_usd * (float(w.tasks_after) - float(w.tasks_before))))
    found = EFFECTS.of(rows)
    whole = float(workloads[["usd_before", "usd_after"]].to_numpy(float).sum())
    shown: pd.DataFrame = found[found["usd"].abs() > NOTHING * whole].reset_index(drop=True)
    return shown
