"""The panel of sliders and switches: one row a lever, the fine ones folded away."""

import json
from collections.abc import Callable
from typing import Any

from nicegui import ui

from planner.features.what_if.explore.levers import GROUPS, Kind, Lever, Value
from planner.features.what_if.explore.markup import text
from planner.features.what_if.explore.meeting import Meeting

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
