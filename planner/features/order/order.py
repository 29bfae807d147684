"""What a given purchase order costs: units and prices fixed, the rest decided as well as it can be.

The order's lines are taken as if they had been bought already: commitments in force from the start of their period for
their term, while no offer is for sale. The cheapest deployments and dispatch then follow from the same programme. Where
not every stress case can be served with these units, they are deployed so that the worst hour breaks least, then so
that as many stress cases as can be are served in whole (solver.least_break). The audit of the original case, and the
margins of its stress cases, say which rules the order breaks.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from planner.console.signing_nothing import CENT, no_dearer_than_nothing
from planner.errors import Fault, InfeasibleError, InputError, Shortfall
from planner.model.family import SETTINGS, Cell
from planner.model.index_tables import sets_of
from planner.model.sets import stress_asks
from planner.model.structure import on_purchases
from planner.plan.audit.findings import BrokenRule
from planner.plan.derived import Derived
from planner.plan.metrics import Metrics
from planner.plan.plan import PURCHASE_COLUMNS, Plan, Proof, Status, Totals, gap_of, proved_by
from planner.plan.pricing import price, risk_of
from planner.plan.reading import Reading
from planner.schema.capacity import TOKENS_METER, Commitment
from planner.schema.case import Case
from planner.solver.find import Options, find_if_any, find_plan
from planner.solver.input_change import with_setting
from planner.solver.least_break import least_break
from planner.solver.solve import audited
from planner.units import counted
from planner.verify.figures import figures_of
from planner.workbook import scaled_story, story
from planner.workbook.report import TOTAL_NAMES, Report
from planner.workbook.text_tables import clean, percent, usd

_SAME_UNITS = 1e-6
_LESS = (1.0, 0.95, 0.9, 0.8, 0.6, 0.3)  # of that share, where sizes on their grid cannot serve it
PRICES = ("usd_per_unit_hour", "upfront_usd_per_unit")
BROKEN_GAP = 1e-3  # of the cost of an order that breaks a rule


@dataclass(frozen=True)
class Lacking:
    """What purchases that are given lack: for sale is nothing, so units that no offer sells are units to buy."""

    shortfall: Shortfall

    def __str__(self) -> str:
        short = self.shortfall
        if short.rule != "units":
            return str(short)
        meter = "" if short.meter == TOKENS_METER else f", {short.meter}"
        return (
            f"{short.pool}{meter}: needs {counted(short.amount, 'more unit', ',.10g')} of "
            f"{dict(short.row)['offer']}{short.when}"
        )


Broken = Lacking | BrokenRule  # what purchases cannot meet; str() of each is a sentence


def lacking(error: InfeasibleError) -> list[Lacking]:
    """List what purchases lack that are given (`as_owed`), where the case has no plan with them."""
    return [Lacking(shortfall) for shortfall in error.shortfalls]


@dataclass(frozen=True)
class PricedOrder:
    """An order as a plan.

    case : the case at the order's prices. plan : the order's units with the best deployments and dispatch for them; its
    status is "given". best : the optimum at the same prices; its bound is the order's too where nothing is broken.
    metrics : figures of the order's plan; `metrics.broken` are the rules that it breaks. least : whether no division
    of the units over their deployments breaks less of the stress cases, in the worst hour of all.
    """

    case: Case
    plan: Plan
    best: Plan
    metrics: Metrics
    least: bool = True

    @property
    def broken(self) -> tuple[BrokenRule, ...]:
        """Rules that the order breaks, the worst first; empty: it can be signed."""
        return self.metrics.broken

    def __repr__(self) -> str:
        """Name the order's cost beside the optimum, and how much it breaks."""
        ordered, best = self.plan.totals.total_usd, self.best.totals.total_usd
        return f"<PricedOrder {ordered:,.2f} USD, optimum {best:,.2f} USD, {len(self.broken)} rules broken>"


