"""The page in a real Chromium, through its accessibility tree: asked, kept, saved, and killed in the midst."""

import json
import re
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from planner.cli import main
from tests import builders

pytest.importorskip("nicegui", reason='the page needs NiceGUI: pip install ".[explore]"')
sync_api = pytest.importorskip(
    "playwright.sync_api", reason="the page is tested with Playwright: pip install playwright"
)
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")

WAIT_MS = 60_000
sync_api.expect.set_options(timeout=WAIT_MS)
expect = sync_api.expect
STATUS = "document.querySelector('.status').innerText"


class Served:
    """planner explore on a tiny folder."""

    def __init__(self, folder: Path, out: Path) -> None:
        words = [sys.executable, "-m", "planner.cli", "explore", str(folder), "-o", str(out), "--no-browser"]
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        found = re.search(r"http://\S+", self.process.stdout.readline())
        assert found is not None
        self.url, self.out, self.folder = found[0], out, folder

    def end(self, how: signal.Signals) -> tuple[int, str]:
        self.process.send_signal(how)
        _, errors = self.process.communicate(timeout=20)
        return self.process.returncode, errors


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    home = tmp_path_factory.mktemp("explore")
    tables = builders.two_regions(demand=[row for r in ("east", "west") for row in builders.profile(r, "w", 10.0)])
    tables["offers"] = [{**row, "unit_step": 1} for row in tables["offers"]]
    one = Served(
        builders.write_folder(tables, home / "in", failover={"enabled": True}, whole_units=True), home / "study"
    )
    yield one
    if one.process.poll() is None:
        one.end(signal.SIGKILL)


def opened(browser: Any, served: Served, width: int = 1440, height: int = 900) -> Any:
    """A page of a browser of its own, once the folder as it stands is planned."""
    page = browser.new_context(viewport={"width": width, "height": height}).new_page()
    page.set_default_timeout(WAIT_MS)
    page.asked = []
    page.on("request", lambda request: page.asked.append(request.url))
    page.faults = []
    page.on("pageerror", lambda error: page.faults.append(str(error)))
    page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
    page.goto(served.url)
    planned(page)
    return page


def planned(page: Any) -> None:
    page.wait_for_function(f"document.querySelector('.status') && {STATUS}.startsWith('In whole units')")


def tile(page: Any, name: str) -> Any:
    """The figure of a tile of the headline."""
    return page.locator(".tile", has_text=name).locator(".v")


