"""Text from inputs stays text, and is fit for XML."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planner.workbook.story import break_even_words
from planner.workbook.svg import Series, areas, bars, columns
from planner.workbook.text_tables import amount, clean, footer_text, joined, percent, usd


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("=1+1", "=1+1"),  # a formula's look is kept: the cell is written as a string
        ("a\x00b\x1fc", r"a\x00b\x1fc"),
        ("two\r\nlines\tand tab", "two lines and tab"),
        ("lone \ud800 surrogate", r"lone \ud800 surrogate"),
        ("\u202eevil", r"\u202eevil"),
        ("no \uffff letter", r"no \uffff letter"),
        ("שלום 🎯", "שלום 🎯"),
        ("x" * 40_000, "x" * 32_766 + "…"),
    ],
)
def test_clean_keeps_readable_text_and_shows_what_xml_forbids_as_escapes(text: str, shown: str) -> None:
    assert clean(text) == shown


@given(st.text())
def test_clean_text_can_be_written_as_xml(text: str) -> None:
    safe = clean(text)
    safe.encode("utf-8")
    assert not any(ord(c) < 32 for c in safe)
    assert clean(safe) == safe


def test_an_ampersand_is_no_command_in_a_footer() -> None:
    assert footer_text("R&D &P") == "R&&D &&P"
    assert len(footer_text("x" * 300)) == 120


def test_numbers_for_people() -> None:
    assert usd(1234.5) == "$1,234"
    assert usd(-1234.5) == "-$1,234"
    assert usd(12.345) == "$12.35" or usd(12.345) == "$12.34"
    assert usd(0) == "$0"
    assert usd(-0.001, 2) == "$0.00"
    assert percent(0.1234) == "12.3 %"
    assert percent(math.nan) == "–"
    assert amount(15.0) == "15"
    assert amount(1234.56) == "1,234.6"
    assert joined(["a"]) == "a"
    assert joined(["a", "b", "c"]) == "a, b and c"
    assert joined(["a", "b", "c", "d", "e", "f"]) == "a, b, c, d and 2 more"


def test_charts_escape_names_and_survive_zeros() -> None:
    name = '<script>&"'
    for chart in (
        bars([(name, 10.0, "#000000")], alt=name),
        columns([name], [Series(name, "#000000", (0.0,))], alt=name),
        areas([Series(name, "#000000", (0.0, 1.0))], Series("level", "#000000", (1.0, 1.0)), [(0, name)], alt=name),
    ):
        assert "<script>" not in chart
        assert "&lt;script&gt;" in chart


def test_a_break_even_of_thousands_of_percent_is_never():
    assert break_even_words(0.0) == "always: it costs nothing more"
    assert break_even_words(1.2) == "at 120.0 %"
    assert break_even_words(27_380.9) == "never: tokens on demand cost next to nothing more"
    assert break_even_words(float("inf")) == "never: tokens on demand cost nothing more"
