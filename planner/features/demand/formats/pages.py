"""Usage APIs that answer with pages of time buckets: OpenAI and Anthropic share the walk, not the fields."""

from collections.abc import Callable, Iterator
from typing import Any

from planner.features.demand.files import SourceFile, fail
from planner.features.demand.formats.base import Inputs


def buckets(document: Any) -> list[dict[str, Any]]:
    """Return a page's buckets; an empty list where the document is no such page."""
    data = document.get("data") if isinstance(document, dict) else None
    if isinstance(document, dict) and "results" in document and data is None:
        return [document]
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def first_result(document: Any) -> dict[str, Any]:
    """Return the first result of a page, by which its format is known."""
    for bucket in buckets(document):
        for result in bucket.get("results") or []:
            if isinstance(result, dict):
                return result
    return {}


def is_empty_page(document: Any) -> bool:
    """Tell a page on which nothing was used: no buckets, or buckets without results."""
    if not isinstance(document, dict) or not isinstance(document.get("data"), list) or "has_more" not in document:
        return False
    return not any(item.get("results", item) if isinstance(item, dict) else item for item in document["data"])


def group_of(result: dict[str, Any]) -> str:
    """Return what tells a result from others of its bucket: all that is no count, also what later versions group by."""
    return "|".join(f"{name}={value}" for name, value in sorted(result.items()) if isinstance(value, (str, bool)))


def results(inputs: Inputs) -> Iterator[tuple[SourceFile, dict[str, Any], dict[str, Any]]]:
    """Walk file, bucket and result; a document that is no page is a fault."""
    for file, document in inputs.documents:
        found = buckets(document)
        if not found and not (isinstance(document, dict) and document.get("data") == []):
            raise fail(file.path, "holds a JSON document that is no page of usage buckets", allowed="{data: [...]}")
        for bucket in found:
            for result in bucket.get("results") or []:
                yield file, bucket, result


def unfinished(
    inputs: Inputs, next_page: Callable[[Any], bool] = lambda page: bool(page.get("has_more"))
) -> tuple[str, ...]:
    """Say so when the last page of a file announces more that is not there."""
    last = {file.path: document for file, document in inputs.documents if isinstance(document, dict)}
    return tuple(
        f"{path.name}: the last page says that more follow; fetch them too"
        for path, page in last.items()
        if next_page(page)
    )
