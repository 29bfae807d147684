"""What the model leaves out by definition, in dollars: `planner check` says it of an input, the Summary of a plan.

Each is legal and each has surprised a buyer: money past the horizon that no budget counts, a quota that is blank, spare
that is bought because a default says so, averages where a bill or a provider counts what happened.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd

from planner.plan.audit.bound import proved_bound_usd
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.plan.frames import ARRIVED
from planner.plan.plan import Plan, Status
from planner.plan.warnings.contracts import covered_in_part
from planner.plan.warnings.traps import Caution, listed
from planner.schema.capacity import Offer
from planner.schema.case import Case, hours_between
from planner.schema.settings import Period
from planner.schema.workloads import Workload
from planner.units import HOURS_PER_WEEK

WITHOUT_HEADROOM = "failover-without-headroom"
SHOWN_USD = 1.0  # less is not shown
_KEYS = ["workload", "region", "model", "option"]


def beyond_the_horizon(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Dollars past the horizon, that neither the cost nor the budget counts."""
    policy, last = case.settings.policy, case.periods[-1]
    month, capped = case.months[1], policy.max_commitment_whole_term_usd
    remedy = "Set tail_value to what the units will be worth then, plan more months, or leave long terms out"
    if policy.max_commitment_usd is not None and policy.max_commitment_whole_term_usd is None:
        remedy += "; cap what is signed over the whole terms with policy.max_commitment_whole_term_usd"
    if plan is not None:
        offers, start = {o.offer: o for o in case.offers}, {p.name: p.start for p in case.periods}
        beyond = 0.0
        for name, period, units in plan.purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
            past = hours_between(last.end, offers[name].term_end(start[period]))
            beyond += units * offers[name].usd_per_hour(start[period]) * past
        inside, free = float(plan.purchases["usd"].sum()), beyond * policy.tail_value
        if free <= SHOWN_USD:
            return []
        cap = policy.max_commitment_usd
        budget = "" if cap is None else f", and outside the budget of ${cap:,.0f}"
        message = (
            f"they cost ${inside:,.0f} inside the horizon and ${inside + beyond:,.0f} over their whole terms: "
            f"${free:,.0f} past {month} are counted as nothing (tail_value {policy.tail_value:g}){budget}"
        )
        return [Caution("beyond-horizon", "cost", "new commitments", message, remedy)]
    policy_counts = 1 - policy.tail_value
    terms = {o.offer: _worst_term_usd(case.periods, o) for o in case.offers if o.mean_usd_per_hour > 0}
    longest = max(terms, key=lambda name: terms[name][1] / terms[name][0], default="")
    if policy_counts >= 1 or not longest or terms[longest][1] <= terms[longest][0] * (1 + 1e-9):
        return []
    inside, whole = terms[longest]
    if capped is not None and policy.max_commitment_usd is not None:
        return []  # nothing is signed outside the caps
    if policy.max_commitment_usd is None:
        seen = inside + policy_counts * (whole - inside)
        message = (
            f"tail_value {policy.tail_value:g} counts that share of what a term costs past {month} as nothing: a "
            f"unit of {longest} costs up to {whole / seen:.3g} times what the plan sees (${whole:,.0f} over its term "
            f"for each ${seen:,.0f} that is counted)"
        )
    else:
        message = (
            f"max_commitment_usd counts only dollars inside the horizon: ${policy.max_commitment_usd:,.0f} may sign up "
            f"to ${policy.max_commitment_usd * whole / inside:,.0f} of {longest} over its term"
        )
    return [Caution("beyond-horizon", "cost", "policy", message, remedy)]


