"""Break-even utilisations against those of a research note of 2026-11-23, to the digits printed there.

The figures below are typed in from that note ("Commitment products for LLM inference: exact mechanics, by provider",
the tables at its head). Two of its figures are not the quotient of its own prices, and are marked below.
"""

import pytest

from tests.builders.catalogues import quotes, u_star

GLOBAL, DZ_US, DZ_EU = "azure/global/eastus2", "azure/datazone/eastus2", "azure/datazone/swedencentral"
REGIONAL, VERTEX, BEDROCK, OPENAI = (
    "azure/regional/eastus2",
    "google/global/global",
    "aws/global/us-east-1",
    "openai/global/global",
)
# "If the fee is 286 a month and 2,916 a year": not confirmed, so the table takes it as a quote.
EU_FEES = quotes(("azure", "ptu", "1 month", 286 / 730), ("azure", "ptu", "1 year", 2916 / 8760))
# "If the public price of a unit applies to Claude".
GSU_FEES = quotes(
    ("google", "gsu-anthropic", "1 month", 2700 / 730), ("google", "gsu-anthropic", "3 months", 7200 / 2190),
    ("google", "gsu-anthropic", "1 year", 24000 / 8760),
)  # fmt: skip


def printed(text: str, value: float) -> bool:
    """Whether a value is what was printed, rounded to the digits printed."""
    digits = len(text.partition(".")[2])
    return f"{value:.{digits}f}" == text


@pytest.mark.parametrize(
    ("where", "model", "term", "figure", "terms"),
    [
        (GLOBAL, "gpt-4o", "hour", "2.7", None),
        (GLOBAL, "gpt-6-sol", "hour", "2.8", None),
        (GLOBAL, "gpt-4o", "1 month", "0.95", None),
        (GLOBAL, "gpt-5", "1 month", "1.00", None),
        (GLOBAL, "gpt-6-sol", "1 month", "0.99", None),
        (DZ_US, "gpt-6-sol", "1 month", "0.99", None),
        (GLOBAL, "gpt-4.1", "1 year", "0.84", None),
        (GLOBAL, "gpt-5", "1 year", "0.85", None),
        (DZ_US, "gpt-6-sol", "1 year", "0.84", None),
        (GLOBAL, "gpt-4o", "1 year", "0.81", None),
        (DZ_EU, "gpt-6-sol", "hour", "2.55", None),
        (DZ_EU, "gpt-6-sol", "1 month", "0.91", EU_FEES),
        (DZ_EU, "gpt-6-sol", "1 year", "0.77", EU_FEES),
        (REGIONAL, "gpt-4.1", "hour", "5.05", None),
        (REGIONAL, "gpt-4.1", "1 month", "0.989", None),
        (REGIONAL, "gpt-4.1", "1 year", "0.84", None),
        (GLOBAL, "gpt-5.6-sol", "hour", "3.5", None),
        (GLOBAL, "gpt-5.6-sol", "1 month", "1.24", None),
        (GLOBAL, "gpt-5.6-sol", "1 year", "1.05", None),
        (GLOBAL, "gpt-4o-mini", "hour", "3.0", None),
        (GLOBAL, "gpt-4o-mini", "1 month", "1.07", None),
        (GLOBAL, "gpt-4o-mini", "1 year", "0.91", None),
        (GLOBAL, "o1", "hour", "4.8", None),
        (GLOBAL, "o3-mini", "hour", "6.1", None),
        (GLOBAL, "o1", "1 month", "1.72", None),
        (GLOBAL, "o3-mini", "1 month", "2.16", None),
        (GLOBAL, "o1", "1 year", "1.46", None),
        (GLOBAL, "o3-mini", "1 year", "1.83", None),
        (VERTEX, "gemini-3.5-flash", "1 week", "1.96", None),
        (VERTEX, "gemini-3.1-pro-preview", "1 week", "1.98", None),
        (VERTEX, "gemini-3.5-flash", "1 month", "1.015", None),
        (VERTEX, "gemini-3.1-pro-preview", "1 month", "1.03", None),
        (VERTEX, "gemini-3.5-flash", "3 months", "0.90", None),
        (VERTEX, "gemini-3.1-pro-preview", "3 months", "0.91", None),
        (VERTEX, "gemini-3.5-flash", "1 year", "0.75", None),
        (VERTEX, "gemini-3.1-pro-preview", "1 year", "0.76", None),
        (VERTEX, "gemini-3.8-flash", "1 week", "3.9", None),
        (VERTEX, "gemini-3.8-flash", "1 month", "2.03", None),
        (VERTEX, "gemini-3.8-flash", "3 months", "1.80", None),
        (VERTEX, "gemini-3.8-flash", "1 year", "1.50", None),
        (VERTEX, "gemini-2.5-pro", "1 week", "2.44", None),
        # The note prints one line for the family: its hourly figure is 2.5-pro's, the others are 2.5-flash's.
        (VERTEX, "gemini-2.5-flash", "1 month", "1.27", None),
        (VERTEX, "gemini-2.5-flash", "3 months", "1.13", None),
        (VERTEX, "gemini-2.5-flash", "1 year", "0.94", None),
        (VERTEX, "claude-opus-5", "1 month", "0.978", GSU_FEES),
        (VERTEX, "claude-haiku-4.5", "3 months", "0.870", GSU_FEES),
        (VERTEX, "claude-sonnet-4.6", "1 year", "0.725", GSU_FEES),
        (VERTEX, "claude-sonnet-5", "1 month", "1.47", GSU_FEES),
        (VERTEX, "claude-sonnet-5", "3 months", "1.30", GSU_FEES),  # the note prints 1.31; 3.287671 / 2.52 = 1.3046
        (VERTEX, "claude-sonnet-5", "1 year", "1.09", GSU_FEES),
        (OPENAI, "gpt-6-sol", "order form", "1.00", None),
    ],
)  # fmt: skip
def test_one_meter(where, model, term, figure, terms):
    assert printed(figure, u_star(where, model, term, terms=terms)), u_star(where, model, term, terms=terms)


