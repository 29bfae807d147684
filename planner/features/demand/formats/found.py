"""Which column of an export is which of ours: resolved, checked, its numbers settled, token types put side by side."""

from dataclasses import fields
from typing import Any

from planner.errors import Fault, InputError
from planner.features.demand.engine import settled as as_view
from planner.features.demand.export_findings import ExportFinding
from planner.features.demand.formats import numbers
from planner.features.demand.formats.cells import (
    NO_NUMBER,
    as_number,
    as_text,
    column,
    flat_name,
    json_value,
)
from planner.features.demand.formats.format import ExportColumns, Format, Inputs, Long
from planner.features.demand.source_files import columns_of_head, fail

SHOWN_COLUMNS = 4000  # letters
ODD_CELLS = 50_000
TOKEN_WORDS = ("token", "cache", "prompt", "completion", "input", "output")
Found = dict[str, tuple[str, ...]]  # our column -> theirs, which are added


def resolve(declared: ExportColumns, table: Any, chosen: dict[str, Any]) -> tuple[Found, tuple[str, ...]]:
    """Return our column -> theirs: what the map says, else the first declared name that is there; and why, in words."""
    there = {flat_name(name): name for name in sorted(table.columns, reverse=True)}
    found: Found = {}
    how: list[str] = []
    for field in fields(declared):
        ours = field.name
        own = _first_there(getattr(declared, ours), table, there)
        if ours in chosen:
            said = chosen[ours]
            if said is None:
                how.append(f"{ours}: not in this export (the map says so)")
                continue
            named = (said,) if isinstance(said, str) else tuple(said)
            if own and len(named) == 1 and len(own) > 1 and set(named) < set(own):
                how.append(f"{ours} = {' + '.join(own)} (the map names one of them alone; all of them are its parts)")
                found[ours] = own
                continue
            found[ours] = named
            how.append(f"{ours} = {' + '.join(named)} (the map)")
        elif own:
            found[ours] = own
            how.append(f"{ours} = {' + '.join(own)}")
    return found, tuple(how)


def _first_there(alternatives: tuple[str, ...], table: Any, there: dict[str, str]) -> tuple[str, ...]:
    for alternative in alternatives:
        parts = [spelled(part, table, there) for part in alternative.split(" + ")]
        if parts[0] is not None:
            return tuple(part for part in parts if part is not None)
    return ()


def incomplete(format: Format, found: Found, table: Any) -> list[str]:
    """Say which parts of a sum are not in this export."""
    there = {flat_name(name): name for name in table.columns}
    said = []
    for ours, named in found.items():
        sums = [text.split(" + ") for text in getattr(format.columns, ours, ()) if " + " in text]
        for parts in sums:
            lost = [part for part in parts if spelled(part, table, there) is None]
            if lost and set(map(flat_name, named)) & set(map(flat_name, parts)):
                said.append(f"{ours} is {' + '.join(named)}: {', '.join(lost)} is not in this export")
    return said


def spelled(name: str, table: Any, there: dict[str, str]) -> str | None:
    """Return a column's name as the table spells it; None where it has none."""
    found = there.get(flat_name(name))
    if found is not None:
        return found
    head, _, rest = name.partition(".")
    outer = there.get(flat_name(head)) if rest else None
    if outer is None or column(table, f"{outer}.{rest}") is None:
        return None
    return f"{outer}.{rest}"


def long_of(inputs: Inputs) -> Long | None:
    """Return what the map says of a table of one row a token type."""
    said = inputs.names.long
    return None if said is None else Long(said.kind, said.value, {k.lower(): str(v) for k, v in said.kinds.items()})


def shortened(
    table: Any, found: Found, long: Long | None, inputs: Inputs
) -> tuple[Any, Found, tuple[ExportFinding, ...]]:
    """Return a table of one row a token type as one row a bucket; a row that comes again as it is counts once."""
    import ibis

    if long is None:
        return table, found, ()
    there = {flat_name(name): name for name in table.columns}
    kind, value = there.get(flat_name(long.kind)), there.get(flat_name(long.value))
    if kind is None or value is None:
        lacking = long.kind if kind is None else long.value
        raise fail(inputs.place, "has no such column", column=lacking, allowed=", ".join(table.columns)[:SHOWN_COLUMNS])
    lost = int(table.count().to_pyarrow().as_py()) - int(table.distinct().count().to_pyarrow().as_py())
    table = table.distinct() if lost else table
    kinds = numbers.trimmed(as_text(table[kind])).lower()
    others = table.filter(~kinds.isin([*long.kinds, *numbers.BLANKS])).select(kind).distinct().limit(20).to_pandas()
    unknown = [str(name) for name in others[kind] if any(word in str(name).lower() for word in TOKEN_WORDS)]
    if unknown:
        raise fail(inputs.place, "has token types that nothing explains", column=kind, value=", ".join(unknown),
                   allowed="long: {kinds: {" + unknown[0] + ": input_tokens}} in the map")  # fmt: skip
    decimal = decimal_of(table, (value,), inputs)
    amount = number_in(table, value, inputs, decimal)
    by = [name for name in table.columns if name not in (kind, value, *_numeric_names(table, kind, value))]
    made = {ours: ibis.cases((kinds.isin([k for k, v in long.kinds.items() if v == ours]), amount),
                             else_=ibis.null("float64")) for ours in dict.fromkeys(long.kinds.values())}  # fmt: skip
    wide = table.mutate(**made)
    grouped = wide.group_by(by).aggregate(**{ours: wide[ours].sum() for ours in made})
    copies = (ExportFinding("duplicate", lost),) if lost else ()
    rest = {k: v for k, v in found.items() if k not in made}
    return as_view(grouped, "shortened"), {**rest, **{ours: (ours,) for ours in made}}, copies


