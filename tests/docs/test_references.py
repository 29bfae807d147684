"""Links and references lead somewhere: pages, headings, files, and the sections that code cites."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md"), *(ROOT / "tests").rglob("*.md")]
CODE = [p for room in ("planner", "tests", "benchmarks", "docs") for p in (ROOT / room).rglob("*.py")]
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
CITED = re.compile(r'docs/([\w-]+\.md), "([^"]+)"')
PATH = re.compile(r"`((?:planner|tests|docs|data|benchmarks)/[\w./-]+)`")


def headings(page: Path) -> list[str]:
    """Headings of a page, without their marks."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    return [line.lstrip("#").strip() for line in text.splitlines() if re.match(r"#+ ", line)]


def anchor(heading: str) -> str:
    """Name a heading as GitHub does."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_and_paths_of_a_page(page: Path) -> None:
    text = page.read_text("utf-8")
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        place, _, part = link.partition("#")
        target = (page.parent / place).resolve() if place else page
        if not target.exists():
            broken.append(link)
        elif part and part not in map(anchor, headings(target)):
            broken.append(f"{link}: no such heading")
    broken += [path for path in PATH.findall(text) if not (ROOT / path).exists()]
    assert broken == []


def test_sections_that_code_cites() -> None:
    broken = []
    for path in CODE:
        text = re.sub(r"\s+", " ", path.read_text("utf-8"))
        for name, heading in CITED.findall(text):
            if heading not in headings(ROOT / "docs" / name):
                broken.append(f"{path.relative_to(ROOT)}: {name}, {heading}")
        if re.search(r"model\.md,? section \d", text):
            broken.append(f"{path.relative_to(ROOT)}: a numbered section; cite the heading")
    assert broken == []


def test_pages_are_reached_from_the_readme() -> None:
    """Every page of docs/ is linked from the README or from a page that is."""
    reached, todo = set[Path](), [ROOT / "README.md"]
    while todo:
        page = todo.pop()
        if page in reached or not page.is_file():
            continue
        reached.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(page.read_text("utf-8")))
        todo += [(page.parent / link).resolve() for link in links if link.endswith(".md") and ":" not in link]
    assert [p.name for p in (ROOT / "docs").glob("*.md") if p not in reached] == []
