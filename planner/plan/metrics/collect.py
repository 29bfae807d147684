"""Every figure of a plan, and the short form of them that plan.json holds."""

from collections.abc import Callable, Sequence
from typing import Any

import pandas as pd

from planner.plan.audit.findings import Finding, broken_rules
from planner.plan.flows import Floats
from planner.plan.metrics import spend_figures, strategies, task_costs, use
from planner.plan.metrics.basis import Basis
from planner.plan.metrics.cautions import cautions
from planner.plan.metrics.metric_tables import HORIZON, SCENARIOS, Metrics
from planner.plan.metrics.offer_break_even import break_even
from planner.plan.metrics.stress_figures import stress, stress_load, workload_margins
from planner.plan.metrics.task_costs import TaskCosts, cost_by_month
from planner.plan.orders import cash_table, order_lines
from planner.plan.pricing import scenario_costs_of
from planner.plan.reading import Reading
from planner.plan.stress_cases import Margin


def collect(
    reading: Reading,
    margins: tuple[Margin, ...],
    findings: Sequence[Finding],
    unserved: Callable[[Floats], Sequence[str] | None],
) -> Metrics:
    """Compute every figure of a plan; `verify.figures` does it with the margins and findings.

    Parameters
    ----------
    margins : of the stress cases; all of them, unless the time limit ran out.
    findings : what the audit found; none: the plan keeps every rule.
    unserved : names of the stress cases that other units (deployments x periods) would not serve; None: the time limit
        ran out before that was known.
    """
    basis, plan = Basis.of(reading), reading.plan
    tasks = TaskCosts.of(basis)
    cost = task_costs.costs(tasks)
    cover, pools = use.coverage(basis), use.pool_use(basis)
    compared, offers = strategies.strategies(basis, plan.totals, unserved), break_even(basis)
    total = plan.totals.total_usd
    return Metrics(
        reading=basis.reading,
        months=cost_by_month(basis),
        strategies=compared,
        deployments=use.deployment_use(basis),
        pools=pools,
        scaled=use.scaled_use(basis),
        coverage=cover,
        savings=use.savings(basis, cover, pools),
        break_even=offers,
        by_workload=task_costs.by_workload(basis, cost),
        by_model=task_costs.by_model(cost),
        costs=cost,
        tasks=tasks,
        egress=use.egress(basis),
        egress_share=plan.totals.egress_usd / total if total > 0 else float("nan"),
        away_share=use.share_away(basis),
        on_demand=use.on_demand(basis),
        stress=stress(basis, margins),
        workload_margins=workload_margins(basis, margins),
        stress_load=stress_load(margins),
        spend=spend_figures.spend(basis),
        drawdown=spend_figures.drawdown(basis),
        scenarios=scenario_table(basis),
        meanwhile=spend_figures.meanwhile(basis, offers),
        broken=broken_rules(findings, margins, reading.names),
        cautions=cautions(basis, margins, offers, compared),
    )


def scenario_table(basis: Basis) -> pd.DataFrame:
    """Set the cost of each scenario beside its probability, the dearest first: columns SCENARIOS."""
    case, plan = basis.case, basis.plan
    costs = scenario_costs_of(case, basis.derived, basis.names, basis.flows, plan.purchases, plan.deployments)
    tail = set(costs.tail(case.settings.policy.risk.level))
    order = sorted(range(len(costs.names)), key=lambda k: (-costs.usd[k], costs.names[k]))
    return SCENARIOS.of(
        [(costs.names[k], float(costs.probability[k]), float(costs.usd[k]), costs.names[k] in tail) for k in order]
    )


def summary_of(metrics: Metrics) -> dict[str, Any]:
    """Shorten the figures for plan.json: shares 0-1, USD; null where a figure is not defined or not finite."""
    whole = metrics.savings[metrics.savings["period"] == HORIZON].iloc[0]
    cash = cash_table(order_lines(metrics.reading.case, metrics.reading.plan))
    shares = ("coverage", "utilisation", "vacancy", "discount", "effective_savings_rate")
    return {
        **{name: float(whole[name]) for name in shares},
        "egress_share": metrics.egress_share,
        "away_share": metrics.away_share,
        "months": _records(metrics.months, ["period", "total_usd"]),
        "strategies": _records(metrics.strategies, ["strategy", "possible", "total_usd", "saving_share", "note"]),
        "workloads": _records(
            metrics.by_workload, ["workload", "total_usd", "usd_per_thousand_requests", "usd_per_task"]
        ),
        "models": _records(metrics.by_model, ["model", "total_usd", "usd_per_thousand_requests"]),
        "offers": _records(metrics.break_even, ["offer", "break_even_utilisation", "verdict"]),
        **({"scaled": _records(metrics.scaled, list(metrics.scaled.columns))} if len(metrics.scaled) else {}),
        **({"spend": _records(metrics.spend, list(metrics.spend.columns))} if len(metrics.spend) else {}),
        **(
            {"scenarios": _records(metrics.scenarios, list(metrics.scenarios.columns))}
            if len(metrics.scenarios) > 1
            else {}
        ),
        "stress": _records(
            metrics.stress,
            ["case", "scenario", "period", "hour_of_week", "need_rph", "capacity_rph", "margin_share", "sets_units"],
        ),
        "workload_margins": _records(metrics.workload_margins, ["workload", "case", "margin_share"]),
        **({"cash": _records(cash, list(cash.columns))} if cash["upfront_usd"].any() else {}),
        "broken": [str(rule) for rule in metrics.broken],
        "cautions": list(metrics.cautions),
    }


def _records(frame: pd.DataFrame, columns: list[str]) -> list[dict[str, Any]]:
    return [{str(k): v for k, v in row.items()} for row in frame[columns].astype(object).to_dict("records")]
