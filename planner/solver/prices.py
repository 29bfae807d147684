"""The certificate as a table of named prices, so that anyone can recompute the bound from the files alone."""

import numpy as np
import pandas as pd

from planner.model.program import LinearProgram
from planner.model.reduce.stress import StressNetwork
from planner.model.sets import Floats, Ints, Sets
from planner.plan.plan import CERTIFICATE_COLUMNS
from planner.solver.certificate import Certificate
from planner.solver.stress import Cut

Part = dict[str, np.ndarray]  # columns of some rows of the table; what does not apply is left out


def price_table(
    program: LinearProgram, certificate: Certificate, cuts: list[Cut], networks: list[StressNetwork], whole: Sets
) -> pd.DataFrame:
    """Name every price of a component's certificate; a merged slot's price is spread over its slots by weeks.

    ``whole`` has the slots before merging. Rays are numbered from 0 within the component. Columns:
    CERTIFICATE_COLUMNS.
    """
    parts = [_of_family(program, certificate, family, whole) for family in _FAMILIES]
    ray = 0
    for cut, price in zip(cuts, certificate.cut_price):
        if price > 0:
            parts += _of_ray(program.sets, networks[cut.case], cut, float(price), ray, whole)
            ray += 1
    size = [len(part["price"]) for part in parts]
    columns: dict[str, object] = {}
    for name in CERTIFICATE_COLUMNS:
        whole_number = name in ("ray", "hour_of_week")
        dtype = "float64" if name == "price" else "int64" if whole_number else object
        values = np.empty(sum(size), dtype)
        at = 0
        for part, n in zip(parts, size):
            values[at : at + n] = part.get(name, -1 if whole_number else "")
            at += n
        columns[name] = pd.Series(values, dtype=dtype)  # said, or pandas looks through every name
    return pd.DataFrame(columns)


def _named(sets: Sets, family: str, index: dict[str, Ints]) -> Part:
    """Names that tell the rows of a family apart."""

    def take(table: pd.DataFrame, column: str, rows: Ints) -> np.ndarray:
        return table[column].to_numpy(object)[rows]

    if family == "reserved":
        d = index["deployment"]
        return {"supply": take(sets.deployments, "pool", d), "meter": take(sets.deployments, "meter", d),
                "model": take(sets.deployments, "model", d)}  # fmt: skip
    if family == "quota":
        q = index["quota"]
        return {"region": take(sets.quotas, "region", q), "model": take(sets.quotas, "model", q),
                "supply": take(sets.quotas, "option", q)}  # fmt: skip
    if family in ("mix", "guaranteed"):
        named = {"origin": take(sets.needs, "origin", index["need"]),
                 "workload": take(sets.needs, "workload", index["need"])}  # fmt: skip
        return named | ({"model": take(sets.shares, "model", index["share"])} if family == "mix" else {})
    periods = np.array(sets.periods, dtype=object)
    if family == "deployment":
        m = index["meter"]
        return {"supply": take(sets.meters, "pool", m), "meter": take(sets.meters, "meter", m),
                "period": periods[index["period"]]}  # fmt: skip
    if family == "egress":
        c = index["cap"]
        return {"origin": take(sets.caps, "origin", c), "region": take(sets.caps, "destination", c),
                "period": periods[index["period"]]}  # fmt: skip
    return {}


# family, kind of its positive and of its negative prices
_FAMILIES = (
    ("reserved", None, "rent"),
    ("quota", None, "quota"),
    ("mix", "mix_low", "mix_high"),
    ("guaranteed", "guaranteed", None),
    ("deployment", None, "deployment"),
    ("egress", None, "egress"),
    ("cross_region_share", None, "cross_region_share"),
    ("budget", None, "budget"),
)


def _of_family(
    program: LinearProgram, certificate: Certificate, family: tuple[str, str | None, str | None], whole: Sets
) -> Part:
    name, above, below = family
    rows, first = program.family(name), program.first_row(name)
    price = certificate.row_price[first : first + rows.count]
    priced = np.flatnonzero(((price > 0) & (above is not None)) | ((price < 0) & (below is not None)))
    index = {key: values[priced] for key, values in rows.index.items()}
    part: Part = {
        "kind": np.where(price[priced] > 0, above or "", below or "").astype(object),
        **_named(program.sets, name, index),
        "price": np.abs(price[priced]),
    }
    return _in_slots(program.sets, part, index["slot"], whole) if "slot" in index else part


def _in_slots(sets: Sets, part: Part, slot: Ints, whole: Sets) -> Part:
    """Repeat rows of merged slots for each slot that they stand for: as `part_of_merged` divides them."""
    size = np.array([len(m) for m in sets.members], dtype=np.int64)[slot]
    row = np.repeat(np.arange(len(slot)), size)
    original = np.concatenate([sets.members[t] for t in slot]) if len(slot) else np.empty(0, np.int64)
    share = part_of_merged(sets, slot[row], whole, original)
    spread = {name: values[row] for name, values in part.items()}
    return spread | slot_names(whole, original) | {"price": spread["price"] * share}


def part_of_merged(sets: Sets, merged: Ints, whole: Sets, original: Ints) -> Floats:
    """Which part of a merged slot each original slot is: by weight; those of a scenario of probability 0 are equal."""
    size = np.array([len(m) for m in sets.members], dtype=np.int64)[merged]
    all_weeks = sets.slots["weeks"].to_numpy(float)[merged]
    weeks = whole.slots["weeks"].to_numpy(float)[original]
    parts: Floats = np.divide(weeks, all_weeks, out=1.0 / size, where=all_weeks > 0)
    return parts


def slot_names(whole: Sets, slot: Ints) -> Part:
    """Scenario, period and hour of week of slots."""
    return {
        "scenario": whole.slots["scenario"].to_numpy(object)[slot],
        "period": np.array(whole.periods, dtype=object)[whole.slots["period"].to_numpy(int)[slot]],
        "hour_of_week": whole.slots["hour_of_week"].to_numpy(np.int64)[slot],
    }


def _of_ray(sets: Sets, net: StressNetwork, cut: Cut, price: float, ray: int, whole: Sets) -> list[Part]:
    def priced(kind: str, names: Part, prices: Floats) -> Part:
        same = {"kind": kind, "case": net.case.name, "ray": ray}
        return {name: np.full(len(prices), value) for name, value in same.items()} | names | {"price": prices}

    d, q = np.flatnonzero(cut.ray.units > 0), np.flatnonzero(cut.ray.quota > 0)
    parts = [
        priced("stress", slot_names(whole, sets.members[cut.slot][:1]), np.array([price])),
        priced("stress_unit", _named(sets, "reserved", {"deployment": d}), cut.ray.units[d]),
        priced("stress_quota", _named(sets, "quota", {"quota": q}), cut.ray.quota[q]),
    ]
    for kind, sigma in (("stress_mix_low", cut.ray.low), ("stress_mix_high", cut.ray.high)):
        for k in np.flatnonzero(sigma > 0):
            members = np.flatnonzero(net.class_of == net.share_class[k])
            names = {name: sets.needs[name].to_numpy(object)[members] for name in ("origin", "workload")}
            model = np.full(len(members), net.share_model[k], dtype=object)
            parts.append(priced(kind, names | {"model": model}, np.full(len(members), sigma[k])))
    return parts
