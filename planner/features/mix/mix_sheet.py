"""Mix: what a shift of the model mix would be worth, each variant a whole plan."""

from typing import Any

from planner.features.mix.mix_tables import ALL, TIERS, MixStudy, MixVariant
from planner.workbook.book import Column, ExtraSheet, Live, Recomputed, Sheet
from planner.workbook.report import Report, rows_of
from planner.workbook.sheets import egress_sheet
from planner.workbook.sheets.cost_bars import cost_bars, rare_parts, total_of
from planner.workbook.theme import GREEN

NAME = "Mix"
TOP = 20  # below the chart
CAUTION = (
    "Answer quality is not in these numbers: a smaller model may give worse answers, or need more tokens or more "
    "turns. Test it on your own tasks before you shift."
)
_LAST = 10
_TIER_COLUMNS = tuple(Column(tier, f"{tier.capitalize()}\nmodels", "percent", 11) for tier in TIERS)
VARIANTS = (
    Column("name", "Mix", "text:wrap", 24),
    *_TIER_COLUMNS,
    Column("reserved", "Reserved\nUSD", "usd", 13),
    Column("on_demand", "On demand\nUSD", "usd", 13),
    Column("egress", "Egress\nUSD", "cents", 13),
    Column("total", "Total\nUSD", "usd", 13),
    Column("difference", "Against as is\nUSD", "usd", 14),
    Column("share", "Against\nas is", "percent", 12),
    Column("dearest", "Against all\nfrontier, USD", "usd", 14),
)
WORKLOADS = (
    Column("name", "Workload", "text:wrap", 24),
    *_TIER_COLUMNS,
    Column("mix", "Mix", "text", 13),
    Column("tasks", "Tasks", "count", 13),
    Column("task_usd", "Per task\nUSD", "price", 13),
    Column("total", "Total\nUSD", "usd", 13),
    Column("difference", "Against as is\nUSD", "usd", 14),
    Column("share", "Against\nas is", "percent", 12),
)
HELD = (
    Column("name", "Workload", "text:wrap", 24),
    Column("tier", "Tier", "text", 11),
    Column("target", "Asked", "percent", 11),
    Column("given", "Permitted", "percent", 11),
    Column("mix", "Mix", "text", 13),
    Column("limit", "Limited by", "text", 52),
)
COMMITMENTS = (
    Column("name", "Offer", "text:wrap", 24),
    Column("period", "Start", "text", 11),
    Column("units", "Units", "units", 11),
    Column("usd", "In these\nmonths, USD", "usd", 11),
    Column("mix", "Mix", "text", 13),
)


def sheet_of(study: MixStudy) -> ExtraSheet:
    """Return the sheet for the plan's workbook."""

    def fill(sheet: Sheet, report: Report) -> tuple[Recomputed, ...]:
        write(sheet, study)
        return ()

    return ExtraSheet(NAME, GREEN, egress_sheet.NAME, fill)


def write(sheet: Sheet, study: MixStudy) -> None:
    """Write the sheet."""
    text = f"A complete plan for each mix, at least as good as the mix in every region and hour. {CAUTION}"
    sheet.heading("Mix", text, _LAST)
    sheet.widths(VARIANTS)
    found = [v for v in study.variants if v.possible]
    block = sheet.table(TOP, (*VARIANTS, *_rare(found)), _variants(study, found, sheet.name))
    alt = "Bars of the cost of the plan at each mix of models, divided into its parts."
    cost_bars(sheet, block, top=3, reserved="reserved", title="Cost of the plan at each mix", alt=alt)
    top = block.last + 1
    for variant in study.variants:
        if not variant.possible:
            sheet.raw.set_row(top, 42)
            sheet.merged(top, 0, _LAST, f"{variant.target.name}: no plan exists. {variant.problem}", "alert")
            top += 1
    for left in study.left_out:
        sheet.raw.set_row(top, 28)
        sheet.merged(top, 0, _LAST, f"{left.name}: left out, {left.reason}.", "note")
        top += 1
    top += 1
    sheet.put(top, 0, "By workload", "section")
    by_workload = sheet.table(top + 1, WORKLOADS, _workloads(found, sheet.name, top + 2))
    top = by_workload.last + 2
    sheet.put(top, 0, "Limited by the allowed shares of a workload", "section")
    held = sheet.table(top + 1, HELD, _held(study), empty="No workload was limited.")
    top = held.last + 2
    sheet.put(top, 0, "What each mix would commit to", "section")
    bought = sheet.table(top + 1, COMMITMENTS, _commitments(found), empty="No mix buys anything.")
    sheet.printed(bought.last, _LAST, freeze=(3, 1))


