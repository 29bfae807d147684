"""What a task costs month by month, why that changed, and an alert where it rose while volume was flat.

    planner tasks reports/2027-q1
    planner tasks reports/2027-q1 --by workload,model
    planner tasks reports/2027-q1 --from 2027-01 --to 2027-03
    planner tasks reports/2027-q2 --against reports/2027-q1

A task is a workload's requests_per_task requests. All cost of the plan is attributed (docs/cost-per-task.md), and each
change of the cost of a task is divided among its causes: exactly, whatever their order.
Exit codes: 0 printed, 1 wrong use or input.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from planner.console.arguments import positive, share, some_of
from planner.errors import EXIT_PLAN

if TYPE_CHECKING:
    from planner.features.tasks import Alert, Movement, TaskCosts

KEYS = ("workload", "origin", "region", "model")


def configure(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument("plan", type=Path, metavar="PLAN_DIR", help="directory that planner solve or price wrote")
    parser.add_argument(
        "--by", type=some_of(KEYS), default=("workload",), metavar="KEYS",
        help="what a row of the table is: workload, origin (where tasks arise), region (where they are served), model, "
        "joined by commas (default workload)",
    )  # fmt: skip
    parser.add_argument(
        "--against",
        type=Path,
        metavar="PLAN_DIR",
        help="another plan to compare with: why a task costs more or less here",
    )
    parser.add_argument("--from", dest="first", metavar="YYYY-MM", help="month to compare from (of --against)")
    parser.add_argument("--to", dest="last", metavar="YYYY-MM", help="month to compare to")
    parser.add_argument(
        "--rise",
        type=share,
        default=0.05,
        help="alert if the cost per task rises by at least this share (default 0.05)",
    )
    parser.add_argument(
        "--flat", type=share, default=0.05, help="treat volume as flat up to this change (default 0.05)"
    )
    parser.add_argument(
        "--least-usd", type=positive, default=1.0, help="smallest total rise worth an alert, USD (default 1)"
    )
    parser.add_argument("--json", action="store_true", help="print every figure for machines")


def run(arguments: argparse.Namespace) -> int:
    """Read, attribute, compare and print."""
    from planner.features.tasks import AlertRule, alerts, task_costs
    from planner.verify.trusted import trusted

    here = trusted(arguments.plan)
    costs = task_costs(here.case, here.plan)
    other = None
    if arguments.against is not None:
        there = trusted(arguments.against)
        other = task_costs(there.case, there.plan)
    movements = _movements(arguments, costs, other)
    found = alerts(movements, AlertRule(arguments.rise, arguments.flat, arguments.least_usd))
    if arguments.json:
        print(json.dumps(_document(costs, movements, found, arguments.by), indent=2, ensure_ascii=False))
        return EXIT_PLAN
    from planner.features.tasks.task_report import print_tasks

    print_tasks(costs, arguments.by, movements, found, sys.stdout)
    return EXIT_PLAN


def _movements(arguments: argparse.Namespace, costs: "TaskCosts", other: "TaskCosts | None") -> "tuple[Movement, ...]":
    """Movements asked for: against another plan; between two months; else from month to month."""
    from planner.features.tasks import month_by_month, why_moved
    from planner.plan.metrics.metric_tables import HORIZON

    first, last = arguments.first, arguments.last
    if other is not None:
        labels = [f"{c.basis.plan.name}{'' if m is None else f', {m}'}" for c, m in ((other, first), (costs, last))]
        if labels[0] == labels[1]:
            labels = [f"{text} ({place})" for text, place in zip(labels, (arguments.against, arguments.plan))]
        return (why_moved(other, costs, first or HORIZON, last or HORIZON, (labels[0], labels[1])),)
    if first is None and last is None:
        return month_by_month(costs)
    return (why_moved(costs, costs, first or costs.months[0], last or costs.months[-1]),)


def _document(
    costs: "TaskCosts", movements: "tuple[Movement, ...]", found: "tuple[Alert, ...]", by: tuple[str, ...]
) -> dict[str, Any]:
    from dataclasses import asdict

    from planner.features.tasks import spread, trend

    return {
        "name": costs.basis.plan.name,
        "months": list(costs.months),
        "total_usd": float(costs.table["total_usd"].sum()),
        "by": _records(costs.by_month(*by)),
        "table": _records(costs.table),
        "trend": _records(trend(costs)),
        "spread": _records(spread(costs)),
        "movements": [
            {"before": m.before, "after": m.after, "workloads": _records(m.workloads), "effects": _records(m.effects),
             "evidence": _records(m.evidence)}
            for m in movements
        ],
        "alerts": [{**asdict(alert), "sentence": alert.sentence} for alert in found],
    }  # fmt: skip


def _records(frame: Any) -> list[dict[str, Any]]:
    """Rows for JSON; null where a figure is not defined."""
    rows = frame.astype(object).to_dict("records")
    return [{key: None if value != value else value for key, value in row.items()} for row in rows]
