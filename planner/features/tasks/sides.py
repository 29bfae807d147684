"""Two spans side by side: every input of the formula as a pair of arrays (before, after) on the same rows."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.features.tasks.span import Key, Keyed, Span, codes
from planner.plan.flows import Bools, Floats
from planner.plan.joins import Ints
from planner.schema.capacity import SHARED_DEPLOYMENT

Pair = tuple[Floats, Floats]  # before, after


@dataclass(frozen=True)
class Sides:
    """Inputs of the formula. Rows: workloads with requests in both spans; flows and loads of these in either span.

    What one span does not know (a way it does not use, a pool it does not hold) is taken from the other: it weighs
    nothing there.

    workloads, flows : names of the rows (a flow: origin, workload, model, region, supply). flow_workload, load_flow,
        load_workload, standby_workload : row that a row belongs to. reserved : of flows.
    workloads' rows: per_hour (requests), requests_per_task, tokens (in, out), rates (cache: reserved hit, on-demand
        hit, written), gb_per_token, extra_gb (in, out).
    flows' rows: model_share of the workload; place_share (origin and region) of the model; covered, by reserved units,
        of the place; supply_share: of one pool or option, of what reserved units, or on demand, serve there;
        token_usd (fresh, cached, written, output); usd_per_gb (in, out).
    loads' rows: weights (of the same tokens); unit_hours_per_token, bursts included; unit_usd: of a unit-hour;
        inverse: unit-hours paid for one used; used: unit-hours.
    standby's rows (workload and account): standby_unit_hours; standby: those per request; standby_usd: of a unit-hour.
    volume_of_workload, volume_of_load : ln of the volume's change; of a load, that of all workloads on its units.
    """

    workloads: tuple[str, ...]
    flows: tuple[Key, ...]
    flow_workload: Ints
    reserved: Bools
    load_flow: Ints
    load_workload: Ints
    standby_workload: Ints
    per_hour: Pair
    requests_per_task: Pair
    tokens: Pair
    rates: Pair
    gb_per_token: Pair
    extra_gb: Pair
    model_share: Pair
    place_share: Pair
    covered: Pair
    supply_share: Pair
    token_usd: Pair
    usd_per_gb: Pair
    weights: Pair
    unit_hours_per_token: Pair
    unit_usd: Pair
    inverse: Pair
    used: Pair
    standby: Pair
    standby_unit_hours: Pair
    standby_usd: Pair
    volume_of_workload: Floats
    volume_of_load: Floats

    @classmethod
    def of(cls, before: Span, after: Span) -> "Sides":
        """Lay two spans side by side."""
        names = sorted(_asked(before) & _asked(after))
        number = {name: k for k, name in enumerate(names)}
        flows = _union(before.flows, after.flows, 1, number)
        loads = _union(before.loads, after.loads, 1, number)
        standby = _union(before.standby, after.standby, 0, number)
        accounts = _accounts_of(loads, before, after)
        load_workload = np.array([number[key[1]] for key in loads], dtype=np.int64)
        standby_workload = np.array([number[key[0]] for key in standby], dtype=np.int64)
        place = {key: k for k, key in enumerate(flows)}

        def both(table: str, keys: Sequence[Key], column: str, missing: float = np.nan) -> Pair:
            first, second = (getattr(s, table) for s in (before, after))
            return (first.take(column, first.rows_of(keys), missing),
                    second.take(column, second.rows_of(keys), missing))  # fmt: skip

        rows = [(name,) for name in names]
        asked = both("workloads", rows, "requests")
        per_hour = asked[0] / before.hours, asked[1] / after.hours
        reserved = _filled(*both("flows", flows, "reserved"))[0] > 0
        requests = both("flows", flows, "requests", 0.0)
        shares = [_shares(flows, reserved, n) for n in requests]
        price_factor = _filled(*both("flows", flows, "price_factor"))
        token_usd = _filled(*both("prices", [(k[3], k[2], k[4]) for k in flows], "token_usd"))
        burst = both("workloads", rows, "burst")
        per_token = _filled(*both("weights", [(k[4], k[2], k[5]) for k in loads], "unit_hours_per_token"))
        own, shared = both("loads", loads, "inverse"), both("accounts", accounts, "inverse")
        kept = both("standby", standby, "unit_hours", 0.0)
        return cls(
            workloads=tuple(names),
            flows=flows,
            flow_workload=np.array([number[key[1]] for key in flows], dtype=np.int64),
            reserved=reserved,
            load_flow=np.array([place[key[:5]] for key in loads], dtype=np.int64),
            load_workload=load_workload,
            standby_workload=standby_workload,
            per_hour=per_hour,
            requests_per_task=both("workloads", rows, "requests_per_task"),
            tokens=both("workloads", rows, "tokens"),
            rates=both("workloads", rows, "rates"),
            gb_per_token=both("workloads", rows, "gb_per_token"),
            extra_gb=both("workloads", rows, "extra_gb"),
            model_share=_filled(shares[0][0], shares[1][0]),
            place_share=_filled(shares[0][1], shares[1][1]),
            covered=_filled(shares[0][2], shares[1][2]),
            supply_share=_filled(shares[0][3], shares[1][3]),
            token_usd=(token_usd[0] * price_factor[0][:, None], token_usd[1] * price_factor[1][:, None]),
            usd_per_gb=_filled(*both("routes", [(k[0], k[3]) for k in flows], "usd_per_gb")),
            weights=_filled(*(_weights(s, loads) for s in (before, after))),
            unit_hours_per_token=(per_token[0] * burst[0][load_workload], per_token[1] * burst[1][load_workload]),
            unit_usd=_filled(*both("accounts", accounts, "usd_per_unit_hour")),
            inverse=_filled(*(np.where(np.isnan(a), b, a) for a, b in zip(own, shared, strict=True))),
            used=both("loads", loads, "unit_hours", 0.0),
            standby_unit_hours=kept,
            standby=(kept[0] / asked[0][standby_workload], kept[1] / asked[1][standby_workload]),
            standby_usd=_filled(*both("accounts", [key[1:] for key in standby], "usd_per_unit_hour")),
            volume_of_workload=np.log(per_hour[1] / per_hour[0]),
            volume_of_load=_volume_of_accounts(accounts, before, after),
        )


def _asked(span: Span) -> set[str]:
    """Workloads with requests."""
    return {key[0] for key, n in zip(span.workloads.keys, span.workloads.columns["requests"].tolist()) if n > 0}


def _union(before: Keyed, after: Keyed, at: int, workloads: dict[str, int]) -> tuple[Key, ...]:
    return tuple(sorted(key for key in {*before.keys, *after.keys} if key[at] in workloads))


def _filled(before: Floats, after: Floats) -> Pair:
    """Fill what one side does not know from the other; 0 where neither does."""
    first, second = np.where(np.isnan(before), after, before), np.where(np.isnan(after), before, after)
    return np.nan_to_num(first, nan=0.0), np.nan_to_num(second, nan=0.0)


def _weights(span: Span, loads: Sequence[Key]) -> Floats:
    """Weights of tokens on each load's meter; 0 where the span knows the pool and model but no such meter of them."""
    served = {key[:2] for key in span.weights.keys}
    rows = span.weights.rows_of((k[4], k[2], k[5]) for k in loads)
    none = np.array([(k[4], k[2]) in served for k in loads], dtype=bool) & (rows < 0)
    found: Floats = np.where(none[:, None], 0.0, span.weights.take("weights", rows))
    return found