def price_order(
    case: Case, order: pd.DataFrame, options: Options, progress: Callable[[int, int], None] | None = None
) -> PricedOrder:
    """Price an order (columns offer, period, units, usd_per_unit_hour, upfront_usd_per_unit) on a case.

    An upfront price that the order does not give is that of the case.

    Raises
    ------
    InputError : the order names an offer or month that the case does not know, or one offer at two prices.
    InfeasibleError : with these units demand cannot be served even without headroom and failover; says where.
    """
    named = {clean(offer.offer): offer.offer for offer in case.offers}  # a workbook shows them cleaned
    starts = {f"{p.start:%Y-%m}" if p.start.day == 1 else p.name: p.name for p in case.periods}
    order = order.assign(
        offer=order["offer"].map(lambda name: named.get(name, name)),
        period=order["period"].map(lambda name: starts.get(name, name)),
    )
    priced = _at_order_prices(case, order)
    searched = audited(priced, replace(options.share(2), kept=None), progress)
    best = no_dearer_than_nothing(searched, replace(options.share(2), kept=None))[0].plan
    owed = as_owed(priced, order)
    # an order that is the optimum's is served as the optimum serves it: of equally cheap ways, one and the same
    found = best if _same_purchases(order, best.purchases) else find_if_any(owed, options, progress)
    least = True
    if found is None:
        found, least = _as_far_as_it_goes(owed, options, progress)
        found = replace(found, deployments=_all_deployed(owed, found.deployments))
    purchases = _purchases(priced, order)
    totals = price(priced, purchases, found.deployments, found.dispatch, scaled_units=found.scaled_units)
    plan = replace(
        found,
        name=f"{case.settings.name}, as ordered",
        input_digest=priced.digest,
        totals=totals,
        proof=_proof(0.0, totals.total_usd),
        purchases=purchases,
        certificate=found.certificate.iloc[:0],
    )
    plan = replace(plan, risk=risk_of(priced, plan))
    plan = replace(plan, proof=_proof(0.0, plan.judged_usd))
    proof = _proof(min(best.proof.bound_usd, plan.judged_usd), plan.judged_usd)
    proved = replace(plan, proof=proof, certificate=best.certificate)
    metrics = figures_of(Reading(priced, proved))  # some figures are set against the bound
    if not metrics.broken:  # where the search ended early, it may cost less than what was found
        known = best if best.judged_usd <= plan.judged_usd + CENT else proved_by(best, plan)
        return PricedOrder(priced, proved, known, metrics)
    return PricedOrder(priced, plan, best, figures_of(Reading(priced, plan)), least)


def _same_purchases(order: pd.DataFrame, purchases: pd.DataFrame) -> bool:
    """Whether an order buys what a plan buys."""
    units = [t.groupby(["offer", "period"])["units"].sum() for t in (order, purchases)]
    ordered, bought = (u[u > 0].sort_index() for u in units)
    return ordered.index.equals(bought.index) and bool(((ordered - bought).abs() <= _SAME_UNITS).all())


def _all_deployed(owed: Case, deployments: pd.DataFrame) -> pd.DataFrame:
    """Divide units that are committed and idle among the deployments of their pool, where any size may be deployed.

    It costs nothing, and what is spare then stands for the stress cases that the order cannot serve.
    """
    sized = {(t.pool, t.meter) for t in owed.throughput if t.min_units > 0 or t.unit_step > 0}
    if not owed.settings.policy.whole_units:
        sized = set()
    keys = ["pool", "meter", "period"]
    earlier = Derived.of(owed).earlier.groupby(keys, as_index=False)[["units"]].sum()
    if earlier.empty:
        return deployments
    both = deployments.merge(earlier.rename(columns={"units": "committed"}), on=keys, how="left")
    placed = both.groupby(keys)["units"].transform("sum")
    grow = (both["committed"] > placed) & (placed > 0)
    grow &= ~pd.Series([key in sized for key in zip(both["pool"], both["meter"], strict=True)], index=both.index)
    units = both["units"].where(~grow, both["units"] * both["committed"] / placed.where(placed > 0, 1.0))
    return deployments.assign(units=units.to_numpy(float))


