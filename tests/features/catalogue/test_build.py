"""`build`: how each sale becomes rows, worked by hand from the page's figures."""

import pytest

from planner.errors import InputError
from planner.features.catalogue.build import build, explanation
from planner.features.catalogue.request import Request, make_request, request_faults
from planner.schema.contracts import PriceFactor
from tests.builders.catalogues import catalogue


def built(**told):
    request = make_request(told, "test")
    assert not request_faults(catalogue(), request, "test")
    return build(catalogue(), request)


def one(rows, **wanted):
    (row,) = [row for row in rows if all(row[name] == value for name, value in wanted.items())]
    return row


AZURE = {"provider": "azure", "models": ["gpt-6-sol", "gpt-4.1"], "regions": ["eastus2"]}


def test_azure_types_are_regions_of_their_own_with_one_pool_for_all_models():
    made = built(providers=[AZURE | {"deployment_types": ["global", "datazone", "regional"]}]).tables
    assert [r["region"] for r in made["regions"]] == [
        "azure-global-eastus2", "azure-datazone-eastus2", "azure-eastus2"
    ]  # fmt: skip
    assert [p["usd_per_unreserved_unit_hour"] for p in made["pools"]] == [1.0, 1.1, 2.0]
    pool = "azure-datazone-eastus2-ptu"
    assert {t["model"] for t in made["throughput"] if t["pool"] == pool} == {"gpt-6-sol", "gpt-4.1"}
    # Sizes: the deployment's where models share the pool; a reservation is bought by 1.
    regional = one(made["throughput"], pool="azure-eastus2-ptu", model="gpt-4.1")
    assert (regional["min_units"], regional["unit_step"]) == (50, 50)
    month = one(made["offers"], offer=f"{pool}-1-month")
    assert (month["min_units"], month["unit_step"], month["usd_per_unit_hour"]) == (1, 1, round(286 / 730, 8))
    # 2.0 x 1.1 in the US data zone.
    assert one(made["on_demand"], region="azure-datazone-eastus2", model="gpt-4.1")["usd_per_mtok_input"] == 2.2
    # Within one Azure region data moves free.
    assert one(made["routes"], origin="azure-eastus2", destination="azure-global-eastus2")["usd_per_gb"] == 0


def test_negotiated_the_most_precise_wins_and_the_list_price_stays():
    discounts = [
        {"provider": "azure", "discount": 0.05},
        {"provider": "azure", "product": "ptu", "term": "1 year", "discount": 0.2},
    ]
    made = built(providers=[AZURE], discounts=discounts).tables["offers"]
    month, year = made
    assert month["usd_per_unit_hour"] == pytest.approx(260 / 730 * 0.95, abs=1e-8)
    assert year["usd_per_unit_hour"] == pytest.approx(2652 / 8760 * 0.8, abs=1e-8)
    assert year["list_usd_per_unit_hour"] == pytest.approx(2652 / 8760, abs=1e-8)
    assert "20% negotiated" in year["note"]
    assert year["note"].startswith("third-party")


def test_a_blank_price_stays_blank_until_quoted():
    wanted = AZURE | {"deployment_types": ["datazone"], "regions": ["swedencentral"]}
    without = built(providers=[wanted])
    assert without.tables["offers"] == []
    assert any("not confirmed outside eastus2" in said for said in without.left)
    quote = {"provider": "azure", "region": "swedencentral", "term": "1 month", "usd_per_unit_hour": 0.4}
    (offer,) = built(providers=[wanted], quotes=[quote]).tables["offers"]
    assert (offer["usd_per_unit_hour"], offer["source"], offer["note"]) == (0.4, "the buyer's quote", "your quote")


def test_vertex_has_a_pool_a_model_and_sizes_on_the_order():
    quote = {"provider": "google", "product": "gsu-anthropic", "term": "1 year", "usd_per_unit_hour": 2.5}
    made = built(
        providers=[{"provider": "google", "models": ["claude-sonnet-4.6", "gemini-3.5-flash"]}], quotes=[quote]
    ).tables
    assert [p["pool"] for p in made["pools"]] == [
        "google-global-gsu-gemini-3.5-flash", "google-global-gsu-anthropic-claude-sonnet-4.6"
    ]  # fmt: skip
    sonnet = one(made["offers"], pool="google-global-gsu-anthropic-claude-sonnet-4.6")
    assert (sonnet["min_units"], sonnet["unit_step"], sonnet["term_months"]) == (25, 1, 12)
    assert all(t["min_units"] is None for t in made["throughput"])