def _numeric_names(table: Any, *but: str) -> list[str]:
    """Return columns that go with the amount and say nothing of the bucket: prices and costs."""
    words = ("price", "cost", "usd", "spend", "amount_")
    return [n for n in table.columns if n not in but and any(word in n.lower() for word in words)]


def check(format: Format, found: Found, columns: frozenset[str], inputs: Inputs, chosen: dict[str, Any]) -> None:
    """Refuse an export that lacks what a history needs; say its columns, and the map's keys that would name it."""
    shown = ", ".join(sorted(columns))[:SHOWN_COLUMNS]
    faults = [
        Fault(inputs.place, f"has no column for {ours}", column=theirs, allowed=shown)
        for ours, named in found.items()
        if ours in chosen
        for theirs in named
        if theirs not in columns and theirs.partition(".")[0] not in columns
    ]
    if "time" not in found:
        said = "has no column for time; name it in the map (columns: {time: ...})"
        faults.append(Fault(inputs.place, said, allowed=shown))
    lacking = [name for name in ("input_tokens", "output_tokens") if name not in found and name not in chosen]
    if "requests" not in found and lacking and not (len(lacking) == 1 and _is_one_sided(format)):
        keys = ", ".join(f"{name}: ..." for name in lacking)
        said = (
            f"has no column for {' and '.join(lacking)}; name them in the map (columns: {{{keys}}}), or say null there"
        )
        faults.append(Fault(inputs.place, f"{said} where they are not in this export", allowed=shown))
    if faults:
        raise InputError(faults)


def check_twins(table: Any, format: Format, found: Found, inputs: Inputs) -> None:
    """Refuse columns of one name that hold different values, where one of them would be read.

    The engine renames the second ``tokens`` of a header to ``tokens_1``.
    """
    heads = [[name.lower() for name in columns_of_head(file)] for file in inputs.files if file.kind == "csv"]
    known = {flat_name(name) for names in (*format.signs, format.json_text) for name in names}
    used = [name for named in found.values() for name in named]
    used += [name for name in table.columns if flat_name(name) in known]
    for name in dict.fromkeys(used):
        if name not in table.columns:
            continue
        twins = [other for other in table.columns if other != name and flat_name(other) == flat_name(name)]
        if any(head.count(name.lower()) > 1 for head in heads) and f"{name}_1" in table.columns:
            twins.append(f"{name}_1")
        for twin in twins:
            mine, other = as_text(table[name]), as_text(table[twin])
            if len(table.filter(~mine.identical_to(other)).limit(1).to_pyarrow()):
                said = "stands twice in the header, with different values: keep the one that is meant"
                raise fail(inputs.place, said, column=name)


def _is_one_sided(format: Format) -> bool:
    return format.columns is not None and format.name != "table" and not format.columns.input_tokens


def number_in(table: Any, name: str, inputs: Inputs, decimal: numbers.Decimal) -> Any:
    """Return a column as numbers: null where it is blank, ``NO_NUMBER`` where it is text that is none."""
    value = column(table, name)
    if value.type().is_json() and inputs.engine.name == "duckdb":  # of mixed kinds: true is no count
        value = json_value(as_text(value), "$")
    if value.type().is_string() and inputs.engine.name == "duckdb":
        import ibis

        blank = value.isnull() | numbers.trimmed(value).lower().isin(numbers.BLANKS)
        other = ibis.cases((blank, ibis.null("float64")), else_=ibis.literal(NO_NUMBER))
        plain = ibis.cases((blank, ibis.null("float64")), else_=numbers.plain(value))
        if decimal == ".":
            return ibis.coalesce(plain, numbers.expression(value, "."), other)
        return ibis.coalesce(numbers.expression(value, decimal), other)
    return as_number(value, inputs.engine)


def decimal_of(table: Any, names: tuple[str, ...], inputs: Inputs) -> numbers.Decimal:
    """Settle the decimal sign of each file's numbers; files that differ are refused."""
    if inputs.names.decimal is not None or not inputs.files or inputs.engine.name != "duckdb":
        return inputs.names.decimal or "."
    texts = [name for name in names if column(table, name).type().is_string()]
    if not texts or inputs.files[0].kind == "parquet":
        return "."
    by_file = {str(file.path): file for file in inputs.files}
    signs: dict[numbers.Decimal, str] = {}
    cells: dict[str, list[numbers.TextCell]] = {path: [] for path in by_file}
    is_odd = {name: ~numbers.trimmed(column(table, name)).re_search(r"^[+-]?\d*$") for name in texts}
    told = (
        table.aggregate(**{f"odd_{k}": odd.any().fill_null(False) for k, odd in enumerate(is_odd.values())})
        .to_pandas()
        .iloc[0]
    )
    for k, name in enumerate(texts):
        if not told[f"odd_{k}"]:
            continue
        odd = table.filter(is_odd[name]).mutate(odd_=numbers.trimmed(column(table, name)))
        shown = [odd["odd_"], *([odd["filename"]] if "filename" in odd.columns else [])]
        for row in odd.select(*shown).distinct().limit(ODD_CELLS).to_pandas().to_dict("records"):
            path = str(row.get("filename") or inputs.files[0].path)
            if not numbers.is_blank(row["odd_"]):
                cells.setdefault(path, []).append(numbers.TextCell(path, name, str(row["odd_"])))
    for path, listed in cells.items():
        file = by_file.get(path, inputs.files[0])
        semicolons = ";" in file.head.partition("\n")[0]
        if any("." in cell.text or "," in cell.text for cell in listed):
            signs.setdefault(numbers.settled(listed, semicolons=semicolons), path)
    if len(signs) > 1:
        raise fail(inputs.place, "files write numbers in different ways; ingest them apart, or say decimal in the map")
    return next(iter(signs), ".")
