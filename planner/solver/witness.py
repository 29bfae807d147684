"""Routings that prove the stress cases of a component, as flat arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from planner.model.sets import Floats, Ints
from planner.solver.stress_search import Routing


@dataclass(frozen=True)
class WitnessArrays:
    """Groups of slots of one component.

    group_case, group_period : of each group. slot_group, slot : merged slots that groups cover. flow_group, flow_need,
    flow_arc, flow : krph of a need over a way (a row of `sets.arcs` of its class), stressed demand.
    """

    group_case: Ints
    group_period: Ints
    slot_group: Ints
    slot: Ints
    flow_group: Ints
    flow_need: Ints
    flow_arc: Ints
    flow: Floats


def witness_of(routings: Sequence[Routing]) -> WitnessArrays:
    """Flatten routings; a need takes its share of each of its class's flows, to the class's demand exactly."""
    groups, needs, arcs, flows = [], [], [], []
    for k, routing in enumerate(routings):
        net = routing.net
        used = np.flatnonzero(routing.flow > 0)
        demand = routing.envelope * net.case.factor(routing.period)
        total = np.bincount(net.class_of, demand, net.classes)
        served = np.bincount(net.arc_class, routing.flow, net.classes)
        exact = total / np.where(served > 0, served, 1.0)
        need = np.flatnonzero(demand > 0)
        share = demand[need] / total[net.class_of[need]]
        pair_need, pair_arc = np.nonzero(net.class_of[need][:, None] == net.arc_class[used][None, :])
        arc = used[pair_arc]
        groups.append(np.full(len(arc), k))
        needs.append(need[pair_need])
        arcs.append(net.arcs[arc])
        flows.append(routing.flow[arc] * exact[net.arc_class[arc]] * share[pair_need])
    whole = np.empty(0, np.int64)
    return WitnessArrays(
        group_case=np.array([r.case for r in routings], dtype=np.int64),
        group_period=np.array([r.period for r in routings], dtype=np.int64),
        slot_group=np.concatenate([np.full(len(r.slots), k) for k, r in enumerate(routings)] or [whole]),
        slot=np.concatenate([r.slots for r in routings] or [whole]),
        flow_group=np.concatenate(groups or [whole]),
        flow_need=np.concatenate(needs or [whole]),
        flow_arc=np.concatenate(arcs or [whole]),
        flow=np.concatenate(flows or [np.empty(0)]),
    )
