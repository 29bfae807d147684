"""Who may serve whom: every way from a need to a pool or an on-demand option, with its loads and costs.

The formulas are those of docs/model.md, "What follows from the input".
"""

from dataclasses import dataclass
from operator import attrgetter

import numpy as np
import pandas as pd

from planner.model.sets import Floats, Sets
from planner.schema.capacity import SHARED_DEPLOYMENT, OnDemand
from planner.schema.case import Case
from planner.units import BYTES_PER_GB, MINUTES_PER_HOUR, REQUESTS_PER_THOUSAND, TOKENS_PER_MTOK

_OF_WAYS = ("regions", "workloads", "mix", "pools", "throughput", "routes")
_PRICES = ("usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_cache_write", "usd_per_mtok_output")
_APART = (*_PRICES, "tokens_per_minute_quota")  # of an on-demand option: put in again, or in a table of its own
_FIXED = attrgetter(*(name for name in OnDemand.model_fields if name not in _APART))


@dataclass(frozen=True)
class Ways:
    """Every way to serve a need, its load on deployments (units per krph) and on quota (tokens/minute per krph)."""

    arcs: pd.DataFrame
    loads: pd.DataFrame
    quota_load: Floats


def plain(table: pd.DataFrame) -> pd.DataFrame:
    """Names, also of columns, as plain Python strings: quicker to look up than the kind that pandas infers."""
    columns = [table[name] for name in table]
    found = {k: c.astype(object) if isinstance(c.dtype, pd.StringDtype) else c for k, c in enumerate(columns)}
    plain = pd.DataFrame(found, index=table.index)
    plain.columns = pd.Index([str(name) for name in table], dtype=object)
    return plain


def ways_of(case: Case, needs: pd.DataFrame, deployments: pd.DataFrame, like: Sets | None = None) -> Ways:
    """List the ways to serve; those of a case that has the same, but for prices on demand, are taken from there."""
    old = None if like is None else like.case
    if (
        like is not None
        and old is not None
        and all(getattr(case, name) == getattr(old, name) for name in _OF_WAYS)
        and [_FIXED(o) for o in case.on_demand] == [_FIXED(o) for o in old.on_demand]
        and all(list(needs[name]) == list(like.needs[name]) for name in ("origin", "workload"))
    ):
        usd = _usd(case, like.arcs)
        arcs = like.arcs if np.array_equal(usd, like.arcs["usd"].to_numpy()) else like.arcs.assign(usd=usd)
        return Ways(arcs, like.loads, like.quota_load)
    ways = _ways(case, needs).merge(_tokens(case), on="workload")
    pooled, loads = _reserved_arcs(case, ways, deployments)
    paid = _on_demand_arcs(case, ways)
    arcs = pd.concat([pooled, paid], ignore_index=True)
    arcs["priced"] = True
    arcs["at_once"] = False
    quota_load = arcs.pop("quota_load").to_numpy(float)
    arcs["usd"] = _usd(case, arcs)
    return Ways(plain(arcs), plain(loads), quota_load)


def _tokens(case: Case) -> pd.DataFrame:
    """Tokens and gigabytes of a thousand requests of each workload, by reserved units and on demand."""
    rows = []
    for w in case.workloads:
        hit = w.cache_hit_rate
        paid_hit = hit if w.on_demand_cache_hit_rate is None else w.on_demand_cache_hit_rate
        k = REQUESTS_PER_THOUSAND
        rows.append(
            {
                "workload": w.workload,
                "burst": w.burst_factor,
                "fresh": k * w.input_tokens * (1 - hit - w.cache_write_rate),
                "cached": k * w.input_tokens * hit,
                "paid_fresh": k * w.input_tokens * (1 - paid_hit - w.cache_write_rate),
                "paid_cached": k * w.input_tokens * paid_hit,
                "written": k * w.input_tokens * w.cache_write_rate,
                "output": k * w.output_tokens,
                "gb_in": k * (w.input_tokens * w.bytes_per_token + w.extra_bytes_in) / BYTES_PER_GB,
                "gb_out": k * (w.output_tokens * w.bytes_per_token + w.extra_bytes_out) / BYTES_PER_GB,
            }
        )
    return pd.DataFrame(rows)


def _ways(case: Case, needs: pd.DataFrame) -> pd.DataFrame:
    """Need, model and region that may serve it, with the egress price of a gigabyte each way."""
    models: dict[str, list[str]] = {}
    for m in case.mix:
        models.setdefault(m.workload, []).append(m.model)
    of = {w.workload: w for w in case.workloads}
    price = {pair: route.usd_per_gb for pair, route in case.route.items()}
    rows = []
    for k, (o, name) in enumerate(zip(needs["origin"], needs["workload"])):
        for region in case.regions:
            s = region.region
            if not case.may_serve(of[name], o, s):
                continue
            there = 0.0 if o == s else price[o, s]
            back = 0.0 if o == s else price.get((s, o), there)
            rows += [
                (k, o, name, model, s, there, back, o != s, of[name].deadline_hours) for model in models.get(name, ())
            ]
    return pd.DataFrame(
        rows, columns=["need", "origin", "workload", "model", "region", "usd_there", "usd_back", "away", "latest_hours"]
    ).astype({"away": bool, "latest_hours": np.int64})


