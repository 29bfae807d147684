"""The break-even of a buyer's own offers on paper: a workbook with one sheet, and a chart as SVG."""

import datetime as dt
from collections.abc import Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from planner.features.catalogue.break_even import (
    Axes,
    BreakEven,
    Meter,
    TokenMix,
    after_price_cut,
    break_even,
    discount_needed,
    token_prices,
    verdict_of,
)
from planner.io.atomic import written_beside
from planner.schema.capacity import Offer, OnDemand, Throughput
from planner.schema.case import Case
from planner.schema.workloads import Workload
from planner.units import HOURS_PER_DAY, HOURS_PER_MONTH
from planner.workbook.book import Column, new_book
from planner.workbook.svg import BarLook, bars
from planner.workbook.theme import BLUE, VERMILION

COLUMNS = (
    Column("offer", "Offer", "text:wrap", 34),
    Column("model", "Model", "text", 20),
    Column("meter", "Meter", "text", 14),
    Column("term", "Term", "text", 10),
    Column("mix", "Mix or workload", "text", 18),
    Column("cache_hit_rate", "Cached\ninput", "percent", 9),
    Column("usd_per_unit_hour", "USD per\nunit-hour", "price", 12),
    Column("list_usd_per_unit_hour", "List USD per\nunit-hour", "price", 12),
    Column("break_even_utilisation", "Break-even\nutilisation", "percent", 12),
    Column("after_price_cut", "After the\nprice cut", "percent", 12),
    Column("discount_needed", "Discount\nneeded", "percent", 11),
    Column("verdict", "Verdict", "text", 12),
    Column("status", "Status", "text", 12),
    Column("note", "Note", "text:wrap", 60),
)
_TOP = 3  # row of the header


def write_break_even(rows: Iterable[Any], path: Path, created: dt.date) -> None:
    """Write the sheet; `rows` have the columns above as attributes."""
    records = [{column.key: getattr(row, column.key) for column in COLUMNS} for row in rows]
    with written_beside(path) as beside:
        book = new_book(str(beside), "Break-even utilisation", created, "Where a reserved unit pays off", "offers")
        sheet = book.add_sheet("Break-even")
        told = (
            "Utilisation at which a reserved unit costs what the same tokens cost on demand; above 100% it never pays."
        )
        sheet.heading("Break-even utilisation", told, len(COLUMNS) - 1)
        sheet.widths(COLUMNS)
        block = sheet.table(_TOP, COLUMNS, records, filters=True, empty="No offer to compare.")
        sheet.printed(block.last, len(COLUMNS) - 1, repeat=_TOP, freeze=(_TOP + 1, 2))
        book.close()


_MOST_ROWS = 60
_TITLE = "Utilisation at which a reserved unit costs what on demand would"
_MARK = "100%: beyond this line it never pays"


def break_even_chart(rows: Sequence[BreakEven]) -> str:
    """SVG text, the same for the same rows; offers without a known price are left out, the cheapest come first."""
    known = [(r, r.break_even_utilisation) for r in rows if r.break_even_utilisation is not None]
    ranked = sorted(known, key=lambda pair: (pair[1], pair[0].offer, pair[0].model, pair[0].term, pair[0].mix))
    shown = [(_label(row), u, VERMILION if u > 1 + 1e-9 else BLUE) for row, u in ranked[:_MOST_ROWS]]
    note = "" if known else "no offer with a known price"
    if len(known) > _MOST_ROWS:
        note = f"first {_MOST_ROWS} of {len(known)}"
    look = BarLook(left=430, text="{:.0%}".format, mark=(1.0, _MARK), title=_TITLE, note=note)
    return bars(shown, alt="Break-even utilisation", width=900, look=look) + "\n"


def _label(row: BreakEven) -> str:
    hit = "" if row.cache_hit_rate is None else f", {row.cache_hit_rate:.0%} cached"
    return f"{row.model}, {row.offer}, {row.meter}, {row.term}, {row.mix}{hit}".replace(", tokens", "")


