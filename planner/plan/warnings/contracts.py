"""Traps of contracts and of work that can wait: days that no period covers, money that counts twice, idle deadlines."""

from itertools import combinations

from planner.plan.derived import Derived
from planner.plan.warnings.traps import Caution, listed, with_demand
from planner.schema.capacity import Commitment
from planner.schema.case import Case, hours_between
from planner.schema.contracts import SpendCommitment
from planner.units import counted


def covered_in_part(case: Case, c: Commitment) -> dict[str, float]:
    """Return the periods that an earlier commitment covers only in part, and what is owed for their days, USD."""
    price = {o.offer: o.usd_per_unit_hour for o in case.offers}[c.offer]
    return {
        p.name: c.units * price * hours_between(max(c.start, p.start), min(c.end, p.end))
        for p in case.periods
        if c.start < p.end and c.end > p.start and not case.commitment_in_force(c, p)
    }


def part_months(case: Case) -> list[Caution]:
    """Earlier commitments that cover a period of the horizon in part: that part is not counted."""
    found = []
    for c in case.commitments:
        parts = covered_in_part(case, c)
        if parts:
            message = (
                f"{counted(c.units, 'unit', 'g')} from {c.start} to {c.end}: {listed(parts)} covered only in "
                "part; serves nothing "
                f"there, and the ${sum(parts.values()):,.2f} that is owed for those days is in no cost of the plan"
            )
            inside = [day for day in (c.start, c.end) if case.periods[0].start < day < case.periods[-1].end]
            cuts = sorted({*(case.settings.horizon.cuts or ()), *(day for day in inside if day.day > 1)})
            remedy = (
                f"Write horizon.cuts: [{', '.join(map(str, cuts))}] into plan.yaml, and each part of the month is a "
                "period, with demand of its own; end is the first day no longer in force"
            )
            found.append(Caution("part-month", "cost", f"commitment to {c.offer}", message, remedy))
    return found


def terms_that_fit_no_period(case: Case) -> list[Caution]:
    """Offers whose term covers no period whole: they could serve nothing, so they are never bought."""
    found = [
        o
        for o in case.offers
        if (o.max_units is None or o.max_units > 0)
        and not any(p.start <= q.start and q.end <= o.term_end(p.start) for p in case.periods for q in case.periods)
    ]
    if not found:
        return []
    named = listed(f"{o.offer} ({o.term_text})" for o in found)
    message = f"{named}: the term covers no period of the horizon whole, so it could serve nothing and is never bought"
    remedy = (
        "Write horizon.cuts into plan.yaml where it is to begin and to end: each part of the month is a period, with "
        "demand of its own"
    )
    return [Caution("short-term", "cost", "offers", message, remedy)]


def spend_traps(case: Case) -> list[Caution]:
    """Contracts that count the same money, and those that ask for more than all demand costs on demand."""
    return [*_counted_twice(case), *_too_large(case)]


def _regions(case: Case, c: SpendCommitment) -> set[str]:
    return {r.region for r in case.regions if c.counted_regions is None or r.region in c.counted_regions}


def _counted_twice(case: Case) -> list[Caution]:
    found = []
    for a, b in combinations(case.spend_commitments, 2):
        periods = set(case.contract_periods(a)) & set(case.contract_periods(b))
        kinds = (a.counts_on_demand and b.counts_on_demand) or (a.counts_reserved and b.counts_reserved)
        if kinds and periods and _regions(case, a) & _regions(case, b):
            where = f"spend_commitments {a.contract} and {b.contract}"
            message = "count the same money: a dollar spent once counts for both"
            remedy = "If it counts once only, give them different regions, periods or kinds of spend"
            found.append(Caution("spend-counted-twice", "risk", where, message, remedy))
    return found


def _too_large(case: Case) -> list[Caution]:
    """Contracts on tokens alone that even serving everything by the dearest option would not fill."""
    if not any(c.counts_on_demand and not c.counts_reserved for c in case.spend_commitments):
        return []
    derived = Derived.of(case)
    weight = {(s, p): w * f for s, p, w, f in derived.slots[["scenario", "period", "weeks", "price_factor"]].itertuples(
        index=False, name=None)}  # fmt: skip
    times = derived.price_times
    highest = [1.0] * len(case.on_demand) if times is None else times.max(axis=1).tolist()
    dear = {(o.region, o.model, o.option): n for o, n in zip(case.on_demand, highest, strict=True)}
    options = derived.options.assign(
        on_demand_usd=derived.options["on_demand_usd"]
        * [dear[key] for key in zip(*(derived.options[c] for c in ("region", "model", "option")), strict=True)]
    )
    both = options.merge(derived.travel[["workload", "origin", "region"]], on=["workload", "region"])
    found = []
    for c in case.spend_commitments:
        if c.counts_reserved:
            continue
        counted = {case.periods[k].name for k in case.contract_periods(c)}
        own = both[both["region"].isin(_regions(case, c))]
        dearest = own.groupby(["origin", "workload"])["on_demand_usd"].max().to_dict()
        rows = case.demand.astype({"region": str, "workload": str, "scenario": str, "period": str})
        rows = rows[rows["period"].isin(counted)]
        most = sum(
            rph * weight[s, p] * dearest.get((o, w), 0.0)
            for o, w, s, p, rph in rows.groupby(["region", "workload", "scenario", "period"])["requests_per_hour"]
            .sum().reset_index().itertuples(index=False, name=None)
        )  # fmt: skip
        if most < c.usd:
            message = f"asks for {c.usd:,.0f} USD on tokens; all demand there costs {most:,.0f} USD on demand at most"
            remedy = "The rest is lost whatever the plan: ask for a smaller contract, a longer one, or more regions"
            found.append(Caution("spend-too-large", "cost", f"spend_commitments {c.contract}", message, remedy))
    return found