def _proof(bound_usd: float, total_usd: float) -> Proof:
    return Proof(Status.GIVEN, bound_usd, gap_of(total_usd, bound_usd))


def _as_far_as_it_goes(owed: Case, options: Options, progress: Callable[[int, int], None] | None) -> tuple[Plan, bool]:
    """Find the cheapest plan that breaks stress cases least; and whether no division of the units breaks them less.

    Where rules that tie months and regions refuse it, or sizes that were not searched, less is asked of the stress
    cases that are broken anyway, and then of all.
    """
    rough = replace(options, gap=max(options.gap, BROKEN_GAP))
    least = least_break(_untied(owed), options)
    every = {key: least.shares.get(key, 1.0) for key in stress_asks(owed)}
    asked = [least.asking_less(part) for part in _LESS]
    asked += [{key: share * part for key, share in every.items()} for part in (*_LESS[1:], 0.0)]
    for k, stress in enumerate(asked):
        found = find_if_any(owed, replace(rough, stress=stress), progress)
        if found is not None:
            return found, least.proved and k == 0
    named = owed.settings.model_copy(update={"name": f"{owed.settings.name}, as ordered"})
    return find_plan(replace(without_stress(owed), settings=named), options, progress), False  # raises, and says why


def _untied(owed: Case) -> Case:
    """Return the case without the rules that tie months, regions and scenarios together, which stress cases waive.

    What units can serve in stress is then found part by part. That some other routing keeps these rules too is looked
    at afterwards, where less is asked if there is none.
    """
    egress = owed.settings.policy.egress.model_copy(update={"max_cross_region_share": None})
    free = owed.with_policy(egress=egress, risk=owed.settings.policy.risk.model_copy(update={"weight": 0.0}))
    routes = tuple(r.model_copy(update={"max_gb_per_month": None}) for r in owed.routes)
    return replace(free, routes=routes, spend_commitments=())


def _at_order_prices(case: Case, order: pd.DataFrame) -> Case:
    """Return the case with each offer of the order at the order's price; everything wrong with the order at once."""
    faults: list[Fault] = []
    offers = {o.offer: o for o in case.offers}
    periods = {p.name for p in case.periods}
    for k, line in enumerate(order.to_dict("records"), start=1):
        if line["offer"] not in offers:
            faults.append(Fault("purchase order", "no such offer", k, "offer", line["offer"], ", ".join(offers)))
        if line["period"] not in periods:
            faults.append(Fault("purchase order", "no period of the horizon begins then", k, "start", line["period"],
                                ", ".join(sorted(periods))))  # fmt: skip
    new: dict[str, dict[str, float]] = {}
    for offer, lines in order.groupby("offer"):
        for column in PRICES:
            prices = sorted(set(lines[column].dropna())) if column in lines else []
            if len(prices) > 1:
                told = ", ".join(map(str, prices))
                message = f"two prices of one offer, {offer}: give each price its own offer"
                faults.append(Fault("purchase order", message, None, column, told, "one price an offer"))
            if prices:
                new.setdefault(str(offer), {})[column] = float(prices[0])
    if faults:
        raise InputError(faults)
    return replace(case, offers=tuple(o.model_copy(update=new.get(o.offer, {})) for o in case.offers))


