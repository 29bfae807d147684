"""One restrained theme: colours that colour-blind readers can tell apart (Okabe-Ito), fonts and number formats."""

from typing import Any

FONT = "Arial"  # on every machine; LibreOffice and Google Sheets measure it the same
INK, MUTED, RULE, SHADE, NEEDED = "#1F2A37", "#5B6673", "#C9D1DA", "#F1F4F8", "#CFE3F4"
BLUE, SKY, ORANGE, GREEN, VERMILION, GREY = "#0072B2", "#56B4E9", "#E69F00", "#009E73", "#D55E00", "#8A94A0"
INPUT_FILL, INPUT_INK = "#FFF8DC", "#0B3D91"
HEAT = ("#FFFFFF", "#B9DBF1", "#6DB3DF")  # one hue, light to dark: black figures stay readable on all of it
HEAT_OVERFLOW = ("#FFFFFF", "#FADFA8", "#F0B23C")

PRICE_DECIMALS = range(2, 7)  # a price shows as many as the most that its column needs
NUMBER_FORMATS = {
    "text": "General",
    "count": "#,##0",
    "number": "#,##0.0",
    "fine": "#,##0.00##",
    "units": "#,##0.###",
    "usd": "$#,##0;-$#,##0",
    "cents": "$#,##0.00;-$#,##0.00",
    "price": "$#,##0.00####;-$#,##0.00####",
    "percent": "0.0%",
    "date": "yyyy-mm-dd",
    "month": "mmm yyyy",
} | {f"price{n}": "$#,##0.{0};-$#,##0.{0}".format("0" * n + "#" * (PRICE_DECIMALS[-1] - n)) for n in PRICE_DECIMALS}

_BASE: dict[str, Any] = {"font_name": FONT, "font_size": 10, "font_color": INK, "valign": "vcenter"}
_ROW: dict[str, Any] = {"bottom": 4, "bottom_color": RULE}
_HEADER: dict[str, Any] = {"bold": True, "bg_color": SHADE, "bottom": 1, "bottom_color": INK, "text_wrap": True,
                           "valign": "bottom"}  # fmt: skip

STYLES: dict[str, dict[str, Any]] = {
    "plain": {},
    "input_number": {"num_format": "General", "align": "right", **_ROW},
    "title": {"font_size": 18, "bold": True, "valign": "vcenter"},
    "subtitle": {"font_color": MUTED, "text_wrap": True},
    "section": {"font_size": 12, "bold": True, "font_color": BLUE, "valign": "bottom"},
    "aside": {"font_color": MUTED},
    "note": {"font_color": MUTED, "italic": True, "text_wrap": True},
    "empty": {"font_color": MUTED, "italic": True},  # runs on over the blank cells to its right
    "header": {**_HEADER, "align": "left", "indent": 1},
    "header_needed": {**_HEADER, "align": "left", "indent": 1, "bg_color": NEEDED},
    "header_right": {**_HEADER, "align": "right"},
    "key": {"font_color": MUTED, **_ROW},
    "lead": {"font_size": 11, "text_wrap": True},
    "line": {"text_wrap": True},
    "alert": {"font_color": VERMILION, "bold": True, "text_wrap": True},
    "warned": {"font_color": VERMILION, "bold": True},
    "tick": {"align": "center", "bold": True, **_ROW},
    "field": {"bottom": 1, "bottom_color": RULE, "align": "left", "indent": 1},
    "field_blank": {"bottom": 1, "bottom_color": INK, "font_color": MUTED, "font_size": 8, "valign": "top"},
    "header_year": {**_HEADER, "align": "right", "num_format": "0"},
    "blank_line": {"bottom": 1, "bottom_color": INK},
    "link": {"font_color": BLUE, "underline": 1, "indent": 1, **_ROW},
    "name": {"num_format": "@", "font_color": MUTED},
    "choice": {"num_format": "@", "bg_color": INPUT_FILL, "font_color": INPUT_INK, "border": 1, "border_color": RULE,
               "bold": True},
    "hour": {"font_color": MUTED, "align": "center", "font_size": 8},
    "day": {"font_color": MUTED, "bold": True},
    "heat": {"num_format": "#,##0", "align": "center", "font_size": 7, "valign": "vcenter"},
    "rent": {"num_format": "#,##0.00", "align": "center", "font_size": 7, "valign": "vcenter"},
    "axis": {"font_color": MUTED, "align": "center", "font_size": 8},
}  # fmt: skip


def properties(style: str) -> dict[str, Any]:
    """XlsxWriter properties of a style.

    A style is a name of STYLES; or a number format, which may be followed by ``:bold`` (totals), ``:input`` (cells to
    be edited), ``:wrap`` or ``:muted``: ``"usd:bold"``.
    """
    name, *extras = style.split(":")
    if name in STYLES:
        chosen = {**_BASE, **STYLES[name]}
    else:
        chosen = {**_BASE, **_ROW, "num_format": NUMBER_FORMATS[name]}
        if name == "text":
            chosen |= {"align": "left", "indent": 1}
        elif name == "count":  # a term of "7 days" stands among months, beside a number
            chosen |= {"align": "right"}
    for extra in extras:
        if extra == "bold":
            chosen |= {"bold": True, "top": 1, "top_color": INK, "bottom": 1, "bottom_color": INK}
        elif extra == "input":
            chosen |= {
                "bg_color": INPUT_FILL,
                "font_color": INPUT_INK,
                "border": 1,
                "border_color": RULE,
                "locked": False,
            }
        elif extra == "wrap":
            chosen["text_wrap"] = True
        elif extra == "muted":
            chosen["font_color"] = MUTED
        elif extra == "big":
            chosen |= {"font_size": 14, "bold": True, "align": "left", "bottom": 0}
        else:
            raise ValueError(f"unknown style {style!r}")
    return chosen
