"""The plan hour by hour: what each kind of supply serves in each region, of each model, in each month."""

from dataclasses import dataclass, replace

import numpy as np

from planner.plan.flows import Floats
from planner.plan.frames import Ints
from planner.plan.reading import Reading
from planner.schema.capacity import SHARED_DEPLOYMENT
from planner.units import HOURS_PER_WEEK

_DIGITS = 4  # of a request per hour: beyond what any chart shows

Week = Floats  # 168 values
Key = tuple[str, str, str]  # region or pool, model, period


@dataclass(frozen=True)
class ServedWeek:
    """One region, model and month; expected over scenarios; 168 values each, requests per hour.

    capacity_rph : what the deployed units can serve at each hour's mix of requests, headroom kept; in a pool whose
        units move between models by the hour, this model's share of them.
    level_rph : the same at the month's mix of requests.
    arrived_rph : what is served here in the week, by the hour in which it arose; None where nothing can wait.
    scaled_rph : what units that run by the hour serve; None where no pool sells them.
    """

    region: str
    model: str
    period: str
    scenarios: int
    reserved_rph: list[float]
    on_demand_rph: list[float]
    capacity_rph: list[float]
    level_rph: float
    arrived_rph: list[float] | None = None
    scaled_rph: list[float] | None = None

    @property
    def waits(self) -> bool:
        """Whether some of it is served in a later hour than it arose in."""
        came = self.arrived_rph
        return came is not None and any(abs(a - b) > 2 * 10.0**-_DIGITS for a, b in zip(came, self.demand_rph))

    @property
    def demand_rph(self) -> list[float]:
        """All that is served here."""
        both = [a + b for a, b in zip(self.reserved_rph, self.on_demand_rph, strict=True)]
        return both if self.scaled_rph is None else [a + b for a, b in zip(both, self.scaled_rph, strict=True)]


