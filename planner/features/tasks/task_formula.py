"""The cost of a task as a closed formula of ten factors, so that a change can be divided among them without solving.

For a workload w, in a month or over the horizon, with models i, places c (origin and region), pools r and options k:

    usd_per_task = requests_per_task · ( Σ_{i,c} model_share_i · place_share_{c|i} · served_{i,c}  +  standby )

    served_{i,c} = covered · Σ_r supply_share_r · Σ_meters units_per_request · usd_per_unit_hour · paid
                 + (1 − covered) · Σ_k supply_share_k · Σ_t tokens_t · price_{t,k}
                 + GB_in · price_in + GB_out · price_out
    units_per_request = Σ_t tokens_t · weight_t · burst / (60 · tokens_per_minute_per_unit)       [unit-hours]
    standby           = Σ accounts unit-hours on standby per request · usd_per_unit_hour

with t = fresh, cached, written, output tokens from lengths and cache rates; `paid` = 1 / utilisation: unit-hours paid
for one used. With the values of a span it gives the attributed cost (metrics.task_costs) exactly. usd_per_unit_hour
is what all commitments of a pool cost in the span over all their unit-hours.

Volume moves the cost of a task only through units that do not follow it. Let v = ln(volume after / before), in
requests per hour (so that a short month is not less volume). If the units stayed, utilisation would move with volume,
and the covered share against it. So of the change

    ln(utilisation after / before)    volume explains the part that lies between 0 and  v (all workloads on the units)
    ln(covered after / before)        volume explains the part that lies between 0 and −v (the workload's own)
    ln(requests per standby unit)     volume explains the part that lies between 0 and  v

and utilisation, and coverage, the rest: units bought or dropped beyond what volume asked for, tokens that fill them
more or less, hours that fit them better. Where units follow volume, utilisation stays, and neither factor moves.
A share or standby that is 0 on one side belongs to coverage, or utilisation, whole.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from planner.features.tasks.span import Key, Keyed, Span, codes
from planner.plan.flows import Bools, Floats
from planner.plan.frames import Ints
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


VOLUME: Final = "volume"
PRICE: Final = "price"
MIX: Final = "mix"
REGIONS: Final = "regions"
CACHE: Final = "cache"
TOKENS: Final = "tokens"
TASK_SIZE: Final = "task_size"
THROUGHPUT: Final = "throughput"
COVERAGE: Final = "coverage"
UTILISATION: Final = "utilisation"

TASKS: Final = "tasks"  # of a change in dollars: more or fewer tasks at the same cost of a task; never of a task's cost

MEANING: dict[str, str] = {
    VOLUME: "more or fewer tasks for the same units: a fixed cost spread over them, and overflow",
    PRICE: "prices of a unit-hour, a token on demand and a gigabyte between regions",
    MIX: "which models serve the requests",
    REGIONS: "where requests arise and where they are served, egress included",
    CACHE: "cache hit and write rates",
    TOKENS: "input and output tokens (and bytes) per request",
    TASK_SIZE: "requests per task",
    THROUGHPUT: "what a unit serves: tokens per minute, weights, bursts",
    COVERAGE: "the share of demand served by reserved units, beyond what volume explains",
    UTILISATION: "the used share of reserved units, beyond what volume explains",
}
FACTORS: tuple[str, ...] = tuple(MEANING)
LABEL: dict[str, str] = {
    **{name: name for name in FACTORS}, CACHE: "cache rate", TOKENS: "token lengths", MIX: "model mix",
    TASK_SIZE: "requests per task", TASKS: "number of tasks",
}  # fmt: skip


SAME = 1e-12  # relative: inputs closer than that are equal
Changed = frozenset[str]


def cost_of_task(s: Sides) -> tuple[Callable[[Changed], Floats], tuple[str, ...]]:
    """Return the formula, as a function of which factors have their value after, and the factors that differ.

    The function returns USD of a task for each of `s.workloads`.
    """
    covered, paid, standby = _moves(s.covered, -s.volume_of_workload[s.flow_workload]), *_paid(s)
    count = len(s.workloads)

    def value(changed: Changed) -> Floats:
        def at(pair: Pair, factor: str) -> Floats:
            return pair[factor in changed]

        reserved_tokens, bought_tokens = _tokens(s, changed)
        cover = covered(VOLUME in changed, COVERAGE in changed)
        supply = np.where(s.reserved, cover, 1 - cover) * at(s.supply_share, COVERAGE)
        share = at(s.model_share, MIX) * at(s.place_share, REGIONS) * supply
        token_usd = (bought_tokens[s.flow_workload] * at(s.token_usd, PRICE)).sum(axis=1)
        gigabytes = at(s.tokens, TOKENS) * at(s.gb_per_token, TOKENS)[:, None] + at(s.extra_gb, TOKENS)
        egress_usd = (gigabytes[s.flow_workload] * at(s.usd_per_gb, PRICE)).sum(axis=1)
        usd = share * (np.where(s.reserved, 0.0, token_usd) + egress_usd)
        weighted = (reserved_tokens[s.load_workload] * at(s.weights, THROUGHPUT)).sum(axis=1)
        rate = at(s.unit_usd, PRICE) * paid(VOLUME in changed, UTILISATION in changed)
        loaded = share[s.load_flow] * weighted * at(s.unit_hours_per_token, THROUGHPUT) * rate
        kept = at(s.standby_usd, PRICE) * standby(VOLUME in changed, UTILISATION in changed)
        total = _sum(s.flow_workload, usd, count) + _sum(s.load_workload, loaded, count)
        return at(s.requests_per_task, TASK_SIZE) * (total + _sum(s.standby_workload, kept, count))

    return value, _differing(s)


def _paid(s: Sides) -> tuple[Callable[[bool, bool], Floats], Callable[[bool, bool], Floats]]:
    """Unit-hours paid for one used, and standby unit-hours per request, by whether volume and utilisation changed."""
    return _moves(s.inverse, -s.volume_of_load), _moves(s.standby, -s.volume_of_workload[s.standby_workload])


def _moves(pair: Pair, most: Floats) -> Callable[[bool, bool], Floats]:
    """Split the change of a quantity in two steps: what volume explains (between 0 and `most`, as ln), and the rest."""
    before, after = pair
    both = (before > 0) & (after > 0)
    change = np.log(np.where(both, after, 1.0)) - np.log(np.where(both, before, 1.0))
    step = np.exp(np.clip(change, np.minimum(0.0, most), np.maximum(0.0, most)))
    found = {(False, False): before, (True, True): after, (True, False): np.where(both, before * step, before),
             (False, True): np.where(both, after / step, after)}  # fmt: skip
    return lambda volume, rest: found[bool(volume), bool(rest)]


def _tokens(s: Sides, changed: Changed) -> tuple[Floats, Floats]:
    """Fresh, cached, written and output tokens of a request, reserved and on demand: workloads x KINDS."""
    tokens, out = s.tokens[TOKENS in changed].T
    reserved_hit, bought_hit, written = s.rates[CACHE in changed].T
    reserved, bought = (
        np.column_stack([tokens * (1 - hit - written), tokens * hit, tokens * written, out])
        for hit in (reserved_hit, bought_hit)
    )
    return reserved, bought


def _sum(group: Ints, amount: Floats, groups: int) -> Floats:
    total: Floats = np.bincount(group, amount, groups).astype(float)
    return total


def _differing(s: Sides) -> tuple[str, ...]:
    """Factors with an input that differs: only these can have a part in the change (Shapley's null player)."""
    volume = np.exp(s.volume_of_workload), np.exp(s.volume_of_load)
    inputs: dict[str, tuple[Pair, ...]] = {
        VOLUME: tuple((np.ones(len(v)), v) for v in volume),
        PRICE: (s.token_usd, s.usd_per_gb, s.unit_usd, s.standby_usd),
        MIX: (s.model_share,),
        REGIONS: (s.place_share,),
        CACHE: (s.rates,),
        TOKENS: (s.tokens, s.gb_per_token, s.extra_gb),
        TASK_SIZE: (s.requests_per_task,),
        THROUGHPUT: (s.weights, s.unit_hours_per_token),
        COVERAGE: (s.covered, s.supply_share),
        UTILISATION: (s.inverse, s.standby),
    }
    return tuple(f for f in FACTORS if any(not _same(*pair) for pair in inputs[f]))


def _same(before: Floats, after: Floats) -> bool:
    return bool((np.abs(after - before) <= SAME * np.maximum(np.abs(before), np.abs(after))).all())
