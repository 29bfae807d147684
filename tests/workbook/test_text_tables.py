"""Tables on a terminal: figures whole at any width, names folded, a list where nothing fits; plain in a pipe."""

import io
import re

import pytest
from rich.console import Console

from planner.workbook.text_tables import LOST, Styled, TextTable, console_for, task_usd

NAME = "swedencentral-provisioned-throughput-year"


def on_terminal(table: TextTable, width: int) -> str:
    stream = io.StringIO()
    table.print(Console(file=stream, force_terminal=True, width=width, markup=False, emoji=False))
    return stream.getvalue()


def plain(text: str) -> list[str]:
    return re.sub(r"\x1b\[[0-9;]*m", "", text).splitlines()


def money() -> TextTable:
    table = TextTable(("Offer", "Region", "Units", "From", "Whole term"), left=2, words=(3,))
    table.add(NAME, "swedencentral", "1,234,567", "2027-01-01", "$1,234,567,890")
    table.add("[red]b[/red]", "east", "1", "2027-01-01", Styled("-$1", LOST))
    return table


@pytest.mark.parametrize("width", [120, 80, 60])
def test_figures_are_whole_and_nothing_runs_over(width: int) -> None:
    lines = plain(on_terminal(money(), width))
    assert max(map(len, lines)) <= width
    for whole in ("1,234,567", "$1,234,567,890", "2027-01-01", "[red]"):
        assert any(whole in line for line in lines), whole


def test_a_name_is_folded_where_it_may_be() -> None:
    lines = plain(on_terminal(money(), 70))
    assert any(line.startswith("swedencentral-") for line in lines)
    assert not any(NAME in line for line in lines)


def test_a_row_becomes_a_list_where_the_terminal_is_too_narrow() -> None:
    lines = plain(on_terminal(money(), 30))
    assert lines[0].startswith(NAME[:20])
    assert any(re.match(r"  Whole term +\$1,234,567,890$", line) for line in lines)


def test_a_pipe_takes_a_table_as_wide_as_it_is() -> None:
    table = TextTable(("Offer", "Note", "USD"), left=2)
    table.add(NAME, "x" * 90, "$7")
    stream = io.StringIO()
    table.print(console_for(stream))
    assert f"{NAME}  {'x' * 90}   $7" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


def test_what_is_lost_is_red_on_a_terminal_only() -> None:
    assert re.search(r"\x1b\[31m *-\$1", on_terminal(money(), 80))


def test_a_row_has_a_cell_for_each_column() -> None:
    with pytest.raises(ValueError, match="1 cells for 2 columns"):
        TextTable(("a", "b")).add("1")


def test_the_cost_of_a_task_has_no_exponent_whatever_its_size() -> None:
    values = (0.00004011, 0.07503, 3.2, 1234.5, 123_456.7, 0.0, -0.00002, float("nan"))
    assert [task_usd(value) for value in values] == [
        "$0.00004011", "$0.07503", "$3.2", "$1,234", "$123,457", "$0", "-$0.00002", "–"
    ]  # fmt: skip
