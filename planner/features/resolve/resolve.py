"""Re-solve: the new plan, line by line against the last one, and why the cost changed."""

import datetime as dt
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import pandas as pd

from planner.console.signing_nothing import no_dearer_than_nothing
from planner.errors import StoppedError
from planner.features.resolve.attribution import AUTO, NONE, Attribution, attribute
from planner.features.resolve.changes import SAME_UNITS, Changes, Keeping, as_signed, change_lines
from planner.features.resolve.keep import PART_FOR_LAST, keep_purchases, last_purchases, no_dearer
from planner.plan.finished import Finished
from planner.plan.plan import Plan
from planner.schema.capacity import Commitment, Offer
from planner.schema.case import Case
from planner.solver.find import Options
from planner.solver.solve import audited
from planner.units import counted, last_day

_TERMS = ("pool", "meter", "usd_per_unit_hour")


@dataclass(frozen=True)
class BoughtUnlisted:
    """Units bought by the last plan that the case does not list among its commitments."""

    offer: Offer
    start: dt.date
    end: dt.date  # first day no longer in force
    units: float


def unlisted(last: Finished, case: Case, before: dt.date) -> tuple[BoughtUnlisted, ...]:
    """List purchases of the last plan that start before a day, are in force in the case's months, and are not listed.

    Of a purchase that the case lists in part (same offer, or its name as signed, same start and end), the rest.
    """
    offers = {o.offer: o for o in last.case.offers}
    starts = {p.name: p.start for p in last.case.periods}
    found = []
    for name, period, units in last.plan.purchases[["offer", "period", "units"]].itertuples(index=False, name=None):
        offer, start = offers[str(name)], starts[str(period)]
        end = offer.term_end(start)
        if start >= before or not any(start <= p.start and end >= p.end for p in case.periods):
            continue
        listed = sum(
            c.units
            for c in case.commitments
            if c.offer in (offer.offer, as_signed(offer)) and (c.start, c.end) == (start, end)
        )
        if units - listed > SAME_UNITS:
            found.append(BoughtUnlisted(offer, start, end, float(units) - listed))
    return tuple(sorted(found, key=lambda s: (s.start, s.offer.offer)))


def with_owed(case: Case, last: Finished, signed: tuple[BoughtUnlisted, ...]) -> Case:
    """Return the case with signed purchases among its commitments.

    An offer that the case sells at other terms, or no longer, stands once more as it was signed, with nothing for
    sale; so does a pool that the case no longer has, which then sells no unit by the hour.
    """
    offers, pools = {o.offer: o for o in case.offers}, {p.pool: p for p in case.pools}
    models = {m.model: m for m in case.models}
    regions = {r.region: r for r in case.regions}
    rates = list(case.throughput)
    owed = list(case.commitments)
    for s in signed:
        name, now = s.offer.offer, offers.get(s.offer.offer)
        if now is None or any(getattr(now, t) != getattr(s.offer, t) for t in _TERMS):
            name = as_signed(s.offer)
            closed = {"offer": name, "min_units": 0.0, "unit_step": 0.0, "max_units": 0.0}
            offers[name] = s.offer.model_copy(update=closed)
        if s.offer.pool not in pools:
            pool = next(p for p in last.case.pools if p.pool == s.offer.pool)
            pools[pool.pool] = pool.model_copy(update={"usd_per_unreserved_unit_hour": None})
            mine = [t for t in last.case.throughput if t.pool == pool.pool]
            rates += mine
            models |= {m.model: m for m in last.case.models if m.model in {t.model for t in mine} - models.keys()}
            if pool.region not in regions:
                there = next(r for r in last.case.regions if r.region == pool.region)
                regions[pool.region] = there.model_copy(update={"fails": False})
        owed.append(Commitment(offer=name, units=s.units, start=s.start, end=s.end))
    names = sorted(regions)
    return replace(
        case,
        demand=case.demand.assign(region=pd.Categorical(case.demand["region"], categories=names)),
        offers=tuple(sorted(offers.values(), key=lambda o: o.offer)),
        pools=tuple(sorted(pools.values(), key=lambda p: p.pool)),
        models=tuple(sorted(models.values(), key=lambda m: m.model)),
        regions=tuple(regions[name] for name in names),
        throughput=tuple(sorted(rates, key=lambda t: (t.pool, t.model, t.meter))),
        commitments=tuple(sorted(owed, key=lambda c: [c.model_dump_json()])),
    )


Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class Resolved:
    """The case as it was solved (with purchases counted as signed), its plan, and what changed."""

    case: Case
    plan: Plan
    changes: Changes


