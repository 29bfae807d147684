"""Hand-over: an accepted plan as Terraform and LiteLLM files, read back by parsers; refused where it is not signed."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import hcl2
import pytest
import yaml

from planner.cli import main
from planner.errors import AuditError
from planner.features.hand_over.handed import HandOver, handed_over
from planner.features.hand_over.litellm_config import flat_cost_config, router_config, whole_shares
from planner.features.hand_over.order_of_things import order_of_things
from planner.features.hand_over.sellers import Names, aws_region, azure_prefix, seller_of
from planner.features.hand_over.terraform import quoted, terraform_files, written
from planner.features.ledger.accept import refuse_broken
from planner.features.tasks.chargeback import IDLE, KEPT, USED, chargeback
from planner.plan.finished import load_finished
from tests import builders

HOURS = 744
SOLD = {"min_units": 1, "unit_step": 1}
MODEL = {"model": "m"}


def folder(place: Path, provider: str = "azure", product: str = "Global Provisioned, 1 month", **names: str) -> Path:
    """East and west ask 10 requests an hour of each of two teams' workloads; units in both, 12 on demand in each.

    A unit serves a request an hour for 1 USD, on demand 3 USD; each region must serve all while the other is lost.
    """
    east, west = names.get("east", "east"), names.get("west", "west")
    model, chat, code = names.get("model", "m"), names.get("chat", "chat"), names.get("code", "code")
    pools = {east: names.get("pool", "east-units"), west: "west-units"}
    pair = (east, west), (west, east)
    rows = builders.tables(
        regions=[{"region": r, "provider": provider} for r in pools],
        models=[{"model": model}],
        workloads=[
            {"workload": chat, "input_tokens": 60, "output_tokens": 0, "team": names.get("team", "red")},
            {"workload": code, "input_tokens": 60, "output_tokens": 0},
        ],
        mix=[{"workload": w, "model": model} for w in (chat, code)],
        demand=[row for r in pools for w in (chat, code) for row in builders.profile(r, w, 5.0)],
        pools=[{"pool": p, "region": r} for r, p in pools.items()],
        throughput=[{"pool": p, "model": model, "tokens_per_minute_per_unit": 1, **SOLD} for p in pools.values()],
        offers=[
            {"offer": f"{p}-1m", "pool": p, "usd_per_unit_hour": 1.0, "product": product, **SOLD}
            for p in pools.values()
        ],
        on_demand=[
            {"region": r, "model": model, "usd_per_mtok_input": 5e4, "usd_per_mtok_output": 5e4,
             "tokens_per_minute_quota": 12000.0}
            for r in pools
        ],
        routes=[{"origin": a, "destination": b, "usd_per_gb": 1.0} for a, b in pair],
    )  # fmt: skip
    builders.write_folder(rows, place / "folder", name=names.get("plan", "handed"), headroom=0.0,
                          failover={"enabled": True, "share": 1.0, "on_demand_trust": 0.0})  # fmt: skip
    return place / "folder"


def accepted(place: Path, **names: str) -> Path:
    folder(place, **names)
    assert main(["solve", str(place / "folder"), "-o", str(place / "plan"), "--no-workbook", "--no-rules-cost"]) == 0
    shutil.copytree(place / "plan", place / "unsigned")
    assert main(["accept", str(place / "plan"), "--by", "A. Buyer", "--date", "2026-12-01"]) == 0
    return place / "plan"


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An accepted plan; beside it, in `unsigned`, the same before anybody accepted it."""
    return accepted(tmp_path_factory.mktemp("accepted"))


def sold(plan: Path, provider: str, product: str) -> HandOver:
    """The plan as if another provider sold it: no name of these changes what is planned."""
    finished = load_finished(plan)
    case = finished.case
    named = tuple(r.model_copy(update={"provider": provider}) for r in case.regions)
    offers = tuple(o.model_copy(update={"product": product}) for o in case.offers)
    return handed_over(replace(finished, case=replace(case, regions=named, offers=offers)), None)


def read_back(text: str, tmp_path: Path) -> dict[str, Any]:
    path = tmp_path / "read.tf"
    path.write_text(text, encoding="utf-8")
    return terraform(path)


@pytest.fixture(scope="module")
def files(plan: Path) -> Path:
    assert main(["hand-over", str(plan), "-o", str(plan.parent / "files")]) == 0
    return plan.parent / "files"


