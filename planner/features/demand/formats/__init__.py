"""Export formats, a file a vendor; the list is the order in which they are tried, the most particular first.

A new format is a ``Format`` of names and conventions (base.py has every field), listed here, with an example export in
tests/features/demand. What it shares with others, numbers, times, pages, copies, is read by the parts beside it.
"""

from planner.features.demand.formats import (
    anthropic,
    azure_logs,
    azure_monitor,
    bedrock,
    billed_tokens,
    gateways,
    google_monitoring,
    litellm,
    openai,
    otel,
    prometheus,
    table,
)
from planner.features.demand.formats.format import Format

FORMATS: tuple[Format, ...] = (
    litellm.SPENDLOGS,
    litellm.DAILY,
    litellm.PROMETHEUS,
    openai.USAGE,
    openai.LEGACY,
    anthropic.ANALYTICS,
    anthropic.MESSAGES,
    anthropic.CONSOLE,
    azure_monitor.FORMAT,
    azure_logs.FORMAT,
    billed_tokens.COST_DETAILS,
    bedrock.CLOUDWATCH,
    bedrock.INVOCATIONS,
    billed_tokens.CUR,
    google_monitoring.FORMAT,
    prometheus.VLLM,
    otel.FORMAT,
    gateways.PHOENIX,
    gateways.LANGFUSE,
    gateways.OPENROUTER,
    gateways.OPENROUTER_DAYS,
    gateways.CURSOR,
    gateways.HELICONE,
    gateways.PORTKEY,
    gateways.DEEPSEEK,
    table.FORMAT,
)
FORMAT: dict[str, Format] = {format.name: format for format in FORMATS}