def resolve(
    case: Case,
    last: Finished,
    options: Options,
    *,
    owed_before: dt.date | None = None,
    keep_usd: float | None = None,
    detail: str = AUTO,
    on_solve: Progress | None = None,
    on_cause: Progress | None = None,
) -> Resolved:
    """Solve a case again against the last plan.

    Parameters
    ----------
    case, last : what is asked now; the last plan with its input. options : how to solve.
    owed_before : purchases of the last plan that start before this day count as signed (None: only what the case lists
        among its commitments). keep_usd : see `resolve.keep`; None: the plan is free to move.
    detail : see `resolve.attribution`; "none": the cost is attributed to no causes.

    Raises
    ------
    InfeasibleError : no plan meets every rule. StoppedError : out of time before there was a plan.
    """
    notes = []
    if owed_before is not None:
        signed = unlisted(last, case, owed_before)
        case = with_owed(case, last, signed)
        notes += [f"treated as signed: {_told(s)}" for s in signed]
    elif signed := unlisted(last, case, case.settings.horizon.start):
        notes.append(
            "the last plan bought these before this plan's months, and they are not among the commitments "
            f"(--owed treats them as signed): {'; '.join(_told(s) for s in signed)}"
        )
    searches = 1 if keep_usd is None else 2 if math.isfinite(keep_usd) else 4
    reading = audited(case, options.share(searches / (1 - PART_FOR_LAST)), on_solve)
    reading, stays = no_dearer(reading, last, options.share(searches))
    plan = no_dearer_than_nothing(reading, options.share(searches))[0].plan
    if stays and plan is reading.plan:
        notes.append("the search ended before it found a plan cheaper than the last plan's purchases: they stand")
    old, kept = (last.case, last.plan), None
    if keep_usd is not None:
        plan, kept, told = _kept(case, old, usd=keep_usd, free=plan, options=options, progress=on_solve)
        notes += told
    why = Attribution((), 0.0, 0)
    if detail != NONE:
        try:
            why = attribute(old, (case, plan), options, detail, on_cause)
        except StoppedError:
            notes.append(
                "the change in cost is not attributed to causes: one of the combinations of old and new ran out of "
                "time; give more with --time-limit, or try --causes groups"
            )
    changes = Changes(
        previous_name=last.plan.name,
        previous_digest=last.plan.input_digest,
        previous_horizon=last.case.months,
        before=last.plan.totals,
        after=plan.totals,
        lines=change_lines(old, (case, plan)),
        causes=why.causes,
        exact_to_usd=why.exact_to_usd,
        solves=why.solves,
        kept=kept,
        notes=tuple(notes),
    )
    return Resolved(case, plan, changes)


def _kept(
    case: Case, old: tuple[Case, Plan], *, usd: float, free: Plan, options: Options, progress: Progress | None
) -> tuple[Plan, Keeping | None, list[str]]:
    last = last_purchases(old, case)
    if not last.units:
        return free, None, ["--keep has nothing to keep: no offer and month is for sale in both plans"]
    plan, kept = keep_purchases(case, last, usd_per_unit=usd, free=free, options=options, progress=progress)
    return plan, kept, []


def _told(signed: BoughtUnlisted) -> str:
    return (
        f"{counted(signed.units, 'unit', 'g')} of {signed.offer.offer} from {signed.start} through "
        f"{last_day(signed.end)}"
    )