def terraform(path: Path) -> dict[str, Any]:
    """What a Terraform file holds; quotes and Python HCL2's own marks are taken away."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {plain(k): plain(v) for k, v in value.items() if not str(k).startswith("__")}
        if isinstance(value, list):
            return [plain(v) for v in value]
        return value[1:-1] if isinstance(value, str) and value.startswith('"') else value

    with path.open(encoding="utf-8") as file:
        found: dict[str, Any] = plain(hcl2.load(file))
    return found


def table(path: Path, name: str) -> dict[str, Any]:
    (found,) = [block[name] for block in terraform(path)["locals"] if name in block]
    return dict(found)


def config(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


# As HashiCorp's own bindings (PyPI: cdktf-cdktf-provider-azurerm 14.23.1, cdktf-cdktf-provider-aws 21.22.1), generated
# from the schemas of azurerm 4.55.0 and aws 6.25.0, have them. Blocks by name; * : must be set.
ARGUMENTS: dict[str, dict[str, str]] = {
    "azurerm_cognitive_deployment": {
        "": "*cognitive_account_id *model *name *sku dynamic_throttling_enabled rai_policy_name version_upgrade_option",
        "model": "*format *name version",
        "sku": "*name capacity family size tier",
    },
    "aws_bedrock_provisioned_model_throughput": {
        "": "*model_arn *model_units *provisioned_model_name commitment_duration region tags timeouts",
    },
}


def has_arguments(resources: list[dict[str, Any]], kind: str) -> None:
    """Every argument of a kind of resource is one of the provider's schema, and all that must be set are."""
    blocks = [block for one in resources for name, named in one.items() if name == kind for block in named.values()]
    assert blocks
    for block in blocks:
        for place, words in ARGUMENTS[kind].items():
            inner = block if not place else block[place][0]
            known = {word.removeprefix("*") for word in words.split()}
            assert set(inner) - {"for_each"} <= known
            assert {word[1:] for word in words.split() if word[0] == "*"} <= set(inner)


def test_terraform_deploys_the_units_of_the_plan(plan: Path, files: Path) -> None:
    deployments = load_finished(plan).plan.deployments
    units = dict(zip(deployments["pool"], deployments["units"], strict=True))
    assert sum(units.values()) == 40  # each region serves all 20 requests an hour of both while the other is lost
    reserved = table(files / "terraform" / "azure.tf", "reserved")
    assert {d["pool"]: d["units"] for d in reserved.values()} == {p: {"2027-01": n} for p, n in units.items()}
    assert {d["sku"] for d in reserved.values()} == {"GlobalProvisionedManaged"}
    on_demand = table(files / "terraform" / "azure.tf", "on_demand")
    assert {d["thousand_tokens_per_minute"] for d in on_demand.values()} == {12}
    assert {d["sku"] for d in on_demand.values()} == {"GlobalStandard"}
    has_arguments(terraform(files / "terraform" / "azure.tf")["resource"], "azurerm_cognitive_deployment")
    (variables,) = [b["month"] for b in terraform(files / "terraform" / "variables.tf")["variable"] if "month" in b]
    assert "default" not in variables


def test_the_router_sends_to_reserved_units_first(files: Path) -> None:
    found = config(files / "litellm" / "2027-01.yaml")
    groups: dict[str, list[dict[str, Any]]] = {}
    for entry in found["model_list"]:
        groups.setdefault(entry["model_name"], []).append(entry)
    own = groups["chat/east/m"]
    assert [e["litellm_params"]["model"] for e in own] == ["azure/m-east-units"]
    assert own[0]["litellm_params"]["input_cost_per_token"] == 0  # paid by the hour
    (overflow,) = groups["chat/east/m/on-demand"]
    assert overflow["litellm_params"]["model"] == "azure/m-east-standard"
    assert overflow["litellm_params"]["input_cost_per_token"] == pytest.approx(0.05)
    fallbacks = {k: v for item in found["router_settings"]["fallbacks"] for k, v in item.items()}
    assert fallbacks["chat/east/m"] == ["chat/east/m/on-demand", "chat/east/m/failover"]
    assert [e["litellm_params"]["model"] for e in groups["chat/east/m/failover"]] == ["azure/m-west-units"]
    assert {name for names in fallbacks.values() for name in names} <= groups.keys()
    ids = [e["model_info"]["id"] for e in found["model_list"]]
    assert len(ids) == len(set(ids))


