"""How good a forecast was on weeks it had not seen: the rows of forecast/accuracy.csv."""

from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

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
class ForecastAccuracy:
    """The rows that could be read, in the file's order, and what could not, in words."""

    series: tuple[SeriesAccuracy, ...]
    faults: tuple[str, ...] = ()
