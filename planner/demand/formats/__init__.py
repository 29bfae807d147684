"""Export formats, one file each; the list is the order in which they are tried, the most particular first."""

from planner.demand.formats.anthropic_analytics import FORMAT as ANTHROPIC_ANALYTICS
from planner.demand.formats.anthropic_messages import FORMAT as ANTHROPIC_MESSAGES
from planner.demand.formats.azure_monitor import FORMAT as AZURE_MONITOR
from planner.demand.formats.base import Format
from planner.demand.formats.bedrock_cloudwatch import FORMAT as BEDROCK_CLOUDWATCH
from planner.demand.formats.litellm_daily import FORMAT as LITELLM_DAILY
from planner.demand.formats.litellm_prometheus import FORMAT as LITELLM_PROMETHEUS
from planner.demand.formats.litellm_spendlogs import FORMAT as LITELLM_SPENDLOGS
from planner.demand.formats.openai_usage import FORMAT as OPENAI_USAGE
from planner.demand.formats.otel_genai import FORMAT as OTEL_GENAI
from planner.demand.formats.table import FORMAT as TABLE
from planner.demand.formats.vllm_prometheus import FORMAT as VLLM_PROMETHEUS

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
