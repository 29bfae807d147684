"""What a buyer must read beside the figures: sentences, from the finished plan."""

import math

import pandas as pd

from planner.plan.metrics.basis import Basis
from planner.plan.metrics.offer_break_even import NEVER, NO_PRICE
from planner.plan.orders import order_lines
from planner.plan.stress_cases import Margin
from planner.plan.warnings.uncounted import WITHOUT_HEADROOM, spare_growth, uncounted_in
from planner.plan.why import guarantees_on, line_rents
from planner.schema.case import Case

_SHOWN = 5
_SAME = 0.005  # of a ratio that is shown with two decimals
_TRIFLE = 0.01  # a share of what pays for units that a reason does not mention
_NEVER_REMEDY = (
    "Ask for a discount of more than the excess, or leave the offer out; buy it only where a quota, failover or a "
    "guarantee asks for it."
)
_BOUGHT_REMEDY = (
    "See the reason of each line (Savings by line). A higher quota, less headroom or a lower failover share may do "
    "without: solve again with it before you sign."
)


class Advice(str):
    """A sentence that a buyer must read; `remedy` says what to do about it."""

    remedy: str

    def __new__(cls, sentence: str, remedy: str) -> "Advice":
        """Join the two."""
        found = super().__new__(cls, sentence)
        found.remedy = remedy
        return found


def cautions(
    basis: Basis, margins: tuple[Margin, ...], break_even: pd.DataFrame, strategies: pd.DataFrame
) -> tuple[Advice, ...]:
    """List the cautions of a plan, the gravest first."""
    found = _no_time(basis, margins)
    found += [text for m in margins for text in _costs_nothing(m)]
    found += _no_failover(basis)
    found += _never_pays(basis, break_even)
    kept = min((m.growth for m in margins if m.case.failed is not None), default=math.inf)
    found += [
        Advice(f"{trap.where[0].upper()}{trap.where[1:]}: {trap.message}.", f"{trap.remedy}.")
        for trap in uncounted_in(basis.case, basis.plan, basis.derived)
        if trap.code != WITHOUT_HEADROOM or kept < spare_growth(basis.case)
    ]
    unpriced = break_even.loc[break_even["verdict"] == NO_PRICE, "pool"].unique()
    if len(unpriced):
        pools = "pool" if len(unpriced) == 1 else "pools"
        text = f"No on-demand price to compare with for {pools} {_named(list(unpriced))}."
        found.append(Advice(text, "Add the models' prices to the table on_demand, where they can be bought so."))
    for row in strategies.itertuples(index=False):
        if not row.possible:
            text = f"{str(row.strategy).capitalize()} is not possible as things stand: {row.note}."
            found.append(Advice(text, "Nothing, unless you want to compare with it: then ask for that quota or price."))
    return tuple(found)


def _never_pays(basis: Basis, break_even: pd.DataFrame) -> list[Advice]:
    """Name the offers that cannot pay at this token mix, those that are bought apart, with what asks for them."""
    never = break_even[break_even["verdict"] == NEVER].drop_duplicates("offer")
    bought = never[never["offer"].isin(basis.plan.purchases["offer"])]
    left = never[~never["offer"].isin(basis.plan.purchases["offer"])]
    found = []
    if len(bought):
        asks = _asked_by(basis, set(bought["offer"]))
        found.append(Advice(
            f"Purchased although it never breaks even, because {asks}: {_named(list(bought['offer']))}. A unit that is "
            f"always full costs {_times(bought)} what on demand would.", _BOUGHT_REMEDY,
        ))  # fmt: skip
    if len(left):
        found.append(Advice(
            f"Can never pay at this token mix, and is not bought: {_named(list(left['offer']))}. A unit that is always "
            f"full costs {_times(left)} what on demand would.", _NEVER_REMEDY,
        ))  # fmt: skip
    return found


def _times(offers: pd.DataFrame) -> str:
    low, high = offers["break_even_utilisation"].min(), offers["break_even_utilisation"].max()
    least = f"{low:.2f}" if low >= 1 + _SAME else "just over 1"
    return f"{least} times" if high - low < _SAME else f"{least} to {high:.2f} times"


