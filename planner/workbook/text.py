"""Text from inputs, made safe to show: it stays text, whatever it looks like."""

import math
import re
import unicodedata

from planner.io.shown import printable

LONGEST_CELL = 32_767  # characters Excel takes in a cell
_SPACES = re.compile(r"[\t\r\n\v\f\x85\u2028\u2029]+")


def clean(text: object, longest: int = LONGEST_CELL) -> str:
    """Return `text` with control characters as escapes, line breaks as spaces, cut with an ellipsis at `longest`.

    What XML forbids and what turns the direction of text is among them: no part of a name is dropped.
    """
    safe = str(text)
    if not (safe.isascii() and safe.isprintable()):
        safe = printable(_SPACES.sub(" ", safe))
    return safe if len(safe) <= longest else safe[: longest - 1] + "…"


def footer_text(text: object, longest: int = 120) -> str:
    """Return `text` for a page footer, where & starts a command and 255 characters are the limit for everything."""
    return clean(text, longest).replace("&", "&&")


def width_of(text: str) -> int:
    """Columns that `text` takes: wide characters (CJK, most emoji) count twice, combining marks not at all."""
    if text.isascii():
        return len(text)
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)


def usd(value: float, digits: int = 0) -> str:
    """Dollars for people: ``usd(-1234.5) == '-$1,234'``; cents below 100 dollars, where they matter."""
    if digits == 0 and 0 < abs(value) < 100:
        digits = 2
    sign = "-" if round(value, digits) < 0 else ""
    return f"{sign}${abs(value):,.{digits}f}"


def task_usd(value: float) -> str:
    """Show the cost of a task to four significant digits: it may be cents or thousands."""
    return "–" if value != value else f"{'-' if value < 0 else ''}${abs(value):,.4g}"


def percent(share: float, digits: int = 1) -> str:
    """Return a share (0-1) as percent; a dash where there is nothing to divide by."""
    return "–" if math.isnan(share) else f"{round(share * 100, digits) + 0.0:,.{digits}f} %"  # never -0.0 %


def amount(value: float) -> str:
    """Return a number with the decimals it needs: ``amount(15.0) == '15'``, ``amount(1234.56) == '1,234.6'``."""
    if math.isclose(value, round(value), rel_tol=0, abs_tol=5e-7):
        return f"{round(value):,}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.3g}"


def joined(names: list[str], most: int = 4) -> str:
    """List names for a sentence: the first few, then how many more."""
    shown = [clean(name, 60) for name in names[:most]]
    rest = len(names) - len(shown)
    if rest:
        return ", ".join(shown) + f" and {rest} more"
    return shown[0] if len(shown) == 1 else ", ".join(shown[:-1]) + " and " + shown[-1] if shown else "none"