_ARC = ["need", "origin", "workload", "model", "region", "supply", "reserved", "quota", "guaranteed", "usd",
        "egress_usd", "gb_in", "gb_out", "away", "latest_hours", "quota_load"]  # fmt: skip


def _reserved_arcs(case: Case, ways: pd.DataFrame, deployments: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Arcs to pools, and units per krph = burst x weighted tokens / (60 x tokens per minute per unit)."""
    pools = {p.pool: p for p in case.pools}
    number = {
        (p, m, part): k
        for k, (p, m, part) in enumerate(zip(deployments["pool"], deployments["meter"], deployments["model"]))
    }
    rows = []
    for t in case.throughput:
        pool = pools[t.pool]
        part = SHARED_DEPLOYMENT if pool.shared_hourly else t.model
        write = t.input_weight if t.cache_write_weight is None else t.cache_write_weight
        rows.append((t.pool, pool.region, t.model, number[t.pool, t.meter, part], t.tokens_per_minute_per_unit,
                     t.input_weight, t.cached_input_weight, write, t.output_weight))  # fmt: skip
    rates = pd.DataFrame(rows, columns=["supply", "region", "model", "deployment", "rate", "wi", "wc", "ww", "wo"])
    served = ways.merge(rates[["supply", "region", "model"]].drop_duplicates(), on=["region", "model"])
    served = served.sort_values(["need", "model", "region", "supply"], ignore_index=True)
    served["arc"] = np.arange(len(served))
    load = served.merge(rates, on=["supply", "region", "model"])
    weighted = (
        load["fresh"] * load["wi"] + load["cached"] * load["wc"] + load["written"] * load["ww"]
        + load["output"] * load["wo"]
    )  # fmt: skip
    load["units"] = load["burst"] * weighted / (MINUTES_PER_HOUR * load["rate"])
    served["egress_usd"] = served["gb_in"] * served["usd_there"] + served["gb_out"] * served["usd_back"]
    arcs = served.assign(reserved=True, quota=-1, guaranteed=True, usd=0.0, quota_load=0.0)
    return arcs[_ARC], load[["arc", "deployment", "units"]].sort_values(["arc", "deployment"], ignore_index=True)


def _on_demand_arcs(case: Case, ways: pd.DataFrame) -> pd.DataFrame:
    """Arcs to on-demand options, and their load on quota per thousand requests; their price follows (`_usd`)."""
    rows = [
        (q.region, q.model, q.option, k, q.guaranteed, q.quota_cached_weight, q.quota_output_weight, q.deadline_hours)
        for k, q in enumerate(case.on_demand)
    ]
    columns = ["region", "model", "supply", "quota", "guaranteed", "qc", "qo", "answers_within"]
    options = pd.DataFrame(rows, columns=columns).astype({"guaranteed": bool, "answers_within": np.int64})
    a = ways.merge(options, on=["region", "model"]).sort_values(
        ["need", "model", "region", "supply"], ignore_index=True
    )
    a = a.assign(latest_hours=a["latest_hours"] - a["answers_within"])
    a = a[a["latest_hours"] >= 0].reset_index(drop=True)  # an option too slow for its work is no way to serve it
    counted = a["paid_fresh"] + a["written"] + a["paid_cached"] * a["qc"] + a["output"] * a["qo"]
    a = a.assign(
        reserved=False,
        usd=0.0,
        egress_usd=a["gb_in"] * a["usd_there"] + a["gb_out"] * a["usd_back"],
        quota_load=a["burst"] * counted / MINUTES_PER_HOUR,
    )
    return a[_ARC]


def _usd(case: Case, arcs: pd.DataFrame) -> Floats:
    """Price the tokens of a thousand requests on each way: on demand at its option's prices, reserved at none."""
    found = np.zeros(len(arcs))
    option = arcs["quota"].to_numpy(int)
    paid = option >= 0
    if not paid.any():
        return found
    rows = []
    for q in case.on_demand:
        fresh = q.usd_per_mtok_input
        cached = fresh if q.usd_per_mtok_cached_input is None else q.usd_per_mtok_cached_input
        written = fresh if q.usd_per_mtok_cache_write is None else q.usd_per_mtok_cache_write
        rows.append((fresh, cached, written, q.usd_per_mtok_output))
    pi, pc, pw, po = np.array(rows, dtype=float)[option[paid]].T
    tokens = _tokens(case)
    number = {name: k for k, name in enumerate(tokens["workload"])}
    of = np.array([number[name] for name in arcs["workload"].to_numpy(object)[paid]], dtype=np.int64)
    asked = {name: tokens[name].to_numpy(float)[of] for name in ("paid_fresh", "paid_cached", "written", "output")}
    usd = asked["paid_fresh"] * pi + asked["paid_cached"] * pc + asked["written"] * pw + asked["output"] * po
    found[paid] = usd / TOKENS_PER_MTOK
    return found
