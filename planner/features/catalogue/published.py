"""What providers publish: rows with source, date and degree of confirmation; where they are, how they are read."""

import csv
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from planner.errors import Fault, InputError, PlannerError
from planner.io.together import finish
from planner.schema.base import Day, Flag
from planner.versions import DISTRIBUTION

DEPLOYMENT_TYPES = ("global", "datazone", "geo", "regional")
HOURLY = "hour"  # the term of a unit that is deployed without a reservation


def _blank(value: Any) -> Any:
    return None if isinstance(value, str) and not value.strip() else value


Number = Annotated[Annotated[float, Field(ge=0)] | None, BeforeValidator(_blank)]
Whole = Annotated[Annotated[int, Field(ge=1)] | None, BeforeValidator(_blank)]
Date = Annotated[Day | None, BeforeValidator(_blank)]


class Published(BaseModel):
    """One published figure or fact; a blank cell is unknown, never nought."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, str_strip_whitespace=True)

    provider: str = Field(min_length=1)
    source: str = Field(min_length=1)
    as_of: Day
    status: Literal["confirmed", "third-party", "derived"]
    note: str = ""


class Provider(Published):
    """Someone who sells."""

    title: str


class Product(Published):
    """A way to buy capacity, and its rules."""

    product: str
    title: str
    unit: str
    pool_per: Literal["region", "model", "provider"]  # what one purchase covers
    meters: str  # joined by ;
    shared_hourly: Flag
    sold: Flag  # false: existing commitments only
    holds_capacity: Flag  # false: a discount on deployed units
    cancellable: str
    min_units: Number = None
    unit_step: Number = None


class ModelSold(Published):
    """A model of a provider."""

    model: str
    tier: Literal["frontier", "mid", "small", ""] = ""
    retires_on: Date = None
    price_key: str = ""  # its name in LiteLLM's price file


class Unit(Published):
    """What one unit serves of a model; weights are relative to a fresh input token."""

    product: str
    model: str
    deployment_type: str = ""  # blank: any
    meter: str = "tokens"
    tokens_per_minute_per_unit: Number = None
    input_weight: Number = None
    cached_input_weight: Number = None
    cache_write_weight: Number = None
    output_weight: Number = None
    min_units: Number = None
    unit_step: Number = None


class Price(Published):
    """Price of a unit for a term. A blank fee is not confirmed; the most specific row wins."""

    product: str
    model: str = ""
    deployment_type: str = ""
    region: str = ""
    meter: str = "tokens"
    term: str
    term_months: Whole = None
    term_days: Whole = None  # of terms that are no months
    fee_usd: Number = None
    fee_hours: float = Field(gt=0)  # hours that the fee pays for
    promo_until: Date = None
    promo_factor: Number = None  # share of the fee that is paid until then

    @property
    def usd_per_unit_hour(self) -> float | None:
        """Fee over its hours, USD per unit-hour; None where it is not confirmed."""
        return None if self.fee_usd is None else self.fee_usd / self.fee_hours


class Rate(Published):
    """Price of tokens on demand, USD per million."""

    model: str
    deployment_type: str
    zone: str = ""
    region: str = ""
    option: str = "standard"
    usd_per_mtok_input: float = Field(ge=0)
    usd_per_mtok_cached_input: Number = None
    usd_per_mtok_cache_write: Number = None
    usd_per_mtok_output: float = Field(ge=0)
    guaranteed: Flag = False
    deadline_hours: Whole = None  # within which it answers, where that is hours
    promo_until: Date = None
    list_usd_per_mtok_input: Number = None  # price without the promotion
    list_usd_per_mtok_output: Number = None
    price_key: str = ""


class HourFactor(Published):
    """What the price of tokens on demand is multiplied by in some hours of the week (UTC)."""

    model: str
    option: str = "standard"
    hours_of_week: str = Field(min_length=1)
    factor: float = Field(ge=0)


class Quota(Published):
    """Limit on tokens a minute on demand, and how it counts cached input and output."""

    model: str
    deployment_type: str = ""
    usage_tier: str = ""
    tokens_per_minute: Number = None
    requests_per_minute: Number = None
    cached_weight: Number = None
    output_weight: Number = None


class RegionSold(Published):
    """A region of a provider."""

    region: str
    geography: str = ""  # in the words of the egress table
    zone: str = ""  # data zone: us, eu, apac
    time_zone: str = ""


class Egress(Published):
    """Price of data that leaves a geography, USD per gigabyte."""

    origin: str
    destination: str
    usd_per_gb_low: float = Field(ge=0)
    usd_per_gb_high: float = Field(ge=0)


class Available(Published):
    """A model was offered in a region when the source was read."""

    model: str
    deployment_type: str
    region: str


@dataclass(frozen=True)
class Catalogue:
    """All tables, in the order of their files."""

    providers: tuple[Provider, ...]
    products: tuple[Product, ...]
    models: tuple[ModelSold, ...]
    units: tuple[Unit, ...]
    prices: tuple[Price, ...]
    on_demand: tuple[Rate, ...]
    quotas: tuple[Quota, ...]
    regions: tuple[RegionSold, ...]
    egress: tuple[Egress, ...]
    availability: tuple[Available, ...]
    hour_factors: tuple[HourFactor, ...]


ROWS: dict[str, type[Published]] = {
    "providers": Provider,
    "products": Product,
    "models": ModelSold,
    "units": Unit,
    "prices": Price,
    "on_demand": Rate,
    "quotas": Quota,
    "regions": RegionSold,
    "egress": Egress,
    "availability": Available,
    "hour_factors": HourFactor,
}


_MARK = "products.csv"


def catalogue_folder() -> Path:
    """Find data/catalogue beside the package, or the copy installed as share/planner/catalogue.

    Raises
    ------
    PlannerError
        if neither is there: the installation is broken, or the folder was moved.
    """
    beside = Path(__file__).parents[3] / "data" / "catalogue"
    if (beside / _MARK).is_file():
        return beside
    try:
        installed = [f for f in files(DISTRIBUTION) or () if f.name == _MARK and f.parent.name == "catalogue"]
    except PackageNotFoundError:
        installed = []
    for found in installed:
        folder = Path(str(found.locate())).resolve().parent
        if (folder / _MARK).is_file():
            return folder
    raise PlannerError("the catalogue of offers is not installed; name its folder with --catalogue FOLDER")


def read_catalogue(folder: Path) -> Catalogue:
    """Read a folder of catalogue tables.

    Raises
    ------
    InputError
        with every fault: a missing table, an unknown column, a value that is not allowed.
    """
    finish(folder)
    faults: list[Fault] = []
    tables: dict[str, Any] = {name: _rows(folder, name, faults) for name in ROWS}
    if faults:
        raise InputError(faults)
    return Catalogue(**tables)


def _rows(folder: Path, name: str, faults: list[Fault]) -> tuple[Published, ...]:
    path, row_type, found = folder / f"{name}.csv", ROWS[name], []
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            for line, cells in enumerate(csv.DictReader(file), start=2):
                if None in cells or None in cells.values():
                    faults.append(Fault(path.name, "has more or fewer cells than the header", row=line))
                    continue
                try:
                    found.append(row_type(**cells))
                except ValidationError as error:
                    faults += [
                        Fault(path.name, e["msg"], row=line, column=".".join(map(str, e["loc"])), value=e["input"])
                        for e in error.errors()
                    ]
    except FileNotFoundError:
        faults.append(Fault(str(path), "is missing; a catalogue has the tables " + ", ".join(ROWS)))
    except (UnicodeDecodeError, csv.Error) as error:
        faults.append(Fault(path.name, f"is not a CSV table: {error}"))
    return tuple(found)
