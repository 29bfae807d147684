r"""The cost of a task as a closed formula of ten factors, so that a change can be divided among them without solving.

For a workload w, in a month or over the horizon, with models i, places c (origin and region), pools r and options k:

    usd_per_task = requests_per_task · ( Σ_{i,c} model_share_i · place_share_{c|i} · served_{i,c}  +  standby )

    served_{i,c} = covered · Σ_r supply_share_r · Σ_meters units_per_request · usd_per_unit_hour · paid
                 + (1 − covered) · Σ_k supply_share_k · Σ_t tokens_t · price_{t,k}
                 + GB_in · price_in + GB_out · price_out
    units_per_request = Σ_t tokens_t · weight_t · burst / (60 · tokens_per_minute_per_unit)       [unit-hours]
    standby           = Σ accounts unit-hours on standby per request · usd_per_unit_hour

with t = fresh, cached, written, output tokens from lengths and cache rates; `paid` = 1 / utilisation: unit-hours paid
for one used. With the values of a span it gives the attributed cost (metrics.capacity_cost) exactly. usd_per_unit_hour
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

from collections.abc import Callable
from typing import Final

import numpy as np

from planner.features.tasks.sides import Pair, Sides
from planner.plan.flows import Floats
from planner.plan.joins import Ints

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
