"""Models that retire while a commitment of a finished plan still runs: which, and what is paid after that day."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping

from planner.errors import PlannerError
from planner.features.catalogue.published import catalogue_folder, read_catalogue
from planner.plan.metrics.cautions import Advice
from planner.plan.orders import Owed, owed_after
from planner.plan.plan import Plan
from planner.schema.case import Case, hours_between

_SHOWN = 3
REMEDY = (
    "Make sure before you sign that another model can use the units until their terms end, or buy a shorter term; move "
    "the workloads of the model in the table mix."
)


def retiring(case: Case, plan: Plan) -> tuple[Advice, ...]:
    """Name each model that the published catalogue retires inside a commitment's term, the most dollars first.

    Nothing where no catalogue is installed.
    """
    try:
        models = read_catalogue(catalogue_folder()).models
    except PlannerError:
        return ()
    return outlived(case, plan, {(m.provider, m.model): m.retires_on for m in models if m.retires_on is not None})


def outlived(case: Case, plan: Plan, retires: Mapping[tuple[str, str], dt.date]) -> tuple[Advice, ...]:
    """Name each model that retires inside a commitment's term; ``retires`` : its day, by provider and model."""
    provider = {r.region: r.provider or "" for r in case.regions}
    served = _served(case)
    by_model: dict[tuple[str, str, dt.date], list[Owed]] = defaultdict(list)
    for owed in owed_after(case, plan):
        for model in served[owed.offer.pool]:
            day = retires.get((provider[owed.region], model))
            if day is not None and day < owed.end:
                by_model[provider[owed.region], model, day].append(owed)
    told = []
    for (seller, model, day), lines in by_model.items():
        usd = sum(_after(o, day) for o in lines)
        others = {o.offer.pool: _others(served[o.offer.pool], model, seller, o.end, retires) for o in lines}
        told.append((-usd, model, Advice(_sentence(model, day, lines, usd, others), REMEDY)))
    return tuple(advice for _, _, advice in sorted(told, key=lambda row: row[:2]))


def _served(case: Case) -> dict[str, list[str]]:
    """List the models of each pool that some workload may use."""
    asked = {m.model for m in case.mix}
    found: dict[str, list[str]] = defaultdict(list)
    for row in case.throughput:
        if row.model in asked and row.model not in found[row.pool]:
            found[row.pool].append(row.model)
    return found


def _after(owed: Owed, day: dt.date) -> float:
    """Price a commitment from a day on, USD; an upfront price spread over its term."""
    return owed.units * owed.usd_per_unit_hour * hours_between(max(owed.start, day), owed.end)


def _others(
    models: Iterable[str], gone: str, seller: str, end: dt.date, retires: Mapping[tuple[str, str], dt.date]
) -> list[str]:
    """List the other models of a pool that are sold until a commitment ends."""
    return [m for m in models if m != gone and retires.get((seller, m), end) >= end]


def _sentence(model: str, day: dt.date, lines: Iterable[Owed], usd: float, others: Mapping[str, list[str]]) -> str:
    names = sorted({o.offer.offer for o in lines})
    alone = sorted(pool for pool, left in others.items() if not left)
    if alone:
        then = f"no other model in mix can use the units of {_listed(alone)} until then"
    else:
        left = sorted({m for models in others.values() for m in models})
        then = f"until then only {_listed(left)} can use the units"
    return (
        f"{model} retires on {day}, before {_listed(names)} {'ends' if len(names) == 1 else 'end'}: ${usd:,.0f} is "
        f"paid for the units from that day on, and {then}."
    )


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
