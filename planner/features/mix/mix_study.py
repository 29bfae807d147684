"""What a shift of the model mix would be worth: a whole plan at each target of tier shares.

A target is put upon every workload, in every region and hour, as "at least as good": of small models no more than the
permitted share nearest to it (studies.mix_shares), of frontier models no less. More of a better tier may serve, where
it is cheaper, or where a region is lost: were the shares fixed, failover would have to be bought for each tier apart,
and the study would show what that costs, not what the shift is worth. Everything else is decided again: purchases,
deployments, what is served where. Each plan is proved and audited like any other.

The mix as it is is the cheapest within the allowed shares; so a target within them never costs less. A shift that they
forbid is studied by changing them (table mix).
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import permutations

import pandas as pd

from planner.errors import Fault, InfeasibleError, InputError, Shortfall, StoppedError
from planner.features.mix.mix_tables import (
    ALL,
    HELD,
    TIERS,
    TIERS_REACHED,
    WORKLOADS,
    LeftOut,
    MixStudy,
    MixTarget,
    MixVariant,
)
from planner.features.tasks import task_costs
from planner.plan.metrics.task_costs import NOBODY, TaskCosts
from planner.plan.plan import PURCHASE_COLUMNS, Plan
from planner.schema.case import Case
from planner.schema.workloads import Mix
from planner.solver.find import Options
from planner.solver.solve import audited

_DUST = 1e-12


def nearest(target: Mapping[str, float], low: Mapping[str, float], high: Mapping[str, float]) -> dict[str, float]:
    """Find the permitted shares of tiers that are nearest to a target.

    Parameters
    ----------
    target, low, high : by each of TIERS; the target adds up to 1, low to at most 1, high to at least 1.
    """
    cut = {tier: min(max(target[tier], low[tier]), high[tier]) for tier in TIERS}
    found = [_filled(cut, low, high, order) for order in permutations(reversed(TIERS))]
    return min(found, key=lambda shares: (round(_deviation(shares, target), 12), round(_distance(shares, target), 12)))


def model_shares(rows: Sequence[Mix], share: float, as_is: Mapping[str, float]) -> dict[str, float]:
    """Divide a tier's share of a workload among its models.

    Parameters
    ----------
    rows : rows of the mix: the tier's models. share : between the sums of their limits.
    as_is : share of each model in the plan of the mix as it is.
    """
    found = {row.model: row.min_share for row in rows}
    room = {row.model: row.max_share - row.min_share for row in rows}
    rest = share - sum(found.values())
    while rest > _DUST and any(room.values()):
        open_ = [model for model in found if room[model] > 0]
        weight = {model: max(0.0, as_is.get(model, 0.0) - found[model]) for model in open_}
        if not any(weight.values()):
            weight = dict.fromkeys(open_, 1.0)
        whole, given = sum(weight.values()), 0.0
        for model in open_:
            part = min(room[model], rest * weight[model] / whole)
            found[model], room[model], given = found[model] + part, room[model] - part, given + part
            room[model] = room[model] if room[model] > _DUST else 0.0
        rest -= given
    return found


def _filled(
    cut: Mapping[str, float], low: Mapping[str, float], high: Mapping[str, float], order: Sequence[str]
) -> dict[str, float]:
    """Give what is missing to 1, or take what is too much, in this order."""
    shares = dict(cut)
    for tier in order:
        missing = 1 - sum(shares.values())
        shares[tier] += (
            min(missing, high[tier] - shares[tier]) if missing > 0 else max(missing, low[tier] - shares[tier])
        )
    return shares


def _deviation(shares: Mapping[str, float], target: Mapping[str, float]) -> float:
    return sum(abs(shares[tier] - target[tier]) for tier in TIERS)


def _distance(shares: Mapping[str, float], target: Mapping[str, float]) -> float:
    total, away = 0.0, 0.0
    for tier in TIERS[:-1]:
        total += shares[tier] - target[tier]
        away += abs(total)
    return away


AS_IS = MixTarget("as is", None)
DEFAULT_TARGETS = (
    MixTarget("70/25/5", {"small": 0.70, "mid": 0.25, "frontier": 0.05}),
    MixTarget("all frontier", {"small": 0.0, "mid": 0.0, "frontier": 1.0}),
    MixTarget("all small", {"small": 1.0, "mid": 0.0, "frontier": 0.0}),
)
SAME = 1e-9  # shares closer than that are equal
_MOSTLY = 0.5  # of the requests: further from what was asked, the permitted shares are another mix

Progress = Callable[[str], AbstractContextManager[Callable[[int, int], None] | None]]


def mix_study(
    case: Case,
    targets: Sequence[MixTarget] = DEFAULT_TARGETS,
    options: Options | None = None,
    progress: Progress | None = None,
    as_is: Plan | None = None,
) -> MixStudy:
    """Solve the case as it is and at each target, and compare.

    Parameters
    ----------
    targets : besides the mix as it is, which is always the first variant.
    progress : of a plan's name: a context that is given (parts solved, all parts).
    as_is : the case's plan, where it is at hand.

    Raises
    ------
    InputError : a model of some workload's mix has no tier; all of them at once.
    InfeasibleError : there is no plan for the case as it is. (A target without a plan has the reason in its variant.)
    StoppedError : the time limit ran out before there was a plan for the case as it is. (Other targets are left out.)
    """
    tier_of, options = tiers_of(case), options or Options()
    shown = progress if progress is not None else lambda _: nullcontext(None)
    if as_is is None:
        as_is = _solved(case, AS_IS, options.share(1 + len(targets)), shown)
    costs = task_costs(case, as_is)
    first = _variant(AS_IS, as_is, costs=costs, first=None, tier_of=tier_of, held=_none_held())
    used = _model_shares_of(costs)
    variants = [first]
    left_out: list[LeftOut] = []
    seen = {case.mix: AS_IS.name}
    for k, target in enumerate(targets):
        shifted, held = shifted_case(case, target, tier_of, used)
        if reason := _nothing_new(case, shifted, held, seen):
            left_out.append(LeftOut(target.name, reason))
            continue
        seen[shifted.mix] = target.name
        try:
            plan = _solved(shifted, target, options.share(len(targets) - k), shown)
        except InfeasibleError as error:
            variants.append(_impossible(target, error.shortfalls, held))
            continue
        except StoppedError:
            left_out.append(LeftOut(target.name, "the time limit ran out before there was a plan"))
            continue
        variants.append(
            _variant(target, plan, costs=task_costs(shifted, plan), first=first, tier_of=tier_of, held=held)
        )
    months = tuple(period.name for period in case.periods)
    return MixStudy(case.settings.name, case.digest, months, tuple(variants), tuple(left_out))


def _nothing_new(case: Case, shifted: Case, held: pd.DataFrame, seen: Mapping[tuple[Mix, ...], str]) -> str:
    """Say why a mix is not worth a plan: it was solved already, or no workload allows even half of it; "" otherwise."""
    if shifted.mix in seen:
        return f"within the allowed shares it is the same as {seen[shifted.mix]!r}"
    away = (held["target_share"] - held["share"]).abs().groupby(held["workload"]).sum() / 2
    if len(away) == len(case.workloads) and bool((away > _MOSTLY).all()):
        limits = "; ".join(dict.fromkeys(str(limit) for limit in held["limit"] if limit))
        return f"no workload allows it ({limits})"
    return ""


def shifted_case(
    case: Case, target: MixTarget, tier_of: dict[str, str], used: dict[tuple[str, str], float]
) -> tuple[Case, pd.DataFrame]:
    """Return the case with every workload at least as good as the permitted shares nearest to a target.

    Also what held back which workload: columns HELD.

    Parameters
    ----------
    tier_of : by model. used : share of each workload and model in the plan of the mix as it is.
    """
    assert target.shares is not None
    rows: dict[tuple[str, str], Mix] = {}
    held: list[tuple[str, str, float, float, str]] = []
    for w in case.workloads:
        own = [m for m in case.mix if m.workload == w.workload]
        by_tier = {tier: [m for m in own if tier_of[m.model] == tier] for tier in TIERS}
        low = {tier: sum(m.min_share for m in by_tier[tier]) for tier in TIERS}
        high = {tier: min(1.0, sum(m.max_share for m in by_tier[tier])) for tier in TIERS}
        shares = nearest(target.shares, low, high)
        exact: dict[str, float] = {}
        for tier in TIERS:
            exact |= model_shares(by_tier[tier], shares[tier], {m: used.get((w.workload, m), 0.0) for m in tier_of})
            if abs(shares[tier] - target.shares[tier]) > SAME:
                limit = _limit(tier, by_tier[tier], low[tier], high[tier], target.shares[tier])
                held.append((w.workload, tier, target.shares[tier], shares[tier], limit))
        for m in own:
            rows[m.workload, m.model] = _bounded(m, tier_of[m.model], exact[m.model])
    mix = tuple(rows[m.workload, m.model] for m in case.mix)
    settings = case.settings.model_copy(update={"name": f"{case.settings.name}, mix {target.name}"})
    return replace(case, mix=mix, settings=settings), HELD.of(held)


def _bounded(row: Mix, tier: str, share: float) -> Mix:
    """Let a small model serve no more than a share, a frontier model no less; within the row's own limits."""
    share = min(row.max_share, max(row.min_share, share))
    if tier == TIERS[0]:
        return row.model_copy(update={"max_share": share})
    return row.model_copy(update={"min_share": share}) if tier == TIERS[-1] else row


