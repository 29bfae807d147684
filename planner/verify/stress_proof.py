"""Rule 8 without the witness: every stress case of every slot is proved by programmes of this room's own.

If the envelope of a group of slots (the largest demand of each class over them) can be served, each of its slots can
be: scaled down class by class, the routing keeps every mix and lowers every load. A group whose envelope cannot be
served is cut in two; a single slot that cannot be served is a finding.

The programme asks for the least demand left unserved, so it always has an answer, and the answer says by how much:

    min Σ_c short[c]    Σ_way y + short[c] = demand[c]    y[model] within its shares of what is served    loads ≤ units
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from planner.plan.audit.findings import TOLERANCE, Finding
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.plan.stress_cases import StressCase, stress_cases
from planner.schema.case import Case
from planner.units import HOURS_PER_WEEK, counted
from planner.verify.linear import INF, Entries, Floats, Ints, Programme

WAY_COLUMNS = ("class", "model", "region", "supply", "reserved")


@dataclass(frozen=True)
class Reach:
    """Ways of one stress case.

    Origins of a workload that may use the same surviving regions form a class: a routing of their sum, divided in
    proportion, serves each of them with the same mix and the same loads.

    class_of : class of each need (origin x workload). workload : of each class, its number.
    ways : columns WAY_COLUMNS, one row a way of a class. loads : way, deployment, units_per_request.
    counted : way, quota, tokens per minute per request/hour, only for quotas that limit.
    """

    class_of: Ints
    workload: Ints
    ways: pd.DataFrame
    loads: pd.DataFrame
    counted: pd.DataFrame

    def of_part(self, part: Ints) -> tuple[pd.DataFrame, Ints, Ints]:
        """Return the ways of some classes, the place among them of each way (-1: none), and the class in the part."""
        position = np.full(len(self.workload), -1, np.int64)
        position[part] = np.arange(len(part))
        ways = self.ways[position[self.ways["class"].to_numpy(int)] >= 0]
        column = np.full(len(self.ways), -1, np.int64)
        column[ways["way"].to_numpy(int)] = np.arange(len(ways))
        return ways, column, position[ways["class"].to_numpy(int)]

    def class_demand(self, demand: Floats) -> Floats:
        """Add up demand (needs x slots) by class."""
        total = np.zeros((len(self.workload), demand.shape[1]))
        np.add.at(total, self.class_of, demand)
        return total


def reach_of(case: Case, derived: Derived, names: Names, stressed: StressCase) -> Reach:
    """List the ways of a stress case."""
    standing = derived.travel[derived.travel["region"] != stressed.failed]
    may: dict[tuple[str, str], list[str]] = {}
    for w, origin, region in standing[["workload", "origin", "region"]].itertuples(index=False, name=None):
        may.setdefault((origin, w), []).append(region)
    number: dict[tuple[str, tuple[str, ...]], int] = {}
    class_of = np.array([
        number.setdefault((w, tuple(sorted(may.get((origin, w), ())))), len(number))
        for origin in names.regions
        for w in names.workloads
    ])  # fmt: skip
    rows = [(k, w, region) for (w, regions), k in number.items() for region in regions]
    reach = pd.DataFrame(rows, columns=["class", "workload", "region"])
    index = {w: k for k, w in enumerate(names.workloads)}

    held = derived.loads.rename(columns={"pool": "supply"}).merge(reach, on=["workload", "region"])
    deployment = {key: k for k, key in enumerate(names.deployments)}
    keys = zip(held["supply"], held["meter"], held["deployment"], strict=True)
    held["at"] = np.array([deployment[key] for key in keys], dtype=np.int64)
    trusted = bool(stressed.quota_tpm.any())
    options = derived.options.rename(columns={"option": "supply"})[slice(None) if trusted else slice(0)]
    bought = options.merge(reach, on=["workload", "region"])
    quota = {key: k for k, key in enumerate(names.quotas)}
    keys = zip(bought["region"], bought["model"], bought["supply"], strict=True)
    bought["at"] = np.array([quota[key] for key in keys], dtype=np.int64)
    columns = list(WAY_COLUMNS)
    ways = pd.concat([held.assign(reserved=True)[columns], bought.assign(reserved=False)[columns]], ignore_index=True)
    ways = ways.drop_duplicates(ignore_index=True).rename_axis("way").reset_index()
    loads = held.assign(reserved=True).merge(ways, on=columns)
    counted = bought.assign(reserved=False).merge(ways, on=columns)
    counted = counted[np.isfinite(stressed.quota_tpm[counted["at"].to_numpy(int)])]
    return Reach(
        class_of=class_of.astype(np.int64),
        workload=np.array([index[w] for w, _ in number], dtype=np.int64),
        ways=ways,
        loads=loads[["way", "at", "units_per_request"]],
        counted=counted[["way", "at", "quota_per_request"]],
    )


def parts_of(reach: Reach) -> list[Ints]:
    """Classes in parts that share no deployment and no quota that limits: each part is proved by itself."""
    parent = list(range(len(reach.workload)))

    def root(k: int) -> int:
        while parent[k] != k:
            parent[k] = parent[parent[k]]
            k = parent[k]
        return k

    class_of_way = reach.ways["class"].to_numpy(int)
    for table in (reach.loads, reach.counted):
        first: dict[int, int] = {}
        for way, at in zip(table["way"].tolist(), table["at"].tolist(), strict=True):
            k = root(int(class_of_way[way]))
            parent[k] = root(first.setdefault(at, k))
    roots = np.array([root(k) for k in range(len(parent))])
    return [np.flatnonzero(roots == r) for r in np.unique(roots)]


@dataclass(frozen=True)
class Proved:
    """What was proved: findings, and how many slots by how many programmes."""

    findings: list[Finding]
    cases: int
    slots: int
    programmes: int


def prove_stress(case: Case, derived: Derived, names: Names, units: Floats, demand: Floats) -> Proved:
    """Prove every stress case; ``units``: deployments x periods, ``demand``: needs x slots, requests per hour."""
    findings: list[Finding] = []
    proved = programmes = 0
    cases = stress_cases(case, names)
    for stressed in cases:
        reach = reach_of(case, derived, names, stressed)
        wanted = reach.class_demand(demand * stressed.need_factor[:, None])
        proved += int((wanted.sum(axis=0) > 0).sum())
        failed: dict[int, float] = {}
        for part in parts_of(reach):
            if not wanted[part].any():
                continue
            server = _Server(case, names, stressed, reach, part, float(wanted[part].max()))
            for p in range(len(names.periods)):
                slots = np.arange(names.slot_count)
                slots = slots[slots // HOURS_PER_WEEK % len(names.periods) == p]
                slots = slots[wanted[np.ix_(part, slots)].sum(axis=0) > 0]
                server.stand(units[:, p])
                for slot, short in server.unserved(wanted[part], slots):
                    failed[slot] = failed.get(slot, 0.0) + short
            programmes += server.solved
        findings += _told(names, stressed, failed, wanted)
    return Proved(findings, len(cases), proved, programmes)


def _told(names: Names, stressed: StressCase, failed: dict[int, float], wanted: Floats) -> list[Finding]:
    asked = wanted.sum(axis=0)
    if not failed:
        return []
    worst = max(failed, key=lambda slot: failed[slot] / asked[slot])
    more = f", and some in {counted(len(failed) - 1, 'more hour', ',')}" if len(failed) > 1 else ""
    message = (
        f"{stressed.name}, {names.slot_name(worst)}: what stands leaves at least {_rate(failed[worst])} of "
        f"{_rate(float(asked[worst]))} requests/hour unserved, whichever they are{more}"
    )
    return [Finding("stress", message, failed[worst] / float(asked[worst]), len(failed))]


class _Server:
    """The programme of one part of one stress case; only demand and what stands change from solve to solve."""

    def __init__(
        self, case: Case, names: Names, stressed: StressCase, reach: Reach, part: Ints, scale_rph: float
    ) -> None:
        self.scale, self.part, self.solved = scale_rph, part, 0
        ways, column, of_class = reach.of_part(part)
        count = len(ways)
        short = count + np.arange(len(part))
        ones = np.ones(count)
        parts = [Entries(of_class, np.arange(count), ones), Entries(np.arange(len(part)), short, np.ones(len(part)))]
        shares, mix_lower, mix_upper = mix_entries(
            case, names, reach.workload[part], ways["model"].to_numpy(), of_class
        )
        parts.append(Entries(shares.row + len(part), shares.column, shares.value))
        first = len(part) + len(mix_lower)
        self.limits: list[tuple[Ints, Ints, Floats]] = []  # (rows, deployment or quota, size of a row)
        for table, name in ((reach.loads, "units_per_request"), (reach.counted, "quota_per_request")):
            own = column[table["way"].to_numpy(int)]
            used = own >= 0
            things, at = np.unique(table["at"].to_numpy(int)[used], return_inverse=True)
            value = table[name].to_numpy(float)[used] * scale_rph
            size = np.zeros(len(things))
            np.maximum.at(size, at, value)
            size[size <= 0] = 1.0
            parts.append(Entries(at + first, own[used], value / size[at]))
            self.limits.append((first + np.arange(len(things)), things, size))
            first += len(things)
        limited = first - len(part) - len(mix_lower)
        nothing = np.zeros(len(part))
        lower = np.concatenate([nothing, mix_lower, np.full(limited, -INF)])
        upper = np.concatenate([nothing, mix_upper, np.zeros(limited)])
        cost = np.concatenate([np.zeros(count), np.ones(len(part))])
        self.programme = Programme(cost, np.full(len(cost), INF), lower, upper, Entries.joined(parts))
        rows, things, size = self.limits[1]
        self._limit(rows, stressed.quota_tpm[things], size)

    def stand(self, units: Floats) -> None:
        """Set the units of each deployment."""
        rows, things, size = self.limits[0]
        self._limit(rows, units[things], size)

    def unserved(self, wanted: Floats, slots: Ints) -> Iterator[tuple[int, float]]:
        """Find slots that cannot be served, and what is left of them (requests/hour); ``wanted``: classes x slots."""
        todo = [slots] if len(slots) else []
        while todo:
            group = todo.pop()
            envelope = wanted[:, group].max(axis=1)
            short = self._short(envelope)
            if short <= TOLERANCE * (1.0 + float(envelope.sum())):
                continue
            if len(group) == 1:
                yield int(group[0]), short
                continue
            inside = wanted[:, group]
            widest = int(np.argmax(inside.max(axis=1) - inside.min(axis=1)))
            order = group[np.argsort(-inside[widest], kind="stable")]
            half = len(order) // 2
            todo += [order[half:], order[:half]]

    def _short(self, demand: Floats) -> float:
        amount = demand / self.scale
        self.programme.row_bounds(np.arange(len(self.part)), amount, amount)
        self.solved += 1
        return self.programme.solve() * self.scale

    def _limit(self, rows: Ints, standing: Floats, size: Floats) -> None:
        top = (standing * (1 + TOLERANCE) + TOLERANCE) / size
        self.programme.row_bounds(rows, np.full(len(rows), -INF), top)


def mix_entries(
    case: Case, names: Names, workload: Ints, model: Ints, of_class: Ints
) -> tuple[Entries, Floats, Floats]:
    """Return rows share − bound · served ≥ 0 or ≤ 0, for each class and model whose share is bounded."""
    rows: list[Entries] = []
    lower: list[float] = []
    upper: list[float] = []
    for k, w in enumerate(workload.tolist()):
        own = np.flatnonzero(of_class == k)
        for rule in case.mix:
            if rule.workload != names.workloads[w]:
                continue
            of_model = (model[own] == rule.model).astype(float)
            for bound, low in ((rule.min_share, True), (rule.max_share, False)):
                if (low and bound > 0) or (not low and bound < 1):
                    rows.append(Entries(np.full(len(own), len(lower)), own, of_model - bound))
                    lower.append(0.0 if low else -INF)
                    upper.append(INF if low else 0.0)
    return Entries.joined(rows), np.array(lower, float), np.array(upper, float)


def _rate(requests: float) -> str:
    return f"{requests:,.1f}".removesuffix(".0") if requests >= 1 else f"{requests:.2g}"
