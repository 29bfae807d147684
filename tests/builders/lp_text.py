"""One family of constraints as an LP text that a person can read: natural units, names of the input."""

import numpy as np

from planner.model.columns import kept_purchases
from planner.model.program import LinearProgram
from planner.model.rows import Rows
from planner.model.sets import region_names, scenario_names


def lp_text(program: LinearProgram, family: str) -> str:
    """Rows of a family, then the upper bounds and the kind of the columns in them, in the order of the programme."""
    rows, names = program.family(family), column_names(program)
    lines = ["Subject To"]
    for k in range(rows.count):
        mine = np.flatnonzero(rows.row == k)
        body = " ".join(_term(float(a), names[j]) for a, j in zip(rows.value[mine], rows.column[mine])) or "0"
        lines.append(f" {row_name(program, rows, k)}: {_bounded(body, float(rows.lower[k]), float(rows.upper[k]))}")
    used = sorted(set(rows.column.tolist()))
    lines.append("Bounds")
    lines += [f" {names[j]} <= {program.columns.upper[j]:.12g}" for j in used if np.isfinite(program.columns.upper[j])]
    lines.append("General")
    lines += [f" {names[j]}" for j in used if program.columns.integer[j]]
    return "\n".join([*lines, "End", ""])


def _term(value: float, name: str) -> str:
    return f"{'-' if value < 0 else '+'} {abs(value):.12g} {name}"


def _bounded(body: str, lower: float, upper: float) -> str:
    if lower == upper:
        return f"{body} = {lower:.12g}"
    if np.isinf(lower):
        return f"{body} <= {upper:.12g}"
    return f"{body} >= {lower:.12g}" if np.isinf(upper) else f"{lower:.12g} <= {body} <= {upper:.12g}"


def row_name(program: LinearProgram, rows: Rows, k: int) -> str:
    """``family[what it is about]``."""
    sets = program.sets
    told = {
        "case": lambda n: sets.cases[n].name,
        "need": lambda n: "/".join(sets.needs.loc[n, ["origin", "workload"]]),
        "share": lambda n: str(sets.shares["model"][n]),
        "deployment": lambda n: "/".join(sets.deployments.loc[n, ["pool", "meter", "model"]]),
        "meter": lambda n: "/".join(sets.meters.loc[n, ["pool", "meter"]]),
        "quota": lambda n: "/".join(sets.quotas.loc[n, ["region", "model", "option"]]),
        "cap": lambda n: "->".join(sets.caps.loc[n, ["origin", "destination"]]),
        "purchase": lambda n: column_names(program)[program.columns.committed[n]],
        "sized": lambda n: column_names(program)[program.columns.sized[n]],
        "period": lambda n: sets.periods[n],
        "region": lambda n: region_names(sets)[n],
        "scenario": lambda n: scenario_names(sets)[n],
        "slot": lambda n: slot_name(program, n),
        "queue": lambda n: "/".join(sets.needs.loc[program.columns.queues.need[n], ["origin", "workload"]]),
        "contract": lambda n: sets.spend.contracts[n],  # type: ignore[union-attr]
        "future": lambda n: sets.chances[n][0],
    }
    return f"{rows.family}[{', '.join(told[name](int(number[k])) for name, number in rows.index.items())}]"


def slot_name(program: LinearProgram, slot: int) -> str:
    """Scenario, period and hour."""
    row = program.sets.slots.iloc[slot]
    return f"{row['scenario']}/{program.sets.periods[int(row['period'])]}/{int(row['hour_of_week'])}"


def column_names(program: LinearProgram) -> list[str]:
    """``x[...]``, ``v[...]``, ``u[...]``, ``on(...)``, ``steps(...)``, ``y[...]``, ``z[...]``, with the stress case."""
    sets, at = program.sets, program.columns
    names = [""] * at.count
    for k, column in enumerate(at.committed):
        names[column] = f"x[{sets.purchases['offer'][k]}, {sets.periods[sets.purchases['period'][k]]}]"
    for (d, p), column in np.ndenumerate(at.deployed):
        names[column] = f"v[{'/'.join(sets.deployments.loc[d, ['pool', 'meter', 'model']])}, {sets.periods[p]}]"
    for (m, p), column in np.ndenumerate(at.unreserved):
        if column >= 0:
            names[column] = f"u[{'/'.join(sets.meters.loc[m, ['pool', 'meter']])}, {sets.periods[p]}]"
    for prefix, columns in (("more", at.more), ("fewer", at.fewer)):
        for purchase, column in zip(kept_purchases(sets), columns):
            names[column] = f"{prefix}({names[at.committed[purchase]]})"
    for (c, s), column in np.ndenumerate(at.short):
        if column >= 0 and sets.spend is not None:
            names[column] = f"short[{sets.spend.contracts[c]}, {sets.chances[s][0]}]"
    for letter, columns in (("a", at.scaled), ("g", at.started)):
        for (d, t), column in np.ndenumerate(columns):
            if column >= 0:
                part = "/".join(sets.deployments.loc[d, ["pool", "meter", "model"]])
                names[column] = f"{letter}[{part}, {slot_name(program, t)}]"
    for column in at.threshold:
        names[column] = "threshold"
    for prefix, columns in (("over", at.over), ("under", at.under)):
        for s, column in enumerate(columns):
            if column >= 0:
                names[column] = f"{prefix}[{sets.chances[s][0]}]"
    for prefix, columns in (("on", at.size_on), ("steps", at.size_steps)):
        for k, column in enumerate(columns):
            if column >= 0:
                names[column] = f"{prefix}({names[at.sized[k]]})"
    for kind, columns in (("a", at.taken), ("b", at.backlog), ("s", at.credit)):
        for (queue, slot), column in np.ndenumerate(columns):
            if column >= 0:
                need = "/".join(sets.needs.loc[at.queues.need[queue], ["origin", "workload"]])
                names[column] = f"{kind}[{need}, {slot_name(program, slot)}]"
    for column, arc, slot, case in zip(at.flows, at.flow_arc, at.flow_slot, at.flow_case):
        a = sets.arcs.iloc[arc]
        where = f"{a['origin']}->{a['region']}" if a["away"] else a["region"]
        stressed = "" if case < 0 else f"{sets.cases[case].name}, "
        kind = "y" if a["reserved"] else "z"
        names[column] = (
            f"{kind}[{stressed}{where}, {a['workload']}, {a['model']}, {a['supply']}, {slot_name(program, slot)}]"
        )
    return names
