"""Regions, models and the routes between regions."""

from typing import Literal

from planner.schema.base import Flag, Row, column, name_column


class Region(Row):
    """A place where demand arises and capacity is bought. A global or data-zone endpoint is a region of its own."""

    region: str = name_column("name of the region")
    fails: Flag = column(True, meaning="its loss is planned for")
    provider: str | None = column(None, meaning="who runs it, for reports")
    time_zone: str | None = column(None, meaning="IANA time zone such as Europe/Paris, for reports")


class Model(Row):
    """A model that can serve requests."""

    model: str = name_column("name of the model")
    tier: Literal["frontier", "mid", "small"] | None = column(None, meaning="frontier, mid or small, for reports")


class Route(Row):
    """A pair of regions between which requests may travel; a pair not listed may not be used."""

    origin: str = name_column("where demand arises", "regions.region")
    destination: str = name_column("where it may be served", "regions.region")
    usd_per_gb: float = column(0.0, meaning="price of data sent from origin to destination", unit="USD/GB", ge=0)
    max_gb_per_month: float | None = column(
        None, meaning="cap on expected data from origin to destination", unit="GB/month", blank="none", ge=0
    )