def test_the_flat_cost_is_what_units_cost_and_shares_are_chargeback_s(plan: Path, files: Path) -> None:
    finished = load_finished(plan)
    charges = chargeback(finished.case, finished.plan).table
    cost = charges[charges["charge"].isin((USED, KEPT, IDLE))].groupby("supply")["usd"].sum()
    entries = config(files / "litellm" / "flat-cost.yaml")["model_list"]
    assert len(entries) == 2
    for entry in entries:
        info = entry["model_info"]
        assert info["ptu_count"] * info["cost_per_ptu_per_hour"] * HOURS == pytest.approx(20 * HOURS)
        assert info["ptu_shares"] == {"red": 10, "no-team": 10}  # in use or kept for the loss of the other region
        assert sum(info["ptu_shares"].values()) == info["ptu_count"] == 20
        assert (info["ptu_effective_from"], info["ptu_effective_to"]) == (
            "2027-01-01T00:00:00Z",
            "2027-02-01T00:00:00Z",
        )
    assert cost.to_dict() == pytest.approx({"east-units": 20 * HOURS, "west-units": 20 * HOURS})


def test_units_by_the_hour_that_stand_idle_are_no_flat_cost(plan: Path) -> None:
    """Run only so that a contract is spent, for 500 USD, on a line with 2 idle units in force for 20 USD."""
    handed = sold(plan, "azure", "Global Provisioned, 1 month")
    charged = handed.charged
    line = charged.table[charged.table["supply"] == "east-units"].iloc[0]
    idle = line.to_frame().T.assign(charge=IDLE, team="", workload="", unit_hours=2.0 * HOURS, usd=520.0)
    key = (line["supply"], line["meter"], line["model"], line["period"])
    vars(handed)["charged"] = replace(charged, table=idle, idle_by_hour={key: 500.0})
    (entry,) = flat_cost_config(handed)["model_list"]
    info = entry["model_info"]
    assert info["ptu_count"] == 2
    assert info["ptu_count"] * info["cost_per_ptu_per_hour"] * HOURS == pytest.approx(20.0)


def test_first_deploy_then_reserve_then_route(files: Path) -> None:
    page = (files / "ORDER.md").read_text(encoding="utf-8")
    assert "Accepted by A. Buyer on 2026-12-01, entry 1" in page
    places = [page.index(f"{k}. **{word}") for k, word in enumerate(("Deploy", "Then reserve", "Route"), start=1)]
    assert places == sorted(places)
    assert "| east-units-1m | Global Provisioned, 1 month | east | 20 | 1 month | 2027-01-01 | 1 | $14,880 |" in page
    assert "quota for 20 units in east, quota for 20 units in west" in page


def test_machines_read_the_shares_of_models(files: Path) -> None:
    found = json.loads((files / "hand-over.json").read_text(encoding="utf-8"))
    assert found["accepted"].startswith("A. Buyer on 2026-12-01")
    shares = [r["share_of_workload"] for r in found["routes"]["2027-01"] if r["share_of_workload"] is not None]
    assert shares == [1.0] * 4