def test_bedrock_has_two_meters_and_its_quota_counts_output_more():
    made = built(providers=[
        {"provider": "aws", "models": ["claude-sonnet-4.6", "claude-opus-5.5"], "regions": ["us-east-1"]}
    ]).tables  # fmt: skip
    meters = {t["meter"]: t for t in made["throughput"]}
    assert (meters["input"]["output_weight"], meters["output"]["input_weight"]) == (0, 0)
    assert meters["input"]["cached_input_weight"] == 0
    assert {o["meter"]: o["min_units"] for o in made["offers"] if o["term_months"] == 1} == {"input": 100, "output": 10}
    weights = {r["model"]: (r["quota_cached_weight"], r["quota_output_weight"]) for r in made["on_demand"]}
    assert weights == {"claude-sonnet-4.6": (0, 5), "claude-opus-5.5": (0, 10)}


def test_dollars_a_minute_for_one_model_or_for_all():
    """OpenAI's Reserved Tier is for one model; Fireworks' Reserved Throughput moves between models by the minute."""
    told = [{"provider": "openai", "models": ["gpt-6-sol", "gpt-6-astra"]}]
    assert built(providers=told).tables["pools"] == []  # the term is in the order form
    made = built(providers=told, quotes=[RESERVED | {"provider": "openai"}]).tables
    assert [pool["shared_hourly"] for pool in made["pools"]] == [False, False]
    (offer, _) = made["offers"]
    assert (offer["usd_per_unit_hour"], offer["list_usd_per_unit_hour"], offer["term_months"]) == (57, 60, 6)
    # 1 USD a minute at 10 USD per million is 100,000 tokens; cached 1 of 10, output 50 of 10.
    astra = one(made["throughput"], model="gpt-6-astra")
    assert (astra["tokens_per_minute_per_unit"], astra["cached_input_weight"], astra["output_weight"]) == (1e5, 0.1, 5)

    fireworks = [{"provider": "fireworks", "models": ["kimi-k3", "gpt-oss-120b"]}]
    made = built(providers=fireworks, quotes=[RESERVED | {"provider": "fireworks"}]).tables
    (pool,), (offer,) = made["pools"], made["offers"]
    assert pool["shared_hourly"] is True
    assert offer["list_usd_per_unit_hour"] == 60
    assert {row["model"] for row in made["throughput"]} == {"kimi-k3", "gpt-oss-120b"}


RESERVED = {"product": "reserved", "term_months": 6, "usd_per_unit_hour": 57}


def test_a_term_of_a_week_is_for_a_campaign_of_a_week():
    told = [{"provider": "google", "models": ["gemini-3.5-flash"]}]
    months = built(providers=told)
    assert "1 week" not in {offer["product"].rpartition(", ")[2] for offer in months.tables["offers"]}
    assert any("the term of 1 week is left out, because no period" in text for text in months.left)
    horizon = {"start": "2027-01-01", "months": 1, "cuts": ["2027-01-11", "2027-01-18"]}
    cut = built(providers=told, horizon=horizon)
    (week,) = [o for o in cut.tables["offers"] if o["term_days"] == 7]
    # 1,200 USD a week where a month costs 2,700: 1,200 / 168 h
    assert (week["term_months"], week["usd_per_unit_hour"]) == (None, pytest.approx(1200 / 168, abs=1e-8))
    assert not any("1 week" in text for text in cut.left)


def test_batch_costs_half_and_has_no_rate_limit():
    told = [{"provider": "azure", "models": ["gpt-5.4"], "regions": ["eastus2"], "usage_tier": "tier-1",
             "options": ["standard", "batch", "flex"]}]  # fmt: skip
    made = built(providers=told)
    standard, batch, flex = made.tables["on_demand"]
    assert (standard["usd_per_mtok_input"], standard["usd_per_mtok_output"], standard["deadline_hours"]) == (
        2.5,
        15,
        None,
    )
    assert (batch["usd_per_mtok_input"], batch["usd_per_mtok_output"], batch["deadline_hours"]) == (1.25, 7.5, 24)
    assert standard["tokens_per_minute_quota"] > 0
    assert batch["tokens_per_minute_quota"] is None
    assert flex["deadline_hours"] == 1  # so that only work that can wait is planned on it
    assert any("flex promises no time" in text for text in made.left)


def test_a_batch_of_unknown_length_is_left_out():
    made = built(providers=[{"provider": "aws", "deployment_types": ["global"], "regions": ["us-east-1"],
                             "models": ["claude-haiku-4.5"], "options": ["batch"]}])  # fmt: skip
    assert made.tables["on_demand"] == []
    assert any("how long it may take is not published" in text for text in made.left)


