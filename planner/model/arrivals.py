"""What serves the demand of the hour in which it arose: the columns of rules 1, 2 and 3."""

from dataclasses import dataclass

import numpy as np

from planner.model.columns import Columns
from planner.model.sets import Bools, Ints, Sets


@dataclass(frozen=True)
class Arrivals:
    """Columns that count for the hour of arrival: flows that do not wait, and what queues take.

    need, slot : of the demand. share : row of `shares` that bounds it (-1: none). guaranteed : whether it is sure to be
    served. column : number of the column. All of one length.
    """

    need: Ints
    slot: Ints
    share: Ints
    guaranteed: Bools
    column: Ints


def arrivals(sets: Sets, at: Columns, share_of_arc: Ints | None = None) -> Arrivals:
    """List them; ``share_of_arc`` : as `shares.bounded_shares` has it (None: no share is looked at)."""
    share_of_arc = np.full(len(sets.arcs), -1) if share_of_arc is None else share_of_arc
    queues = at.queues
    now = queues.of_arc[at.flow_arc] < 0
    arc = at.flow_arc[now]
    queue, slot = np.nonzero(at.taken >= 0)
    return Arrivals(
        need=np.concatenate([sets.arcs["need"].to_numpy(int)[arc], queues.need[queue]]),
        slot=np.concatenate([at.flow_slot[now], slot]),
        share=np.concatenate([share_of_arc[arc], queues.share[queue]]),
        guaranteed=np.concatenate([sets.arcs["guaranteed"].to_numpy(bool)[arc], queues.guaranteed[queue]]),
        column=np.concatenate([at.flows[now], at.taken[queue, slot]]),
    )
