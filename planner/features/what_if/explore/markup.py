"""Tables and sentences of the page as HTML: semantic, every text escaped."""

from collections.abc import Iterable, Sequence
from html import escape

from planner.workbook.text_tables import clean

_LONG = 600


def text(value: object, most: int = _LONG) -> str:
    """Return a text that is safe to show."""
    return escape(clean(str(value), most))


def table(
    caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, total: bool = False,
    marked: int | None = None,
) -> str:  # fmt: skip
    """Render a table whose first `left` columns are text; the first is the head of its row.

    total : the last row is a sum. marked : column that is set off.
    """

    def style(k: int) -> str:
        names = [*(["n"] if k >= left else []), *(["here"] if k == marked else [])]
        return f' class="{" ".join(names)}"' if names else ""

    head = "".join(f'<th scope="col"{style(k)}>{text(h)}</th>' for k, h in enumerate(heads))
    body, listed = [], list(rows)
    for at, row in enumerate(listed):
        cells = [f'<th scope="row"{style(0)}>{text(row[0])}</th>']
        cells += [f"<td{style(k)}>{text(cell)}</td>" for k, cell in enumerate(row) if k > 0]
        last = ' class="sum"' if total and at == len(listed) - 1 else ""
        body.append(f"<tr{last}>{''.join(cells)}</tr>")
    name = text(caption)
    return (
        f'<div class="scroll" role="region" aria-label="{name}" tabindex="0"><table><caption class="unseen">{name}'
        f"</caption><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table></div>"
    )


def bullets(lines: Iterable[str]) -> str:
    """Render sentences as a list."""
    items = "".join(f"<li>{text(line)}</li>" for line in lines)
    return f"<ul>{items}</ul>" if items else ""


def paragraph(line: str, style: str = "") -> str:
    """Render one sentence."""
    return f'<p class="{style}">{text(line)}</p>' if style else f"<p>{text(line)}</p>"
