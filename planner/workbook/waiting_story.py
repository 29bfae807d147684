"""What the reports say of work that can wait: how much does, what that saves, what longer deadlines would."""

from planner.plan.rules_cost import Deadlines
from planner.plan.waited import Waited
from planner.schema.capacity import TOKENS_METER
from planner.units import counted
from planner.workbook.report import Report
from planner.workbook.text_tables import joined, percent, usd

TRIFLE = 0.0005  # of what is deployed of a pool
NAMED_POOLS = 3


def waiting_lines(report: Report) -> list[str]:
    """Say how much work waits, what that saves, what longer deadlines would, and what is still idle."""
    found = report.waited
    if found is None:
        return []
    if found.waited_share > 0:
        mean, most = found.mean_hours_waited, found.longest_hours_waited
        lines = [
            f"{percent(found.waited_share)} of the requests that can wait do, {counted(mean, 'hour', '.1f')} on "
            "average and "
            f"{most:.0f} at most."
        ]
    else:
        lines = ["Nothing waits: every request that could is served in the hour in which it arises."]
    lines += _deadline_lines(report)
    return lines + _idle_lines(found)


def _idle_lines(found: Waited) -> list[str]:
    """Name the pools with idle units, the idlest share first; units of different pools are never added up."""
    if not len(found.idle):
        return []
    table = found.idle.assign(share=found.idle["idle_unit_hours"] / found.idle["unit_hours"])
    table = table[table["share"] > TRIFLE].sort_values(["share", "pool", "meter"], ascending=[False, True, True])
    if not len(table):
        return ["No deployed unit is idle in any hour, beside the headroom."]
    named = [
        f"{hours:,.0f} unit-hours of {pool}{'' if meter == TOKENS_METER else f', {meter}'} ({percent(share)} of "
        "what is deployed)"
        for share, pool, meter, hours in table[["share", "pool", "meter", "idle_unit_hours"]].to_numpy()
    ]
    return [f"Still idle, beside the headroom: {joined(named, NAMED_POOLS)}. More work that can wait could use them."]


def _deadline_lines(report: Report) -> list[str]:
    """Say what other deadlines would cost."""
    rules = report.rules
    if rules is None or not rules.waiting:
        return []
    lines, least = [], 1e-6 * abs(rules.total_usd)
    now = rules.with_deadlines(Deadlines.NONE)
    if now is not None and now.total_usd is None:
        lines.append("Without waiting there is no plan: served as it arises, the same work does not fit.")
    elif now is not None and now.total_usd is not None:
        saves = now.total_usd - rules.total_usd
        sizes = ", for units of any size" if rules.any_size else ""
        lines.append(
            f"Waiting saves {usd(saves)}: served in the hour in which it arises, the same work would make the cheapest "
            f"plan cost {usd(now.total_usd)}, not {usd(rules.total_usd)}{sizes}."
            if saves > max(0.005, least)
            else f"Waiting saves nothing{sizes}: served in the hour in which it arises, the same work costs no more."
        )
    more = []
    for deadlines, words in ((Deadlines.TWICE, "twice as long"), (Deadlines.WEEK, "of a week")):
        longer = rules.with_deadlines(deadlines)
        if longer is not None and longer.total_usd is not None:
            saves = rules.total_usd - longer.total_usd
            more.append((words, saves if saves > max(0.005, least) else 0.0))
    if more and all(saves <= 0 for _, saves in more):
        lines.append("Longer deadlines would save nothing.")
    elif more:
        said = " and ".join(f"{usd(saves)} if they were {words}" for words, saves in more)
        lines.append(f"Longer deadlines would save {said}.")
    return lines
