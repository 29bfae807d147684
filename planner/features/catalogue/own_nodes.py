"""Self-hosted GPUs: a fleet in a region is one pool, whose nodes move between models by the hour."""

from collections.abc import Sequence

from planner.features.catalogue.offer_rows import Supply, TableRow
from planner.features.catalogue.request import OwnNodes


def own_regions(nodes: Sequence[OwnNodes]) -> list[TableRow]:
    """Rows of regions."""
    names = dict.fromkeys(n.region for n in nodes)
    return [{"region": name, "fails": True, "provider": "self-hosted", "note": "your own machines"} for name in names]


def own_supply(nodes: Sequence[OwnNodes]) -> Supply:
    """Pools, throughput and offers; the unit is a node, bought whole."""
    made = Supply()
    for node in nodes:
        pool = f"{node.region}-{node.node}".replace(" ", "-").lower()
        about: TableRow = {"source": node.source, "as_of": node.as_of}
        if pool not in {row["pool"] for row in made.pools}:
            made.pools.append(
                {
                    "pool": pool, "region": node.region,
                    "usd_per_unreserved_unit_hour": node.usd_per_node_hour_on_demand, "shared_hourly": True,
                    **about, "note": f"your figures; unit: node of {node.node}",
                }
            )  # fmt: skip
            if node.usd_per_node_hour_reserved is not None:
                made.offers.append(
                    {
                        "offer": f"{pool}-{node.term_months}-months", "pool": pool, "meter": "tokens",
                        "term_months": node.term_months, "usd_per_unit_hour": node.usd_per_node_hour_reserved,
                        "list_usd_per_unit_hour": None, "product": f"reserved node {node.node}", "min_units": 1,
                        "unit_step": 1, "max_units": None, **about, "note": "your figure",
                    }
                )  # fmt: skip
            elif node.usd_per_node_hour_on_demand is None:
                made.left.append(f"{pool}: no price of a node was given, so none can be used")
        made.throughput.append(
            {
                "pool": pool, "model": node.model, "meter": "tokens",
                "tokens_per_minute_per_unit": node.tokens_per_minute_per_node, "input_weight": 1,
                "cached_input_weight": node.cached_input_weight, "cache_write_weight": None,
                "output_weight": node.output_weight, "min_units": None, "unit_step": None, **about,
                "note": "your measurement",
            }
        )  # fmt: skip
    return made
