"""Units that run by the hour: rows that the input knows, amounts, and the most that a pool may run."""

import numpy as np
import pandas as pd

from planner.plan.audit.findings import Finding
from planner.plan.flows import Floats, Names
from planner.schema.case import Case


def scaled_faults(case: Case, names: Names, table: pd.DataFrame) -> list[Finding]:
    """Find rows that name what the input does not know or does not sell by the hour, and units that are no amounts."""
    sold = {p.pool for p in case.pools if p.usd_per_scaled_unit_hour is not None}
    known, findings = set(names.deployments), []
    slots = names.slots(table)
    for k, (pool, meter, model, n) in enumerate(
        table[["pool", "meter", "model", "units"]].itertuples(index=False, name=None)
    ):
        what = f"scaled_units, pool {pool}, meter {meter}, model {model}"
        if (str(pool), str(meter), str(model)) not in known or slots[k] < 0:
            findings.append(Finding("names", f"{what}: the input knows no such thing", np.inf))
        elif str(pool) not in sold:
            findings.append(Finding("names", f"{what}: the pool sells no units by the hour", np.inf))
        elif not (np.isfinite(n) and n >= 0):
            findings.append(Finding("names", f"{what}: units are negative or not a number", np.inf))
    if table.duplicated(["pool", "meter", "model", "scenario", "period", "hour_of_week"]).any():
        findings.append(Finding("names", "scaled_units: an hour of a deployment is listed twice", np.inf))
    return findings[:10]


def scaled_limits(case: Case, names: Names, scaled: Floats) -> list[Finding]:
    """Check max_scaled_units of each pool in every slot. [units]."""
    findings = []
    for pool in case.pools:
        if pool.max_scaled_units is None:
            continue
        mine = [k for k, (name, _, _) in enumerate(names.deployments) if name == pool.pool]
        total = scaled[mine].sum(axis=0) if mine else np.zeros(1)
        worst = int(total.argmax())
        if total[worst] > pool.max_scaled_units * (1 + 1e-6) + 1e-6:
            message = (
                f"pool {pool.pool}, {names.slot_name(worst)}: {total[worst]:.9g} units run by the hour, "
                f"at most {pool.max_scaled_units:.9g} may"
            )
            findings.append(Finding("reserved", message, float(total[worst] - pool.max_scaled_units)))
    return findings