A_DAY = 24  # hours: what batch options usually ask


def unused_slow_options(case: Case) -> list[Caution]:
    """On-demand options that take longer to answer than any workload of their model may wait."""
    longest: dict[str, int] = {}
    served = {w.workload: w.deadline_hours for w in with_demand(case)}
    for m in case.mix:
        longest[m.model] = max(longest.get(m.model, 0), served.get(m.workload, 0))
    slow = [o for o in case.on_demand if o.deadline_hours > longest.get(o.model, 0)]
    found = []
    for name in dict.fromkeys(o.option for o in slow):
        own = [o for o in slow if o.option == name]
        hours = max(o.deadline_hours for o in own)
        where = listed(f"{o.model} in {o.region}" for o in own)
        message = (
            f"answers within {counted(hours, 'hour')} ({where}), and no workload of these models may wait "
            "so long: it is unused"
        )
        remedy = "Set deadline_hours of the workloads that can wait"
        found.append(Caution("slow-option", "cost", f"on_demand option {name}", message, remedy))
    return found


def batch_without_deadline(case: Case) -> list[Caution]:
    """Workloads of kind batch that are planned as if every request were served at once."""
    return [
        Caution(
            "no-deadline", "cost", f"workload {w.workload}",
            "is of kind batch and has deadline_hours 0: it is served in the hour in which it arises, keeps headroom "
            "and must survive the loss of a region",
            "Set deadline_hours to how long its requests may wait",
        )
        for w in with_demand(case)
        if w.kind == "batch" and not w.can_wait
    ]  # fmt: skip


def no_slow_option(case: Case) -> list[Caution]:
    """Work that can wait a day, of models for which no option that takes hours is listed."""
    models: dict[str, set[str]] = {}
    for m in case.mix:
        models.setdefault(m.workload, set()).add(m.model)
    slow = {o.model for o in case.on_demand if o.deadline_hours}
    waits = [w for w in with_demand(case) if w.deadline_hours >= A_DAY and not models.get(w.workload, set()) & slow]
    if not waits:
        return []
    names = listed(w.workload for w in waits)
    message = f"{names} can wait {A_DAY} hours or more, and none of its on-demand options takes hours to answer"
    remedy = (
        "If the seller has a batch API (about half the price), add it to on_demand as an option with deadline_hours"
    )
    return [Caution("no-batch-option", "cost", "on_demand", message, remedy)]


def spare_for_work_that_waits(case: Case) -> list[Caution]:
    """Reserved headroom of work that could wait for a quieter hour instead."""
    return [
        Caution(
            "waiting-headroom", "cost", f"workload {w.workload}",
            f"can wait {counted(w.deadline_hours, 'hour')} and keeps {case.reserved_headroom(w):.0%} of "
            "reserved units spare all "
            f"the same{'' if w.reserved_headroom is not None else ' (the reserved_headroom of policy)'}",
            "Set its reserved_headroom to 0, unless its bursts must not touch other work",
        )
        for w in with_demand(case)
        if w.can_wait and case.reserved_headroom(w) > 0
    ]  # fmt: skip


def steps_aside(case: Case) -> list[Caution]:
    """Promises to work that can wait that no stress case looks at, and inputs in which every workload can."""
    every = with_demand(case)
    found = []
    for w in every:
        promised = [name for name in ("headroom", "failover_share") if getattr(w, name)]
        if w.can_wait and promised:
            said = " and ".join(f"{name} {getattr(w, name):g}" for name in promised)
            message = f"can wait, so it steps aside in every stress case, and its {said} asks for nothing"
            remedy = (
                f"Leave {' and '.join(promised)} blank, or set deadline_hours to 0 if it must be served all the same"
            )
            found.append(Caution("steps-aside", "risk", f"workload {w.workload}", message, remedy))
    if every and all(w.can_wait for w in every):
        message = (
            "every workload can wait and steps aside in every stress case, so headroom and failover ask for nothing"
        )
        found.append(
            Caution("all-can-wait", "risk", "workloads", message, "Set deadline_hours of what cannot wait to 0")
        )
    return found
