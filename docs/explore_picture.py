"""Make the picture of docs/explore.md: the page of planner explore on the quickstart, in a real Chromium.

    python docs/explore_picture.py

Needs the extras explore and dev (Playwright) and a Chromium (on Debian: apt-get install chromium).
"""

import re
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "images" / "explore.png"
WAIT_MS = 300_000


def main() -> None:
    """Open the page, move, keep, and take the picture once what the rules cost is there."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with tempfile.TemporaryDirectory() as name:
        words = [
            sys.executable,
            "-m",
            "planner.cli",
            "explore",
            ROOT / "data" / "quickstart",
            "-o",
            Path(name) / "study",
        ]
        server = subprocess.Popen([*map(str, words), "--no-browser"], stdout=subprocess.PIPE, text=True)
        try:
            found = re.search(r"http://\S+", server.stdout.readline() if server.stdout else "")
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
                page = browser.new_page(viewport={"width": 1440, "height": 1220})
                page.set_default_timeout(WAIT_MS)
                page.goto(found[0] if found else "")
                _meet(page)
                page.screenshot(path=PICTURE)
                browser.close()
        finally:
            server.send_signal(signal.SIGINT)
            server.wait(20)


def _meet(page: Page) -> None:
    _planned(page)
    page.get_by_role("slider", name="Growth of all demand").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    page.get_by_text("growth of all demand +20 %", exact=True).wait_for()
    page.get_by_label("What the trade-off varies").click()
    page.get_by_role("option", name="Trust in on demand while a region is lost").click()
    page.get_by_role("button", name="As a table").wait_for()
    _planned(page)
    page.wait_for_function("!document.body.innerText.includes('being worked out')")
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    page.wait_for_timeout(1000)


def _planned(page: Page) -> None:
    page.wait_for_function("document.querySelector('.status')?.innerText.startsWith('In whole units')")


if __name__ == "__main__":
    main()
