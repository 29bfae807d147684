"""Rules of the model that the figures of the workbook show, each as a formula and as a count in plain arithmetic."""

from collections.abc import Sequence
from dataclasses import dataclass

from planner.plan.metrics.tables import HORIZON
from planner.workbook.book import Block
from planner.workbook.report import Report, rows_of

_SLACK = 1e-6  # relative and absolute: what a solver's tolerance may leave
_PLUS = "*(1+0.000001)+0.000001"


@dataclass(frozen=True)
class Blocks:
    """Where the detail tables stand; None where nothing is bought."""

    order: Block | None
    held: Block
    on_demand: Block
    egress: Block
    stress: Block


@dataclass(frozen=True)
class Rule:
    """A rule: how many cases were looked at and how many break it, as formulas and as numbers."""

    what: str
    where: str
    cases: str
    count: int
    broken: str
    wrong: int


def rules(report: Report, blocks: Blocks, fits: Sequence[bool]) -> list[Rule]:
    """List the rules that this plan's figures can show; `fits` says whether each line is of a size that is sold."""
    found = [Rule(str(rule), "Every hour, by the audit", "1", 1, "1", 1) for rule in report.metrics.broken]
    found += [*_order(report, blocks.order, fits), *_held(report, blocks.held)]
    if len(report.metrics.on_demand):
        pairs = [(r.peak_tokens_per_minute, r.tokens_per_minute_quota) for r in rows_of(report.metrics.on_demand)]
        found.append(_limit("On-demand peaks stay within their quotas", blocks.on_demand, "peak", "quota", pairs))
    egress = report.metrics.egress[report.metrics.egress["period"] != HORIZON]
    if len(egress):
        pairs = [(r.gb, r.max_gb_per_month) for r in rows_of(egress)]
        found.append(_limit("Egress stays within its caps", blocks.egress, "gb", "cap", pairs))
    if len(report.metrics.stress):
        pairs = [(r.need_rph, r.capacity_rph) for r in rows_of(report.metrics.stress)]
        finite = [(need, capacity) for need, capacity in pairs if capacity != float("inf")]
        what = "Stress cases with a finite capacity can be served in their worst hour"
        found.append(_limit(what, blocks.stress, "need", "capacity", finite))
    return found


def _order(report: Report, order: Block | None, fits: Sequence[bool]) -> list[Rule]:
    if order is None:
        return []
    found, policy = [], report.case.settings.policy
    if policy.whole_units:
        count = f"ROWS({order.range('fits')})"
        what = "Units are sizes that the offer sells"
        found.append(Rule(what, order.sheet, count, len(fits), f"{count}-{order.total('fits')}", fits.count(False)))
    budget = policy.max_commitment_usd
    if budget is not None:
        over = sum(line.horizon_usd for line in report.lines) > budget * (1 + _SLACK) + _SLACK
        broken = f"IF({order.total('horizon_usd')}>{budget!r}{_PLUS},1,0)"
        found.append(Rule(f"New commitments stay within {budget:,.0f} USD", order.sheet, "1", 1, broken, int(over)))
    return found


def _held(report: Report, held: Block) -> list[Rule]:
    months = report.months
    if not months:
        return []
    deployed, force, beyond, peak = (held.range(key) for key in ("deployed", "force", "beyond", "peak"))
    count = f"ROWS({deployed})"
    more = sum(_over(m.deployed_units, m.in_force_units + m.unreserved_units) for m in months)
    fuller = sum(_over(m.peak_used_units, m.deployed_units) for m in months)
    return [
        Rule("No more is deployed than is in force, or bought beyond commitments", held.sheet, count, len(months),
             f"SUMPRODUCT(--({deployed}>({force}+{beyond}){_PLUS}))", more),
        Rule("The peak hour, headroom kept, fits what is deployed", held.sheet, count, len(months),
             f"SUMPRODUCT(--({peak}>{deployed}{_PLUS}))", fuller),
    ]  # fmt: skip


def _limit(what: str, block: Block, value: str, limit: str, pairs: Sequence[tuple[float, float]]) -> Rule:
    """Return the rule that no value of a table is above its limit, where it has one (NaN: none)."""
    values, limits = block.range(value), block.range(limit)
    given = [(a, b) for a, b in pairs if b == b]
    broken = f"SUMPRODUCT(ISNUMBER({limits})*({values}>{limits}{_PLUS}))"
    return Rule(what, block.sheet, f"COUNT({limits})", len(given), broken, sum(_over(a, b) for a, b in given))


def _over(value: float, limit: float) -> bool:
    return bool(value > limit * (1 + _SLACK) + _SLACK)
