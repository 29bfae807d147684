"""Cost per task and why it moved: tables, trend, spread, movement between months or plans, alerts.

costs = task_costs(case, plan)                                  a plan, or what happened in the form of one
why_moved(costs, costs, "2027-01", "2027-02").effects           between two months
why_moved(task_costs(*planned), task_costs(*actual)).effects    between two plans, all months
alerts(month_by_month(costs))
"""

from planner.features.tasks.alerts import Alert, AlertRule, alerts
from planner.features.tasks.movement import Movement, month_by_month, why_moved
from planner.features.tasks.span import spread, trend
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.task_costs import TaskCosts
from planner.plan.plan import Plan
from planner.plan.reading import Reading
from planner.schema.case import Case

__all__ = ["Alert", "AlertRule", "Movement", "TaskCosts", "alerts", "month_by_month", "spread", "task_costs", "trend",
           "why_moved"]  # fmt: skip


def task_costs(case: Case, plan: Plan) -> TaskCosts:
    """Attribute all cost of an audited plan to tasks; `metrics_of(case, plan).tasks` is the same."""
    return TaskCosts.of(Basis.of(Reading(case, plan)))
