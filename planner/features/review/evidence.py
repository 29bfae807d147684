"""The evidence of a verdict, in sentences with its dollars."""

import math

from planner.features.review.tables import DROP, KEEP, LOWER, RAISE, WATCH, Verdict


def sentences(v: Verdict) -> tuple[str, ...]:
    """Say what speaks for the verdict, the weightiest first."""
    told = [_verdict(v)]
    if not math.isnan(v.utilisation):
        planned = "" if math.isnan(v.planned_utilisation) else f"; planned {v.planned_utilisation:.1%}"
        told.append(f"Its pool was used to {v.utilisation:.1%} in its months{planned}.")
    told.append(_margin(v))
    if v.seen_share < 1:
        told.append(f"{v.seen_share:.0%} of its hours were seen; the rest is as planned.")
    return tuple(told)


def _verdict(v: Verdict) -> str:
    change = f"{_units(v.best_units)} units in place of {_units(v.units)}"
    saved = f"would have saved ${v.saving_usd:,.0f} of the ${v.usd:,.0f} that it costs in these months"
    if v.verdict == RAISE and v.saving_usd <= 0:
        return f"{change}: with fewer, the rules cannot be kept on the actual demand."
    if v.verdict in (DROP, LOWER):
        return f"{change} {saved}."
    if v.verdict == RAISE:
        return f"{change} would have saved ${v.saving_usd:,.0f}."
    if v.verdict == WATCH:
        return f"{change} would have saved ${v.saving_usd:,.0f}: too little, or seen for too short, to act on."
    return "No other number of units would have saved enough to change it."


def _margin(v: Verdict) -> str:
    some = "its last unit" if v.step_units == 1 else f"each of its last {_units(v.step_units)} units"
    price = f"A unit costs ${v.price_usd:,.2f} in these months"
    if v.last_unit_usd is None:
        return f"{price}; without {some.replace('each of ', '')} the rules cannot be kept."
    told = f"{price}; {some} was worth ${max(0.0, v.last_unit_usd):,.2f}"
    if v.next_unit_usd is not None:
        told += f", of as many more each ${max(0.0, v.next_unit_usd):,.2f}"
    if v.verdict == KEEP and v.last_unit_usd < v.price_usd - 0.005:
        told += "; fewer would not have saved enough, or would not have on the forecast either, where sizes forbid it"
    return told + "."


def _units(n: float) -> str:
    return f"{n:,.0f}" if abs(n - round(n)) < 1e-6 else f"{n:,.2f}"
