"""The tables of figures that reports show, each declared once; docs/plan-files.md lists them. NaN: not defined.

A column that ends in `_usd` is US dollars over the row's period; `requests` are expected over scenarios. The row of a
table whose period is HORIZON is the whole horizon.
"""

from dataclasses import dataclass, fields
from html import escape
from operator import attrgetter
from typing import TYPE_CHECKING

import pandas as pd

from planner.plan.audit.findings import BrokenRule
from planner.plan.frames import FLAG, NUMBER, TEXT, Field, Frame
from planner.plan.reading import Reading

if TYPE_CHECKING:
    from planner.plan.metrics.cautions import Advice
    from planner.plan.metrics.task_costs import TaskCosts

HORIZON = "horizon"

_PERIOD = Field("period", TEXT, f"month, or `{HORIZON}`: all of them")
_MONTH = Field("period", TEXT, "month")
_WORKLOAD = Field("workload", TEXT, "workload")
_MODEL = Field("model", TEXT, "model")
_REGION = Field("region", TEXT, "region where it is served")
_POOL = Field("pool", TEXT, "pool")
_METER = Field("meter", TEXT, "what its units count")
_REQUESTS = Field("requests", NUMBER, "requests, expected over scenarios", "requests")
_CAPACITY_USD = Field(
    "capacity_usd", NUMBER, "what reserved units cost: commitments, earlier ones too, tails and unreserved", "USD"
)
_ON_DEMAND_USD = Field("on_demand_usd", NUMBER, "requests on demand", "USD")
_EGRESS_USD = Field("egress_usd", NUMBER, "data that crosses regions", "USD")
_SCALED_USD = Field("scaled_usd", NUMBER, "units that run by the hour, starts included", "USD")
_SHORTFALL_USD = Field("shortfall_usd", NUMBER, "what spend commitments ask for beyond what is spent on them", "USD")
_SUNK_USD = Field("sunk_usd", NUMBER, "what earlier commitments cost", "USD")
_TOTAL_USD = Field("total_usd", NUMBER, "sum of the parts", "USD")
_PER_THOUSAND = Field("usd_per_thousand_requests", NUMBER, "total over requests; NaN: there are none", "USD")
_EQUIVALENT_USD = Field("on_demand_equivalent_usd", NUMBER, "the same requests, all on demand", "USD")
_COVERED_USD = Field("covered_usd", NUMBER, "what reserved units serve, at on-demand prices", "USD")
_COVERAGE = Field("coverage", NUMBER, "covered over equivalent; NaN: no use", "share")
_UTILISATION = Field("utilisation", NUMBER, "used over capacity; NaN: no units", "share")
_VACANCY = Field("vacancy", NUMBER, "units that no hour takes: kept for stress cases, or by sizes", "share")
_CAPACITY = (
    Field("capacity_unit_hours", NUMBER, "units times hours", "unit-hours"),
    Field("used_unit_hours", NUMBER, "of them used, bursts included, without headroom", "unit-hours"),
    _UTILISATION,
)
_UNITS_USD = Field("usd", NUMBER, "what the units cost, of every kind", "USD")
_COSTS = (_CAPACITY_USD, _SCALED_USD, _ON_DEMAND_USD, _EGRESS_USD, _TOTAL_USD)
_CASE = Field("case", TEXT, "`headroom`, or `failover` and the region that is lost")
_BINDING = (
    Field("scenario", TEXT, "scenario of the hour where it binds; blank: nothing binds"),
    Field("period", TEXT, "its month"),
    Field("hour_of_week", NUMBER, "its hour of the week; NaN: nothing binds", "hour"),
)

