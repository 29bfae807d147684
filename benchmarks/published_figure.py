"""The closed form against a published figure: two weeks of Shaved Ice (docs/demand.md has the command line's).

    python benchmarks/published_figure.py region_hourly.csv.gz

Stokely et al., ICPE 2025, figure 4: from Sunday 7 January 2024, all regions, without the last hour, premium 2.1.
The file has columns hour_utc and all_regions; the data are public (CC BY 4.0) and not part of the project.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd

from planner.features.demand.backtest.rules import fractile

PUBLISHED = {"level": 0.7745, "coverage": 0.937, "utilisation": 0.925, "savings": 0.455}
FIRST, HOURS, PREMIUM = pd.Timestamp("2024-01-07", tz="UTC"), 335, 2.1


def figures(demand: np.ndarray) -> dict[str, float]:
    """Shares of the cheapest commitment to hourly ``demand``: of its peak, of demand, of itself, of the cost."""
    level = fractile(demand, 1 / PREMIUM)
    used = np.minimum(demand, level).sum()
    return {
        "level": level / demand.max(),
        "coverage": used / demand.sum(),
        "utilisation": used / (level * len(demand)),
        "savings": 1 - (level * len(demand) / PREMIUM + demand.sum() - used) / demand.sum(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    table = pd.read_csv(parser.parse_args().table)
    hours = pd.to_datetime(table["hour_utc"], utc=True, format="ISO8601")
    first = int(np.flatnonzero(hours == FIRST)[0])
    found = figures(table["all_regions"].to_numpy(dtype=float)[first : first + HOURS])
    for name, published in PUBLISHED.items():
        print(f"{name:<12} published {published:8.2%}   here {found[name]:8.2%}")


if __name__ == "__main__":
    main()
