"""Whether two texts say the same where only the last digit of a rounded figure may differ.

plan.json keeps 12 digits of each number, so a figure that lies just between two may be rounded up in one text and down
in the other, as 12.5 is to 12 or to 13.
"""

import math
import re

TOLERANCE = 1e-9  # of a number, relative: a few of the 12 digits that are kept
_TERM = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")  # of a formula; whole ones are rows too
_NUMBER = re.compile(r"\$?\d[\d,]*(?:\.\d+)?(?:e[-+]?\d+)?")


def same_number(one: float, other: float, tolerance: float = TOLERANCE) -> bool:
    """Whether two numbers are the same but for rounding."""
    return abs(one - other) <= tolerance * max(1.0, abs(one), abs(other)) or (math.isnan(one) and math.isnan(other))


def same_text(one: str, other: str) -> bool:
    """Whether two texts have the same words and figures; dollars and fractions may differ by one in the last digit."""
    if one == other:
        return True
    found, again = _NUMBER.findall(one), _NUMBER.findall(other)
    return (
        len(found) == len(again)
        and _NUMBER.sub("#", one) == _NUMBER.sub("#", other)
        and all(map(_same_figure, found, again))
    )


def same_formula(one: str, other: str) -> bool:
    """Whether two formulas are the same but for rounding: of its numbers, and of figures in the texts in it."""
    if one == other:
        return True
    parts, others = one.split('"'), other.split('"')
    return len(parts) == len(others) and all(
        same_text(a, b) if k % 2 else _same_terms(a, b) for k, (a, b) in enumerate(zip(parts, others, strict=True))
    )


def _same_terms(one: str, other: str) -> bool:
    found, again = _TERM.findall(one), _TERM.findall(other)
    return (
        len(found) == len(again)
        and _TERM.sub("#", one) == _TERM.sub("#", other)
        and all(same_number(float(a), float(b)) for a, b in zip(found, again, strict=True))
    )


def _same_figure(one: str, other: str) -> bool:
    if one == other:
        return True
    if not all("$" in text or "." in text for text in (one, other)):
        return False
    digits = min(_digits(one), _digits(other))  # dollars below 100 are told with cents
    return abs(_value(one) - _value(other)) <= 1.000001 * 10.0**-digits


def _value(figure: str) -> float:
    return float(figure.replace("$", "").replace(",", ""))


def _digits(figure: str) -> int:
    mantissa, _, exponent = figure.partition("e")
    return len(mantissa.partition(".")[2]) - int(exponent or 0)