def test_a_plan_that_nobody_accepted(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(plan.parent / "unsigned", tmp_path / "plan")
    words = ["hand-over", str(tmp_path / "plan"), "-o", str(tmp_path / "files")]
    assert main(words) == 1
    assert "nobody has accepted this plan" in capsys.readouterr().err
    assert not (tmp_path / "files").exists()
    assert main([*words, "--draft"]) == 0
    files = [p for p in (tmp_path / "files").rglob("*") if p.suffix in (".tf", ".yaml", ".md")]
    assert len(files) == 6
    assert all("DRAFT: nobody has accepted this plan" in p.read_text(encoding="utf-8") for p in files)


def test_a_plan_whose_ledger_is_gone(plan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(plan, tmp_path / "plan")  # without the ledger beside it
    assert main(["hand-over", str(tmp_path / "plan"), "-o", str(tmp_path / "files"), "--draft"]) == 1
    assert "no such entry" in capsys.readouterr().err
    assert not (tmp_path / "files").exists()


def test_a_plan_that_breaks_a_rule_is_no_draft_either(plan: Path, tmp_path: Path) -> None:
    """5 units fewer: the other region can no longer be lost."""
    finished = load_finished(plan)
    fewer = finished.plan.deployments.assign(units=[20.0, 15.0])
    with pytest.raises(AuditError, match="fails its audit"):
        refuse_broken(replace(finished, plan=replace(finished.plan, deployments=fewer)))


def test_nothing_is_written_into_a_plan_or_a_folder(plan: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(p.name for p in plan.iterdir())
    assert main(["hand-over", str(plan), "-o", str(plan / "files")]) == 1
    assert main(["hand-over", str(plan), "-o", str(plan.parent / "folder")]) == 1
    assert "plan.yaml" in capsys.readouterr().err
    assert sorted(p.name for p in plan.iterdir()) == before


HOSTILE = {
    "east": 'e"${file("/etc/passwd")}', "west": "w%{ for x in y }\\", "model": "m: #| `x` {a} & *b", "chat": "no",
    "code": "- 1e3 /\u202eabc", "pool": 'p"\n}\nresource "x" "y" {', "team": "'yes': {}", "plan": "# **x**\n- y",
}  # fmt: skip


def test_hostile_names(tmp_path: Path) -> None:
    plan = accepted(tmp_path, **HOSTILE)
    assert main(["hand-over", str(plan), "-o", str(tmp_path / "files")]) == 0
    case = load_finished(plan).case
    pool, regions = case.pools[0].pool, [r.region for r in case.regions]
    files = tmp_path / "files" / "terraform"
    for path in files.glob("*.tf"):
        assert set(terraform(path)) <= {"locals", "resource", "variable", "terraform"}
    reserved = table(files / "azure.tf", "reserved")
    assert len(reserved) == 2
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]{1,59}", name) for name in reserved)
    resources = terraform(files / "azure.tf")["resource"]
    assert [list(next(iter(r.values()))) for r in resources] == [["reserved"], ["on_demand"]]
    for path in (tmp_path / "files" / "litellm").glob("*.yaml"):
        names = {e["litellm_params"]["model"] for e in config(path)["model_list"]}
        assert all(name.startswith("azure/") for name in names)
    first = config(tmp_path / "files" / "litellm" / "2027-01.yaml")
    route = "/".join(part.replace("%", "%25").replace("/", "%2F") for part in ("no", regions[0], case.models[0].model))
    assert route in {e["model_name"] for e in first["model_list"]}
    shares = config(tmp_path / "files" / "litellm" / "flat-cost.yaml")["model_list"][0]["model_info"]["ptu_shares"]
    assert shares == {"'yes': {}": 10, "no-team": 10}
    if shutil.which("terraform"):  # what Terraform itself makes of the table; its providers are not there
        (tmp_path / "console").mkdir()
        text = (files / "azure.tf").read_text(encoding="utf-8").split('\nresource "azurerm')[0]
        (tmp_path / "console" / "locals.tf").write_text(text, encoding="utf-8")
        told = subprocess.run(["terraform", "console"], cwd=tmp_path / "console", input="jsonencode(local.reserved)\n",
                              text=True, capture_output=True, check=False, timeout=60)  # fmt: skip
        (line,) = [line for line in told.stdout.splitlines() if line.startswith('"{')]
        found = json.loads(json.loads(line.replace("$${", "${").replace("%%{", "%{")))  # as the console shows text
        assert {d["pool"] for d in found.values()} == {p.pool for p in case.pools}
        assert {d["region"] for d in found.values()} == set(regions)
    assert pool == HOSTILE["pool"].strip()


def test_aws_is_bought_by_terraform(plan: Path, tmp_path: Path) -> None:
    handed = sold(plan, "Amazon Bedrock", "provisioned throughput, model units")
    written = read_back(terraform_files(handed, "#")["aws.tf"], tmp_path)
    has_arguments(written["resource"], "aws_bedrock_provisioned_model_throughput")
    (block,) = written["locals"]
    bought = block["provisioned"].values()
    assert {d["units"] for d in bought} == {20}
    assert {d["commitment"] for d in bought} == {"OneMonth"}
    assert {d["region"] for d in bought} == {'${var.aws_regions["east"]}', '${var.aws_regions["west"]}'}
    assert "To apply `aws.tf` is to buy" in order_of_things(handed, "", terraform=True)
    entry = router_config(handed, "2027-01")["model_list"][0]["litellm_params"]
    assert entry["model_id"].startswith("os.environ/BEDROCK_PROVISIONED_ARN_")


def test_google_is_an_order(plan: Path) -> None:
    handed = sold(plan, "google", "Provisioned throughput")
    assert terraform_files(handed, "#") == {}
    page = order_of_things(handed, "", terraform=False)
    assert page.index("1. **Order what holds capacity**") < page.index("2. **Route")
    headers = [e["litellm_params"]["extra_headers"]["X-Vertex-AI-LLM-Request-Type"]
               for e in router_config(handed, "2027-01")["model_list"]]  # fmt: skip
    assert set(headers) == {"dedicated", "shared"}


def test_who_is_not_known_is_called_by_an_address(plan: Path) -> None:
    handed = sold(plan, "our own machines", "H100")
    entry = router_config(handed, "2027-01")["model_list"][0]["litellm_params"]
    assert entry["model"] == "openai/m"
    assert entry["api_base"] == "os.environ/API_BASE_M_EAST_UNITS"
    page = order_of_things(handed, "", terraform=False)
    assert "**Set up by hand:**" in page
    assert "Units shrink" not in page
    settings = handed.case.settings
    two = settings.model_copy(update={"horizon": settings.horizon.model_copy(update={"months": 2})})
    finished = replace(handed.finished, case=replace(handed.case, settings=two))
    fewer = tuple(replace(r, units={"tokens": {"2027-01": 20.0, "2027-02": 0.0}}) for r in handed.reserved)
    page = order_of_things(replace(handed, finished=finished, reserved=fewer), "", terraform=False)
    assert "| east-units | east | m | 0 | -20 |" in page
    assert page.index("Units shrink: load the router's file") > page.index("## 2027-02")


def test_a_deployment_type_that_names_do_not_tell_is_asked_for(plan: Path, tmp_path: Path) -> None:
    files = terraform_files(sold(plan, "azure", "units"), "#")
    variables = [name for block in read_back(files["variables.tf"], tmp_path)["variable"] for name in block]
    assert "azure_deployment_types" in variables
    reserved = next(b["reserved"] for b in read_back(files["azure.tf"], tmp_path)["locals"] if "reserved" in b)
    texts = [d["sku"] for d in reserved.values()]
    assert all("var.azure_deployment_types" in text and text.endswith("ProvisionedManaged") for text in texts)


def test_aws_regions() -> None:
    assert [aws_region(r) for r in ("us-east-1", "aws-eu-central-1", "eu", "global")] == [
        "us-east-1",
        "eu-central-1",
        None,
        None,
    ]


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_terraform_finds_nothing_to_lay_out_anew(files: Path) -> None:
    done = subprocess.run(["terraform", "fmt", "-check", "-recursive", str(files / "terraform")], check=False,
                          capture_output=True, text=True, timeout=60)  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_text_of_hcl() -> None:
    assert quoted('a"b\\c') == '"a\\"b\\\\c"'
    assert quoted("${x} %{y} $${z}\n\x07") == '"$${x} %%{y} $$${z}\\n\\u0007"'
    assert (
        written({"a": 1, "bcd": {"x": 2.5}, "e": []}) == '{\n  "a" = 1\n  "bcd" = {\n    "x" = 2.5\n  }\n  "e" = []\n}'
    )


def test_names_for_machines() -> None:
    names = Names(longest=12)
    assert names.of("gpt-5.6 luna", "east/ptu") == "gpt-5-6-luna"
    assert names.of("gpt-5.6 luna", "west/ptu") == "gpt-5-6-lu-2"
    assert names.of("gpt-5.6 luna", "east/ptu") == "gpt-5-6-luna"
    assert names.of("漢字") == "deployment"
    assert names.of("仮名") == "deployment-2"


def test_whole_shares() -> None:
    assert whole_shares({"a": 5.4, "b": 4.4, "c": 0.2}, 10) == {
        "a": 6,
        "b": 4,
    }  # the largest remainder is a's 0.4, first
    assert whole_shares({"a": 1.0, "b": 1.0, "c": 1.0}, 2) == {"a": 1, "b": 1}


def test_sellers_and_types() -> None:
    assert [seller_of(p) for p in ("Azure", "Vertex AI", "AWS ", None, "Mistral")] == [
        "azure",
        "google",
        "aws",
        "",
        "mistral",
    ]
    assert azure_prefix(["azure-global-eastus2"]) == "Global"
    assert azure_prefix(["eastus2", "Data Zone Provisioned"]) == "DataZone"
    assert azure_prefix(["eastus2", "Regional Provisioned"]) == ""
    assert azure_prefix(["eastus2"]) is None
    assert azure_prefix(["global", "Regional"]) is None  # they disagree: asked for
