"""The factors that move the cost of a task, in the order in which reports list them."""

from typing import Final

VOLUME: Final = "volume"
PRICE: Final = "price"
MIX: Final = "mix"
REGIONS: Final = "regions"
CACHE: Final = "cache"
TOKENS: Final = "tokens"
TASK_SIZE: Final = "task_size"
THROUGHPUT: Final = "throughput"
COVERAGE: Final = "coverage"
UTILISATION: Final = "utilisation"

TASKS: Final = "tasks"  # of a change in dollars: more or fewer tasks at the same cost of a task; never of a task's cost

MEANING: dict[str, str] = {
    VOLUME: "more or fewer tasks for units that did not follow: a fixed cost spread over them, and what overflows",
    PRICE: "what a unit-hour, a token on demand and a gigabyte between regions cost",
    MIX: "which models serve the requests",
    REGIONS: "where requests arise and where they are served, egress included",
    CACHE: "cache hit and write rates",
    TOKENS: "input and output tokens (and bytes) of a request",
    TASK_SIZE: "requests of a task",
    THROUGHPUT: "what a unit serves: tokens a minute, weights, bursts",
    COVERAGE: "the share served by reserved units, beyond what volume explains",
    UTILISATION: "how well the units held are used, beyond what volume explains",
}
FACTORS: tuple[str, ...] = tuple(MEANING)
LABEL: dict[str, str] = {
    **{name: name for name in FACTORS}, CACHE: "cache rate", TOKENS: "token lengths", MIX: "model mix",
    TASK_SIZE: "requests per task", UTILISATION: "utilisation of reservations", TASKS: "number of tasks",
}  # fmt: skip
