"""Kept cases side by side, and what can be done with them: show again, forget, save, write the plan."""

import asyncio
from collections.abc import Callable
from typing import Any

from nicegui import ui

from planner.errors import PlannerError
from planner.features.what_if.explore.house import House
from planner.features.what_if.explore.keeping import plan_directory, save
from planner.features.what_if.explore.levers import words_of
from planner.features.what_if.explore.markup import paragraph, table, text
from planner.features.what_if.explore.meeting import KeptCase, Meeting
from planner.features.what_if.explore.solving import Export
from planner.features.what_if.study import AS_IT_STANDS, Answer
from planner.workbook.text_tables import percent, usd


class KeptPanel:
    """The part of the page with kept cases."""

    def __init__(
        self, house: House, meeting: Meeting, put: Callable[[Any], None], told: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._house, self._meeting, self._put, self._told = house, meeting, put, told
        self._saving = False
        self._shown: tuple[str, ...] | None = None
        with ui.element("div").classes("row"):
            self._name = ui.input("Name of this case").props("dense outlined").on("keydown.enter", self._keep)
            ui.button("Keep this case", on_click=self._keep).props("no-caps")
            self._save = ui.button("Save the study", on_click=self._ask_to_save).props("no-caps outline")
        self._table = ui.html("", sanitize=False)
        self._buttons = ui.element("div")
        self._done = ui.html("", sanitize=False).props('role="status" aria-live="polite"')

    def show(self) -> None:
        """Write the table again, and the buttons where the cases are others."""
        meeting = self._meeting
        suggested = "; ".join(words_of(meeting.levers, meeting.moved))
        self._name.props(f'placeholder="{text(suggested or "as it stands", 80)}"')
        answers = [(AS_IT_STANDS.name, meeting.base_answer), *((c.name, c.answer) for c in meeting.kept)]
        self._table.set_content(_side_by_side(answers, {c.name: c for c in meeting.kept}) if meeting.kept else
                                paragraph("Keep a case to see it beside the plan as it stands.", "muted"))  # fmt: skip
        names = tuple(case.name for case in meeting.kept)
        if names != self._shown:
            self._shown = names
            self._write_buttons()
        self._write_done()

    def _write_buttons(self) -> None:
        self._buttons.clear()
        with self._buttons:
            for case in self._meeting.kept:
                with ui.element("div").classes("row"):
                    ui.html(text(case.name), tag="span", sanitize=False)
                    label = text(case.name)
                    if case.moved is not None:
                        ui.button("Show", on_click=lambda c=case: self._put(c.moved)).props(
                            f'flat dense no-caps aria-label="Show {label}"'
                        )
                    ui.button("Write plan and workbook", on_click=lambda c=case: self._export(c)).props(
                        f'flat dense no-caps aria-label="Write plan and workbook of {label}"'
                    )
                    ui.button("Forget", on_click=lambda c=case: self._meeting.forget(c.name)).props(
                        f'flat dense no-caps aria-label="Forget {label}"'
                    )

    def _write_done(self) -> None:
        meeting, lines = self._meeting, []
        if self._saving:
            waits = meeting.unplanned
            lines.append(f"The study is saved once it is planned: {', '.join(waits)} …" if waits else "saving …")
            if not waits:
                self._saving = False
                asyncio.get_running_loop().create_task(self._write_study())
        if meeting.exporting:
            lines.append("writing the plan …")
        for export in meeting.exports[-3:]:
            lines.append(export.problem or f"written to {export.directory}")
        if lines:
            self._done.set_content("".join(map(paragraph, lines)))

    # -- what is done ------------------------------------------------------------------------------------------------
    def _keep(self) -> None:
        meeting = self._meeting
        name = str(self._name.value or "").strip() or "; ".join(words_of(meeting.levers, meeting.moved))
        try:
            meeting.keep(name[:120])
        except ValueError as error:
            self._told(str(error))
            return
        self._told("")
        self._name.set_value("")

    def _ask_to_save(self) -> None:
        self._saving = True
        self.show()

    async def _write_study(self) -> None:
        try:
            study = await asyncio.to_thread(save, self._meeting, self._house.case, self._house.directory)
        except (PlannerError, OSError) as error:
            self._told(str(error))
            self._done.set_content("")
            return
        self._told("")
        count = len(study.cases)
        self._done.set_content(paragraph(
            f"Saved with {count} case{'s' if count != 1 else ''} in {self._house.directory}: "
            "study.json, study.csv, study_lines.csv, study.xlsx."
        ))  # fmt: skip

    def _export(self, case: KeptCase) -> None:
        self._meeting.export(Export(0, case.change, plan_directory(self._house.directory, case.name)))


def _side_by_side(answers: list[tuple[str, Answer | None]], kept: dict[str, KeptCase]) -> str:
    """One row a case: a table that a phone can scroll."""
    base = answers[0][1]
    rows = []
    for name, answer in answers:
        if answer is None:
            case = kept.get(name)
            quick = case.picture if case is not None else None
            total = "…" if quick is None else f"about {usd(quick.total_usd)}"
            rows.append((name, total, "", "planning …", "", "", ""))
        elif answer.total_usd is None:
            rows.append((name, "no plan", "", "", "", "", ""))
        else:
            less = "" if base is None or base.total_usd is None or answer is base else _signed(
                answer.total_usd - base.total_usd)  # fmt: skip
            rows.append((name, usd(answer.total_usd), less, usd(answer.to_sign_usd or 0.0),
                         usd((answer.parts or {}).get("on_demand_usd", 0.0)),
                         "–" if answer.coverage is None else percent(answer.coverage),
                         "–" if answer.least_margin is None else percent(answer.least_margin)))  # fmt: skip
    heads = ("Case", "Cost", "Against as it stands", "To sign", "On demand", "Coverage", "Least margin")
    return table("Cases side by side", heads, rows)


def _signed(dollars: float) -> str:
    return f"{'+' if dollars > 0 else ''}{usd(dollars)}"
