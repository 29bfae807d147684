"""Small charts as SVG text: bars, stacked columns, stacked areas with a level, heat maps. Every text is escaped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from planner.units import HOURS_PER_DAY
from planner.workbook.book import Sheet
from planner.workbook.text_tables import clean, usd
from planner.workbook.theme import FONT, INK, MUTED, RULE

_TEXT = f'font-family="{FONT}, Helvetica, sans-serif" font-size="12"'


@dataclass(frozen=True)
class Series:
    """Values of one colour."""

    name: str
    colour: str
    values: tuple[float, ...]


@dataclass(frozen=True)
class BarLook:
    """How bars look: width of the labels in pixels, how a value is written, a marked value, title and note."""

    left: int = 190
    text: Callable[[float], str] = usd
    mark: tuple[float, str] | None = None
    title: str = ""
    note: str = ""


def bars(rows: Sequence[tuple[str, float, str]], *, alt: str, width: int = 760, look: BarLook | None = None) -> str:
    """Horizontal bars, dollars unless `look` says otherwise: (label, value, colour) a row."""
    look = look or BarLook()
    step, left, right, top = 34, look.left, 110, 8 + 28 * bool(look.title)
    marked = 0.0 if look.mark is None else 1.25 * look.mark[0]
    most = max([marked, *(value for _, value, _ in rows)], default=0.0) or 1.0
    scale, bottom = (width - left - right) / most, top + max(len(rows), 1) * step
    parts = [_label(12, 22, look.title, weight="bold", longest=90)] if look.title else []
    for k, (label, value, colour) in enumerate(rows):
        y, length = top + k * step, max(value, 0.0) * scale
        parts.append(_label(left - 10, y + 16, label, anchor="end", longest=int(left / 6.2)))
        parts.append(f'<rect x="{left}" y="{y}" width="{length:.1f}" height="22" fill="{colour}"/>')
        parts.append(_label(left + length + 8, y + 16, look.text(value), weight="bold"))
    if look.mark is not None:
        x = left + look.mark[0] * scale
        parts.append(f'<line x1="{x:.1f}" y1="{top - 6}" x2="{x:.1f}" y2="{bottom}" stroke="{INK}"/>')
        parts.append(_label(x, bottom + 16, look.mark[1], anchor="middle", longest=60))
    if look.note:
        parts.append(_label(12, bottom + 16, look.note, longest=60))
    return _svg(width, bottom + 8 + 20 * bool(look.mark or look.note), alt, parts)


def columns(
    labels: Sequence[str],
    series: Sequence[Series],
    *,
    alt: str,
    width: int = 760,
    height: int = 280,
    legend: bool = False,
) -> str:
    """Stacked columns of dollars, one a label; `legend` says below them what the colours are."""
    left, top, bottom = 80, 12, 56
    sums = [sum(max(s.values[k], 0.0) for s in series) for k in range(len(labels))]
    most = _round_up(max(sums, default=0.0))
    scale = (height - top - bottom) / most
    parts = _grid(most, left, width, top, height - bottom, money=True)
    slot = (width - left - 10) / max(len(labels), 1)
    thick = min(slot * 0.6, 90)
    for k, label in enumerate(labels):
        x, base = left + slot * k + (slot - thick) / 2, float(height - bottom)
        for s in series:
            tall = max(s.values[k], 0.0) * scale
            base -= tall
            title = f"<title>{escape(f'{label}, {s.name}: {usd(s.values[k])}')}</title>"
            parts.append(
                f'<rect x="{x:.1f}" y="{base:.1f}" width="{thick:.1f}" height="{tall:.1f}" fill="{s.colour}">'
                f"{title}</rect>"
            )
        parts.append(_label(x + thick / 2, height - bottom + 16, label, anchor="middle"))
        parts.append(_label(x + thick / 2, base - 4, usd(sums[k]), anchor="middle", weight="bold"))
    if legend:
        parts += _legend(series, left, height - 12)
    return _svg(width, height, alt, parts)


def areas(
    series: Sequence[Series],
    level: Series,
    marks: Sequence[tuple[int, str]],
    *,
    alt: str,
    width: int = 760,
    height: int = 260,
) -> str:
    """Stacked areas over equal steps, a dashed `level` line, and labelled `marks` on the horizontal axis."""
    left, top, bottom = 80, 12, 56
    count = len(level.values)
    tops = [sum(s.values[k] for s in series) for k in range(count)]
    most = _round_up(max([*tops, *level.values], default=0.0))
    x = [left + (width - left - 10) * k / max(count - 1, 1) for k in range(count)]
    y0, scale = height - bottom, (height - top - bottom) / most
    parts, below = _grid(most, left, width, top, y0, money=False), [0.0] * count
    for s in series:
        above = [b + v for b, v in zip(below, s.values, strict=True)]
        edge = [f"{x[k]:.1f},{y0 - above[k] * scale:.1f}" for k in range(count)]
        floor = [f"{x[k]:.1f},{y0 - below[k] * scale:.1f}" for k in reversed(range(count))]
        parts.append(f'<polygon points="{" ".join(edge + floor)}" fill="{s.colour}"/>')
        below = above
    line = " ".join(f"{x[k]:.1f},{y0 - level.values[k] * scale:.1f}" for k in range(count))
    parts.append(
        f'<polyline points="{line}" fill="none" stroke="{level.colour}" stroke-width="1.5" stroke-dasharray="5 3"/>'
    )
    parts += [_label(x[k], y0 + 16, text) for k, text in marks]
    return _svg(width, height, alt, parts)


def _svg(width: int, height: int, alt: str, parts: Sequence[str]) -> str:
    body = "\n".join(parts)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" style="max-width:100%;height:auto"><title>{escape(alt)}</title>\n{body}\n</svg>'
    )


def _label(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    weight: str = "normal",
    colour: str = INK,
    longest: int = 28,
) -> str:
    shown = escape(clean(text, longest))
    look = f'{_TEXT} fill="{colour}" text-anchor="{anchor}" font-weight="{weight}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {look}>{shown}</text>'


def _grid(most: float, left: int, width: int, top: int, bottom: int, *, money: bool) -> list[str]:
    parts = []
    for k in range(5):
        y, value = bottom - (bottom - top) * k / 4, most * k / 4
        parts.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{width - 10}" y2="{y:.1f}" stroke="{RULE}" stroke-width="0.7"/>'
        )
        shown = usd(value) if money else f"{value:,.0f}" if most >= 8 else f"{value:,.2f}"
        parts.append(_label(left - 8, y + 4, shown, anchor="end", colour=MUTED))
    return parts


def _legend(series: Sequence[Series], left: int, y: int) -> list[str]:
    parts, x = [], float(left)
    for s in series:
        parts.append(f'<rect x="{x:.1f}" y="{y - 9}" width="10" height="10" fill="{s.colour}"/>')
        parts.append(_label(x + 15, y, s.name, colour=MUTED, longest=60))
        x += 34 + 6.6 * len(s.name)
    return parts


def _round_up(most: float) -> float:
    """Return a number of one or two digits, not below `most`, for the top of an axis."""
    if most <= 0:
        return 1.0
    power = 10.0 ** (len(f"{most:.0f}") - 1) if most >= 1 else 10.0 ** -len(f"{1 / most:.0f}")
    return next(
        (power * step for step in (1, 1.2, 1.6, 2, 2.4, 3.2, 4, 5, 6, 8, 10) if power * step >= most), power * 20
    )


def hours_header(sheet: Sheet, row: int, first: int) -> None:
    """Write the hours of the day, 00 to 23."""
    for hour in range(HOURS_PER_DAY):
        sheet.put(row, first + hour, f"{hour:02d}", "hour")


def heat_map(
    sheet: Sheet, first_row: int, *, first: int, last_row: int, last: int, colours: tuple[str, str, str]
) -> None:
    """Colour cells from 0 (light) to the highest value (dark), one hue."""
    low, middle, high = colours
    scale = {"type": "3_color_scale", "min_type": "num", "min_value": 0, "mid_type": "percent", "mid_value": 50,
             "min_color": low, "mid_color": middle, "max_color": high}  # fmt: skip
    sheet.raw.conditional_format(first_row, first, last_row, last, scale)
