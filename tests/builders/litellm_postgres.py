"""LiteLLM's request log as it lies in its own Postgres: the columns and types of its schema, filled by the server."""

COLUMNS = {
    "request_id": "text PRIMARY KEY",
    "call_type": "text NOT NULL",
    "api_key": "text NOT NULL DEFAULT ''",
    "spend": "double precision NOT NULL DEFAULT 0",
    "total_tokens": "integer NOT NULL DEFAULT 0",
    "prompt_tokens": "integer NOT NULL DEFAULT 0",
    "completion_tokens": "integer NOT NULL DEFAULT 0",
    "startTime": "timestamp(3) NOT NULL",
    "endTime": "timestamp(3) NOT NULL",
    "request_duration_ms": "integer",
    "completionStartTime": "timestamp(3)",
    "model": "text NOT NULL DEFAULT ''",
    "model_id": "text DEFAULT ''",
    "model_group": "text DEFAULT ''",
    "custom_llm_provider": "text DEFAULT ''",
    "api_base": "text DEFAULT ''",
    "user": "text DEFAULT ''",
    "metadata": "jsonb DEFAULT '{}'",
    "cache_hit": "text DEFAULT ''",
    "cache_key": "text DEFAULT ''",
    "request_tags": "jsonb DEFAULT '[]'",
    "team_id": "text",
    "organization_id": "text",
    "end_user": "text",
    "requester_ip_address": "text",
    "messages": "jsonb DEFAULT '{}'",
    "response": "jsonb DEFAULT '{}'",
    "session_id": "text",
    "status": "text",
    "mcp_namespaced_tool_name": "text",
    "agent_id": "text",
    "proxy_server_request": "jsonb DEFAULT '{}'",
}
CREATE = 'CREATE TABLE "LiteLLM_SpendLogs" ({})'.format(", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items()))
# row g: the second g after Monday 2 March 2026, 100 + g % 50 tokens in, of which 40 cached; every 100th failed
FILL = """
INSERT INTO "LiteLLM_SpendLogs" (request_id, call_type, prompt_tokens, completion_tokens, "startTime", "endTime", model,
    model_group, api_base, metadata, cache_hit, status)
SELECT 'chatcmpl-' || g, 'acompletion', 100 + g % 50, 10, timestamp '2026-03-02' + g * {step}, timestamp '2026-03-02',
    'gpt-' || g % 3, 'group-' || g % 2, 'https://eu.example/', jsonb_build_object('usage_object',
    jsonb_build_object('prompt_tokens_details', jsonb_build_object('cached_tokens', 40))), 'False',
    CASE WHEN g % 100 = 0 THEN 'failure' ELSE 'success' END
FROM generate_series(1, {rows}) g
"""


def fill(rows: int, step: str) -> str:
    """Return the SQL that fills ``rows`` rows, ``step`` (an interval literal) apart."""
    return FILL.format(rows=rows, step=step)
