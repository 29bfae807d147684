"""A second opinion on the plan: the programme of docs/model.md flow by flow, with its size rules, and solved.

Nothing is reduced (work that can wait has a flow for each hour that may serve it), so it is for small cases only. Flows
are shares of the demand of their origin, workload and slot, so that the solver sees numbers of order one.
"""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd

from planner.errors import PlannerError
from planner.plan.audit.findings import Finding
from planner.plan.audit.linear_rule import WayNames
from planner.plan.audit.rules import rules_of
from planner.plan.derived import Derived
from planner.plan.flows import Names
from planner.plan.plan import Plan, Status
from planner.plan.stress_cases import StressCase, stress_cases
from planner.schema.case import Case
from planner.units import HOURS_PER_DAY, HOURS_PER_WEEK, REQUESTS_PER_THOUSAND
from planner.verify.linear import INF, Entries, Floats, Ints, Programme, every_way

MOST_FLOWS = 2_000_000
BOUND_TOLERANCE = 1e-6
SEARCH_GAP = 1e-6  # relative, asked of the search over sizes
SEARCH_SECONDS = 300.0
WORTH_TELLING = 1.01e-4  # relative: dearer than another plan by more than planner asks of itself unless told otherwise


def second_opinion(plan: Plan, best_usd: float, least_usd: float) -> list[Finding]:
    """Compare the plan's cost and bounds with the best plan of another search, and with its bound; [USD]."""
    room = BOUND_TOLERANCE * max(1.0, abs(best_usd))
    total, proof, findings = plan.judged_usd, plan.proof, []
    if total < least_usd - room:
        message = f"the plan costs {total:.6f} USD, but no plan can cost less than {least_usd:.6f} USD"
        findings.append(Finding("bound", message, (least_usd - total) / max(1.0, total)))
    for name, bound in (("bound_usd", proof.bound_usd), ("tree_bound_usd", proof.tree_bound_usd)):
        if bound is not None and bound > best_usd + room + SEARCH_GAP * abs(best_usd) * (name == "tree_bound_usd"):
            message = f"{name} {bound:.6f} is no lower bound: a plan of {best_usd:.6f} USD exists"
            findings.append(Finding("bound", message, (bound - best_usd) / max(1.0, best_usd)))
    more = total - best_usd
    if proof.status != Status.GIVEN and more > room + WORTH_TELLING * abs(total):
        message = f"the plan costs {more:,.2f} USD more than it need: a plan of {best_usd:,.2f} USD exists"
        findings.append(Finding("optimum", message, more / max(1.0, abs(total))))
    return findings


def search(case: Case, derived: Derived, names: Names) -> tuple[float, float]:
    """Search the literal programme, sizes and all: cost of the best plan found, and of no plan less; [USD].

    Raises
    ------
    PlannerError : too many flows, no plan exists even so, or none was found in time.
    """
    best, least = _Builder(case, derived, names).solve()
    if not np.isfinite(best):
        raise PlannerError("--deep: no plan meets every rule, by the check's own programme")
    return best, least


