"""The certificate as a table of named prices, so that anyone can recompute the bound from the files alone."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from planner.model.family import Family
from planner.model.program import LinearProgram, families_of
from planner.model.reduce.project_stress import StressNetwork
from planner.model.rows import Rows
from planner.model.sets import Floats, Ints, Sets, names_of
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
    stated = {rows.family: rows for rows in program.families}
    parts = [
        _of_family(program, certificate, family, stated[family.name], whole) for family in families_of(program.sets)
    ]
    ray = 0
    for cut, price in zip(cuts, certificate.cut_price):
        if price > 0:
            parts += _of_ray(program.sets, networks[cut.case], cut, whole, price=float(price), ray=ray)
            ray += 1
    return _table(parts)


def coupling_prices(
    table: pd.DataFrame, sets: Sets, families: Sequence[Family], stated: Sequence[Rows], price: Floats
) -> pd.DataFrame:
    """Add the prices of rows that span parts (one after the other, as ``stated`` of the whole) to a part's table."""
    parts, first = [], 0
    for family, rows in zip(families, stated):
        mine = price[first : first + rows.count]
        first += rows.count
        for kind, sign in zip(family.price_kinds, (1.0, -1.0)):
            priced = np.flatnonzero((sign * mine > 0) & bool(kind))
            if len(priced):
                index = {key: values[priced] for key, values in rows.index.items()}
                names = {"kind": np.full(len(priced), kind, object), **names_of(sets, index)}
                when = slot_names(sets, index["slot"]) if "slot" in index else {}
                parts.append(names | when | {"price": np.abs(mine[priced])})
    return pd.concat([_table(parts), table], ignore_index=True) if parts else table


def _table(parts: Sequence[Part]) -> pd.DataFrame:
    """Put columns of rows together; what a part does not tell is blank."""
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


def _of_family(program: LinearProgram, certificate: Certificate, family: Family, rows: Rows, whole: Sets) -> Part:
    """Price each bound of a family's rows; a family whose kinds are blank states none."""
    first = program.first_row(family.name)
    price = certificate.row_price[first : first + rows.count]
    floor, cap = family.price_kinds
    priced = np.flatnonzero(((price > 0) & bool(floor)) | ((price < 0) & bool(cap)))
    index = {key: values[priced] for key, values in rows.index.items()} if len(priced) else {}
    part: Part = {
        "kind": np.where(price[priced] > 0, floor, cap).astype(object),
        **names_of(program.sets, index),
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


def _of_ray(sets: Sets, net: StressNetwork, cut: Cut, whole: Sets, *, price: float, ray: int) -> list[Part]:
    def priced(kind: str, names: Part, prices: Floats) -> Part:
        same = {"kind": kind, "case": net.case.name, "ray": ray}
        return {name: np.full(len(prices), value) for name, value in same.items()} | names | {"price": prices}

    d, q = np.flatnonzero(cut.ray.units > 0), np.flatnonzero(cut.ray.quota > 0)
    parts = [
        priced("stress", slot_names(whole, sets.members[cut.slot][:1]), np.array([price])),
        priced("stress_unit", names_of(sets, {"deployment": d}), cut.ray.units[d]),
        priced("stress_quota", names_of(sets, {"quota": q}), cut.ray.quota[q]),
    ]
    for kind, sigma in (("stress_mix_low", cut.ray.low), ("stress_mix_high", cut.ray.high)):
        for k in np.flatnonzero(sigma > 0):
            members = np.flatnonzero(net.class_of == net.share_class[k])
            names = {name: sets.needs[name].to_numpy(object)[members] for name in ("origin", "workload")}
            model = np.full(len(members), net.share_model[k], dtype=object)
            parts.append(priced(kind, names | {"model": model}, np.full(len(members), sigma[k])))
    return parts
