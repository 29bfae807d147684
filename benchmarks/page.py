"""Tables of results as text, and `results.md`, whose sections are replaced one by one."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import machine, stamp

HEAD = """# Benchmarks

Written by `python -m benchmarks`; every section says when it ran and how busy the machine was. Ratios are of runs made
one after the other in the same section. Wall seconds suffer from other work on the machine; processor seconds (all
threads added up) and memory hardly do. Folders are made by `benchmarks/folders.py`: every on-demand option has a quota,
every offer an end, every region may fail and all reach each other; continuous units, unless a name says otherwise.
Where the load average is above 2, the two cores were shared with other jobs.

Machine: """


@dataclass(frozen=True)
class Section:
    """One table, with what to read out of it."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[object]]
    notes: Sequence[str] = ()

    def text(self) -> str:
        """Markdown with aligned columns."""
        cells = [[_shown(value) for value in row] for row in [self.header, *self.rows]]
        width = [max(len(row[k]) for row in cells) for k in range(len(self.header))]
        left = [all(isinstance(row[k], str) for row in self.rows) for k in range(len(self.header))]
        lines = [_line([c.ljust(w) if at else c.rjust(w) for c, w, at in zip(row, width, left)]) for row in cells]
        rule = _line(["-" * w if at else "-" * (w - 1) + ":" for w, at in zip(width, left)])
        parts = [f"## {self.title}", f"({stamp()})", "\n".join([lines[0], rule, *lines[1:]])]
        return "\n\n".join([*parts, *self.notes]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.2f}" if abs(value) < 10 else f"{value:,.1f}" if abs(value) < 1000 else f"{value:,.0f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def put(section: Section, path: Path) -> None:
    """Replace or add a section of the page, in the order of titles; the others stay."""
    old = path.read_text(encoding="utf-8") if path.exists() else ""
    kept = {part.splitlines()[0].strip(): part.rstrip() + "\n" for part in re.split(r"(?m)^## ", old)[1:]}
    kept[section.title] = section.text().removeprefix("## ")
    body = "\n".join(f"## {kept[title]}" for title in sorted(kept))
    path.write_text(f"{HEAD}{machine()}\n\n{body}", encoding="utf-8")