def test_a_block_of_gpus_has_a_term_in_days():
    node = {"region": "ohio", "node": "p5", "model": "Llama", "tokens_per_minute_per_node": 1e5, "source": "test",
            "usd_per_node_hour_reserved": 40, "term_days": 14}  # fmt: skip
    (offer,) = built(self_hosted=[node]).tables["offers"]
    assert (offer["offer"], offer["term_days"], offer["term_months"]) == ("ohio-p5-14-days", 14, None)


def test_what_is_no_longer_sold_cannot_be_bought():
    told = [{"provider": "anthropic", "models": ["claude-sonnet-4.6"]}]
    assert built(providers=told).tables["pools"] == []
    quote = {"provider": "anthropic", "product": "priority", "term_months": 12, "usd_per_unit_hour": 0.001}
    made = built(providers=[told[0] | {"products": ["priority"]}], quotes=[quote]).tables
    assert {offer["max_units"] for offer in made["offers"]} == {0}


def test_a_promotion_that_may_end_is_not_planned_on():
    told = [{"provider": "azure", "models": ["gpt-5.6-sol"], "regions": ["eastus2"]}]
    after = built(providers=told)
    (row,) = after.tables["on_demand"]
    # Promised to 2026-11-21 at least; before it 5 and 30. Cached 0.4 / 4 of the input price: 0.5.
    prices = (row["usd_per_mtok_input"], row["usd_per_mtok_cached_input"], row["usd_per_mtok_output"])
    assert prices == (5, 0.5, 30)
    assert "derived" in row["note"]
    during = built(providers=told, horizon={"start": "2026-10-01", "months": 1}).tables["on_demand"][0]
    assert (during["usd_per_mtok_input"], during["usd_per_mtok_output"]) == (4, 20)


def test_retired_and_unavailable_models_are_left_out_and_said():
    made = built(providers=[
        {"provider": "google", "models": ["claude-sonnet-5"]},  # retires 2026-12-24
        {"provider": "azure", "models": ["gpt-5.5", "gpt-4.1"], "deployment_types": ["regional"],
         "regions": ["swedencentral"]},
    ])  # fmt: skip
    assert any("claude-sonnet-5 retires on 2026-12-24, before the plan starts" in said for said in made.left)
    assert not any(row["model"] == "claude-sonnet-5" for row in made.tables["models"])
    assert "swedencentral" in explanation(made, "x")


def test_quota_of_the_tier_or_of_the_account_or_blank_and_said():
    blank = built(providers=[AZURE])
    assert {row["tokens_per_minute_quota"] for row in blank.tables["on_demand"]} == {None}
    assert any("quota of gpt-6-sol is blank" in said for said in blank.left)
    tier = built(providers=[AZURE | {"usage_tier": "tier-1"}]).tables["on_demand"]
    assert {row["tokens_per_minute_quota"] for row in tier} == {1_000_000}
    own = [{"provider": "azure", "model": "gpt-4.1", "tokens_per_minute": 5e6}]
    mine = built(providers=[AZURE | {"usage_tier": "tier-1"}], quotas=own).tables["on_demand"]
    assert {row["model"]: row["tokens_per_minute_quota"] for row in mine} == {"gpt-6-sol": 1e6, "gpt-4.1": 5e6}


def test_every_name_that_is_wrong_is_named_at_once():
    request = Request.model_validate({
        "providers": [{"provider": "azure", "models": ["gpt-99"], "regions": ["mars"], "deployment_types": ["lunar"]}],
        "discounts": [{"provider": "acme", "discount": 0.1}],
    })  # fmt: skip
    said = " ".join(map(str, request_faults(catalogue(), request, "wanted.yaml")))
    assert all(word in said for word in ("gpt-99", "mars", "lunar", "acme"))
    with pytest.raises(InputError) as caught:
        make_request({"providers": [{"provider": "azure"}], "discount": []}, "wanted.yaml")
    assert len(caught.value.faults) == 2


def test_off_peak_hours_cost_half():
    made = built(providers=[{"provider": "deepseek", "models": ["deepseek-v4-flash"]}]).tables
    (rate,), (row,) = made["on_demand"], made["price_factors"]
    factor = PriceFactor.model_validate({k: str(v) for k, v in row.items() if v is not None})
    assert (rate["usd_per_mtok_input"], rate["usd_per_mtok_output"], factor.factor) == (0.3, 1.2, 0.5)
    # Monday is peak at 1, 2, 3 and 6, 7, 8, 9 o'clock UTC; Saturday and Sunday never
    assert [h for h in range(24) if h not in factor.hours] == [1, 2, 3, 6, 7, 8, 9]
    assert sum(h in factor.hours for h in range(168)) == 168 - 5 * 7