def test_other_mixes():
    assert printed("1.32", u_star(GLOBAL, "gpt-5.6-sol", "1 month", ratio=10))
    # Llama: the unit counts output four times, the price once; 3:1 in:out.
    assert printed("1.73", u_star(GLOBAL, "Llama-3.3-70B-Instruct", "1 month", ratio=3))


@pytest.mark.parametrize(("term", "figure"), [("1 month", "1.00"), ("3 months", "0.90")])
@pytest.mark.parametrize("model", ["claude-sonnet-4.6", "claude-opus-4.6", "claude-haiku-4.5"])
@pytest.mark.parametrize("meter", ["input", "output", "input + output"])
def test_bedrock(model, meter, term, figure):
    assert printed(figure, u_star(BEDROCK, model, term, meter=meter, ratio=10))


@pytest.mark.parametrize(
    ("model", "inputs", "outputs"),
    [
        ("gpt-5", "1.67", "1.67"), ("gpt-5-mini", "1.53", "1.53"), ("gpt-4.1", "1.27", "1.25"),
        ("gpt-4.1-mini", "1.56", "1.52"), ("gpt-4.1-nano", "1.53", "1.39"), ("o3", "1.04", "1.04"),
        ("o4-mini", "1.05", "1.03"), ("gpt-4o", "1.15", "1.09"),
    ],
)  # fmt: skip
def test_scale_tier(model, inputs, outputs):
    assert printed(inputs, u_star(OPENAI, model, "30 days", product="scale", meter="input", ratio=10))
    assert printed(outputs, u_star(OPENAI, model, "30 days", product="scale", meter="output", ratio=10))


@pytest.mark.parametrize(
    ("model", "months", "years"),
    [
        ("gpt-4o", ".95 .84 .74 .57", ".81 .71 .63 .48"),
        ("gpt-4.1", ".99 .93 .87 .74", ".84 .79 .74 .63"),
        ("gpt-5", "1.00 .98 .96 .93", ".85 .83 .82 .79"),
        ("gpt-5.5", ".99 .97 .95 .90", ".84 .82 .80 .76"),
        ("gpt-6-sol", ".99 .99 .99 .99", ".84 .84 .84 .84"),
    ],
)
def test_caching(model, months, years):
    """10:1 in:out, 0, 30, 50 and 80% of input from the cache; a month and a year."""
    for term, line in (("1 month", months), ("1 year", years)):
        found = [u_star(GLOBAL, model, term, ratio=10, cached=hit) for hit in (0.0, 0.3, 0.5, 0.8)]
        assert [f"{u:.2f}".removeprefix("0") for u in found] == line.split()