class _Builder:
    """Columns are x by offer and period, v by deployment and period, u by pool meter and period, then flows."""

    def __init__(self, case: Case, derived: Derived, names: Names) -> None:
        self.case, self.derived, self.names = case, derived, names
        self.periods = len(names.periods)
        self.cost: list[Floats] = []
        self.upper: list[Floats] = []
        self.columns = self.rows = 0
        self.entries: list[Entries] = []
        self.integer: list[Ints] = []
        self.scaled: list[tuple[str, Ints, Floats]] = []  # pool, columns of slots, hours paid for a unit
        self.of_scenario: list[tuple[Ints, Ints, Floats]] = []  # scenario, column, expected USD
        self.row_lower: list[Floats] = []
        self.row_upper: list[Floats] = []

    def solve(self) -> tuple[float, float]:
        """Write the programme out and solve it: the cost of the best plan, and a bound."""
        case, names = self.case, self.names
        demand = names.demand(case)
        ways = every_way(case, self.derived, names)
        cases = stress_cases(case, names)
        hours = 1.0 + ways["latest_hours"].to_numpy(float)
        flows = int(((demand > 0).sum(axis=1) * np.bincount(ways["need"], hours, minlength=len(demand))).sum())
        if flows * (1 + len(cases)) > MOST_FLOWS:
            raise PlannerError(
                f"--deep writes out every flow: {flows * (1 + len(cases)):,} here, at most {MOST_FLOWS:,}"
            )
        self.deployed = self._capacity()
        self._served(ways, demand, None)
        for stressed in cases:
            self._served(ways, demand * stressed.need_factor[:, None], stressed)
        self._risk()
        cost = np.concatenate(self.cost)
        size = float(np.abs(cost).max(initial=0.0)) or 1.0
        programme = Programme(
            cost / size, np.concatenate(self.upper), np.concatenate(self.row_lower), np.concatenate(self.row_upper),
            Entries.joined(self.entries), np.concatenate([np.empty(0, np.int64), *self.integer]),
        )  # fmt: skip
        best, least = programme.search(SEARCH_GAP, SEARCH_SECONDS)
        return best * size + self.derived.sunk_usd, least * size + self.derived.sunk_usd

    def _add_columns(self, cost: Floats, upper: Floats | float = INF) -> Ints:
        first, self.columns = self.columns, self.columns + len(cost)
        self.cost.append(np.asarray(cost, float))
        self.upper.append(np.broadcast_to(np.asarray(upper, float), len(cost)))
        return np.arange(first, self.columns)

    def _add_rows(
        self, lower: Floats | float, upper: Floats | float, count: int, *parts: tuple[Ints, Ints, Floats]
    ) -> None:
        """Add `count` rows; parts are (row from 0, column, value)."""
        for row, column, value in parts:
            self.entries.append(Entries(np.asarray(row) + self.rows, np.asarray(column), np.asarray(value, float)))
        self.rows += count
        self.row_lower.append(np.broadcast_to(np.asarray(lower, float), count))
        self.row_upper.append(np.broadcast_to(np.asarray(upper, float), count))

    def _capacity(self) -> Ints:
        """Purchases, deployments, unreserved units, rules 5 and 9; returns the column of each deployment and period."""
        case, periods = self.case, self.case.periods
        meters = list(dict.fromkeys((pool, meter) for pool, meter, _ in self.names.deployments))
        row_of = {key: k for k, key in enumerate(meters)}
        counted = 1 - case.settings.policy.tail_value
        cost, upper, inside_usd, in_force = [], [], [], []
        for o in case.offers:
            for k, p in enumerate(periods):
                end = o.term_end(p.start)
                whole = [n for n, q in enumerate(periods) if n >= k and q.end <= end]
                hours = max(0, (min(end, periods[-1].end) - p.start).days) * HOURS_PER_DAY
                beyond = max(0, (end - periods[-1].end).days) * HOURS_PER_DAY
                hourly = o.usd_per_unit_hour + o.upfront_usd_per_unit / (HOURS_PER_DAY * (end - p.start).days)
                cost.append(hourly * (hours + counted * beyond))
                inside_usd.append(hourly * hours)
                most = o.most_units(case.settings.policy.whole_units)
                upper.append(INF if most is None else most)
                if (o.pool, o.meter) in row_of:
                    row = row_of[o.pool, o.meter] * self.periods
                    in_force += [(row + n, len(cost) - 1) for n in whole]
        bought = self.bought = self._add_columns(np.array(cost, float), np.array(upper, float))
        deployed = self._add_columns(np.zeros(len(self.names.deployments) * self.periods))
        self._sizes(bought, deployed)
        price = {p.pool: p.usd_per_unreserved_unit_hour for p in case.pools}
        beyond_price = [price[pool] for pool, _ in meters]
        hours_of = np.array([p.hours for p in periods])
        usd = np.concatenate([np.zeros(0), *(hours_of * (each or 0.0) for each in beyond_price)])
        can = np.repeat([each is not None for each in beyond_price], self.periods)
        extra = self._add_columns(usd, np.where(can, INF, 0.0))
        each = [(*meter, p.name) for meter in meters for p in periods]
        self.beyond = dict(zip(each, extra.tolist(), strict=True))
        earlier = self.derived.earlier_units
        have = [earlier.get((*meter, p.name), 0.0) for meter in meters for p in periods]
        of_meter = np.array([row_of[pool, meter] for pool, meter, _ in self.names.deployments], dtype=np.int64)
        rows = (of_meter[:, None] * self.periods + np.arange(self.periods)).ravel()
        pairs = np.array(in_force, dtype=np.int64).reshape(-1, 2)
        self._add_rows(-INF, np.array(have, float), len(have), (rows, deployed, np.ones(len(deployed))),
                       (pairs[:, 0], bought[pairs[:, 1]], -np.ones(len(pairs))),
                       (np.arange(len(have)), extra, -np.ones(len(extra))))  # fmt: skip
        budget = case.settings.policy.max_commitment_usd
        if budget is not None and len(bought):
            size = max(inside_usd) or 1.0
            self._add_rows(-INF, budget / size, 1,
                           (np.zeros(len(bought), int), bought, np.array(inside_usd) / size))  # fmt: skip
        return deployed.reshape(-1, self.periods)

    def _sizes(self, bought: Ints, deployed: Ints) -> None:
        """Purchases and deployments are 0, or min_units and whole steps of unit_step above (any amount: step 0)."""
        case = self.case
        if not case.settings.policy.whole_units:
            return
        most = np.max([float(np.sum(d)) for d in self._largest()], initial=1.0)
        rules = {(t.pool, t.meter, t.model): (t.min_units, t.unit_step) for t in case.throughput}
        sizes = [(o.min_units, o.unit_step, o.max_units) for o in case.offers for _ in case.periods]
        sizes += [(*rules.get(key, (0.0, 0.0)), None) for key in self.names.deployments for _ in case.periods]
        for column, (least, step, limit) in zip(np.concatenate([bought, deployed]), sizes, strict=True):
            if least <= 0 and step <= 0:
                continue
            top = most + least + step if limit is None else limit
            at = np.array([column])
            on = self._add_columns(np.zeros(1), 1.0)
            self.integer.append(on)
            one, row = np.ones(1), np.zeros(1, np.int64)
            if step <= 0:  # least * on <= units <= top * on
                self._add_rows(0.0, INF, 1, (row, at, one), (row, on, -least * one))
                self._add_rows(-INF, 0.0, 1, (row, at, one), (row, on, -top * one))
                continue
            steps = self._add_columns(np.zeros(1), np.floor(max(0.0, top - least) / step + 1e-9))
            self.integer.append(steps)
            self._add_rows(0.0, 0.0, 1, (row, at, one), (row, on, -least * one), (row, steps, -step * one))
            self._add_rows(-INF, 0.0, 1, (row, steps, one), (row, on, -(max(0.0, top - least) / step + 1) * one))

    def _largest(self) -> Iterator[Floats]:
        """Units of every deployment that all its needs take at their peaks at once, headroom and stress cases too."""
        demand = self.names.demand(self.case)
        most_hours = [1.0 + w.deadline_hours for w in self.case.workloads]  # all that waits may be served at once
        factor = np.tile(most_hours, len(self.names.regions))
        for stressed in stress_cases(self.case, self.names):
            factor = np.maximum(factor, stressed.need_factor)
        peak = float((demand.max(axis=1, initial=0.0) * factor).sum())
        loads = self.derived.loads
        if len(loads):
            yield peak * (loads["units_per_request"] / loads["usable_share"]).to_numpy(float)

    def _served(self, ways: pd.DataFrame, demand: Floats, stressed: StressCase | None) -> None:
        """Flows of every slot with rules 1, 2, 4 and 6; without a stress case also prices, rules 3 and 7."""
        case = self.case
        if stressed is not None:
            gone = (ways["region"] == stressed.failed).to_numpy(bool)
            if not stressed.quota_tpm.any():
                gone = gone | ~ways["reserved"].to_numpy(bool)
            ways = ways[~gone]
        ways = ways.reset_index(drop=True)
        need, slot = np.nonzero(demand > 0)
        pair = pd.DataFrame({"need": need, "pair": np.arange(len(need))})
        table = ways.assign(way=np.arange(len(ways)))[["need", "way"]].merge(pair, on="need")
        # a flow for each hour in which the work arose and hour that serves it, around the week
        late = np.concatenate([np.arange(hours + 1) for hours in ways["latest_hours"].to_numpy(int)[table["way"]]]
                              or [np.empty(0, np.int64)])  # fmt: skip
        table = table.loc[np.repeat(table.index, ways["latest_hours"].to_numpy(int)[table["way"]] + 1)]
        way, of_pair = table["way"].to_numpy(int), table["pair"].to_numpy(int)
        amount, arose = demand[need, slot][of_pair], slot[of_pair]
        at = arose // HOURS_PER_WEEK * HOURS_PER_WEEK + (arose + late) % HOURS_PER_WEEK
        block = at // HOURS_PER_WEEK
        weight = amount * self.derived.slots["weeks"].to_numpy(float)[block]
        factor = self.derived.price_factors(at, ways["quota"].to_numpy(int)[way])
        egress, usd = ways["egress_usd"].to_numpy(float)[way], ways["on_demand_usd"].to_numpy(float)[way]
        paid = weight * (egress + factor * usd) if stressed is None else np.zeros(len(way))
        flow = self._add_columns(paid)
        if stressed is None:
            self.of_scenario.append((block // self.periods, flow, paid))
        self._add_rows(1.0, 1.0, len(need), (of_pair, flow, np.ones(len(flow))))
        self._mix(ways["mix"].to_numpy(int)[way], of_pair, need, flow)
        limit = np.array([np.inf if q.tokens_per_minute_quota is None else q.tokens_per_minute_quota
                          for q in case.on_demand]) if stressed is None else stressed.quota_tpm  # fmt: skip
        quota = ways["quota"].to_numpy(int)[way]
        limited = (quota >= 0) & np.isfinite(np.append(limit, np.inf)[quota])
        rate = amount * ways["quota_per_request"].to_numpy(float)[way]
        self._cap(quota[limited], at[limited], flow[limited], rate[limited], limit)
        self._load(ways, way, slot=at, flow=flow, amount=amount, headroom=stressed is None)
        if stressed is None:
            self._guaranteed(ways["guaranteed"].to_numpy(bool)[way], of_pair, need, flow)
            self._egress(ways.iloc[way], block % self.periods, flow, weight)
            self._rules(ways, way, at, flow, amount)

    def _mix(self, mix: Ints, pair: Ints, need: Ints, flow: Ints) -> None:
        """Rule 2: shares of the demand."""
        workload = need % len(self.names.workloads)
        for k, rule in enumerate(self.case.mix):
            if rule.min_share > 0 or rule.max_share < 1:
                own = np.flatnonzero(workload == self.names.workloads.index(rule.workload))
                place = np.full(len(need), -1, np.int64)
                place[own] = np.arange(len(own))
                of = mix == k
                self._add_rows(rule.min_share, rule.max_share, len(own), (place[pair[of]], flow[of], np.ones(of.sum())))

    def _guaranteed(self, sure: Floats, pair: Ints, need: Ints, flow: Ints) -> None:
        """Rule 3."""
        share = np.array([w.guaranteed_share for w in self.case.workloads])[need % len(self.names.workloads)]
        of = np.asarray(sure, bool)
        self._add_rows(share, INF, len(need), (pair[of], flow[of], np.ones(of.sum())))

    def _cap(self, thing: Ints, slot: Ints, flow: Ints, rate: Floats, limit: Floats) -> None:
        """Rule 6: one row a limited quota and slot that is used."""
        rows, at = np.unique(thing * self.names.slot_count + slot, return_inverse=True)
        top = limit[rows // self.names.slot_count]
        size = np.maximum.reduce([np.ones(len(rows)), top])
        self._add_rows(-INF, top / size, len(rows), (at, flow, rate / size[at]))

    def _load(self, ways: pd.DataFrame, way: Ints, *, slot: Ints, flow: Ints, amount: Floats, headroom: bool) -> None:
        """Rule 4: one row a deployment and slot that is used."""
        own = ways[["workload", "model", "supply", "reserved"]].assign(way=np.arange(len(ways)))
        loads = own[own["reserved"]].merge(self.derived.loads.rename(columns={"pool": "supply"}),
                                           on=["workload", "model", "supply"])  # fmt: skip
        number = {key: k for k, key in enumerate(self.names.deployments)}
        keys = zip(loads["supply"], loads["meter"], loads["deployment"], strict=True)
        loads["number"] = np.array([number[key] for key in keys], dtype=np.int64)
        table = pd.DataFrame({"way": way, "slot": slot, "flow": flow, "amount": amount}).merge(loads, on="way")
        units = table["amount"] * table["units_per_request"] / (table["usable_share"] if headroom else 1.0)
        key = table["number"].to_numpy(int) * self.names.slot_count + table["slot"].to_numpy(int)
        rows, at = np.unique(key, return_inverse=True)
        deployment, when = np.divmod(rows, self.names.slot_count)
        held = self.deployed[deployment, when // HOURS_PER_WEEK % self.periods]
        by_hour = self._by_the_hour() if headroom else np.full((len(number), self.names.slot_count), -1)
        run = by_hour[deployment, when]
        has = np.flatnonzero(run >= 0)
        self._add_rows(-INF, 0.0, len(rows), (at, table["flow"].to_numpy(int), units.to_numpy(float)),
                       (np.arange(len(rows)), held, -np.ones(len(rows))),
                       (has, run[has], -np.ones(len(has))))  # fmt: skip

    def _by_the_hour(self) -> Ints:
        """Units that run by the hour, what starts, and the most of a pool: their columns, deployments x slots."""
        pools = {p.pool: p for p in self.case.pools}
        slots, weeks = self.names.slot_count, self.derived.slots["weeks"].to_numpy(float)
        found = np.full((len(self.names.deployments), slots), -1)
        scenario = np.arange(slots) // HOURS_PER_WEEK // self.periods
        before = np.roll(np.arange(slots).reshape(-1, HOURS_PER_WEEK), 1, axis=1).ravel()
        row, one = np.arange(slots), np.ones(slots)
        for d, (name, _, _) in enumerate(self.names.deployments):
            price = pools[name].usd_per_scaled_unit_hour
            if price is None:
                continue
            usd = np.repeat(weeks, HOURS_PER_WEEK) * price
            found[d] = self._add_columns(usd)
            self.of_scenario.append((scenario, found[d], usd))
            self.scaled.append((name, found[d], one))
            if pools[name].start_hours > 0:
                start = self._add_columns(usd * pools[name].start_hours)
                self.of_scenario.append((scenario, start, usd * pools[name].start_hours))
                self.scaled.append((name, start, one * pools[name].start_hours))
                self._add_rows(-INF, 0.0, slots, (row, found[d], one), (row, found[d][before], -one),
                               (row, start, -one))  # fmt: skip
                # what starts is bounded from above too: it may be worth its price where it counts for contracts
                self._add_rows(-INF, 0.0, slots, (row, start, one), (row, found[d], -one))
                if (limit := pools[name].max_scaled_units) is not None:
                    self._add_rows(-INF, limit, slots, (row, start, one), (row, found[d][before], one))
        for name, pool in pools.items():
            mine = [d for d, key in enumerate(self.names.deployments) if key[0] == name and found[d][0] >= 0]
            if pool.max_scaled_units is not None and mine:
                self._add_rows(-INF, pool.max_scaled_units, slots, *((row, found[d], one) for d in mine))
        return found

    def _rules(self, ways: pd.DataFrame, way: Ints, slot: Ints, flow: Ints, amount: Floats) -> None:
        """Rules that the audit states as weights."""
        bought = {(o.offer, p.name): k for k, (o, p) in enumerate(product(self.case.offers, self.case.periods))}
        deployment = {key: k for k, key in enumerate(self.names.deployments)}
        period = {name: k for k, name in enumerate(self.names.periods)}
        columns = ["origin", "workload", "model", "region", "supply", "reserved"]
        named = [WayNames(*names) for names in ways[columns].itertuples(index=False, name=None)]
        for rule in rules_of(self.case, self.names):
            entries = [(row, int(self.bought[bought[offer, p]]), w) for row, offer, p, w in rule.bought]
            entries += [
                (row, int(self.deployed[deployment[pool, meter, model], period[p]]), w)
                for row, pool, meter, model, p, w in rule.deployed
            ]
            entries += [(row, int(self.beyond[pool, meter, p]), w) for row, pool, meter, p, w in rule.unreserved]
            for part_row, pool, weight in rule.scaled:
                for name, run, times in self.scaled:
                    used = np.flatnonzero(weight) if name == pool else ()
                    entries += [(part_row, int(run[k]), float(weight[k] * times[k])) for k in used]
            if rule.missed_usd:
                price = np.array(rule.missed_usd, float)
                missed = self._add_columns(price)
                entries += [(row, int(c), 1.0) for row, c in enumerate(missed)]
                scenario = [self.names.scenarios.index(str(row["scenario"])) for row in rule.rows]
                self.of_scenario.append((np.array(scenario, np.int64), missed, price))
            row, column, value = (np.array(x) for x in zip(*entries, strict=True)) if entries else (np.empty(0),) * 3
            parts = [(row.astype(np.int64), column.astype(np.int64), value.astype(float))]
            for part in rule.served:
                weight = np.array([part.weight(names) for names in named])[way] * part.slots[slot]
                counted = np.flatnonzero(weight)
                krph = amount[counted] / REQUESTS_PER_THOUSAND
                parts.append((np.full(len(counted), part.row), flow[counted], weight[counted] * krph))
            size = np.ones(len(rule.rows))
            for at, _, weights in parts:
                np.maximum.at(size, at, np.abs(weights))
            scaled = [(at, where, weights / size[at]) for at, where, weights in parts]
            lower, upper = np.array(rule.lower, float) / size, np.array(rule.upper, float) / size
            self._add_rows(np.maximum(lower, -INF), np.minimum(upper, INF), len(size), *scaled)

    def _risk(self) -> None:
        """Weigh the dearest scenarios: (1 - weight) E[X] + weight (t + E[above t] / (1 - level)), t any threshold."""
        risk = self.case.settings.policy.risk
        if risk.weight <= 0:
            return
        chance = np.array([s.probability for s in self.case.scenarios])
        likely = np.flatnonzero(chance > 0)
        number = np.full(len(chance), -1)
        number[likely] = np.arange(len(likely))
        cost = np.concatenate(self.cost)
        scenario, column, usd = (np.concatenate([part[k] for part in self.of_scenario]) for k in range(3))
        cost[column] *= 1 - risk.weight
        self.cost = [cost]
        size = float(usd.sum()) or 1.0
        threshold = self._add_columns(np.array([risk.weight * size]))
        above = self._add_columns(risk.weight * chance[likely] / (1 - risk.level) * size)
        own = np.flatnonzero(number[scenario] >= 0)
        rows = number[scenario[own]]
        self._add_rows(-INF, 0.0, len(likely), (rows, column[own], usd[own] / chance[scenario[own]] / size),
                       (np.arange(len(likely)), np.repeat(threshold, len(likely)), -np.ones(len(likely))),
                       (np.arange(len(likely)), above, -np.ones(len(likely))))  # fmt: skip

    def _egress(self, ways: pd.DataFrame, period: Ints, flow: Ints, weight: Floats) -> None:
        """Rule 7: GB on each listed pair and month, share of requests away."""
        away = (ways["origin"] != ways["region"]).to_numpy(bool)
        for route in self.case.routes:
            cap = route.max_gb_per_month
            if cap is None or route.origin == route.destination:
                continue
            there = ((ways["origin"] == route.origin) & (ways["region"] == route.destination)).to_numpy(bool)
            back = ((ways["origin"] == route.destination) & (ways["region"] == route.origin)).to_numpy(bool)
            gb = weight * np.where(there, ways["gb_in"], np.where(back, ways["gb_out"], 0.0))
            used, size = gb > 0, max(cap, 1e-9)
            self._add_rows(-INF, cap / size, self.periods, (period[used], flow[used], gb[used] / size))
        share = self.case.settings.policy.egress.max_cross_region_share
        if share is not None:
            size = float(weight.max(initial=0.0)) or 1.0
            self._add_rows(-INF, 0.0, 1, (np.zeros(len(flow), int), flow, weight * (away - share) / size))
