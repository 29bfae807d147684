"""The accuracy of a folder's forecast, as `planner forecast` left it. No fault in it stops a plan."""

import csv
import io
from pathlib import Path

from pydantic import ValidationError

from planner.errors import InputError
from planner.readers.csv_files import MEGABYTE, read_text
from planner.schema.accuracy import ForecastAccuracy, SeriesAccuracy

FILE = Path("forecast", "accuracy.csv")
LARGEST_BYTES = 4 * MEGABYTE
_NEEDED = ("region", "workload", "model")
_BLANKS = ("", "nan", "NaN", "None")


def read_accuracy(folder: Path) -> ForecastAccuracy | None:
    """Read ``forecast/accuracy.csv`` of a planning folder; None where there is none.

    What cannot be read is said in ``faults``: a plan is never refused because of it.
    """
    path = folder / FILE
    if not path.exists():
        return None
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path, LARGEST_BYTES), newline="")))
    except InputError as error:
        return ForecastAccuracy((), tuple(str(fault) for fault in error.faults))
    except (OSError, csv.Error) as error:
        return ForecastAccuracy((), (f"{path.name}: cannot be read: {error}",))
    lacking = [name for name in _NEEDED if not rows or name not in rows[0]]
    if lacking:
        said = f"{path.name}: has no rows with the columns {', '.join(_NEEDED)}; run planner forecast again"
        return ForecastAccuracy((), (said,))
    found, faults = [], []
    for number, row in enumerate(rows, start=2):
        cells = {k: v for k, v in row.items() if isinstance(k, str) and isinstance(v, str) and v not in _BLANKS}
        try:
            found.append(SeriesAccuracy.model_validate(cells))
        except ValidationError as error:
            first = error.errors()[0]
            column = ".".join(str(part) for part in first["loc"])
            faults.append(f"{path.name}, row {number}, column {column}: {first['msg'].lower()}; the row is left out")
    return ForecastAccuracy(tuple(found), tuple(faults))