def free_failover(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Say what failover would cost in units where a quota is blank and so carries it for nothing."""
    failover = case.settings.policy.failover
    if plan is not None or not failover.enabled or failover.on_demand_trust <= 0:
        return []  # a plan has its own, from what its stress cases lean on
    lost = {r.region for r in case.regions if r.fails}
    every = [o for o in case.on_demand if not o.deadline_hours]  # slow ones serve no stress case
    blank = sorted({(o.region, o.model) for o in every if o.tokens_per_minute_quota is None})
    usd = {pair: _standby_usd(case, derived, *pair) for pair in blank if lost - {pair[0]}}
    dear = {pair: amount for pair, amount in usd.items() if amount > SHOWN_USD}
    if not dear:
        return []
    region, model = max(dear, key=lambda pair: dear[pair])
    message = (
        f"the quota of {listed([f'{m} in {r}' for r, m in dear])} is blank, so the loss of a region costs nothing on "
        f"paper; units of {model} in {region} that stand by for the others' peak would cost up to "
        f"${dear[region, model]:,.0f} over the horizon"
    )
    remedy = "Enter the quotas that the seller grants, tokens per minute; on_demand_trust counts a share of them"
    return [Caution("free-failover", "risk", "failover", message, remedy)]


def spare_reserved(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Units that are bought because reserved_headroom, left blank, is the headroom."""
    blank = [w for w in _served(case) if w.reserved_headroom is None and case.settings.policy.reserved_headroom is None]
    share = {w.workload: case.reserved_headroom(w) for w in blank if case.reserved_headroom(w) > 0}
    loads = derived.loads[derived.loads["workload"].isin(share)]
    if loads.empty or not case.offers:
        return []
    most = max(share.values())
    remedy = "Set reserved_headroom (0 where overflow goes to on demand automatically), or keep it deliberately"
    up_to = "" if len(set(share.values())) == 1 else "up to "
    default = f"reserved_headroom is blank, so it is the headroom ({up_to}{most:.0%}): "
    default += f"{up_to}{most / (1 - most):.0%} more units"
    if plan is None:
        usd = sum(_mean_unit_usd(case, derived, w) * s / (1 - s) for w, s in share.items())
        message = f"{default} are bought than the work needs, about ${usd:,.0f} if the average demand is reserved"
    else:
        spare = loads.assign(spare=1 - loads["usable_share"]).groupby(["pool", "meter"])["spare"].max()
        pool = {o.offer: (o.pool, o.meter) for o in case.offers}
        lines = zip(plan.purchases["offer"], plan.purchases["usd"], strict=True)
        usd = sum(float(n) * float(spare.get(pool[o], 0.0)) for o, n in lines)
        bought = float(plan.purchases["usd"].sum())
        message = f"{default} are bought than the work needs, about ${usd:,.0f} of the ${bought:,.0f} committed"
    return [Caution("spare-reserved", "cost", "policy", message, remedy)] if usd > SHOWN_USD else []


def nothing_spare_in_failover(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Headroom that is not kept while a region is lost."""
    failover = case.settings.policy.failover
    lost = any(r.fails for r in case.regions) and len(case.regions) > 1
    share = _headroom_wanted(case)
    if not failover.enabled or not lost or share <= failover.headroom:
        return []
    extra = spare_growth(case) - 1
    more = f"{extra:.0%} more"
    if plan is not None:
        usd = _least_kept_usd(case, plan, share) - plan.judged_usd
        more += f", and cost at least ${usd:,.0f} more, which the plan's prices prove" if usd > SHOWN_USD else ""
    spare = "every unit and quota may be completely full"
    if failover.headroom > 0:
        spare = f"only {failover.headroom:.0%} (failover.headroom) stays spare"
    up_to = "" if len({case.headroom(w) for w in _served(case) if case.failover_share(w) > 0}) == 1 else "up to "
    message = (
        f"the headroom of {up_to}{share:.0%} is kept while no region is lost; while one is lost, {spare}. "
        f"Keeping the headroom then too would ask each failover case to serve up to {more}"
    )
    remedy = (
        f"Set policy.failover.headroom to {share:g} if it must be kept while a region is lost too; "
        f"planner what-if --set failover.headroom={share:g} finds what that costs"
    )
    return [Caution(WITHOUT_HEADROOM, "risk", "failover", message, remedy)]


def _least_kept_usd(case: Case, plan: Plan, headroom: float) -> float:
    """Least that a plan costs which keeps so much headroom while a region is lost too, USD; -inf: not known.

    Prices of the rules prove a bound for any right-hand side, so for more demand in the failover cases too. Of units
    that were given, and not chosen, nothing is said: their cost is not the least one of the demand as it is.
    """
    if plan.certificate.empty or plan.proof.status is Status.GIVEN:
        return -np.inf
    kept = case.with_policy(failover=case.settings.policy.failover.model_copy(update={"headroom": headroom}))
    derived = Derived.of(kept)
    return proved_bound_usd(kept, derived, Names.of(kept, derived), plan.certificate)


def spare_growth(case: Case) -> float:
    """How far the demand of every failover case may grow until the headroom is kept while a region is lost too."""
    return (1 - case.settings.policy.failover.headroom) / (1 - _headroom_wanted(case))


def _headroom_wanted(case: Case) -> float:
    return max((case.headroom(w) for w in _served(case) if case.failover_share(w) > 0), default=0.0)


def caps_in_expectation(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Caps that hold on the average of the scenarios, and by how much one scenario goes beyond."""
    caps = {(r.origin, r.destination): r for r in case.routes if r.max_gb_per_month is not None}
    if len(case.scenarios) < 2 or not caps:
        return []
    remedy = "Lower the cap by what the worst scenario adds, if the limit is a hard one"
    if plan is None:
        total = case.demand.groupby("scenario", observed=True)["requests_per_hour"].sum()
        mean = sum(s.probability * float(total.get(s.scenario, 0.0)) for s in case.scenarios)
        worst = max(case.scenarios, key=lambda s: float(total.get(s.scenario, 0.0)))
        ratio = float(total.get(worst.scenario, 0.0)) / mean if mean > 0 else 1.0
        usd = sum((r.max_gb_per_month or 0.0) * (ratio - 1) * r.usd_per_gb for r in caps.values())
        if ratio <= 1 + 1e-9:
            return []
        message = (
            f"max_gb_per_month holds on the average of scenarios: {worst.scenario} asks {ratio:.2f} times the mean, "
            f"so a cap that is full may be exceeded by {ratio - 1:.0%} there, ${usd:,.0f} a month of egress beyond it"
        )
        return [Caution("caps-on-average", "risk", "routes", message, remedy)]
    sent = _gb_sent(case, derived, plan)
    found = []
    for (origin, destination, scenario, period), gb in sorted(sent.items()):
        cap = caps.get((origin, destination))
        if cap is not None and cap.max_gb_per_month is not None and gb > cap.max_gb_per_month * (1 + 1e-6):
            over = gb - cap.max_gb_per_month
            text = f"{origin} to {destination} carries {gb:,.1f} GB in {period}, scenario {scenario}, against "
            found.append((over, f"{text}{cap.max_gb_per_month:,.1f} (${over * cap.usd_per_gb:,.2f} of egress beyond)"))
    if not found:
        return []
    worst_first = [text for _, text in sorted(found, reverse=True)]
    message = f"max_gb_per_month holds on the average of the scenarios only: {listed(worst_first[:2])}"
    return [Caution("caps-on-average", "risk", "routes", message, remedy)]


def weeks_of_the_calendar(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Costs at days / 7 weeks a month against those of the month's own weekdays."""
    if plan is None:
        options = derived.options.groupby("workload")["on_demand_usd"].min()
        rows = case.demand.assign(usd=case.demand["workload"].astype(str).map(options).fillna(0.0).to_numpy(float))
    else:
        d = _plain(plan.dispatch).rename(columns={"supply": "option"})
        d = d.merge(derived.options[[*_KEYS, "on_demand_usd"]], on=_KEYS, how="left")
        d = d.merge(derived.travel[["workload", "origin", "region", "egress_usd"]], on=["workload", "origin", "region"],
                    how="left")  # fmt: skip
        factor = {s.scenario: s.on_demand_price_factor for s in case.scenarios}
        number_of = {p.name: k for k, p in enumerate(case.periods)}
        number = {(o.region, o.model, o.option): k for k, o in enumerate(case.on_demand)}
        option = np.array([number.get(key, -1) for key in zip(d["region"], d["model"], d["option"])], np.int64)
        at = np.array([number_of[name] for name in d["period"]], np.int64)
        times = derived.hour_times(at, d["hour_of_week"].to_numpy(np.int64), option)
        paid = d["on_demand_usd"].fillna(0.0) * d["scenario"].map(factor) * times
        rows = d.assign(usd=paid + d["egress_usd"].fillna(0.0))
    likely = {s.scenario: s.probability for s in case.scenarios}
    off: dict[str, float] = {}
    for period in case.periods:
        mine = rows[rows["period"].astype(str) == period.name]
        more = (np.array(period.occurrences) - period.weeks)[mine["hour_of_week"].to_numpy(int)]
        weight = mine["scenario"].astype(str).map(likely).to_numpy(float)
        usd_an_hour = mine["requests_per_hour"].to_numpy(float) * mine["usd"].to_numpy(float)
        off[period.name] = float((usd_an_hour * weight * more).sum())
    total = sum(off.values())
    worst = max(off, key=lambda name: abs(off[name]))
    if abs(off[worst]) <= SHOWN_USD:
        return []
    what = "on demand and egress" if plan is not None else "this demand, all of it on demand,"
    span = "period" if case.settings.horizon.cuts else "month"
    message = (
        f"every {span} counts as days / 7 equal weeks; by the calendar's own weekdays {what} would cost "
        f"{_more_or_less(total)} (most in {worst}: {_more_or_less(off[worst])})"
    )
    remedy = "Expect that difference in the bills; planner review compares at the hours of the calendar"
    return [Caution("calendar-weeks", "cost", "horizon", message, remedy)]


def owed_for_days(case: Case, derived: Derived, plan: Plan | None) -> list[Caution]:
    """Dollars of earlier commitments for days that are no whole period; of an input, `part-month` says it."""
    parts = [(c, name, usd) for c in case.commitments for name, usd in covered_in_part(case, c).items()]
    total = sum(usd for _, _, usd in parts)
    if plan is None or total <= SHOWN_USD:
        return []
    offers, periods = (listed(dict.fromkeys(names)) for names in zip(*((c.offer, name) for c, name, _ in parts)))
    message = (
        f"units of {offers} are in force for a part of {periods} only: they serve nothing there, and the ${total:,.2f} "
        "that is owed for those days is not in this cost"
    )
    spent = " and count as spent on contracts" if case.spend_commitments else ""
    remedy = f"Cut the month where they begin or end (horizon.cuts): then they serve, and are in the cost{spent}"
    return [Caution("owed-for-days", "cost", "earlier commitments", message, remedy)]


UNCOUNTED: tuple[Callable[[Case, Derived, Plan | None], list[Caution]], ...] = (
    beyond_the_horizon,
    owed_for_days,
    free_failover,
    spare_reserved,
    nothing_spare_in_failover,
    caps_in_expectation,
    weeks_of_the_calendar,
)


def uncounted_in(case: Case, plan: Plan | None = None, derived: Derived | None = None) -> list[Caution]:
    """List what an input, or a plan of it, leaves out by definition, in the order of UNCOUNTED."""
    if case.demand.empty:
        return []
    derived = Derived.of(case) if derived is None else derived
    return [caution for rule in UNCOUNTED for caution in rule(case, derived, plan)]


def _more_or_less(usd: float) -> str:
    if abs(usd) <= SHOWN_USD:
        return "as much in all"
    return f"${abs(usd):,.0f} {'more' if usd > 0 else 'less'}"


def _worst_term_usd(periods: tuple[Period, ...], offer: Offer) -> tuple[float, float]:
    """Return what a unit costs inside the horizon and over its term, USD, begun where most of it lies outside."""
    found = []
    for p in periods:
        end, price = offer.term_end(p.start), offer.usd_per_hour(p.start)
        inside, whole = (hours_between(p.start, day) for day in (min(end, periods[-1].end), end))
        found.append((price * inside, price * whole))
    return max(found, key=lambda usd: usd[1] / usd[0])


def _served(case: Case) -> list[Workload]:
    names = set(case.demand["workload"].astype(str).unique())
    return [w for w in case.workloads if w.workload in names]


def _prices(case: Case) -> dict[tuple[str, str], float]:
    """Cheapest offer of each pool and meter, USD per unit-hour."""
    found: dict[tuple[str, str], float] = {}
    for o in case.offers:
        key = (o.pool, o.meter)
        found[key] = min(found.get(key, np.inf), o.mean_usd_per_hour)
    return found


def _usd_per_request(case: Case, derived: Derived, workload: str, region: str = "", model: str = "") -> float:
    """Return the least that units for one request per hour cost in an hour; 0 where no pool serves it."""
    price = _prices(case)
    cost: dict[tuple[str, str], float] = {}
    loads = derived.loads[derived.loads["workload"] == workload]
    for pool, meter, m, r, units in loads[["pool", "meter", "model", "region", "units_per_request"]].itertuples(
        index=False, name=None
    ):
        if (region and r != region) or (model and m != model):
            continue
        cost[pool, m] = cost.get((pool, m), 0.0) + units * price.get((pool, meter), np.inf)
    finite = [usd for usd in cost.values() if np.isfinite(usd)]
    return min(finite, default=0.0)


def _mean_unit_usd(case: Case, derived: Derived, workload: str) -> float:
    """Price units for the average demand of a workload over the horizon at the cheapest offer, USD."""
    likely = case.demand["scenario"].astype(str).map({s.scenario: s.probability for s in case.scenarios})
    mine = (case.demand["workload"] == workload).to_numpy()
    asked = case.demand["requests_per_hour"].to_numpy(float) * likely.to_numpy(float)
    mean = float(asked[mine].sum()) / HOURS_PER_WEEK / len(case.periods)
    return mean * _usd_per_request(case, derived, workload) * sum(p.hours for p in case.periods)


def _standby_usd(case: Case, derived: Derived, region: str, model: str) -> float:
    """Price units of a model in a region that carry the peak of the region whose loss it would feel most, USD."""
    served = {m.workload for m in case.mix if m.model == model}
    hours = sum(p.hours for p in case.periods)
    worst = 0.0
    for origin in (r.region for r in case.regions if r.fails and r.region != region):
        usd = 0.0
        for w in _served(case):
            if w.workload not in served or not case.may_serve(w, origin, region):
                continue
            own = case.demand[(case.demand["workload"] == w.workload) & (case.demand["region"] == origin)]
            peak = float(own["requests_per_hour"].max()) if len(own) else 0.0
            usd += peak * case.failover_share(w) * _usd_per_request(case, derived, w.workload, region, model) * hours
        worst = max(worst, usd)
    return worst


def _plain(dispatch: pd.DataFrame) -> pd.DataFrame:
    """Names as plain text, to be joined with the names of other tables."""
    names = [c for c in dispatch.columns if c not in ("hour_of_week", ARRIVED, "requests_per_hour")]
    return dispatch.astype(dict.fromkeys(names, object))


def _gb_sent(case: Case, derived: Derived, plan: Plan) -> dict[tuple[str, str, str, str], float]:
    """Gigabytes from one region to another by scenario and month, if that scenario comes true."""
    d = _plain(plan.dispatch)
    d = d[d["origin"] != d["region"]]
    keys = ["workload", "origin", "region"]
    d = d.merge(derived.travel[[*keys, "gb_in", "gb_out"]], on=keys)
    weeks = d["period"].map({p.name: p.weeks for p in case.periods})
    found: dict[tuple[str, str, str, str], float] = {}
    for ends, gb in ((("origin", "region"), "gb_in"), (("region", "origin"), "gb_out")):
        sent = d.assign(gb=d["requests_per_hour"] * weeks * d[gb]).groupby([*ends, "scenario", "period"])["gb"].sum()
        for key, amount in sent.items():
            found[key] = found.get(key, 0.0) + float(amount)  # type: ignore[index, call-overload]
    return found