def _reached(variant: MixVariant, workload: str) -> dict[str, Any]:
    own = variant.tiers[variant.tiers["workload"] == workload]
    return {tier: float(share) for tier, share in zip(own["tier"], own["share"], strict=True)}


def _rare(found: list[MixVariant]) -> tuple[Column, ...]:
    """Parts of the cost that only some plans have: the last columns, so that the others stay in place."""
    return rare_parts({part: [getattr(v, part) for v in found] for part in ("scaled_usd", "shortfall_usd")})


def _variants(study: MixStudy, found: list[MixVariant], name: str) -> list[dict[str, Any]]:
    base, top = f"'{name}'!$H${TOP + 2}", study.all_frontier
    dearest = None if top is None else f"'{name}'!$H${TOP + 2 + found.index(top)}"
    rare = _rare(found)
    return [
        {
            "name": v.target.name,
            **_reached(v, ALL),
            "reserved": v.reserved_usd,
            "on_demand": v.on_demand_usd,
            "egress": v.egress_usd,
            **{column.key: getattr(v, f"{column.key}_usd") for column in rare},
            "total": Live(total_of(rare), v.total_usd),
            "difference": Live(f"={{total}}-{base}", v.difference_usd),
            "share": _over(f"{{difference}}/{base}", base, v.difference_share),
            "dearest": None if top is None else Live(f"={{total}}-{dearest}", v.total_usd - top.total_usd),
        }
        for v in found
    ]


def _workloads(found: list[MixVariant], name: str, first: int) -> list[dict[str, Any]]:
    """Rows by workload, then variant; `first`: row of the first, counted from 0. The first of a workload is as is."""
    records: list[dict[str, Any]] = []
    names = [str(w) for w in found[0].workloads["workload"]]
    for workload in names:
        base = f"'{name}'!$H${first + len(records) + 1}"
        for v in found:
            row = next((r for r in rows_of(v.workloads) if r.workload == workload), None)
            if row is None:
                continue
            total = float(row.total_usd)
            records.append({
                "name": workload,
                **_reached(v, workload),
                "mix": v.target.name,
                "tasks": float(row.tasks),
                "task_usd": Live("=IF({tasks}>0,{total}/{tasks},0)", float(row.usd_per_task)),
                "total": total,
                "difference": Live(f"={{total}}-{base}", float(row.difference_usd)),
                "share": _over(f"{{difference}}/{base}", base, float(row.difference_share)),
            })  # fmt: skip
    return records


def _over(formula: str, base: str, value: float) -> Live:
    return Live(f"=IF({base}>0,{formula},0)", 0.0 if value != value else value)


def _held(study: MixStudy) -> list[dict[str, Any]]:
    return [
        {"name": str(r.workload), "tier": str(r.tier), "target": float(r.target_share), "given": float(r.share),
         "mix": v.target.name, "limit": str(r.limit)}
        for v in study.variants for r in rows_of(v.held)
    ]  # fmt: skip


def _commitments(found: list[MixVariant]) -> list[dict[str, Any]]:
    return [
        {"name": str(r.offer), "period": str(r.period), "units": float(r.units), "usd": float(r.usd),
         "mix": v.target.name}
        for v in found for r in rows_of(v.commitments.sort_values(["period", "offer"]))
    ]  # fmt: skip