def _asked_by(basis: Basis, offers: set[str]) -> str:
    """Say what pays for purchases: money that must be spent, stress cases, the larger part first; else what may ask."""
    lines = order_lines(basis.case, basis.plan)
    usd: dict[str, float] = {}
    promised: dict[str, float] = {}
    for line, rent in zip(lines, line_rents(basis.reading, lines), strict=True):
        if line.offer.offer in offers:
            for parts, found in ((rent.stress_by_case, usd), (rent.spend_by_contract, promised)):
                for name, part in parts.items():
                    found[name] = found.get(name, 0.0) + part * line.units
    region = {p.pool: p.region for p in basis.case.pools}
    where = {region[line.offer.pool] for line in lines if line.offer.offer in offers}
    spent = [
        c.contract
        for c in basis.case.spend_commitments
        if c.counts_reserved and (c.counted_regions is None or where & c.counted_regions)
    ]
    worth_saying = _TRIFLE * (sum(usd.values()) + sum(promised.values()))
    cases = [name for name in sorted(usd, key=lambda name: -usd[name]) if usd[name] > worth_saying]
    paying = [name for name in sorted(promised, key=lambda name: -promised[name]) if promised[name] > worth_saying]
    if cases and paying:
        reasons = [_must_be_spent(paying), _ask(cases)]
        return " and ".join(reasons if sum(promised.values()) > sum(usd.values()) else reasons[::-1])
    if not cases and spent:
        return _must_be_spent(paying or spent)
    on_pool = guarantees_on(basis.reading)
    sure = [w for line in lines if line.offer.offer in offers for w in on_pool.get(line.offer.pool, ())]
    if not cases and sure:
        return f"the guaranteed share of {_named(sure)} asks for it"
    if not cases:
        return (
            "a quota, a guaranteed share, a size that is sold or another rule asks for it, or single workloads pay "
            "more than the mix"
        )
    return _ask(cases)


def _must_be_spent(contracts: list[str]) -> str:
    return f"money promised to {_named(contracts)} must be spent anyway"


def _ask(cases: list[str]) -> str:
    return f"{_named(cases)} {'asks' if len(cases) == 1 else 'ask'} for it"


def _no_time(basis: Basis, margins: tuple[Margin, ...]) -> list[Advice]:
    """Say that the time limit left margins out."""
    every, found = basis.reading.stress_cases, {m.case.name for m in margins}
    missing = [case.name for case in every if case.name not in found]
    if not missing:
        return []
    what = "any stress case" if not found else f"{len(missing)} of {len(every)} stress cases ({_named(missing)})"
    return [Advice(
        f"The margins of {what} were not worked out, because the time limit ran out. Each case is served, as the audit "
        "found; how much more demand it could serve is not known. Other strategies were not tried in them either.",
        "Solve again with a longer --time-limit, or without one, before you rely on a margin.",
    )]  # fmt: skip


def _costs_nothing(m: Margin) -> list[Advice]:
    """Say where a stress case leans on a quota that is blank."""
    if not m.load["unlimited"].any():
        return []
    free = m.load[m.load["unlimited"].astype(bool)]
    total, part = m.load["requests_per_hour"].sum(), free["requests_per_hour"].sum()
    if not part > 0:
        return []
    what = "Headroom" if m.case.failed is None else f"The loss of {m.case.failed}"
    places = _named([f"{m} in {r}" for r, m in zip(free["region"], free["model"], strict=True)])
    return [Advice(
        f"{what} costs nothing in part because a quota is blank: {part / total:.0%} of its worst hour's requests go on "
        f"demand to {places}, without limit. Fill in tokens_per_minute_quota to see what it really takes.",
        "Fill in tokens_per_minute_quota of these rows in the table on_demand, and solve again.",
    )]  # fmt: skip


def _no_failover(basis: Basis) -> list[Advice]:
    failover = basis.case.settings.policy.failover
    if not failover.enabled:
        remedy = "Switch policy.failover.enabled on, unless all work may wait for the region to come back."
        return [Advice("Failover is off: the loss of a region is not planned for.", remedy)]
    lasting = [r.region for r in basis.case.regions if not r.fails]
    found = []
    if lasting:
        remedy = "Set fails to TRUE for each region whose loss you want to survive."
        found.append(Advice(f"The loss of {_named(lasting)} is not planned for (fails is false).", remedy))
    return found + _left_to_fail(basis.case) if len(lasting) < len(basis.case.regions) else found


def _left_to_fail(case: Case) -> list[Advice]:
    """Name the work of which nothing is planned for while a region is lost."""
    asked = {str(name) for name in case.demand["workload"].unique()}
    left = [w.workload for w in case.workloads if w.workload in asked and not w.can_wait and not case.failover_share(w)]
    if not left:
        return []
    text = f"While a region is lost, {_named(left)} may not be served at all (failover_share 0)."
    return [Advice(text, "Raise failover_share for what must go on, or agree the outage with those who use it.")]


def _named(names: list[str]) -> str:
    distinct = list(dict.fromkeys(names))
    return ", ".join(distinct[:_SHOWN]) + (f" and {len(distinct) - _SHOWN} more" if len(distinct) > _SHOWN else "")
