"""The panels of the page: the trade-off curve, the sliders and switches, the cases that were kept."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

from nicegui import ui

from planner.errors import PlannerError
from planner.features.what_if.curve import Curve, step_in_words, stretches_of
from planner.features.what_if.curve_files import sentences
from planner.features.what_if.explore.charts import trade_off
from planner.features.what_if.explore.drawing import number_of
from planner.features.what_if.explore.house import House
from planner.features.what_if.explore.keeping import plan_directory, save
from planner.features.what_if.explore.levers import GROUPS, Kind, Lever, Value, words_of
from planner.features.what_if.explore.markup import bullets, paragraph, table, text
from planner.features.what_if.explore.meeting import CurveShown, KeptCase, Meeting
from planner.features.what_if.explore.solving import Export
from planner.features.what_if.study import AS_IT_STANDS, Answer
from planner.workbook.text_tables import percent, usd

MOST_ROWS = 16  # stretches in the table; planner what-if writes every one


class CurvePanel:
    """The part of the page below the choice of what is varied."""

    def __init__(self, meeting: Meeting) -> None:
        self._meeting = meeting
        self._status = ui.html("", sanitize=False).props('role="status" aria-live="polite"')
        self._chart = ui.echart({}, renderer="svg").classes("chart curve")
        self._words = ui.html("", sanitize=False)
        self._expansion = ui.expansion("As a table").props("dense")
        with self._expansion:
            self._table = ui.html("", sanitize=False)
        self.show()

    def show(self) -> None:
        """Write again what is known of the curve."""
        shown = self._meeting.curve
        there = shown is not None and (shown.total_usd is not None or shown.drawn is not None)
        for element in (self._chart, self._words, self._expansion):
            element.set_visibility(there)
        self._status.set_content("" if shown is None else paragraph(_status(shown), "muted"))
        if shown is None or not there:
            return
        here = self._meeting.moved.get(shown.lever.key, shown.lever.start)
        self._chart.options.clear()
        self._chart.options.update(trade_off(shown, here))
        self._chart.update()
        curve = None if shown.drawn is None else shown.drawn.curve
        self._words.set_content("" if curve is None else bullets(_words(curve, shown, here)))
        self._table.set_content(_points(shown) if curve is None else _stretches(curve, shown.lever.label))


def _status(shown: CurveShown) -> str:
    drawn = shown.drawn
    if drawn is None:
        known, asked = len(shown.total_usd or ()), len(shown.values)
        some = f"{known} of {asked} points" if known < asked else "Some points"
        return f"{some}, exact; the curve between them is being worked out …" if known else "working …"
    if drawn.curve is None:
        return f"Points only. {drawn.problem}"
    if drawn.left:
        plans = "1 plan" if drawn.left == 1 else f"{drawn.left} plans"
        return f"The exact curve for units of any size. {plans} in whole units to follow …"
    beside = ", with plans in whole units beside it" if drawn.curve.dots else ""
    return f"The exact curve for units of any size{beside}."


def _words(curve: Curve, shown: CurveShown, here: object) -> list[str]:
    found = sentences(curve)
    if curve.weighed:
        found.append("The cost is weighed with that of the dearest scenarios.")
    if isinstance(here, int | float):
        value = number_of(shown.lever, float(here))
        for k in curve.stretches:
            if curve.points[k].value <= value < curve.points[k + 1].value:
                step = curve.slope_usd(k) * curve.parameter.step / curve.months
                found.insert(0, f"From here, {step_in_words(curve, (step, step), usd=usd)}.")
    return found


def _points(shown: CurveShown) -> str:
    rows = [
        (shown.lever.shown(v), "no plan" if t is None else usd(t))
        for v, t in zip(shown.values, shown.total_usd or (), strict=False)
    ]
    return table("Trade-off", (shown.lever.label, "Cost"), rows)


def _stretches(curve: Curve, label: str) -> str:
    show, stretches = curve.parameter.show, stretches_of(curve, MOST_ROWS)
    rows = [
        (show(s.first.value), show(s.last.value), usd(s.first.usd), usd(s.last.usd), _slope(s.slope_usd))
        for s in stretches
    ]
    heads = (f"{label}, from", "to", "Cost", "to", f"{curve.parameter.one_more}, USD a month")
    dots = [(show(dot.value), usd(dot.usd), usd(dot.bound_usd)) for dot in curve.dots]
    whole = table("Plans in whole units", (label, "In whole units", "No plan costs less than"), dots) if dots else ""
    return table("Trade-off", heads, rows) + whole


def _slope(usd_a_month: tuple[float, float]) -> str:
    first, last = (f"{value:+,.2f}" for value in usd_a_month)
    return first if first == last else f"{first} to {last}"


THROTTLE_SECONDS = 0.05


class LeverPanel:
    """Controls of a meeting. told : is given what is wrong with a value (blank: nothing)."""

    def __init__(self, meeting: Meeting, told: Callable[[str], None], left_out: str) -> None:
        self._meeting, self._told = meeting, told
        self._rows: dict[str, tuple[Lever, ui.element, ui.html, Any]] = {}
        self._following = False
        for group in GROUPS:
            levers = [lever for lever in meeting.levers if lever.group == group]
            if not levers:
                continue
            with ui.element("section").props(f'aria-label="{text(group)}"'):
                ui.html(text(group), tag="h2", sanitize=False)
                for lever in levers:
                    if not lever.fine:
                        self._row(lever)
                fine = [lever for lever in levers if lever.fine]
                if fine:
                    with ui.expansion(f"{group}: more ({len(fine)})").props("dense").classes("w-full"):
                        for lever in fine:
                            self._row(lever)
        if left_out:
            ui.html(text(left_out), tag="p", sanitize=False).classes("muted")

    def _row(self, lever: Lever) -> None:
        value = self._meeting.moved.get(lever.key, lever.start)
        with ui.element("div").classes("lever") as row:
            if lever.kind is Kind.SWITCH:
                control: Any = ui.switch(lever.label, value=bool(value), on_change=self._handler(lever)).props("dense")
                now = ui.html("", sanitize=False)
                now.set_visibility(False)
            else:
                now = ui.html("", sanitize=False).classes("name")
                if lever.kind is Kind.SLIDER:
                    control = self._slider(lever, value)
                elif lever.kind is Kind.AMOUNT:
                    control = ui.number(
                        value=value, min=0, format="%.0f", on_change=self._handler(lever), placeholder=lever.blank
                    ).props("dense clearable outlined debounce=500")
                else:
                    names: dict[str | None, str] = {None: lever.blank, **{name: name for name in lever.choices}}
                    control = ui.select(names, value=value, on_change=self._handler(lever)).props("dense outlined")
                control.props(f'aria-label="{text(lever.label)}"')
            if lever.note:
                ui.html(text(lever.note), sanitize=False).classes("note")
        self._rows[lever.key] = lever, row, now, control
        self._show(lever)

    def _slider(self, lever: Lever, value: Value) -> ui.element:
        """Make the browser's own slider: keyboard, touch and screen readers know it.

        Its value is only an attribute (^): an answer of the server must not move the knob under the finger.
        """
        slider = ui.element("input").classes("slider")
        slider.props.update({"type": "range", "min": lever.low, "max": lever.high, "step": "any" if _odd(lever)
                             else lever.step, "^value": _knob(lever, value)})  # fmt: skip
        handler = self._handler(lever)
        slider.on("input", lambda event: handler(event.args), js_handler="e => emit(Number(e.target.value))",
                  throttle=THROTTLE_SECONDS)  # fmt: skip
        return slider

    def _handler(self, lever: Lever) -> Callable[[Any], None]:
        def moved(event: Any) -> None:
            if self._following:
                return
            try:
                self._meeting.move(lever.key, event if isinstance(event, int | float) else event.value)
            except ValueError as error:
                self._told(str(error))
                return
            self._told("")
            self._show(lever)

        return moved

    def _show(self, lever: Lever) -> None:
        """Write the value beside the name, and mark what is moved."""
        _, row, now, control = self._rows[lever.key]
        moved = lever.key in self._meeting.moved
        said = lever.shown(self._meeting.moved.get(lever.key, lever.start))
        if lever.kind is not Kind.SWITCH:
            now.set_content(f'<span>{text(lever.label)}</span><span class="now">{text(said)}</span>')
        if lever.kind is Kind.SLIDER:
            control.props(f'aria-valuetext="{text(said)}"')
        row.classes(add="moved") if moved else row.classes(remove="moved")

    def follow(self) -> None:
        """Put every control where the meeting has its lever."""
        self._following, knobs = True, {}
        try:
            for lever, _, _, control in self._rows.values():
                value: Value = self._meeting.moved.get(lever.key, lever.start)
                if lever.kind is Kind.SLIDER:
                    knobs[control.html_id] = _knob(lever, value)
                elif control.value != value:
                    control.set_value(value)
                self._show(lever)
            told = json.dumps(knobs)
            ui.run_javascript(f"for (const [id, v] of Object.entries({told})) document.getElementById(id).value = v")
        finally:
            self._following = False


def _odd(lever: Lever) -> bool:
    """Whether the knob starts between two steps, where it must be able to stand."""
    return abs((lever.knob - lever.low) / lever.step - round((lever.knob - lever.low) / lever.step)) > 1e-9


def _knob(lever: Lever, value: Value) -> float:
    return lever.knob if value is None else float(value)


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
