"""Alerts: the cost of a task rose while volume was flat. Says what drove it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from planner.features.tasks.movement import Movement, in_words
from planner.features.tasks.task_formula import LABEL, TASKS
from planner.plan.metrics.task_costs import NOBODY
from planner.workbook.text_tables import four_digits, usd

LARGE_USD, SMALL_USD = 100.0, 1e-4  # of a task: in cents from there on; below, digits without an exponent


@dataclass(frozen=True)
class AlertRule:
    """When a rise of the cost of a task is worth an alert; all three must hold.

    rise_share : least rise of the cost of a task, as a share of what it was.
    flat_share : most that the number of tasks an hour moved, either way, as a share of what it was.
    least_usd : least rise in USD over the tasks of the later span: a rise that costs less than a look is none.
    """

    rise_share: float = 0.05
    flat_share: float = 0.05
    least_usd: float = 1.0


@dataclass(frozen=True)
class Alert:
    """A workload whose task became more expensive while its volume was flat.

    rise_share, volume_share : change of the cost of a task, and of tasks an hour, as shares. usd : the rise over the
    tasks of the later span. driver : the factor (tasks.task_formula) that adds most; driver_usd_per_task: how much.
    evidence : what of the driver changed, in words.
    """

    workload: str
    before: str
    after: str
    usd_per_task_before: float
    usd_per_task_after: float
    rise_share: float
    volume_share: float
    usd: float
    driver: str
    driver_usd_per_task: float
    evidence: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """The alert in words."""
        shown = f" ({', '.join(self.evidence)})" if self.evidence else ""
        sign = "+" if self.driver_usd_per_task >= 0 else "-"
        before, after = _money(self.usd_per_task_before), _money(self.usd_per_task_after)
        return (
            f"{self.workload}: a task costs {100 * self.rise_share:.1f} % more in {self.after} than in {self.before} "
            f"({before} → {after}, {usd(self.usd, 2)} in total) while "
            f"volume changed by {round(100 * self.volume_share, 1) + 0.0:+.1f} %. "
            f"Driver: {LABEL[self.driver]}, {sign}{_money(abs(self.driver_usd_per_task))} per task{shown}."
        )


def _money(amount: float) -> str:
    """Return the cost of a task in dollars, all four digits of it: ``'$0.02340'``."""
    if amount >= LARGE_USD:
        return usd(amount, 2)
    return f"${amount:#,.4g}" if amount >= SMALL_USD else f"${four_digits(amount)}"


def alerts(movements: Sequence[Movement], rule: AlertRule | None = None) -> tuple[Alert, ...]:
    """Find every workload of every movement that the rule meets, the most expensive first."""
    limits = AlertRule() if rule is None else rule
    found = [alert for movement in movements for alert in _of(movement, limits)]
    return tuple(sorted(found, key=lambda a: (-a.usd, a.workload, a.after)))


def _of(movement: Movement, rule: AlertRule) -> list[Alert]:
    found = []
    rows: list[Any] = list(movement.workloads.itertuples(index=False))
    for w in rows:
        before, after = float(w.usd_per_task_before), float(w.usd_per_task_after)
        if w.workload == NOBODY or not before > 0 or not float(w.tasks_after) > 0:
            continue
        rise, usd = after / before - 1, (after - before) * float(w.tasks_after)
        volume = float(w.tasks_per_hour_after) / float(w.tasks_per_hour_before) - 1
        if rise < rule.rise_share or abs(volume) > rule.flat_share or usd < rule.least_usd:
            continue
        own = movement.effects[(movement.effects["workload"] == w.workload) & (movement.effects["factor"] != TASKS)]
        top = own.iloc[int(own["usd_per_task"].to_numpy(float).argmax())]
        shown = movement.evidence
        shown = shown[(shown["workload"] == w.workload) & (shown["factor"] == top["factor"])]
        found.append(
            Alert(
                workload=str(w.workload),
                before=movement.before,
                after=movement.after,
                usd_per_task_before=before,
                usd_per_task_after=after,
                rise_share=rise,
                volume_share=volume,
                usd=usd,
                driver=str(top["factor"]),
                driver_usd_per_task=float(top["usd_per_task"]),
                evidence=tuple(in_words(row) for row in shown.itertuples(index=False)),
            )
        )
    return found
