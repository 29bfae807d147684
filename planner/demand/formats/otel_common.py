"""What OpenTelemetry's metrics and spans share: attributes, and the dimensions that may name a series."""

from typing import Any

DIMENSIONS = (
    "gen_ai.request.model", "gen_ai.response.model", "gen_ai.provider.name", "gen_ai.operation.name", "server.address",
    "service.name", "cloud.region",
)  # fmt: skip


def attributes(listed: Any) -> dict[str, Any]:
    """Return OTLP's list of key and typed value as a plain mapping."""
    return {str(a.get("key")): next(iter((a.get("value") or {"": None}).values()), None) for a in listed or []}


def named(tags: dict[str, Any]) -> dict[str, Any]:
    """Return the dimensions: the provider by its older name too, the model that was asked for where none answered."""
    return {
        **{name: tags.get(name) for name in DIMENSIONS},
        "gen_ai.provider.name": tags.get("gen_ai.provider.name") or tags.get("gen_ai.system"),
        "gen_ai.response.model": tags.get("gen_ai.response.model") or tags.get("gen_ai.request.model"),
    }
