"""The tables of figures that reports show: every column with its unit. Shares are 0-1; NaN: not defined.

A column that ends in `_usd` is US dollars over the row's period; `requests` are expected over scenarios. The row of a
table whose period is HORIZON is the whole horizon.
"""

from dataclasses import dataclass, fields
from html import escape
from typing import TYPE_CHECKING

import pandas as pd

from planner.plan.audit.broken import BrokenRule
from planner.plan.reading import Reading

if TYPE_CHECKING:
    from planner.plan.metrics.cautions import Advice
    from planner.plan.metrics.task_costs import TaskCosts

HORIZON = "horizon"

MONTH_COLUMNS = (
    "period", "reserved_usd", "tail_usd", "unreserved_usd", "on_demand_usd", "egress_usd", "sunk_usd", "total_usd",
)  # fmt: skip
STRATEGY_COLUMNS = (
    "strategy", "possible", "capacity_usd", "on_demand_usd", "egress_usd", "sunk_usd", "total_usd",
    "saving_share", "note",
)  # fmt: skip
DEPLOYMENT_USE_COLUMNS = (
    "pool", "meter", "model", "region", "period", "units", "capacity_unit_hours", "used_unit_hours",
    "utilisation", "peak_units", "vacancy", "usd",
)  # fmt: skip
POOL_USE_COLUMNS = (
    "pool", "meter", "region", "period", "committed_units", "deployed_units", "unreserved_units",
    "capacity_unit_hours", "used_unit_hours", "utilisation", "vacancy", "usd",
)  # fmt: skip
COVERAGE_COLUMNS = (
    "region", "model", "period", "requests", "reserved_requests", "coverage_of_requests",
    "on_demand_equivalent_usd", "covered_usd", "coverage",
)  # fmt: skip
SAVINGS_COLUMNS = (
    "period", "on_demand_equivalent_usd", "covered_usd", "capacity_usd", "on_demand_usd",
    "coverage", "utilisation", "vacancy", "discount", "effective_savings_rate",
)  # fmt: skip
BREAK_EVEN_COLUMNS = (
    "offer", "pool", "meter", "region", "term_months", "usd_per_unit_hour", "on_demand_usd_per_unit_hour",
    "break_even_utilisation", "attainable_utilisation", "verdict",
)  # fmt: skip
WORKLOAD_COST_COLUMNS = (
    "workload", "requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd",
    "usd_per_thousand_requests", "requests_per_task", "usd_per_task",
)  # fmt: skip
MODEL_COST_COLUMNS = (
    "model", "requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd", "usd_per_thousand_requests",
)  # fmt: skip
COST_COLUMNS = (
    "workload", "model", "period", "requests", "capacity_usd", "on_demand_usd", "egress_usd", "total_usd",
)  # fmt: skip
TASK_COLUMNS = (
    "workload", "origin", "region", "model", "period", "tasks", "requests", "reserved_requests", "capacity_usd",
    "on_demand_usd", "egress_usd", "total_usd",
)  # fmt: skip
EGRESS_COLUMNS = (
    "origin", "destination", "period", "requests", "gb", "max_gb_per_month", "used_share", "usd",
)  # fmt: skip
ON_DEMAND_COLUMNS = (
    "region", "model", "option", "requests", "tokens", "usd", "peak_tokens_per_minute", "tokens_per_minute_quota",
    "peak_share_of_quota", "peak_scenario", "peak_period", "peak_hour_of_week",
)  # fmt: skip
STRESS_COLUMNS = (
    "case", "failed_region", "scenario", "period", "hour_of_week", "need_rph", "reserved_rph", "on_demand_rph",
    "capacity_rph", "margin_share", "sets_units",
)  # fmt: skip
WORKLOAD_MARGIN_COLUMNS = ("workload", "case", "margin_share", "scenario", "period", "hour_of_week")
STRESS_LOAD_COLUMNS = ("case", "region", "model", "supply", "requests_per_hour", "share")


