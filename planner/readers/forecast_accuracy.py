"""How good a folder's forecast was on held-out weeks, as `planner forecast` left it; no fault in it stops a plan."""

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from planner.errors import InputError
from planner.readers.csv_files import MEGABYTE, read_text

ALL = "all"  # region and workload of the row for all series together


class SeriesAccuracy(BaseModel):
    """One series (or all together) and its errors on held-out weeks: shares of the demand; None where not measured.

    wape : Σ|actual − forecast| / Σ actual; ``wape_seasonal_naive``: the same of the last week repeated.
    bias : Σ(forecast − actual) / Σ actual; above 0 the forecast was too high.
    pinball_p10, pinball_p50, pinball_p90 : pinball loss of the quantile / Σ actual.
    coverage_p90, coverage_p10_p90 : share of the hours at or below the 90th percentile, and between 10th and 90th.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False, str_strip_whitespace=True)

    region: str = Field(min_length=1)
    workload: str = Field(min_length=1)
    model: str = Field(min_length=1)
    weeks_of_history: float | None = Field(default=None, ge=0)
    origins: int | None = Field(default=None, ge=0)
    weeks_ahead: int | None = Field(default=None, ge=0)
    wape: float | None = Field(default=None, ge=0)
    wape_seasonal_naive: float | None = Field(default=None, ge=0)
    bias: float | None = Field(default=None, ge=-1)
    pinball_p10: float | None = Field(default=None, ge=0)
    pinball_p50: float | None = Field(default=None, ge=0)
    pinball_p90: float | None = Field(default=None, ge=0)
    coverage_p90: float | None = Field(default=None, ge=0, le=1)
    coverage_p10_p90: float | None = Field(default=None, ge=0, le=1)


@dataclass(frozen=True)
class BillCheck:
    """The history that the forecast was made from beside the provider's bill [USD, at list prices and as billed]."""

    usd_history: float
    usd_bill: float

    @property
    def difference_share(self) -> float:
        """(history - bill) / bill."""
        return (self.usd_history - self.usd_bill) / self.usd_bill if self.usd_bill else float(self.usd_history > 0)

    @property
    def reconciles(self) -> bool:
        """Whether they differ by at most 1 % of the bill."""
        return abs(self.difference_share) <= BILL_TOLERANCE


@dataclass(frozen=True)
class ForecastAccuracy:
    """The rows that could be read, in the file's order, and what could not, in words.

    ``bill`` is how the history compares with the provider's bill; None where it was not put beside one
    (``planner ingest --against``). A first page says so where it does not reconcile.
    """

    series: tuple[SeriesAccuracy, ...]
    faults: tuple[str, ...] = ()
    bill: BillCheck | None = None


BILL_TOLERANCE = 0.01
BILL_FILE = Path("forecast", "reconciliation.csv")
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
    bill = _read_bill_check(folder / BILL_FILE, faults)
    return ForecastAccuracy(tuple(found), tuple(faults), bill)


def _read_bill_check(path: Path, faults: list[str]) -> BillCheck | None:
    if not path.exists():
        return None
    try:
        rows = list(csv.DictReader(io.StringIO(read_text(path, LARGEST_BYTES), newline="")))
        return BillCheck(float(rows[0]["usd_history"]), float(rows[0]["usd_bill"])) if rows else None
    except (InputError, OSError, csv.Error, KeyError, ValueError, TypeError) as error:
        faults.append(f"{path.name}: cannot be read: {error}")
        return None
