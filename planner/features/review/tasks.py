"""Cost per task, planned and as it was, and alerts where it rose while volume was flat.

Both sides pay for what is held in the month at its price, without the counted tail. Only months that were seen nearly
whole are compared: what is held costs a whole month, and the tasks of a part of it would seem dear.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pandas as pd

from planner.features.review.actual import Actual
from planner.features.review.served import ServedMonth
from planner.features.review.tables import ACTUAL, PLANNED, TASK_COSTS, Rules
from planner.features.tasks import Alert, AlertRule, Movement, alerts, task_costs, why_moved
from planner.plan.metrics.task_costs import NOBODY, TaskCosts
from planner.plan.plan import Plan
from planner.schema.case import Case


def tasks_of(
    owned: Case, plan: Plan, actual: Actual, months: Sequence[ServedMonth], rules: Rules
) -> tuple[pd.DataFrame, tuple[Alert, ...]]:
    """Return what tasks cost by workload and month (TASK_COSTS), and the alerts, the dearest first.

    Compared are each month with the one before it, the last with the first, and each with the plan.
    """
    whole = {s.period for s in actual.spans if s.share >= rules.whole_month_share}
    planned = task_costs(owned, replace(plan, purchases=plan.purchases.iloc[:0]))
    came = {s.period.name: task_costs(s.case, s.plan) for s in months if s.period.name in whole}
    parts = [_table(planned, PLANNED, tuple(came)), *(_table(costs, ACTUAL, (name,)) for name, costs in came.items())]
    table = pd.concat(parts, ignore_index=True)
    table = table.sort_values(["workload", "period", "side"], ascending=[True, True, False], ignore_index=True)
    rule = AlertRule(rules.alert_rise_share, rules.alert_flat_share, rules.alert_usd)
    return table[list(TASK_COSTS.columns)], alerts(_movements(planned, came), rule)


def _table(costs: TaskCosts, side: str, periods: tuple[str, ...]) -> pd.DataFrame:
    table = costs.by("workload", "period")
    table = table[table["period"].isin(periods) & (table["workload"] != NOBODY) & (table["tasks"] > 0)]
    return table.assign(side=side)[list(TASK_COSTS.columns)]


def _movements(planned: TaskCosts, came: dict[str, TaskCosts]) -> list[Movement]:
    names = list(came)
    pairs = [*pairwise(names), *([(names[0], names[-1])] if len(names) > 2 else [])]
    moved = [why_moved(came[a], came[b], a, b, labels=(a, b)) for a, b in pairs]
    return moved + [why_moved(planned, came[n], n, n, labels=(f"the plan for {n}", n)) for n in names]
