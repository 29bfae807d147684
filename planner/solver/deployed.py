"""What is paid for is deployed: units that serve nothing, where deploying them is free or says what is spent on them.

The programme may pay for more units at the unreserved price than it deploys: where that counts for several contracts, a
dollar spent for nothing saves more than a dollar of shortfall. A plan states deployments, and what is paid beyond the
commitments follows from them. So such units are deployed, in whole unit_steps where they have any.
"""

from collections.abc import Callable

import numpy as np

from planner.model.program import LinearProgram
from planner.model.sets import Floats, Ints, Sets

IDLE = 1e-7  # of the units paid for: less than that is rounding


def deploy_paid(program: LinearProgram, values: Floats) -> Floats:
    """Values of all columns, with every unit deployed that is paid for, where that is free."""
    sets, at = program.sets, program.columns
    found = values.copy()
    if not program.cost[at.deployed].any():
        found[at.deployed] = _all(sets, _paid(program, values), values[at.deployed])
    return found


def deploy_spent(program: LinearProgram, values: Floats, usd: Callable[[Floats], float] | None = None) -> Floats:
    """Values of all columns, with no unit paid for beyond commitments that is not deployed.

    Of each meter and period, as many are deployed as allowed sizes let be, or the fewest that are no less than what
    the values pay for, where that costs less. ``usd`` : what values of all columns cost, contracts' shortfalls
    included; None: never more are deployed than what the values pay for.
    """
    sets, at = program.sets, program.columns
    priced = at.unreserved >= 0
    if sets.spend is None or not priced.any():
        return values
    paid, deployed, have = _paid(program, values), values[at.deployed], committed_units(sets, values[at.committed])
    idle = np.where(priced, np.minimum(paid - _of_meters(sets, deployed), paid - have), 0.0)
    short = [(m, period) for m, period in np.argwhere(idle > IDLE * np.maximum(paid, 1.0))]
    if not short:
        return values

    def with_units(units: Floats) -> Floats:
        found = values.copy()
        found[at.deployed] = units
        found[at.unreserved[priced]] = np.maximum(_of_meters(sets, units) - have, 0.0)[priced]
        return found

    for m, period in short:
        deployed = _raised(sets, deployed, m, period, paid[m, period], np.floor)
    best = with_units(deployed)
    if usd is None or not sets.whole_units:
        return best
    least = usd(best)
    for m, period in sorted(short, key=lambda one: -idle[one]):
        above = _raised(sets, deployed, m, period, paid[m, period], np.ceil)
        if (cost := usd(with_units(above))) < least:
            deployed, least, best = above, cost, with_units(above)
    return best


def purchases_and_deployments(program: LinearProgram, values: Floats) -> tuple[Ints, Floats, Floats]:
    """Columns that say what is paid for by the hour of a period, with bounds that let nothing but ``values`` be.

    Units beyond commitments may be fewer.
    """
    at = program.columns
    decided, beyond = np.concatenate([at.committed, at.deployed.ravel()]), at.unreserved[at.unreserved >= 0]
    upper = np.concatenate([values[decided], values[beyond]])
    return np.concatenate([decided, beyond]), np.concatenate([values[decided], np.zeros(len(beyond))]), upper


def _paid(program: LinearProgram, values: Floats) -> Floats:
    """Units that are paid for, meters x periods."""
    sets, at = program.sets, program.columns
    beyond = np.where(at.unreserved >= 0, values[at.unreserved], 0.0)
    return committed_units(sets, values[at.committed]) + beyond


def committed_units(sets: Sets, committed: Floats) -> Floats:
    """Units in force, meters x periods: earlier commitments, and ``committed`` of each purchase."""
    found = sets.earlier.copy()
    bought = sets.purchases
    for units, meter, start, last in zip(committed, bought["meter_row"], bought["period"], bought["last_period"]):
        found[meter, start : last + 1] += units
    return found


def beyond_commitments(sets: Sets, committed: Floats, deployed: Floats) -> Floats:
    """Units deployed beyond those committed, meters x periods."""
    return np.maximum(_of_meters(sets, deployed) - committed_units(sets, committed), 0.0)


def _of_meters(sets: Sets, deployed: Floats) -> Floats:
    """Add up deployments by meter, meters x periods."""
    found = np.zeros_like(sets.earlier)
    np.add.at(found, sets.deployments["meter_row"].to_numpy(int), deployed)
    return found


def _all(sets: Sets, paid: Floats, deployed: Floats) -> Floats:
    """Deploy every unit that is paid for where that is free: a meter with one deployment and no size rules."""
    meter = sets.deployments["meter_row"].to_numpy(int)
    alone = np.bincount(meter, minlength=len(sets.meters)) == 1
    free = (sets.deployments["min_units"] <= 0).to_numpy() & (sets.deployments["unit_step"] <= 0).to_numpy()
    grown = deployed.copy()
    for d in np.flatnonzero(alone[meter] & (free if sets.whole_units else np.ones(len(free), bool))):
        grown[d] = np.maximum(deployed[d], paid[meter[d]])
    return grown


def _raised(
    sets: Sets, deployed: Floats, meter: int, period: int, paid: float, rounded: Callable[[float], float]
) -> Floats:
    """Raise a deployment of a meter in a period to an allowed size, next to where all units paid for are deployed.

    ``rounded`` : down, as far as may be, or up, as little.
    """
    own = np.flatnonzero(sets.deployments["meter_row"].to_numpy(int) == meter)
    own = own[np.argsort(-deployed[own, period], kind="stable")]  # of equal ones the one that has most
    short = paid - float(deployed[own, period].sum())
    more = np.array([_more(sets, int(d), float(deployed[d, period]), short, rounded) for d in own])
    up = rounded is np.ceil
    best = int(np.argmin(np.where(more >= short * (1 - IDLE), more, np.inf)) if up else np.argmax(more))
    grown = deployed.copy()
    grown[own[best], period] += more[best]
    return grown


def _more(sets: Sets, deployment: int, units: float, short: float, rounded: Callable[[float], float]) -> float:
    """Units to add to a deployment that is ``short`` of some, so that its size is one that is allowed."""
    size = sets.deployments.iloc[deployment]
    low, step = (float(size["min_units"]), float(size["unit_step"])) if sets.whole_units else (0.0, 0.0)
    if units + short < low * (1 - IDLE):
        return low - units if rounded is np.ceil else 0.0
    if step <= 0:
        return short
    nudge = IDLE if rounded is np.floor else -IDLE
    return max(low + step * float(rounded((units + short - low) / step + nudge)) - units, 0.0)
