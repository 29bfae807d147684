"""The digest that names an input in every report: SHA-256 of its content, the same for any order of rows.

A column that is blank or at its default is left out, so a planner that knows more columns finds the same digest.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Any

import pandas as pd
from pydantic import BaseModel
from pydantic_core import to_json

if TYPE_CHECKING:
    from planner.schema.case import Case

DIGEST_FORMAT = 2  # raise it when a default changes: a blank cell then means something else

_SOURCE = ("source", "as_of", "note")
_TABLES_0_1_0 = {
    "regions": ("region", "fails", "provider", "time_zone"),
    "models": ("model", "tier"),
    "workloads": (
        "workload", "kind", "requests_per_task", "input_tokens", "output_tokens", "cache_hit_rate", "cache_write_rate",
        "on_demand_cache_hit_rate", "headroom", "reserved_headroom", "failover_share", "burst_factor",
        "guaranteed_share", "serving_regions", "bytes_per_token", "extra_bytes_in", "extra_bytes_out",
    ),
    "mix": ("workload", "model", "min_share", "max_share"),
    "scenarios": ("scenario", "probability", "on_demand_price_factor"),
    "pools": ("pool", "region", "usd_per_unreserved_unit_hour", "shared_hourly"),
    "throughput": (
        "pool", "model", "meter", "tokens_per_minute_per_unit", "input_weight", "cached_input_weight",
        "cache_write_weight", "output_weight", "min_units", "unit_step",
    ),
    "offers": (
        "offer", "pool", "meter", "term_months", "usd_per_unit_hour", "list_usd_per_unit_hour", "product", "min_units",
        "unit_step", "max_units",
    ),
    "commitments": ("offer", "units", "start", "end"),
    "on_demand": (
        "region", "model", "option", "usd_per_mtok_input", "usd_per_mtok_cached_input", "usd_per_mtok_cache_write",
        "usd_per_mtok_output", "tokens_per_minute_quota", "quota_cached_weight", "quota_output_weight", "guaranteed",
    ),
    "routes": ("origin", "destination", "usd_per_gb", "max_gb_per_month"),
}  # fmt: skip
_SETTINGS_0_1_0: dict[str, Any] = {
    "name": None,
    "horizon": {"start": None, "months": None},
    "policy": {
        "headroom": None, "reserved_headroom": None, "whole_units": None, "tail_value": None,
        "failover": {"enabled": None, "share": None, "on_demand_trust": None},
        "egress": {"max_cross_region_share": None},
        "max_commitment_usd": None,
    },
}  # fmt: skip


def input_digest(case: "Case") -> str:
    """Digest of a case's input."""
    from planner.schema.case import DEMAND_COLUMNS, TABLES

    h = hashlib.sha256(f"planner input {DIGEST_FORMAT}\n{_told(case.settings)}".encode())
    for table in TABLES:
        if table.name != "demand" and (rows := case.rows(table.name)):
            h.update("\n".join([f"\n{table.name}", *sorted(_told(row) for row in rows)]).encode())
    for name in DEMAND_COLUMNS:
        values = case.demand[name]
        h.update(f"\n{name}\n".encode())
        if values.dtype.kind in "fi":
            h.update(values.to_numpy().tobytes())
        else:  # names: the distinct ones, and which of them each row holds
            codes, names = pd.factorize(values)
            h.update(json.dumps([str(n) for n in names]).encode() + codes.astype("int64").tobytes())
    return h.hexdigest()


def is_input_of(case: "Case", digest: str) -> bool:
    """Whether a digest names the input of a case, be it written by this planner or by planner 0.1.0."""
    return digest in (case.digest, _digest_0_1_0(case))


def _told(row: BaseModel) -> str:
    return row.model_dump_json(exclude_defaults=True)


def _digest_0_1_0(case: "Case") -> str | None:
    """Digest as planner 0.1.0 made it: every field that it knew, blank or not; None: it knew less than this holds."""
    from planner.schema.case import DEMAND_COLUMNS, TABLES

    settings = _as_0_1_0(case.settings, _SETTINGS_0_1_0)
    if settings is None:
        return None
    if any(case.rows(t.name) for t in TABLES if t.name not in (*_TABLES_0_1_0, "demand")):
        return None
    h = hashlib.sha256(to_json(settings))
    for table, fields in _TABLES_0_1_0.items():
        h.update(f"\n{table}\n".encode())
        for row in case.rows(table):
            known = _as_0_1_0(row, dict.fromkeys((*_SOURCE, *fields)))
            if known is None:
                return None
            h.update(to_json(known))
    for name in DEMAND_COLUMNS:
        values = case.demand[name]
        h.update(f"\n{name}\n".encode())
        if values.dtype.kind in "fi":
            h.update(values.to_numpy().tobytes())
        else:
            codes, names = pd.factorize(values)
            h.update("\x1f".join(map(str, names)).encode() + codes.astype("int64").tobytes())
    return h.hexdigest()


def _as_0_1_0(model: BaseModel, fields: dict[str, Any]) -> dict[str, Any] | None:
    """Return the values of the fields that were known, in their order; None where another field holds something."""
    if set(model.model_dump(exclude_defaults=True)) - fields.keys():
        return None
    found: dict[str, Any] = {}
    for name, inner in fields.items():
        value = getattr(model, name)
        found[name] = value if inner is None else _as_0_1_0(value, inner)
        if inner is not None and found[name] is None:
            return None
    return found