def test_a_meeting(browser: Any, served: Served, tmp_path: Path) -> None:
    page = opened(browser, served)
    expect(tile(page, "Cost over the horizon")).to_have_text("$14,880")  # 2 regions x 10 units x 744 hours x 1 USD
    other = opened(browser, served)

    # with the keyboard alone: a slider by its name, and a switch
    page.get_by_role("slider", name="Growth of all demand").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.get_by_text("growth of all demand +20 %", exact=True).wait_for()
    planned(page)
    expect(tile(page, "Cost over the horizon")).to_have_text("$17,856")  # 12 units in each region
    expect(tile(page, "Against as it stands")).to_have_text("+$2,976 (+20.0 %)")
    expect(page.get_by_role("slider", name="Growth of all demand")).to_have_attribute("aria-valuetext", "+20 %")
    page.get_by_label("Name of this case").fill("grow 20 %")
    page.get_by_role("button", name="Keep this case").click()
    page.get_by_role("button", name="As it stands", exact=True).click()
    page.get_by_role("switch", name="New units in east").focus()
    page.keyboard.press("Space")
    page.get_by_text("without new units in east", exact=True).wait_for()
    planned(page)
    page.get_by_label("Name of this case").fill("nothing in east")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Show grow 20 %").click()
    # figures, switches and knobs come in messages of their own
    expect(tile(page, "Cost over the horizon")).to_have_text("$17,856")
    expect(page.get_by_role("switch", name="New units in east")).to_have_attribute("aria-checked", "true")
    expect(page.get_by_role("slider", name="Growth of all demand")).to_have_value("20")

    # a curve, and the same as a table
    page.get_by_label("What the trade-off varies").click()
    page.get_by_role("option", name="Growth of all demand").click()
    page.get_by_text("The exact curve for units of any size, with plans in whole units beside it.").wait_for()
    page.get_by_role("button", name="As a table").click()
    page.get_by_role("table", name="Plans in whole units").get_by_role("row", name="× 3").wait_for()
    rows = page.get_by_role("table", name="Trade-off").get_by_role("row").all_inner_texts()
    assert [row.split("\t") for row in rows[1:]] == [["× 0.5", "× 3", "$7,440", "$44,640", "+148.80"]]
    whole = page.get_by_role("table", name="Plans in whole units").get_by_role("row").all_inner_texts()
    assert [row.split("\t")[:2] for row in whole[1:]] == [["× 0.5", "$7,440"], ["× 1.2", "$17,856"], ["× 3", "$44,640"]]
    page.get_by_text("From here, 1 % more demand costs $149 a month.").wait_for()

    # another browser has its own meeting, and a phone has room for it
    expect(tile(other, "Cost over the horizon")).to_have_text("$14,880")
    assert other.get_by_role("button", name="Show grow 20 %").count() == 0
    other.set_viewport_size({"width": 390, "height": 844})
    other.wait_for_function("document.documentElement.scrollWidth == 390")  # charts take their new width a moment later

    # saved: the same study as planner what-if writes
    page.get_by_role("button", name="Save the study").click()
    page.get_by_text("Saved with 2 cases").wait_for()
    (tmp_path / "cases.yaml").write_text(
        "cases: {grow 20 %: {scale: {demand: 1.2}}, nothing in east: {refuse: [east]}}"
    )
    asked = ["--cases", str(tmp_path / "cases.yaml"), "-o", str(tmp_path / "same"), "--fresh"]
    assert main(["what-if", str(served.folder), *asked]) == 0
    found, same = (json.loads((p / "study.json").read_text("utf-8")) for p in (served.out, tmp_path / "same"))
    assert found == same

    # written: a plan that planner verify takes
    page.get_by_role("button", name="Write plan and workbook of grow 20 %").click()
    page.get_by_text("written to").wait_for()
    plan = served.out / "plans" / "grow-20"
    assert (plan / "plan.xlsx").exists()
    assert main(["verify", str(plan / "input"), str(plan)]) == 0

    for one in (page, other):
        assert one.faults == []
        assert [url for url in one.asked if not url.startswith((served.url, "data:", "blob:"))] == []


def test_without_the_address_nothing_is_shown(served: Served) -> None:
    server = re.match(r"http://[^/]+", served.url)
    assert server is not None
    for path in ("/", "/_nicegui_ws/socket.io/?EIO=4&transport=polling"):
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(server[0] + path)


def test_killed_in_the_midst(browser: Any, served: Served) -> None:
    """What was saved stays whole, and a new server starts with the saved cases."""
    page = opened(browser, served)
    before = (served.out / "study.json").read_bytes()
    page.get_by_role("slider", name="Growth of all demand").focus()
    page.keyboard.press("End")
    page.get_by_role("button", name="Save the study").click()
    code, errors = served.end(signal.SIGKILL)
    assert (code, errors) == (-signal.SIGKILL, "")
    page.get_by_text("If planner explore was ended, start it again").wait_for()
    assert json.loads((served.out / "study.json").read_text("utf-8")) == json.loads(before)
    again = Served(served.folder, served.out)
    try:
        assert again.process.stdout is not None
        told = [again.process.stdout.readline() for _ in range(2)]
        assert told[1] == "That study holds 2 cases already: grow 20 %, nothing in east\n"
        page = opened(browser, again)
        page.get_by_role("table", name="Cases side by side").get_by_role("row", name="nothing in east").wait_for()
    finally:
        code, errors = again.end(signal.SIGINT)
    assert (code, errors) == (0, "")
