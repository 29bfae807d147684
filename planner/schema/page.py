"""The input tables in words: for the terminal, the documentation and machines."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from planner.schema.describe import COMMON, ColumnFacts, columns_of, settings_of
from planner.schema.settings import PlanSettings
from planner.schema.tables import TABLES

PLAN = "plan"


@dataclass(frozen=True)
class Part:
    """One table, or plan.yaml, with its columns or keys."""

    name: str
    meaning: str
    needed: bool
    key: tuple[str, ...]
    columns: Mapping[str, ColumnFacts]

    @property
    def own(self) -> list[ColumnFacts]:
        """Columns without those that every table may have (source, as_of, note)."""
        return [facts for facts in self.columns.values() if facts.name not in COMMON]

    @property
    def use(self) -> str:
        """Whether a plan needs it, and what makes a row."""
        need = "A plan needs it." if self.needed else "It may be left out."
        return f"{need} One row for each {', '.join(self.key)}." if self.key else need


def parts() -> dict[str, Part]:
    """Every table by name, plan.yaml first."""
    plan = Part(PLAN, "name, horizon and policy: plan.yaml, or the sheet plan", True, (), settings_of(PlanSettings))
    tables = [Part(t.name, t.meaning, t.required, t.key, columns_of(t.row)) for t in TABLES]
    return {part.name: part for part in (plan, *tables)}


def as_text(part: Part) -> str:
    """Give two lines a column."""
    wide = max(len(facts.name) for facts in part.own)
    lines = [f"{part.name}: {part.meaning}", f"  {part.use}"]
    for facts in part.own:
        unit = f" [{facts.unit}]" if facts.unit else ""
        blank = "must be filled in" if facts.required else f"blank: {facts.blank}"
        lines.append(f"  {facts.name:<{wide}}  {facts.meaning}{unit}")
        lines.append(f"  {'':<{wide}}    {facts.allowed}; {blank}")
    return "\n".join(lines)


def as_markdown(part: Part) -> str:
    """Give a heading and a table."""
    rows = [("column", "unit", "blank means", "allowed", "meaning"), ("---",) * 5]
    for facts in part.own:
        blank = "*must be filled in*" if facts.required else facts.blank
        rows.append((f"`{facts.name}`", facts.unit, blank, facts.allowed, facts.meaning))
    lines = [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows]
    return "\n".join([f"### {part.name}", "", f"{part.meaning[:1].upper()}{part.meaning[1:]}. {part.use}", "", *lines])


def as_plain(part: Part) -> dict[str, Any]:
    """Give dictionaries and lists for JSON."""
    columns = [
        asdict(facts) | {"kind": facts.kind.__name__, "limits": dict(facts.limits), "allowed": facts.allowed}
        for facts in part.columns.values()
    ]
    return {"meaning": part.meaning, "needed": part.needed, "key": part.key, "columns": columns}
