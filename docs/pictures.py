"""Make the pictures of the README from the quickstart's workbook.

    python docs/pictures.py

Solves data/quickstart, prints plan.xlsx to PDF, and cuts out the pages Summary and Week: docs/images/<page>.png.
Needs LibreOffice (soffice), poppler (pdftoppm, pdftotext) and Pillow.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

ROOT = Path(__file__).parents[1]
DOTS_PER_INCH = 130
MARGIN = 24  # pixels of white around what is printed
PAGES = {"summary": "Ways to serve the same usage", "week": "of which on demand"}  # words that only this page has


def main() -> None:
    """Solve, print, cut."""
    with tempfile.TemporaryDirectory() as name:
        _run(sys.executable, "-m", "planner.cli", "solve", ROOT / "data" / "quickstart", "--fresh", within=name)
        folder = Path(name) / "reports" / "quickstart-2027-q1"
        _run("soffice", f"-env:UserInstallation={(folder / 'office').as_uri()}", "--headless", "--convert-to", "pdf",
             "--outdir", folder, folder / "plan.xlsx")  # fmt: skip
        texts = _run("pdftotext", folder / "plan.pdf", "-").split("\f")
        for picture, words in PAGES.items():
            number = next(k for k, text in enumerate(texts, start=1) if words in text)
            _run("pdftoppm", "-r", DOTS_PER_INCH, "-png", "-singlefile", "-f", number, "-l", number,
                 folder / "plan.pdf", folder / picture)  # fmt: skip
            with Image.open(folder / f"{picture}.png") as printed:
                cut = _cropped(printed.convert("RGB"))
            cut.save(ROOT / "docs" / "images" / f"{picture}.png", optimize=True)


def _cropped(page: Image.Image) -> Image.Image:
    """Cut off the foot line and the white margins of a page."""
    body = page.crop((0, 0, page.width, int(page.height * 0.95)))
    left, top, right, bottom = ImageChops.invert(body.convert("L")).getbbox() or (0, 0, *body.size)
    return body.crop((max(left - MARGIN, 0), max(top - MARGIN, 0), right + MARGIN, bottom + MARGIN))


def _run(*words: object, within: str | None = None) -> str:
    done = subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, cwd=within)
    return done.stdout


if __name__ == "__main__":
    main()
