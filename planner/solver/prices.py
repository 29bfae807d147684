"""The certificate as a table of named prices, so that anyone can recompute the bound from the files alone."""

import numpy as np
import pandas as pd

from planner.model.program import LinearProgram
from planner.model.reduce.stress import StressNetwork
from planner.model.sets import Ints, Sets
from planner.results.plan import CERTIFICATE_COLUMNS
from planner.solver.certificate import Certificate
from planner.solver.stress import Cut


def price_table(
    program: LinearProgram, certificate: Certificate, cuts: list[Cut], networks: list[StressNetwork], whole: Sets
) -> pd.DataFrame:
    """Name every price of a component's certificate; a merged slot's price is spread over its slots by weeks.

    ``whole`` has the slots before merging. Rays are numbered from 0 within the component. Columns:
    CERTIFICATE_COLUMNS.
    """
    frames = [_of_family(program, certificate, family, whole) for family in _FAMILIES]
    ray = 0
    for cut, price in zip(cuts, certificate.cut_price):
        if price > 0:
            frames.append(_of_ray(program.sets, networks[cut.case], cut, float(price), ray, whole))
            ray += 1
    table = pd.concat([frame for frame in frames if len(frame)] or [pd.DataFrame()], ignore_index=True)
    for name in CERTIFICATE_COLUMNS:
        if name not in table:
            table[name] = -1 if name in ("ray", "hour_of_week") else np.nan if name == "price" else ""
    table = table.fillna({name: -1 if name in ("ray", "hour_of_week") else "" for name in CERTIFICATE_COLUMNS[:-1]})
    return table.astype({"ray": "int64", "hour_of_week": "int64", "price": "float64"})[list(CERTIFICATE_COLUMNS)]


def _named(sets: Sets, family: str, index: dict[str, Ints]) -> dict[str, np.ndarray]:
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
) -> pd.DataFrame:
    name, above, below = family
    rows, first = program.family(name), program.first_row(name)
    price = certificate.row_price[first : first + rows.count]
    priced = np.flatnonzero(((price > 0) & (above is not None)) | ((price < 0) & (below is not None)))
    index = {key: values[priced] for key, values in rows.index.items()}
    frame = pd.DataFrame(
        {
            "kind": np.where(price[priced] > 0, above or "", below or ""),
            **_named(program.sets, name, index),
            "price": np.abs(price[priced]),
        }
    )
    return _in_slots(program.sets, frame, index["slot"], whole) if "slot" in index else frame


def _in_slots(sets: Sets, frame: pd.DataFrame, slot: Ints, whole: Sets) -> pd.DataFrame:
    """Repeat rows of merged slots for each slot that they stand for."""
    size = np.array([len(sets.members[t]) for t in slot], dtype=np.int64)
    row = np.repeat(np.arange(len(slot)), size)
    original = np.concatenate([sets.members[t] for t in slot]) if len(slot) else np.empty(0, np.int64)
    weeks = whole.slots["weeks"].to_numpy(float)
    share = weeks[original] / sets.slots["weeks"].to_numpy(float)[slot[row]]
    spread = frame.iloc[row].reset_index(drop=True)
    return spread.assign(**slot_names(whole, original), price=spread["price"].to_numpy() * share)


def slot_names(whole: Sets, slot: Ints) -> dict[str, np.ndarray]:
    """Scenario, period and hour of week of slots."""
    return {
        "scenario": whole.slots["scenario"].to_numpy(object)[slot],
        "period": np.array(whole.periods, dtype=object)[whole.slots["period"].to_numpy(int)[slot]],
        "hour_of_week": whole.slots["hour_of_week"].to_numpy(np.int64)[slot],
    }


def _of_ray(sets: Sets, net: StressNetwork, cut: Cut, price: float, ray: int, whole: Sets) -> pd.DataFrame:
    slot = np.array([sets.members[cut.slot][0]])
    head = pd.DataFrame({"kind": "stress", **slot_names(whole, slot), "price": price})
    d = np.flatnonzero(cut.ray.units > 0)
    units = pd.DataFrame(
        {"kind": "stress_unit", **_named(sets, "reserved", {"deployment": d}), "price": cut.ray.units[d]}
    )
    q = np.flatnonzero(cut.ray.quota > 0)
    quotas = pd.DataFrame({"kind": "stress_quota", **_named(sets, "quota", {"quota": q}), "price": cut.ray.quota[q]})
    frames = [head, units, quotas]
    for kind, sigma in (("stress_mix_low", cut.ray.low), ("stress_mix_high", cut.ray.high)):
        for k in np.flatnonzero(sigma > 0):
            members = np.flatnonzero(net.class_of == net.share_class[k])
            frames.append(
                pd.DataFrame(
                    {
                        "kind": kind,
                        "origin": sets.needs["origin"].to_numpy(object)[members],
                        "workload": sets.needs["workload"].to_numpy(object)[members],
                        "model": net.share_model[k],
                        "price": float(sigma[k]),
                    }
                )
            )
    return pd.concat(frames, ignore_index=True).assign(ray=ray, case=net.case.name)