def served_weeks(reading: Reading) -> list[ServedWeek]:
    """Every region, model and month in which something is served or deployed, sorted."""
    names, flows = reading.names, reading.dispatch[0]
    _, _, model, region, _ = names.codes(flows.ways)
    place, reserved = region * len(names.models) + model, flows.ways["reserved"].to_numpy(bool)
    pairs = [(r, m) for r in names.regions for m in names.models]
    came = _weeks(reading, place, len(pairs), arrival=True) if reading.case.work_can_wait else None
    held, paid = (_weeks(reading, np.where(own, place, -1), len(pairs)) for own in (reserved, ~reserved))
    run = None
    if any(p.usd_per_scaled_unit_hour is not None for p in reading.case.pools):
        run = _weeks(reading, np.where(reserved, place, -1), len(pairs), counted=reading.by_scaled.of_flow)
        held = np.maximum(held - run, 0.0)
    served = np.zeros((len(pairs), len(names.periods)), bool)
    np.logical_or.at(served, (place[flows.way], flows.place // HOURS_PER_WEEK % len(names.periods)), flows.rph != 0)
    capacity = _capacity(reading)
    keys = {(*pairs[k], names.periods[p]): (k, p) for k in range(len(pairs)) for p in range(len(names.periods))}
    nothing = np.zeros(HOURS_PER_WEEK), 0.0
    weeks = []
    for key, at in sorted(keys.items()):
        if served[at] or key in capacity:
            hours, level = capacity.get(key, nothing)
            weeks.append(
                ServedWeek(
                    *key,
                    scenarios=len(names.scenarios),
                    reserved_rph=np.round(held[at], _DIGITS).tolist(),
                    on_demand_rph=np.round(paid[at], _DIGITS).tolist(),
                    capacity_rph=np.round(hours, _DIGITS).tolist(),
                    level_rph=round(float(level), _DIGITS),
                    arrived_rph=None if came is None else np.round(came[at], _DIGITS).tolist(),
                    scaled_rph=None if run is None else np.round(run[at], _DIGITS).tolist(),
                )
            )
    return weeks


def _weeks(
    reading: Reading,
    group: Ints,
    groups: int,
    per_request: Floats | None = None,
    *,
    arrival: bool = False,
    counted: Floats | None = None,
) -> Floats:
    """Add up expected requests per hour (times `per_request`) by group of way: groups x periods x hours of the week.

    arrival : in the hours in which they arose. counted : share of each flow that counts; None: all of it.
    """
    flows = reading.dispatch[0]
    flows = flows if counted is None else replace(flows, rph=flows.rph * counted)
    sums = flows.sums(group, groups, reading.names.slot_count, per_request, arrival=arrival)
    names, probability = reading.names, np.array([s.probability for s in reading.case.scenarios])
    shape = groups, len(names.scenarios), len(names.periods), HOURS_PER_WEEK
    expected: Floats = np.einsum("gsph,s->gph", sums.reshape(shape), probability)
    return expected


def _capacity(reading: Reading) -> dict[Key, tuple[Week, float]]:
    """Find what the deployments of a region and model can serve, requests per hour: by hour, and at the month's mix.

    A deployment serves its units over the mean load of a request; of several meters, the scarcest counts.
    """
    served, load, row = _loads_by_hour(reading)
    idle = _idle_loads(reading)
    period = {name: k for k, name in enumerate(reading.names.periods)}
    regions = {p.pool: p.region for p in reading.case.pools}
    scarcest: dict[Key, tuple[Week, float]] = {}
    columns = ("pool", "meter", "model", "period", "units")
    for pool, meter, only, month, units in zip(*(reading.plan.deployments[c] for c in columns), strict=True):
        shared, p = only == SHARED_DEPLOYMENT, period[month]
        models = sorted(idle.get((pool, meter), {})) if shared else [only]
        rows = {model: row[pool, meter, model] for model in models if (pool, meter, model) in row}
        whole = load[list(rows.values()), p].sum(axis=0)
        for model in models:
            if model in rows and load[rows[model], p].sum() > 0:
                own = served[rows[model], p]
                level = units * own.sum() / whole.sum()
                hours = np.where(whole > 0, units * own / np.where(whole > 0, whole, 1.0), level)
            else:
                per_request = idle.get((pool, meter), {}).get(model, 0.0)
                level = units / per_request if per_request > 0 and not shared else 0.0
                hours = np.full(HOURS_PER_WEEK, level)
            before = scarcest.get((pool, model, month))
            least = (hours, level) if before is None else (np.minimum(before[0], hours), min(before[1], level))
            scarcest[pool, model, month] = least
    found: dict[Key, tuple[Week, float]] = {}
    for (pool, model, month), (hours, level) in scarcest.items():
        key = regions[pool], model, month
        so_far = found.get(key, (np.zeros(HOURS_PER_WEEK), 0.0))
        found[key] = so_far[0] + hours, so_far[1] + level
    return found


def _idle_loads(reading: Reading) -> dict[tuple[str, str], dict[str, float]]:
    """Find the mean units of a request, headroom kept, by pool and meter and model, whatever is served."""
    loads = reading.derived.loads
    kept = (loads["units_per_request"] / loads["usable_share"]).tolist()
    found: dict[tuple[str, str], dict[str, list[float]]] = {}
    for pool, meter, model, units in zip(loads["pool"], loads["meter"], loads["model"], kept, strict=True):
        found.setdefault((pool, meter), {}).setdefault(model, []).append(units)
    return {key: {model: float(np.mean(units)) for model, units in of.items()} for key, of in found.items()}


def _loads_by_hour(reading: Reading) -> tuple[Floats, Floats, dict[tuple[str, str, str], int]]:
    """Add up expected requests and their units (with headroom): two arrays rows x periods x hours of the week.

    The row of each pool, meter and model is in the dictionary.
    """
    flows, loads = reading.dispatch[0], reading.derived.loads
    keys = list(zip(loads["pool"], loads["meter"], loads["model"], strict=True))
    row = {key: k for k, key in enumerate(dict.fromkeys(keys))}
    of_load = np.array([row[key] for key in keys], np.int64)
    shape = len(row), len(reading.names.periods), HOURS_PER_WEEK
    served, load = np.zeros(shape), np.zeros(shape)
    way, at, nth = (flows.loads[name].to_numpy(int) for name in ("way", "load", "nth"))
    kept = (flows.loads["units_per_request"] / flows.loads["usable_share"]).to_numpy(float)
    for k in range(int(nth.max(initial=-1)) + 1):
        group, units = np.full(len(flows.ways), -1, np.int64), np.zeros(len(flows.ways))
        group[way[nth == k]], units[way[nth == k]] = of_load[at[nth == k]], kept[nth == k]
        served += _weeks(reading, group, len(row))
        load += _weeks(reading, group, len(row), units)
    return served, load, row