def folder_rows(case: Case, axes: Axes) -> list[BreakEven]:
    """One row for each offer, model of its pool and workload that the model may serve.

    Compared with the on-demand option asked for in the pool's region; offers of one pool and term that are sold by the
    meter are taken together. Without an on-demand price there is nothing to compare with, and the row says so.
    """
    region = {pool.pool: pool.region for pool in case.pools}
    allowed = {(m.workload, m.model) for m in case.mix if m.max_share > 0}
    by_key = sorted(case.offers, key=lambda o: (o.pool, _months(o), o.meter, o.mean_usd_per_hour, o.offer))
    rows = []
    for (pool, _), group in groupby(by_key, key=lambda o: (o.pool, _months(o))):
        offers = list(group)
        for model in sorted({t.model for t in case.throughput if t.pool == pool}):
            lines = {t.meter: t for t in case.throughput if (t.pool, t.model) == (pool, model)}
            options = [
                r for r in case.on_demand if (r.region, r.model) == (region[pool], model) and r.option == axes.option
            ]
            for workload in case.workloads:
                if (workload.workload, model) in allowed:
                    for chosen in _sets(offers, lines):
                        rows.append(_row(chosen, lines, model=model, w=workload, options=options, axes=axes))
    return rows


def _months(offer: Offer) -> float:
    """Months of a term; of one in days, of 730 hours."""
    return float(offer.term_months) if offer.term_days is None else offer.term_days * HOURS_PER_DAY / HOURS_PER_MONTH


def _sets(offers: list[Offer], lines: dict[str, Throughput]) -> list[list[Offer]]:
    """Offers that serve a request alone, or one of each meter together."""
    if len(lines) == 1:
        return [[offer] for offer in offers if offer.meter in lines]
    first = [next((o for o in offers if o.meter == meter), None) for meter in lines]
    together = [offer for offer in first if offer is not None]
    return [together] if len(together) == len(lines) else []


def _row(
    offers: list[Offer], lines: dict[str, Throughput], *, model: str, w: Workload, options: list[OnDemand], axes: Axes
) -> BreakEven:  # fmt: skip
    meters = [
        Meter(
            t.tokens_per_minute_per_unit, offer.mean_usd_per_hour, t.input_weight, t.cached_input_weight,
            t.input_weight if t.cache_write_weight is None else t.cache_write_weight, t.output_weight,
        )
        for offer in offers
        for t in [lines[offer.meter]]
    ]  # fmt: skip
    hit = w.cache_hit_rate if w.on_demand_cache_hit_rate is None else w.on_demand_cache_hit_rate
    reserved, outside = _mix(w, w.cache_hit_rate, w.burst_factor), _mix(w, hit)
    found = [
        u for row in options
        for u in [break_even(meters, reserved, token_prices(
            row.usd_per_mtok_input, row.usd_per_mtok_cached_input, row.usd_per_mtok_cache_write, row.usd_per_mtok_output
        ), outside)] if u is not None
    ]  # fmt: skip
    u_star = max(found, default=None)
    one = offers[0] if len(offers) == 1 else None
    notes = dict.fromkeys(part for offer in offers for part in (offer.note,) if part)
    months, term = _months(offers[0]), offers[0].term_text
    return BreakEven(
        " + ".join(o.offer for o in offers), model, " + ".join(lines), term, months,
        w.workload, w.cache_hit_rate, one.mean_usd_per_hour if one else None,
        (one.list_usd_per_unit_hour or one.mean_usd_per_hour) if one else None, u_star,
        None if u_star is None else after_price_cut(u_star, axes.price_cut, axes.cut_after_months, months),
        None if u_star is None else discount_needed(u_star, axes.utilisation),
        verdict_of(u_star), "", "; ".join(notes),
    )  # fmt: skip


def _mix(w: Workload, hit: float, burst_factor: float = 1.0) -> TokenMix:
    """Tokens of a request; units are held for the peak minute, so that a request takes `burst_factor` times as many."""
    fresh = w.input_tokens * (1 - hit - w.cache_write_rate)
    tokens = (fresh, w.input_tokens * hit, w.input_tokens * w.cache_write_rate, w.output_tokens)
    return TokenMix(*(part * burst_factor for part in tokens))
