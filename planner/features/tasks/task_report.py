"""Cost per task on the terminal: the table by month, why it moved, alerts."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, TYPE_CHECKING, Any

from planner.features.tasks import Alert, Movement, spread
from planner.features.tasks.movement import in_words
from planner.features.tasks.task_formula import FACTORS, LABEL, TASKS
from planner.plan.metrics.metric_tables import HORIZON
from planner.plan.metrics.task_costs import NOBODY, TaskCosts
from planner.workbook.report import rows_of
from planner.workbook.text_tables import LOST, TextTable, amount, clean, console_for, percent, task_usd, usd

if TYPE_CHECKING:
    from rich.console import Console

_MONTHS, _EVIDENCE, _ALERTS, _MOVEMENTS = 4, 2, 10, 3


def print_tasks(
    costs: TaskCosts, keys: Sequence[str], movements: Sequence[Movement], alerts: Sequence[Alert], stream: IO[str]
) -> None:
    """Print what tasks cost by `keys` and month, the movements and the alerts."""
    console = console_for(stream)
    months = costs.months
    span = months[0] if len(months) == 1 else f"{months[0]} to {months[-1]}"
    console.print(f"{clean(costs.basis.plan.name, 80)}: cost per task, {span}\n")
    _by_month(costs, keys).print(console)
    if tuple(keys) == ("workload",):
        console.print()
        _spread(costs).print(console)
    for movement in movements if len(movements) <= _MOVEMENTS else movements[-2:]:
        _print_movement(console, movement)
    if len(movements) > _MOVEMENTS:
        console.print(f"\n{len(movements) - 2} earlier months: --from and --to, or --json")
    console.print()
    if not alerts:
        console.print("No alert: no task became more expensive while volume was flat.")
    for alert in alerts[:_ALERTS]:
        console.print(f"ALERT {clean(alert.sentence, 500)}", soft_wrap=True, style=LOST)
    if len(alerts) > _ALERTS:
        console.print(f"and {len(alerts) - _ALERTS} more alerts; --json has them all")


def _by_month(costs: TaskCosts, keys: Sequence[str]) -> TextTable:
    """Cost of a task; of a thousand requests, where workloads are together."""
    figure = "usd_per_task" if "workload" in keys else "usd_per_thousand_requests"
    title = "USD per task" if "workload" in keys else "USD per thousand requests"
    shown = costs.months if len(costs.months) <= _MONTHS else (costs.months[0], *costs.months[1 - _MONTHS :])
    heads = [k[:1].upper() + k[1:] for k in keys]
    caption = f"{title}; the total is in USD over all months"
    if len(shown) < len(costs.months):
        caption += f"; {len(costs.months) - len(shown)} after {shown[0]} not shown: --json"
    table = TextTable((*heads, *shown, "all months", "Tasks", "Total"), left=len(keys), caption=caption)
    rows = costs.by_month(*keys)
    for name, own in rows.groupby(list(keys)):
        by = own.set_index("period")
        whole: Any = by.loc[HORIZON]
        value = [task_usd(float(by[figure].get(m, float("nan")))) for m in (*shown, HORIZON)]
        table.add(*map(str, name), *value, amount(round(whole["tasks"])), usd(float(whole["total_usd"])))
    total = float(costs.table["total_usd"].sum())
    table.add("Total", *[""] * (len(keys) + len(shown) + 1), usd(total))
    return table


def _spread(costs: TaskCosts) -> TextTable:
    table = TextTable(("Spread of USD per task", "over", "lowest", "highest", "variation"), left=4)
    for row in rows_of(spread(costs)):
        if row.lowest != row.highest:
            table.add(row.workload, f"{row.over}s", f"{task_usd(row.lowest_usd)} {row.lowest}",
                 f"{task_usd(row.highest_usd)} {row.highest}", percent(row.variation))  # fmt: skip
    return table


def _print_movement(console: Console, movement: Movement) -> None:
    """One movement: each workload's cost of a task before and after, and the factors in between."""
    used = set(movement.effects["factor"])
    factors = [f for f in FACTORS if f in used]
    title = f"Why the cost per task changed: {clean(movement.before, 120)} → {clean(movement.after, 120)}"
    console.print(f"\n{title}", style="bold")
    if not factors:
        console.print("No task's cost changed.")
        return
    table = TextTable(("USD per task, and % of it", "before", *(LABEL[f] for f in factors), "change", "after"))
    effect = {(row.workload, row.factor): row.usd_per_task for row in rows_of(movement.effects)}
    for row in rows_of(movement.workloads):
        if row.workload == NOBODY:
            continue
        before, after = float(row.usd_per_task_before), float(row.usd_per_task_after)
        parts = [effect.get((row.workload, f), 0.0) for f in factors]
        told = [_change(part, before) if part else "" for part in parts]
        table.add(row.workload, task_usd(before), *told, _change(after - before, before), task_usd(after))
    table.print(console)
    sums = ", ".join(f"{LABEL[row.factor]} {_signed(row.usd)}" for row in rows_of(movement.by_factor))
    change = float(movement.workloads["usd_after"].sum() - movement.workloads["usd_before"].sum())
    console.print(f"In USD for all tasks: {sums}; in total {_signed(change)}.", soft_wrap=True)
    for row in rows_of(movement.workloads):
        _print_evidence(console, movement, str(row.workload))


def _print_evidence(console: Console, movement: Movement, workload: str) -> None:
    """Say what changed in the factors that moved a workload most."""
    own = movement.effects[(movement.effects["workload"] == workload) & (movement.effects["factor"] != TASKS)]
    own = own.assign(size=own["usd_per_task"].abs()).sort_values("size", ascending=False).head(_EVIDENCE)
    told = movement.evidence[movement.evidence["workload"] == workload]
    words = [in_words(line) for factor in own["factor"] for line in rows_of(told[told["factor"] == factor])]
    if words:
        console.print(f"  {clean(workload, 120)}: {clean('; '.join(words), 400)}", soft_wrap=True)


def _change(value: float, base: float) -> str:
    return f"{round(100 * value / base, 2) + 0.0:+.2f} %" if base > 0 and value == value else "–"


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else ''}{usd(value)}"
