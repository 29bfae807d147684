"""Mixes that cannot be kept while a region is lost: known from the tables alone, before any plan is sought.

Stress cases keep the mix (docs/model.md, rules 2 and 8). So while a region is lost, each model with a min_share must be
served somewhere within reach, and the max_shares of the models that are must add up to 1.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from planner.plan.warnings.traps import Caution, listed, pairs, workload_named
from planner.schema.case import Case
from planner.schema.workloads import Mix, Workload

CODE = "no-failover-mix"
_NONE = 1e-9


@dataclass(frozen=True)
class LostMix:
    """A workload whose mix nothing within reach of an origin can keep while a region is lost.

    asked : rows with a min_share whose model is served nowhere then. served : rows whose models are served; the
    max_shares of `served` do not add up to 1 where `asked` is empty.
    """

    workload: str
    origin: str
    lost: str
    asked: tuple[Mix, ...]
    served: tuple[Mix, ...]

    @property
    def most(self) -> float:
        """Share of the demand that can be served by the mix."""
        return sum(row.max_share for row in self.served)


def lost_mixes(case: Case) -> list[LostMix]:
    """List every workload, origin and lost region of which no plan can keep the mix; none without failover."""
    return list(_found(case)) if case.settings.policy.failover.enabled else []


def _found(case: Case) -> Iterator[LostMix]:
    supplied = _supplied(case)
    for origin, name in pairs(case):
        w = workload_named(case, name)
        if w.can_wait or case.failover_share(w) <= 0:
            continue
        rows = [row for row in case.mix if row.workload == name]
        if not rows:
            continue
        for lost in (r.region for r in case.regions if r.fails):
            left = [r.region for r in case.regions if r.region != lost and case.may_serve(w, origin, r.region)]
            if not left:  # no route: another warning
                continue
            served = tuple(row for row in rows if any((region, row.model) in supplied for region in left))
            asked = tuple(row for row in rows if row.min_share > 0 and row not in served)
            mix = LostMix(name, origin, lost, asked, served)
            if asked or mix.most < 1 - _NONE:
                yield mix


def _supplied(case: Case) -> set[tuple[str, str]]:
    """List regions with the models that something there may serve at once while another region is lost."""
    trust = case.settings.policy.failover.on_demand_trust
    found = {
        (o.region, o.model)
        for o in case.on_demand
        if trust > 0 and o.deadline_hours == 0 and o.tokens_per_minute_quota != 0
    }
    sold = {o.pool for o in case.offers if o.max_units != 0}
    owed = {c.offer for c in case.commitments}
    sold |= {o.pool for o in case.offers if o.offer in owed}
    sold |= {p.pool for p in case.pools if p.usd_per_unreserved_unit_hour is not None}
    home = {p.pool: p.region for p in case.pools}
    return found | {(home[t.pool], t.model) for t in case.throughput if t.pool in sold}


def mixes_that_cannot_be_kept(case: Case) -> list[Caution]:
    """Name each mix that no plan can keep while a region is lost, its origins together."""
    together: dict[tuple[str, str, tuple[Mix, ...], tuple[Mix, ...]], list[str]] = {}
    for found in lost_mixes(case):
        together.setdefault((found.workload, found.lost, found.asked, found.served), []).append(found.origin)
    return [
        Caution(CODE, "risk", f"mix of {name}", _message(lost, origins, asked, served), _remedy(asked, served))
        for (name, lost, asked, served), origins in together.items()
    ]


def _message(lost: str, origins: list[str], asked: tuple[Mix, ...], served: tuple[Mix, ...]) -> str:
    where = f"while {lost} is lost, nothing within reach of {listed(origins)} serves"
    if asked:
        shares = listed(f"{row.min_share:g}" for row in asked)
        return f"{where} {listed(row.model for row in asked)}, but min_share asks for {shares}, so no plan will exist"
    if not served:
        return f"{where} any of its models, so no plan will exist"
    shares = " + ".join(f"{row.max_share:g}" for row in served)
    models = listed(row.model for row in served)
    return f"{where} models other than {models}, whose max_share ({shares}) do not reach 1, so no plan will exist"


def _remedy(asked: tuple[Mix, ...], served: tuple[Mix, ...]) -> str:
    first = "Set that min_share to 0" if asked else f"Let them take {1 - sum(r.max_share for r in served):.4g} more"
    elsewhere = "let another region serve the model (on_demand, throughput, routes, serving_regions)"
    own = "set the workload's failover_share to 0"
    return f"{first}, {elsewhere}, or {own}" if served or asked else f"{elsewhere[0].upper()}{elsewhere[1:]}, or {own}"


def dropped(w: Workload, mixes: list[LostMix]) -> tuple[list[Mix], list[Mix]]:
    """Return the rows of a workload that ask too much (min_share), and those that allow too little (max_share)."""
    mine = [found for found in mixes if found.workload == w.workload]
    asked = {row.model: row for found in mine for row in found.asked}
    tight = {row.model: row for found in mine if not found.asked for row in found.served if row.max_share < 1}
    return [asked[m] for m in sorted(asked)], [tight[m] for m in sorted(tight)]