def _shares(flows: Sequence[Key], reserved: Bools, requests: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Divide requests step by step: model of workload, place of model, reserved of place, supply of those."""

    def total(amount: Floats, keys: Sequence[Key]) -> Floats:
        group, count = codes(keys)
        found: Floats = np.bincount(group, amount, count).astype(float)[group]
        return found

    model = total(requests, [(w, m) for _, w, m, _, _ in flows])
    places = [key[:4] for key in flows]
    place = total(requests, places)
    kind = total(requests, [(*key, str(own)) for key, own in zip(places, reserved.tolist(), strict=True)])
    served = total(np.where(reserved, requests, 0.0), places)
    with np.errstate(divide="ignore", invalid="ignore"):
        whole = total(requests, [(w,) for _, w, _, _, _ in flows])
        return model / whole, place / model, served / place, requests / kind


def _accounts_of(loads: Sequence[Key], *spans: Span) -> list[Key]:
    """Account of each load: its pool's deployment of the model, or that of all models."""
    shared = {key[:2] for s in spans for key in s.accounts.keys if key[2] == SHARED_DEPLOYMENT}
    return [(k[4], k[5], SHARED_DEPLOYMENT if (k[4], k[5]) in shared else k[2]) for k in loads]


def _volume_of_accounts(wanted: Sequence[Key], before: Span, after: Span) -> Floats:
    """Tell how the load of each account would have moved with the volume of its workloads alone, as ln.

    Fisher's index: the geometric mean of the ratio at the loads of a request before, and at those after. 0 for an
    account that is not used on both sides.
    """
    rates: list[dict[str, float]] = []
    for s in (before, after):
        told = zip(s.workloads.keys, s.workloads.columns["requests"].tolist(), strict=True)
        rates.append({key[0]: n / s.hours for key, n in told})
    sums: list[dict[Key, list[float]]] = []  # of each side: by account, load now and at the other side's volume
    for own, other, s in ((0, 1, before), (1, 0, after)):
        found: dict[Key, list[float]] = {}
        accounts = _accounts_of(s.loads.keys, before, after)
        for account, key, hours in zip(accounts, s.loads.keys, s.loads.columns["unit_hours"].tolist(), strict=True):
            total = found.setdefault(account, [0.0, 0.0])
            total[0] += hours
            total[1] += hours * rates[other].get(key[1], 0.0) / rates[own][key[1]]
        sums.append(found)
    moved: dict[Key, float] = {}
    for account in sums[0].keys() & sums[1].keys():
        (first, at_after), (second, at_before) = sums[0][account], sums[1][account]
        if at_after > 0 and at_before > 0:
            moved[account] = 0.5 * float(np.log(at_after / first * second / at_before))
    return np.array([moved.get(account, 0.0) for account in wanted], dtype=float)
