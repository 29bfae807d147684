"""The web page is one file, asks nothing of any other, and shows names as text."""

import re
from html.parser import HTMLParser
from pathlib import Path

from planner.plan.metrics import Metrics
from planner.workbook.html import write_html
from planner.workbook.report import Report
from tests.builders.books import HOSTILE, hostile, small

VOID = {"meta", "br", "img", "hr", "link", "input"}


class Checker(HTMLParser):
    """Gathers text and attributes; raises where tags do not nest."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.texts: list[str] = []
        self.tags: set[str] = set()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.links += [str(value) for name, value in attrs if name in ("href", "src", "action", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def page(metrics: Metrics, folder: Path) -> tuple[str, Checker]:
    write_html(Report(metrics), folder / "plan.html")
    text = (folder / "plan.html").read_text(encoding="utf-8")
    checker = Checker()
    checker.feed(text)
    checker.close()
    assert checker.open == []
    return text, checker


def test_it_tells_the_plan_in_one_file(tmp_path: Path) -> None:
    text, checker = page(small(), tmp_path)
    assert checker.links == []
    assert not {"script", "link", "iframe", "img"} & checker.tags
    assert "url(" not in text
    assert "@import" not in text
    shown = " ".join(checker.texts)
    assert "Sign 2 commitments worth $14,880 over their terms" in shown
    assert text.count("<svg") == 3
    assert "$23,808" in shown


def test_charts_draw_their_numbers(tmp_path: Path) -> None:
    """The longest bar is all on demand, 44,640 USD; the plan's, 23,808 USD, is 53.3 % of it."""
    text, _ = page(small(), tmp_path)
    bars = [float(width) for width in re.findall(r'<rect x="190" y="\d+" width="([\d.]+)"', text)]
    assert len(bars) == 4
    assert abs(bars[3] / bars[0] - 23_808 / 44_640) < 1e-3


def test_names_are_text(tmp_path: Path) -> None:
    text, checker = page(hostile(), tmp_path)
    assert "<b>&amp" not in text
    shown = "".join(checker.texts)
    for name in (HOSTILE[k] for k in (0, 1, 2, 6, 7, 8)):  # regions, model, offers and plan
        assert name in shown


def test_same_plan_same_page(tmp_path: Path) -> None:
    assert page(small(), tmp_path)[0] == page(small(), tmp_path)[0]
