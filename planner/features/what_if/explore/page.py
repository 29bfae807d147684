"""The page of a meeting: what is asked on the left, what it comes to on the right; on a phone one below the other."""

import json
import math
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from nicegui import app, ui

from planner.features.what_if.explore import panels
from planner.features.what_if.explore.charts import OVERFLOW, SERVED, strategy_bars, week_heat
from planner.features.what_if.explore.drawing import has_curve
from planner.features.what_if.explore.house import House
from planner.features.what_if.explore.levers import left_out, words_of
from planner.features.what_if.explore.markup import bullets, paragraph, table, text
from planner.features.what_if.explore.meeting import Meeting
from planner.features.what_if.explore.panels import LeverPanel
from planner.features.what_if.explore.quick import Picture
from planner.features.what_if.explore.server import Address, App
from planner.features.what_if.study import SAME_USD
from planner.plan.plan import Totals
from planner.workbook import theme
from planner.workbook.report import TOTAL_NAMES
from planner.workbook.text_tables import amount, percent, usd

STYLE = Path(__file__).with_name("page.css")
RECONNECT_SECONDS, GONE_SECONDS = 30.0, 20.0
SIZES = (1.0, 1.25, 1.5)
ALL_REGIONS = "all regions"


def app_of(house: House, address: Address) -> App:
    """Make the application: the page of the house under the token."""
    own = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)

    async def page() -> None:
        await _page(house)

    ui.page("/", title=f"{house.case.settings.name}: what if", language="en-US",
            reconnect_timeout=RECONNECT_SECONDS, response_timeout=15)(page)  # fmt: skip
    app.on_startup(house.workshop.begin)
    app.on_shutdown(house.close)
    ui.run_with(own, mount_path=address.prefix, tailwind=False, show_welcome_message=False,
                reconnect_timeout=RECONNECT_SECONDS, title="planner explore")  # fmt: skip
    app_: App = own
    return app_


def _css() -> str:
    css = STYLE.read_text(encoding="utf-8")
    for name in ("INK", "MUTED", "RULE", "SHADE", "BLUE", "ORANGE", "VERMILION", "FONT"):
        css = css.replace(f" {name}", f" {getattr(theme, name)}")
    return css


def _lost(house: House) -> str:
    """Say what to do where the server is gone."""
    again = "If planner explore was ended, start it again: it prints a new address."
    return f"{again} What was saved is in {house.directory}; cases that were kept and not saved are lost."


async def _page(house: House) -> None:
    """Build the page of a tab, once its browser has told which tab it is."""
    ui.add_css(_css())
    ui.colors(primary=theme.BLUE, secondary=theme.MUTED, accent=theme.ORANGE, negative=theme.VERMILION)
    client = ui.context.client
    await client.connected(timeout=15)
    meeting = house.meeting(client.tab_id or client.id)
    if meeting is None:
        ui.html(paragraph("Too many pages are open: close one, and load this one again."), sanitize=False)
        return
    view = PageView(house, meeting)
    client.run_javascript(f"document.querySelector('#popup span:last-of-type').innerText = {json.dumps(_lost(house))}")
    meeting.changed = view.changed
    meeting.open()
    client.on_delete(meeting.leave)
    view.changed("opened")