def as_owed(case: Case, order: pd.DataFrame) -> Case:
    """Return the case with the order's lines (offer, period, units) as earlier commitments, and nothing for sale.

    An earlier commitment costs its hourly price in the periods that it covers whole. Where a purchase costs more inside
    the horizon (days of other periods, an upfront price), it is owed under an offer of its own, at the price for which
    it costs as much.
    """
    offers = {o.offer: o for o in case.offers}
    number = {p.name: k for k, p in enumerate(case.periods)}
    owed, own = [], {}
    for line in order.to_dict("records"):
        offer, period = offers[line["offer"]], number[line["period"]]
        counted = sum(case.periods[k].hours for k in case.covered(offer, period))
        paid = case.paid_hours(offer, period)[0]
        if counted and (paid > counted or offer.upfront_usd_per_unit):
            name = f"{offer.offer} from {case.periods[period].start}"
            price = offer.usd_per_hour(case.periods[period].start) * paid / counted
            own[name] = offer.model_copy(
                update={"offer": name, "usd_per_unit_hour": price, "upfront_usd_per_unit": 0.0}
            )
            offer = own[name]
        start = case.periods[period].start
        owed.append(Commitment(offer=offer.offer, units=line["units"], start=start, end=offer.term_end(start)))
    settings = case.settings
    for family in on_purchases(sets_of(case)):  # decided by the order; the audit says which of them it breaks
        if isinstance(family.relaxed_by, Cell) and family.relaxed_by.table == SETTINGS:
            settings = with_setting(settings, family.relaxed_by.column, None)
    sold = tuple(sorted((*case.offers, *own.values()), key=lambda o: o.offer))
    free = replace(case, settings=settings, offers=sold, commitments=(*case.commitments, *owed))
    return free.nothing_for_sale()


def without_stress(case: Case) -> Case:
    """Return the case without headroom of all capacity and without failover (reserved headroom stays as it was)."""
    calm = case.with_policy(failover=case.settings.policy.failover.model_copy(update={"enabled": False}))
    workloads = tuple(
        w.model_copy(update={"headroom": 0.0, "reserved_headroom": case.reserved_headroom(w)}) for w in case.workloads
    )
    return replace(calm, workloads=workloads)


def _purchases(case: Case, order: pd.DataFrame) -> pd.DataFrame:
    """Purchases of a plan, lines of one offer and month added up; usd inside the horizon."""
    offers = {o.offer: o for o in case.offers}
    number = {p.name: k for k, p in enumerate(case.periods)}
    lines = order.groupby(["period", "offer"], as_index=False)["units"].sum()
    bought = zip(lines["offer"], lines["period"], strict=True)
    hours = [case.paid_hours(offers[offer], number[period])[0] for offer, period in bought]
    starts = [case.periods[number[period]].start for period in lines["period"]]
    price_of = [offers[offer].usd_per_hour(start) for offer, start in zip(lines["offer"], starts, strict=True)]
    found: pd.DataFrame = lines.assign(usd=lines["units"] * price_of * pd.Series(hours, dtype=float))
    return found[list(PURCHASE_COLUMNS)]


_TRIFLE_USD = 0.5


def priced_in_words(priced: PricedOrder) -> list[str]:
    """Say what the order costs against the optimum, in which parts it differs, and what is bought by the hour."""
    ordered, best = priced.plan.totals, priced.best.totals
    more = ordered.total_usd - best.total_usd
    share = f" ({percent(abs(more) / best.total_usd)})" if best.total_usd > 0 else ""
    told = f"{usd(abs(more), 2)} {'more' if more >= 0 else 'less'}{share}"
    lines = [
        f"As ordered: {usd(ordered.total_usd, 2)}. The optimum at these prices: {usd(best.total_usd, 2)}. "
        f"The order costs {told}."
    ]
    changes = [(TOTAL_NAMES[name], getattr(ordered, name) - getattr(best, name)) for name in Totals.names()]
    parts = [
        f"{name.lower()} {'+' if usd_more > 0 else '-'}{usd(abs(usd_more))}"
        for name, usd_more in sorted(changes, key=lambda part: -abs(part[1]))
        if abs(usd_more) >= _TRIFLE_USD
    ]
    if parts:
        lines.append(f"Against the optimum: {', '.join(parts)}.")
    lines += scaled_story.beyond_commitments(Report(priced.metrics))
    lines.append("The order keeps every rule." if not priced.broken else story.banner(Report(priced.metrics))[0])
    return lines