MONTHS = Frame("months", "cost of each month, then of the horizon", (
    _PERIOD,
    Field("reserved_usd", NUMBER, "new commitments, inside the horizon", "USD"),
    Field("tail_usd", NUMBER, "counted share of their payments past the horizon", "USD"),
    Field("unreserved_usd", NUMBER, "units beyond commitments", "USD"),
    _ON_DEMAND_USD, _EGRESS_USD, _SCALED_USD, _SHORTFALL_USD, _SUNK_USD, _TOTAL_USD,
))  # fmt: skip
STRATEGIES = Frame("strategies", "one row for each way to serve the plan's usage, the plan last", (
    Field("strategy", TEXT, "all on demand, reserved for the peak, reserved for the average, the plan; where units run "
          "by the hour also all by the hour, and the average reserved with the hours above it by the hour"),
    Field("possible", FLAG, "it has prices, keeps quotas and stress cases, and costs no less than a plan can"),
    Field("capacity_usd", NUMBER, "what units cost, earlier commitments apart", "USD"),
    _ON_DEMAND_USD, _EGRESS_USD, _SCALED_USD, _SHORTFALL_USD, _SUNK_USD,
    Field("total_usd", NUMBER, "sum of the parts; NaN: there is no price", "USD"),
    Field("saving_share", NUMBER, "1 - total over that of all on demand", "share"),
    Field("note", TEXT, "why it is not possible, or what it assumes"),
))  # fmt: skip
DEPLOYMENT_USE = Frame("deployments", "use of each deployment by month, then over the horizon", (
    _POOL, _METER, Field("model", TEXT, "model; `*`: all models of a pool whose units move by the hour"), _REGION,
    _PERIOD, Field("units", NUMBER, "units deployed; over the horizon, the mean by hours", "units"), *_CAPACITY,
    Field("peak_units", NUMBER, "what the busiest hour takes of them, headroom kept", "units"), _VACANCY, _UNITS_USD,
))  # fmt: skip
POOL_USE = Frame("pools", "use of each pool and meter by month, then over the horizon", (
    _POOL, _METER, _REGION, _PERIOD,
    Field("committed_units", NUMBER, "earlier and new commitments in force", "units"),
    Field("deployed_units", NUMBER, "units deployed", "units"),
    Field("unreserved_units", NUMBER, "units deployed beyond commitments", "units"), *_CAPACITY, _VACANCY, _UNITS_USD,
))  # fmt: skip
SCALED_USE = Frame("scaled", "units that run by the hour: each deployment by month, then over the horizon", (
    _POOL, _METER, Field("model", TEXT, "model; `*`: all models of a pool whose units move by the hour"), _REGION,
    _PERIOD, Field("peak_units", NUMBER, "most that run at once, in any scenario", "units"),
    Field("unit_hours", NUMBER, "hours that they run, cold starts apart", "unit-hours"),
    Field("used_unit_hours", NUMBER, "of them used, bursts included, without headroom", "unit-hours"),
    Field("starts", NUMBER, "units started", "units"),
    Field("start_unit_hours", NUMBER, "hours paid for cold starts", "unit-hours"),
    Field("requests", NUMBER, "requests that need them, expected over scenarios", "requests"), _SCALED_USD,
    _EQUIVALENT_USD,
))  # fmt: skip
COVERAGE = Frame("coverage", "what reserved units serve of all, by region, model and month, then over the horizon", (
    _REGION, _MODEL, _PERIOD, _REQUESTS,
    Field("reserved_requests", NUMBER, "of them served by reserved units", "requests"),
    Field("scaled_requests", NUMBER, "of them served by units that run by the hour", "requests"),
    Field("coverage_of_requests", NUMBER, "reserved over all requests", "share"), _EQUIVALENT_USD, _COVERED_USD,
    _COVERAGE,
))  # fmt: skip
SAVINGS = Frame("savings", "what the units save against on demand, by month, then over the horizon", (
    _PERIOD, _EQUIVALENT_USD, _COVERED_USD, _CAPACITY_USD, _SCALED_USD, _ON_DEMAND_USD, _COVERAGE, _UTILISATION,
    _VACANCY,
    Field("discount", NUMBER, "1 - utilisation times capacity over covered: what a unit in full use saves", "share"),
    Field("effective_savings_rate", NUMBER, "1 - (capacity + by the hour + on demand) over the equivalent", "share"),
))  # fmt: skip
BREAK_EVEN = Frame("break_even", "one row for each offer, at this buyer's token mix", (
    Field("offer", TEXT, "offer"), _POOL, _METER, _REGION,
    Field("term_months", NUMBER, "term; of one in days its hours / 730", "months"),
    Field("usd_per_unit_hour", NUMBER, "price of a unit, an upfront price spread over its term", "USD/unit-hour"),
    Field("on_demand_usd_per_unit_hour", NUMBER, "what a unit that is always used serves, on demand", "USD/unit-hour"),
    Field("break_even_utilisation", NUMBER, "where the two are equal", "share"),
    Field("attainable_utilisation", NUMBER, "1 - reserved headroom", "share"),
    Field("verdict", TEXT, "pays, only without headroom, never, no on-demand price, or no use"),
))  # fmt: skip
WORKLOAD_COST = Frame("by_workload", "cost of each workload; they add up to the plan's", (
    _WORKLOAD, _REQUESTS, *_COSTS, _PER_THOUSAND,
    Field("requests_per_task", NUMBER, "requests of a task", "requests"),
    Field("usd_per_task", NUMBER, "cost of a task", "USD"),
))  # fmt: skip
MODEL_COST = Frame("by_model", "cost of each model; they add up to the plan's", (
    _MODEL, _REQUESTS, *_COSTS, _PER_THOUSAND,
))  # fmt: skip
COST = Frame("costs", "cost of each workload, model and month; they add up to the plan's", (
    _WORKLOAD, _MODEL, _MONTH, _REQUESTS, *_COSTS,
))  # fmt: skip
TASKS = Frame("tasks.table", "cost of each workload, origin, region, model and month; they add up to the plan's", (
    _WORKLOAD, Field("origin", TEXT, "region where the demand arises"), _REGION, _MODEL, _MONTH,
    Field("tasks", NUMBER, "requests over requests of a task", "tasks"), _REQUESTS,
    Field("reserved_requests", NUMBER, "of them served by reserved units", "requests"), *_COSTS,
))  # fmt: skip
EGRESS = Frame("egress", "data on each ordered pair of regions by month, then over the horizon", (
    Field("origin", TEXT, "where the data leaves"), Field("destination", TEXT, "where it arrives"), _PERIOD,
    Field("requests", NUMBER, "sent from origin and served in destination", "requests"),
    Field("gb", NUMBER, "data in this direction, requests and answers", "GB"),
    Field("max_gb_per_month", NUMBER, "cap of the route; NaN: none", "GB"),
    Field("used_share", NUMBER, "data over the cap", "share"), Field("usd", NUMBER, "what the data costs", "USD"),
))  # fmt: skip
ON_DEMAND = Frame("on_demand", "use of each region, model and option over the horizon", (
    _REGION, _MODEL, Field("option", TEXT, "on-demand option"), _REQUESTS,
    Field("tokens", NUMBER, "input and output tokens", "tokens"), Field("usd", NUMBER, "what they cost", "USD"),
    Field("peak_tokens_per_minute", NUMBER, "as the quota counts, in the busiest hour", "tokens/minute"),
    Field("tokens_per_minute_quota", NUMBER, "quota; NaN: none", "tokens/minute"),
    Field("peak_share_of_quota", NUMBER, "peak over quota", "share"),
    Field("peak_scenario", TEXT, "scenario of the busiest hour"), Field("peak_period", TEXT, "its month"),
    Field("peak_hour_of_week", NUMBER, "its hour of the week", "hour"),
))  # fmt: skip
STRESS = Frame("stress", "one row for each stress case, at the hour where growth first breaks it", (
    _CASE, Field("failed_region", TEXT, "region that is lost; blank: none"), *_BINDING,
    Field("need_rph", NUMBER, "demand of that hour under stress", "requests/hour"),
    Field("reserved_rph", NUMBER, "of it served by reserved units", "requests/hour"),
    Field("on_demand_rph", NUMBER, "of it served on demand", "requests/hour"),
    Field("capacity_rph", NUMBER, "need times (1 + margin)", "requests/hour"),
    Field("margin_share", NUMBER, "uniform growth of demand that can still be served; below 0: broken; inf: no limit",
          "share"),
    Field("unserved_rph", NUMBER, "fewest requests of that hour that go unserved; 0: none need", "requests/hour"),
    Field("sets_units", FLAG, "the case makes the plan buy more"),
))  # fmt: skip
WORKLOAD_MARGIN = Frame("workload_margins", "growth of one workload alone that each stress case can still serve", (
    _WORKLOAD, _CASE, Field("margin_share", NUMBER, "growth; inf: no limit", "share"), *_BINDING,
))  # fmt: skip
STRESS_LOAD = Frame("stress_load", "where the load of each stress case's binding hour goes", (
    _CASE, _REGION, _MODEL, Field("supply", TEXT, "the pool, or the on-demand option"),
    Field("requests_per_hour", NUMBER, "what it serves", "requests/hour"),
    Field("share", NUMBER, "of all of that hour", "share"),
))  # fmt: skip
SPEND = Frame("spend", "one row for each spend commitment, expected over scenarios", (
    Field("contract", TEXT, "contract"), Field("first_period", TEXT, "first period that counts"),
    Field("last_period", TEXT, "last period that counts"), Field("usd", NUMBER, "to be spent", "USD"),
    Field("on_demand_usd", NUMBER, "of it spent on demand", "USD"),
    Field("units_usd", NUMBER, "of it spent on units, earlier commitments included", "USD"),
    Field("spent_usd", NUMBER, "spent in all", "USD"),
    Field("lost_usd", NUMBER, "paid without being spent: a part of the plan's cost", "USD"),
    Field("most_lost_usd", NUMBER, "the same in the worst scenario", "USD"),
    Field("probability_lost", NUMBER, "of the scenarios in which something is lost", "share"),
    Field("saved_per_usd", NUMBER, "what one more dollar spent on it saves of the shortfall, by the bound's prices",
          "USD/USD"),
))  # fmt: skip
DRAWDOWN = Frame("drawdown", "one row for each spend commitment and month that it counts, expected over scenarios", (
    Field("contract", TEXT, "contract"), _PERIOD, Field("on_demand_usd", NUMBER, "spent on demand", "USD"),
    Field("units_usd", NUMBER, "spent on units", "USD"),
    Field("spent_usd", NUMBER, "spent since the first month", "USD"),
    Field("left_usd", NUMBER, "still to be spent at the end of the month", "USD"),
    Field("lost_usd", NUMBER, "what will be lost in the end", "USD"),
))  # fmt: skip
MEANWHILE = Frame("meanwhile", "one row for each offer whose break-even moves while money must be spent anyway", (
    Field("offer", TEXT, "offer"), _POOL, _REGION, Field("contracts", TEXT, "contracts that its region counts for"),
    Field("break_even_utilisation", NUMBER, "where a unit costs what on demand would", "share"),
    Field("saved_per_unit_usd", NUMBER, "what a dollar on units saves of the shortfall", "USD/USD"),
    Field("saved_per_on_demand_usd", NUMBER, "what a dollar on demand saves of the shortfall", "USD/USD"),
    Field("break_even_meanwhile", NUMBER, "break-even utilisation with that; inf: never", "share"),
))  # fmt: skip
SCENARIOS = Frame("scenarios", "one row for each scenario, the dearest first", (
    Field("scenario", TEXT, "scenario"), Field("probability", NUMBER, "of the scenario", "share"),
    Field("usd", NUMBER, "what the plan costs in it", "USD"),
    Field("in_tail", FLAG, "it is among the dearest 1 - level of the probability (policy.risk)"),
))  # fmt: skip