class PageView:
    """Elements of one page, written again as the meeting changes."""

    def __init__(self, house: House, meeting: Meeting) -> None:
        self.house, self.meeting = house, meeting
        self.region, self.what, self.size = ALL_REGIONS, SERVED, 0
        self._top()
        with ui.element("div").classes("body"):
            with ui.element("aside").classes("levers").props('aria-label="What is changed"'):
                self.panel = LeverPanel(meeting, self.tell, left_out(house.case))
            with ui.element("div").classes("answers").props('role="region" aria-label="What it comes to"') as answers:
                self._answers()
        ui.skip_link("Skip to the answers", target=answers)

    # -- building ----------------------------------------------------------------------------------------------------
    def _top(self) -> None:
        with ui.element("header").classes("top"):
            with ui.element("div").classes("row"):
                ui.html(text(f"{self.house.case.settings.name}: what if"), tag="h1", sanitize=False)
                ui.space()
                ui.button("Aa", on_click=self._larger).props('flat dense no-caps aria-label="Larger text"')
                ui.button("As it stands", on_click=lambda: self.put({})).props("outline dense no-caps")
            self.tiles = ui.html("", sanitize=False)
            self.status = ui.html("", sanitize=False).classes("status").props('role="status" aria-live="polite"')
            self.wrong = ui.html("", sanitize=False).props('role="alert"')

    def _section(self, title: str, wide: bool = False) -> ui.element:
        section = ui.element("section").props(f'aria-label="{text(title)}"')
        if wide:
            section.classes("wide")
        with section:
            ui.html(text(title), tag="h2", sanitize=False)
        return section

    def _answers(self) -> None:
        case = self.house.case
        with self._section("In a sentence", wide=True):
            self.sentence = ui.html("", sanitize=False)
        with self._section("Purchases"):
            self.purchases = ui.html("", sanitize=False)
        with self._section("What the cost is made of"):
            self.parts = ui.html("", sanitize=False)
        with self._section("Ways to serve the same usage"):
            self.ways = ui.echart(strategy_bars([]), renderer="svg").classes("chart bars")
            self.ways_note = ui.html("", sanitize=False)
        with self._section("What the rules cost"):
            self.rules = ui.html("", sanitize=False)
        with self._section("The week, in UTC"):
            with ui.element("div").classes("row"):
                names = [ALL_REGIONS, *sorted(r.region for r in case.regions)]
                ui.select(names, value=ALL_REGIONS, on_change=lambda e: self._heat(region=e.value)).props(
                    'dense outlined aria-label="Region of the heat map"'
                )
                ui.select([SERVED, OVERFLOW], value=SERVED, on_change=lambda e: self._heat(what=e.value)).props(
                    'dense outlined aria-label="Requests of the heat map"'
                )
            self.heat = ui.echart(week_heat({}, None, SERVED), renderer="svg").classes("chart heat")
            self.heat_note = ui.html("", sanitize=False)
        with self._section("Trade-off"):
            choices: dict[str | None, str] = {None: "choose what to vary"}
            choices |= {x.key: x.label for x in self.meeting.levers if has_curve(x)}
            ui.select(choices, value=None, with_input=False,
                      on_change=lambda e: self.meeting.ask_curve(e.value)).props(
                'dense outlined aria-label="What the trade-off varies"'
            )  # fmt: skip
            self.curve = panels.CurvePanel(self.meeting)
        with self._section("Margins of the stress cases", wide=True):
            self.margins = ui.html("", sanitize=False)
        with self._section("Cases side by side", wide=True):
            self.kept = panels.KeptPanel(self.house, self.meeting, self.put, self.tell)
        with self._section("Before you sign", wide=True):
            self.risks = ui.html("", sanitize=False)

    # -- what is done ------------------------------------------------------------------------------------------------
    def put(self, moved: Any) -> None:
        """Move every lever to where a case has it."""
        self.meeting.put(moved)
        self.panel.follow()
        self.tell("")

    def tell(self, wrong: str) -> None:
        """Say what is wrong with what was asked for; blank: nothing."""
        self.wrong.set_content(f'<div class="noplan">{text(wrong)}</div>' if wrong else "")

    def _larger(self) -> None:
        self.size = (self.size + 1) % len(SIZES)
        ui.query(":root").style(f"--size: {SIZES[self.size]}")

    def _heat(self, *, region: str | None = None, what: str | None = None) -> None:
        self.region, self.what = region or self.region, what or self.what
        self._show_week()

    # -- what is shown -----------------------------------------------------------------------------------------------
    def changed(self, what: str) -> None:
        """Write again what a change of the meeting touches."""
        self._show_status()
        if what in ("asked", "quick", "planned", "opened"):
            self._show_tiles()
        if what in ("quick", "planned", "opened"):
            self._show_plan()
            self._show_week()
        if what in ("planned", "asked", "quick", "opened"):
            self._show_detail()
        if what in ("curve", "asked", "opened"):
            self.curve.show()
        if what != "curve":
            self.kept.show()

    @property
    def _picture(self) -> Picture | None:
        """The plan that is shown: in whole units where it is there, else of any size, also of the last question."""
        meeting = self.meeting
        if meeting.planned is not None:
            return meeting.planned.detail.picture if meeting.planned.detail is not None else None
        return meeting.quick.picture if meeting.quick is not None else None

    @property
    def _base(self) -> Picture | None:
        """The folder as it stands, for units as the picture has them."""
        if self.meeting.planned is not None:
            return self.meeting.base_plan
        return self.meeting.base

    def _show_status(self) -> None:
        m = self.meeting
        if not m.is_answered and m.planned is None:
            said = "working …" if m.quick is None else "working … The figures are still those of the previous move."
        elif m.planned is not None and m.planned.detail is not None:
            said = f"In whole units. {m.planned.detail.proof[0]}"
        elif m.planned is not None:
            said = "The plan could not be found." if m.planned.failed else "No plan exists."
        elif m.quick is not None and m.quick.picture is None:
            said = "No plan keeps every rule, not even with units of any size."
        else:
            said = (
                f"For units of any size, found in {max(m.quick_seconds, 0.01):.2f} s. The plan in whole units follows."
            )
        if m.planning and m.planning != m.change.name:
            said += f" Planning {m.planning} …"
        self.status.set_content(text(said))

    def _show_tiles(self) -> None:
        m, picture = self.meeting, self._picture
        tiles = [("Cost over the horizon", "no plan" if picture is None and m.is_answered else _usd(picture))]
        if picture is not None:
            tiles.append(("Against as it stands", self._difference(picture)))
        if picture is not None:
            tiles.append(("To sign", usd(picture.to_sign_usd)))
        answer = m.planned.answer if m.planned is not None else None
        if answer is not None and answer.least_margin is not None:
            tiles.append(("Least margin", percent(answer.least_margin)))
        if answer is not None and answer.coverage is not None:
            tiles.append(("Coverage", percent(answer.coverage)))
        body = "".join(
            f'<div class="tile"><div class="k">{text(k)}</div><div class="v">{text(v)}</div></div>' for k, v in tiles
        )
        words = "; ".join(words_of(m.levers, m.moved)) or "as it stands"
        stale = "" if m.is_answered or m.planned is not None else " stale"
        self.tiles.set_content(f'<div class="tiles{stale}">{body}</div><p class="muted words">{text(words)}</p>')

    def _difference(self, picture: Picture) -> str:
        """Compare with the folder as it stands, whole units with whole units and any size with any size."""
        m, base, about = self.meeting, self._base, ""
        if (
            base is None
            and m.base is not None
            and m.is_answered
            and m.quick is not None
            and m.quick.picture is not None
        ):
            picture, base, about = m.quick.picture, m.base, "about "
        if base is None:
            return "…"
        more = picture.total_usd - base.total_usd
        if abs(more) < SAME_USD:
            return "the same"
        sign = "+" if more > 0 else ""
        share = f" ({sign}{percent(more / base.total_usd)})" if base.total_usd > 0 else ""
        return f"{about}{sign}{usd(more)}{share}"

    def _show_plan(self) -> None:
        picture, base, m = self._picture, self._base, self.meeting
        if picture is None:
            why = m.planned.answer.problem if m.planned is not None else ""
            why = why or (m.quick.problem if m.quick is not None else "")
            against = m.quick.against if m.quick is not None and m.quick.picture is None and m.is_answered else ""
            told = why.splitlines() or ["Which change of the input would be enough is being worked out …"]
            lines = [*([against] if against else []), *told]
            waiting = not m.is_answered and m.quick is None
            self.sentence.set_content("" if waiting else f'<div class="noplan">{"".join(map(paragraph, lines))}</div>')
            self.purchases.set_content("")
            self.parts.set_content("")
            return
        before = {} if base is None else {(p.offer, p.period): p for p in base.lines}
        now = {(p.offer, p.period): p for p in picture.lines}
        rows = []
        for key in sorted(before.keys() | now.keys(), key=lambda k: (k[1], k[0])):
            old, new = before.get(key), now.get(key)
            stands = "…" if base is None else amount(old.units) if old else "–"
            rows.append((*key, stands, amount(new.units) if new else "–", usd(new.usd) if new else "–"))
        rows.append(("Total", "", "", "", usd(picture.to_sign_usd)))
        heads = ("Offer", "From", "Units as it stands", "Units", "Whole term")
        self.purchases.set_content(
            table("Purchases", heads, rows, left=2, total=True)
            if len(rows) > 1
            else paragraph("Nothing is bought: on demand and earlier commitments serve this usage.")
        )
        parts = [
            (TOTAL_NAMES[name], _usd_of(base, name), usd(picture.parts[name]))
            for name in Totals.names()
            if abs(picture.parts[name]) >= SAME_USD or (base is not None and abs(base.parts[name]) >= SAME_USD)
        ]
        parts.append(("Total", _usd(base), usd(picture.total_usd)))
        self.parts.set_content(table("Parts of the cost", ("Part", "As it stands", "Now"), parts, total=True))

    def _show_detail(self) -> None:
        planned = self.meeting.planned
        detail = None if planned is None else planned.detail
        if detail is None:
            later = paragraph(
                "follows with the plan in whole units" if planned is None else "There is no plan.", "muted"
            )
            for element in (self.rules, self.margins, self.risks, self.ways_note):
                element.set_content(later)
            if planned is None and (picture := self._picture) is not None:
                signs = f"sign {usd(picture.to_sign_usd)} over whole terms" if picture.lines else "sign nothing new"
                cost = f"{usd(picture.total_usd)} over the horizon"
                self.sentence.set_content(paragraph(f"For units of any size: {signs}, {cost}."))
            self._put_chart(self.ways, strategy_bars([]))
            self.ways.set_visibility(False)
            return
        self.sentence.set_content(paragraph(" ".join(detail.headline)))
        self.ways.set_visibility(True)
        self._put_chart(self.ways, strategy_bars(detail.strategies))
        notes = [f"{w.name}: {w.note}." for w in detail.strategies if w.note]
        self.ways_note.set_content(bullets(notes))
        self.rules.set_content(
            paragraph("being worked out …", "muted") if detail.rules is None else bullets(detail.rules)
        )
        self.margins.set_content(
            table("Margins of the stress cases", *detail.margins, left=2)
            if detail.margins is not None
            else paragraph(detail.without_margins)
        )
        self.risks.set_content(bullets((*detail.risks, *detail.proof)))

    def _show_week(self) -> None:
        picture = self._picture
        if picture is None:
            self._put_chart(self.heat, week_heat({}, None, self.what))
            self.heat_note.set_content("")
            return
        region = None if self.region == ALL_REGIONS else self.region
        self._put_chart(self.heat, week_heat(picture.weeks, region, self.what))
        share = picture.reserved_share
        if share is not None and math.isfinite(share):
            self.heat_note.set_content(paragraph(f"Reserved units serve {percent(share)} of all requests.", "muted"))

    @staticmethod
    def _put_chart(chart: ui.echart, options: dict[str, Any]) -> None:
        chart.options.clear()
        chart.options.update(options)
        chart.update()


def _usd(picture: Picture | None) -> str:
    return "…" if picture is None else usd(picture.total_usd)


def _usd_of(picture: Picture | None, part: str) -> str:
    return "…" if picture is None else usd(picture.parts[part])
