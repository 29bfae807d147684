"""What waiting saves, and what longer deadlines would: the case with other deadlines, solved again beside each rule.

Served when it arises, work that can wait still steps aside in every stress case and keeps its reserved headroom: what
differs is the waiting alone, and that options which take hours to answer are too slow for it.
"""

from dataclasses import replace

from planner.plan.rules_cost import Deadlines
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.units import HOURS_PER_WEEK

LONGEST = HOURS_PER_WEEK - 1


def other_deadlines(case: Case) -> list[tuple[Deadlines, Case]]:
    """Cases with other deadlines; none where nothing can wait, nor where they are the longest already."""
    if not case.work_can_wait:
        return []
    found = [(Deadlines.NONE, _changed(case, 0))]
    if any(w.can_wait and w.deadline_hours < LONGEST for w in case.workloads):
        found.append((Deadlines.TWICE, _changed(case, 2)))
        if any(w.can_wait and 2 * w.deadline_hours < LONGEST for w in case.workloads):
            found.append((Deadlines.WEEK, _changed(case, HOURS_PER_WEEK)))
    return found


def _changed(case: Case, times: int) -> Case:
    """Multiply the deadlines of work that can wait; 0: it is served when it arises."""

    def with_deadline(w: Workload) -> Workload:
        if not w.can_wait:
            return w
        if times:
            return w.model_copy(update={"deadline_hours": min(LONGEST, times * w.deadline_hours)})
        aside = {"headroom": 0.0, "reserved_headroom": case.reserved_headroom(w), "failover_share": 0.0}
        return w.model_copy(update={"deadline_hours": 0, **aside})

    return replace(case, workloads=tuple(with_deadline(w) for w in case.workloads))