@dataclass(frozen=True)
class Metrics:
    """Every figure of one plan.

    reading : the case and the plan, as they were read.
    months : cost by period, one row each, the HORIZON last. A commitment's tail is spread over its months in force.
    strategies : four ways to serve the plan's usage (metrics.strategies defines each), in the order all on demand,
        reserved for the peak, reserved for the average, the plan. capacity_usd: all that units cost besides sunk_usd
        (what earlier commitments cost, owed in every strategy). possible: within quotas and prices; note says why not.
        total_usd is NaN where there is no price at all. saving_share: against all on demand.
    deployments, pools : use of reserved units by period and over the HORIZON. utilisation: used / capacity unit-hours,
        with bursts, without headroom; peak_units: the busiest slot's load with headroom; vacancy: share of the units
        that no slot of the plan takes (kept for stress cases, or by size rules); usd: what the units cost, of every
        kind. In deployments, `model` is "*" where a pool's units move by the hour. In pools, `unreserved_units` are
        deployed beyond commitments; on the HORIZON row, units are means weighted by hours.
    coverage : by region, model and period. coverage: on-demand value of what reserved units serve / of all.
    savings : by period and HORIZON. effective_savings_rate = 1 - (capacity_usd + on_demand_usd) /
        on_demand_equivalent_usd = coverage x (1 - (1 - discount) / utilisation). Utilisation and vacancy are means
        weighted by what units cost; egress is left out. capacity_usd has earlier commitments in it, the equivalent
        has not: so the rate is below the strategies' saving_share, where they are owed in every strategy.
    break_even : every offer at this buyer's token mix. break_even_utilisation: where a unit costs what on demand would;
        attainable_utilisation: 1 - reserved headroom; verdict: "pays", "only without headroom", "never",
        "no on-demand price" or "no use".
    by_workload, by_model, costs : total cost of the plan attributed (metrics.capacity_cost states the rule); the
        parts of each add up to the plan's total. capacity_usd: reserved, tail, unreserved and sunk.
    tasks : the same by workload, origin, region, model and period, with tasks (metrics.task_costs).
    egress : each ordered pair of regions and period with data. requests: sent from origin and served in destination;
        gb and usd: of all data that travels in this direction, requests and answers; max_gb_per_month NaN: no cap.
        The HORIZON row of a pair sums it.
    egress_share, away_share : egress / total cost; requests served outside their origin / all.
    on_demand : by region, model and option, over the horizon; quota NaN: none.
    stress : one row a stress case. margin_share: the largest uniform growth of demand at which every hour is still
        served by the plan's units and the quotas that count, less 1; below 0 the case is broken; inf: nothing that is
        used has a limit (verify.margins). The slot is the one where that happens, need_rph its demand, capacity_rph =
        need_rph x (1 + margin_share); reserved_rph and on_demand_rph: who serves it, reserved units first.
        sets_units: the case makes the plan buy more.
    workload_margins : the same growth of one workload alone, the others as they are, by stress case; empty where there
        are too many, or the case is broken.
    stress_load : where the load of each stress case's binding slot goes.
    broken : rules of the case that the plan breaks, as the audit and the margins found them; empty: it can be signed.
    cautions : sentences a buyer must read, each with what to do (`remedy`).
    """

    reading: Reading
    months: pd.DataFrame
    strategies: pd.DataFrame
    deployments: pd.DataFrame
    pools: pd.DataFrame
    coverage: pd.DataFrame
    savings: pd.DataFrame
    break_even: pd.DataFrame
    by_workload: pd.DataFrame
    by_model: pd.DataFrame
    costs: pd.DataFrame
    tasks: "TaskCosts"
    egress: pd.DataFrame
    egress_share: float
    away_share: float
    on_demand: pd.DataFrame
    stress: pd.DataFrame
    workload_margins: pd.DataFrame
    stress_load: pd.DataFrame
    broken: tuple[BrokenRule, ...]
    cautions: "tuple[Advice, ...]"

    def __repr__(self) -> str:
        """Name the plan that the figures are of, and the tables."""
        tables = [f.name for f in fields(self) if isinstance(getattr(self, f.name), pd.DataFrame)]
        return f"<Metrics of {self.reading.plan.name}: {', '.join(tables)}>"

    def _repr_html_(self) -> str:
        """Show in a notebook what the plan costs, month by month and beside the other strategies."""
        money = "{:,.2f}".format
        parts = [self.months, self.strategies.drop(columns=["note"])]
        tables = "".join(str(part.to_html(index=False, float_format=money, na_rep="")) for part in parts)
        return f"<p><b>{escape(repr(self.reading.plan)[1:-1])}</b></p>{tables}"
