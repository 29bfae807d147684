"""Export formats, one file each; the list is the order in which they are tried, the most particular first."""

from planner.features.demand.formats.anthropic_analytics import FORMAT as ANTHROPIC_ANALYTICS
from planner.features.demand.formats.anthropic_messages import FORMAT as ANTHROPIC_MESSAGES
from planner.features.demand.formats.azure_monitor import FORMAT as AZURE_MONITOR
from planner.features.demand.formats.base import Format
from planner.features.demand.formats.bedrock_cloudwatch import FORMAT as BEDROCK_CLOUDWATCH
from planner.features.demand.formats.litellm_daily import FORMAT as LITELLM_DAILY
from planner.features.demand.formats.litellm_prometheus import FORMAT as LITELLM_PROMETHEUS
from planner.features.demand.formats.litellm_spendlogs import FORMAT as LITELLM_SPENDLOGS
from planner.features.demand.formats.openai_usage import FORMAT as OPENAI_USAGE
from planner.features.demand.formats.otel_genai import FORMAT as OTEL_GENAI
from planner.features.demand.formats.table import FORMAT as TABLE
from planner.features.demand.formats.vllm_prometheus import FORMAT as VLLM_PROMETHEUS

FORMATS: tuple[Format, ...] = (
    LITELLM_SPENDLOGS,
    LITELLM_DAILY,
    LITELLM_PROMETHEUS,
    OPENAI_USAGE,
    ANTHROPIC_MESSAGES,
    ANTHROPIC_ANALYTICS,
    AZURE_MONITOR,
    BEDROCK_CLOUDWATCH,
    VLLM_PROMETHEUS,
    OTEL_GENAI,
    TABLE,
)
FORMAT: dict[str, Format] = {format.name: format for format in FORMATS}