FIGURES = (
    MONTHS, STRATEGIES, DEPLOYMENT_USE, POOL_USE, SCALED_USE, COVERAGE, SAVINGS, BREAK_EVEN, WORKLOAD_COST, MODEL_COST,
    COST, TASKS, EGRESS, ON_DEMAND, STRESS, WORKLOAD_MARGIN, STRESS_LOAD, SPEND, DRAWDOWN, MEANWHILE, SCENARIOS,
)  # fmt: skip


@dataclass(frozen=True)
class Metrics:
    """Every figure of one plan.

    reading : the case and the plan, as they were read.
    months : cost by period, one row each, the HORIZON last. A commitment's tail is spread over its months in force.
    strategies : ways to serve the plan's usage (metrics.strategies defines each), in the order all on demand, all by
        the hour (where a pool sells such units), reserved for the peak, reserved for the average, the same with the
        hours above it by the hour, the plan. capacity_usd: all that units cost besides sunk_usd
        (what earlier commitments cost, owed in every strategy). possible: within quotas and prices; note says why not.
        total_usd is NaN where there is no price at all. saving_share: against all on demand.
    deployments, pools : use of reserved units by period and over the HORIZON. utilisation: used / capacity unit-hours,
        with bursts, without headroom; peak_units: the busiest slot's load with headroom; vacancy: share of the units
        that no slot of the plan takes (kept for stress cases, or by size rules); usd: what the units cost, of every
        kind. In deployments, `model` is "*" where a pool's units move by the hour. In pools, `unreserved_units` are
        deployed beyond commitments; on the HORIZON row, units are means weighted by hours.
    scaled : units that run by the hour (plan.scaled says what they serve); empty: none do. They count neither in
        deployments, pools nor as reserved in coverage.
    coverage : by region, model and period. coverage: on-demand value of what reserved units serve / of all.
    savings : by period and HORIZON. effective_savings_rate = 1 - (capacity_usd + scaled_usd + on_demand_usd)
        / on_demand_equivalent_usd; without units by the hour coverage x (1 - (1 - discount) / utilisation). Utilisation
        and vacancy are means weighted by what units cost; egress is left out. capacity_usd has earlier commitments in
        it, the equivalent has not: so the rate is below the strategies' saving_share, where they are owed in all.
    break_even : every offer at this buyer's token mix. break_even_utilisation: where a unit costs what on demand would;
        attainable_utilisation: 1 - reserved headroom; verdict: "pays", "only without headroom", "never",
        "no on-demand price" or "no use".
    by_workload, by_model, costs : total cost of the plan attributed (metrics.task_costs states the rule); the
        parts of each add up to the plan's total. capacity_usd: reserved, tail, unreserved, sunk and shortfall.
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
    scenarios : what the plan costs in each, and which are the dearest (plan.pricing).
    spend, drawdown, meanwhile : spend commitments: in all, by month, and what offers are worth while money must be
        spent anyway (metrics.spend_figures).
    broken : rules of the case that the plan breaks, as the audit and the margins found them; empty: it can be signed.
    cautions : sentences a buyer must read, each with what to do (`remedy`).
    """

    reading: Reading
    months: pd.DataFrame
    strategies: pd.DataFrame
    deployments: pd.DataFrame
    pools: pd.DataFrame
    scaled: pd.DataFrame
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
    spend: pd.DataFrame
    drawdown: pd.DataFrame
    meanwhile: pd.DataFrame
    scenarios: pd.DataFrame
    broken: tuple[BrokenRule, ...]
    cautions: "tuple[Advice, ...]"

    def __post_init__(self) -> None:
        """Refuse a table that is not what it is declared to be."""
        for frame in FIGURES:
            frame.check(attrgetter(frame.name)(self))

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
