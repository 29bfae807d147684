"""The continuous answer: what the page shows at once, for units of any size, while whole units are searched for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from planner.features.what_if.study import StudyLine
from planner.plan.orders import purchase_lines
from planner.schema.case import Case
from planner.solver.assemble import original_slots, purchases
from planner.solver.warm import WarmAnswer
from planner.units import HOURS_PER_WEEK, REQUESTS_PER_THOUSAND

Week = tuple[float, ...]  # 168 values


@dataclass(frozen=True)
class ServedBy:
    """Expected requests per hour served in a region in each hour of the week (UTC), mean of the horizon's weeks."""

    reserved_rph: Week
    on_demand_rph: Week

    @property
    def total_rph(self) -> list[float]:
        """All that is served."""
        return [a + b for a, b in zip(self.reserved_rph, self.on_demand_rph, strict=True)]


@dataclass(frozen=True)
class Picture:
    """What a plan comes to, for the page: of units of any size or of whole units.

    total_usd : over the horizon, the sum of `parts`. to_sign_usd : over whole terms. weeks :
    by region.
    """

    total_usd: float
    parts: Mapping[str, float]
    to_sign_usd: float
    lines: tuple[StudyLine, ...]
    weeks: Mapping[str, ServedBy] = field(default_factory=dict)

    @property
    def reserved_share(self) -> float | None:
        """Share of requests that reserved units serve; None: there are no requests."""
        reserved = sum(sum(week.reserved_rph) for week in self.weeks.values())
        total = sum(sum(week.total_rph) for week in self.weeks.values())
        return reserved / total if total > 0 else None


_RULES: Mapping[str, str] = {
    "balance": "the demand",
    "mix": "the mix of models",
    "guaranteed": "the guaranteed share",
    "reserved": "the units that can be bought or are owed",
    "deployment": "the units that can be bought or are owed",
    "scaled": "the units that can run by the hour",
    "quota": "quotas",
    "egress": "caps on data between regions",
    "cross_region_share": "the cap on requests served outside their origin",
    "budget": "the budget",
    "headroom": "headroom",
}


def against_in_words(names: Iterable[str]) -> str:
    """Say which rules and stress cases cannot be kept together; blank: it is not known."""
    found = []
    for name in names:
        lost = name.removeprefix("failover ")
        found.append(f"the loss of {lost}" if lost != name else _RULES.get(name, name.replace("_", " ")))
    told = list(dict.fromkeys(found))
    if not told:
        return ""
    listed = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    return f"No plan exists, not even with units of any size: it fails on {listed}."


def picture_of(answer: WarmAnswer) -> Picture:
    """Put together what the continuous optimum of a case comes to."""
    lines = study_lines(answer.case, purchases(answer.sets, answer.parts))
    return Picture(
        total_usd=answer.totals.total_usd,
        parts=answer.totals.parts(),
        to_sign_usd=sum(line.usd for line in lines),
        lines=lines,
        weeks=_weeks(answer),
    )


def study_lines(case: Case, bought: pd.DataFrame) -> tuple[StudyLine, ...]:
    """List purchases (a frame with PURCHASE_COLUMNS) with what their whole terms are signed for."""
    return tuple(
        StudyLine(n.offer.offer, n.offer.pool, n.region, n.period, n.offer.term_months, n.units, n.term_usd,
                  n.offer.term_days)
        for n in purchase_lines(case, bought)
    )  # fmt: skip


def _weeks(answer: WarmAnswer) -> dict[str, ServedBy]:
    """Add up expected flows by region and hour of the week; a week counts as often as it occurs."""
    whole = answer.sets.slots
    hour, weeks = whole["hour_of_week"].to_numpy(int), whole["weeks"].to_numpy(float)
    occurs = np.bincount(hour, weeks, HOURS_PER_WEEK)
    sums: dict[tuple[str, bool], np.ndarray] = {}
    for part in answer.parts:
        region, reserved = part.sets.arcs["region"].to_numpy(object), part.sets.arcs["reserved"].to_numpy(bool)
        entry, slot = original_slots(part.sets, part.flow_slot)
        arc, expected = part.flow_arc[entry], part.flow[entry] * weeks[slot] * REQUESTS_PER_THOUSAND
        for name in set(region[arc]):
            for own in (True, False):
                here = (region[arc] == name) & (reserved[arc] == own)
                found = np.bincount(hour[slot[here]], expected[here], HOURS_PER_WEEK)
                sums[name, own] = sums.get((name, own), np.zeros(HOURS_PER_WEEK)) + found
    times = np.where(occurs > 0, occurs, 1.0)
    return {
        name: ServedBy(*(tuple(np.round(sums[name, own] / times, 4).tolist()) for own in (True, False)))
        for name in sorted({name for name, _ in sums})
    }