def tiers_of(case: Case) -> dict[str, str]:
    """Tier of each model; all that some workload's mix lists must have one.

    Raises
    ------
    InputError : some have none; all of them at once.
    """
    tier_of = {m.model: m.tier for m in case.models}
    used = {m.model for m in case.mix}
    faults = [
        Fault("models", "has no tier, and a shift between tiers needs one", column="tier", value=model,
              allowed=", ".join(reversed(TIERS)))
        for model, tier in tier_of.items() if tier is None and model in used
    ]  # fmt: skip
    if faults:
        raise InputError(faults)
    return {model: tier for model, tier in tier_of.items() if tier is not None}


def _solved(case: Case, target: MixTarget, options: Options, progress: Progress) -> Plan:
    with progress(f"mix {target.name}") as told:
        return audited(case, options, told).plan


def _limit(tier: str, rows: Sequence[Mix], low: float, high: float, target: float) -> str:
    """Say which limit keeps a tier from its target, in words."""
    if not rows:
        return f"its mix has no {tier} model"
    if target < low - SAME:
        return "min_share of " + ", ".join(m.model for m in rows if m.min_share > 0)
    if target > high + SAME:
        return "max_share of " + ", ".join(m.model for m in rows)
    return ""


def _none_held() -> pd.DataFrame:
    return HELD.empty()


def _model_shares_of(costs: TaskCosts) -> dict[tuple[str, str], float]:
    table = costs.by("workload", "model")
    whole = table.groupby("workload")["requests"].transform("sum")
    shares = (table["requests"] / whole.where(whole > 0)).fillna(0.0)
    return dict(zip(zip(table["workload"], table["model"], strict=True), shares.tolist(), strict=True))


def _variant(
    target: MixTarget, plan: Plan, *, costs: TaskCosts, first: MixVariant | None, tier_of: dict[str, str],
    held: pd.DataFrame,
) -> MixVariant:  # fmt: skip
    totals = plan.totals
    total, base = totals.total_usd, totals.total_usd if first is None else first.total_usd
    table = costs.by("workload")
    table = table[table["workload"] != NOBODY].reset_index(drop=True)
    before = table["total_usd"] if first is None else table["workload"].map(
        first.workloads.set_index("workload")["total_usd"]
    )  # fmt: skip
    difference = table["total_usd"] - before
    workloads = table.assign(
        difference_usd=difference, difference_share=difference / before.where(before > 0)
    )[list(WORKLOADS.columns)]  # fmt: skip
    return MixVariant(
        target=target,
        shortfalls=(),
        total_usd=total,
        bound_usd=plan.proof.bound_usd,
        reserved_usd=totals.reserved_usd + totals.tail_usd + totals.unreserved_usd + totals.sunk_usd,
        scaled_usd=totals.scaled_usd,
        shortfall_usd=totals.shortfall_usd,
        on_demand_usd=totals.on_demand_usd,
        egress_usd=totals.egress_usd,
        difference_usd=total - base,
        difference_share=(total - base) / base if base > 0 else float("nan"),
        commitments=plan.purchases[list(PURCHASE_COLUMNS)].reset_index(drop=True),
        workloads=workloads,
        tiers=_tier_table(costs, target, tier_of),
        held=held,
    )


def _tier_table(costs: TaskCosts, target: MixTarget, tier_of: dict[str, str]) -> pd.DataFrame:
    table = costs.by("workload", "model")
    table = table[table["requests"] > 0].assign(tier=lambda t: t["model"].map(tier_of))
    rows = []
    groups = [(str(name), own) for name, own in table.groupby("workload")]
    for name, own in [*groups, (ALL, table)]:
        whole = float(own["requests"].sum())
        for tier in TIERS:
            wanted = float("nan") if target.shares is None else target.shares[tier]
            part = float(own.loc[own["tier"] == tier, "requests"].sum())
            rows.append((name, tier, wanted, part / whole if whole > 0 else 0.0))
    return TIERS_REACHED.of(rows)


def _impossible(target: MixTarget, shortfalls: tuple[Shortfall, ...], held: pd.DataFrame) -> MixVariant:
    none = float("nan")
    return MixVariant(
        target, shortfalls, none, none, none, none, none, none, none, none, none,
        pd.DataFrame(columns=list(PURCHASE_COLUMNS)), WORKLOADS.empty(),
        TIERS_REACHED.empty(), held,
    )  # fmt: skip
