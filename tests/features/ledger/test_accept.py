"""Signing: what is owed reaches the next folder once, at the price that was signed; broken plans are not signed."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import pytest

from planner.errors import AuditError, DiskFullError, InputError, PlannerError
from planner.features.ledger.accept import Accepted, Signature, accept
from planner.features.ledger.chain import read_ledger
from planner.features.ledger.evidence import changed, unlisted
from planner.plan.files import write_plan
from planner.plan.manifest import read_signatures
from planner.plan.orders import owed_after
from planner.readers import load
from planner.solver.solve import solve
from tests.builders import Tables, tables, write_folder
from tests.builders.hand_plans import hand_case, hand_plan

ADA = Signature("Ada", dt.date(2026, 12, 20), "PO 4711")
YEAR = {"offer": "west-m-12m", "pool": "west-m", "term_months": 12, "usd_per_unit_hour": 0.5}
OLD = {"offer": "west-m-1m", "units": 2, "start": "2026-06-01", "end": "2027-06-01", "note": "bought in June"}
PAST = {"offer": "west-m-1m", "units": 9, "start": "2026-01-01", "end": "2027-01-01"}
COMMITMENTS = "offer,units,start,end,source,as_of,note"


def given(**changes) -> Tables:
    """10 units wanted at 0.5 USD for a year or 1 USD a month; 2 are owed until June, 9 ended when the year did."""
    offers = [*tables()["offers"], YEAR]
    return tables(**{"offers": offers, "commitments": [OLD, PAST], **changes})


def folder(where: Path, start: str = "2027-01-01", months: int = 1, **changes) -> Path:
    return write_folder(given(**changes), where, name="q", start=start, months=months, tail_value=1.0)


def plan_of(path: Path, directory: Path) -> Path:
    case = load(path)
    write_plan(solve(case), case, directory)
    return directory


@pytest.fixture
def signed(tmp_path: Path) -> Path:
    return plan_of(folder(tmp_path / "in"), tmp_path / "reports" / "q")


def sign(directory: Path, into: Path | None = None, signature: Signature = ADA) -> Accepted:
    return accept(directory, directory.parent / "ledger.jsonl", signature, into)


def owed(path: Path) -> list[tuple[str, float, str, str]]:
    return [(c.offer, c.units, str(c.start), str(c.end)) for c in load(path).commitments]


NEW = ("west-m-12m", 8.0, "2027-01-01", "2028-01-01")  # 10 wanted, 2 owed already
KEPT = ("west-m-1m", 2.0, "2026-06-01", "2027-06-01")


def test_purchases_and_what_still_runs_reach_the_next_folder_once(tmp_path: Path, signed: Path) -> None:
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[])
    done = sign(signed, into)
    assert done.signed
    assert sorted(owed(into)) == sorted([NEW, KEPT])
    plan = solve(load(into))
    assert plan.purchases.empty  # all 10 units are there: 8 x 0.5 + 2 x 1 USD an hour for 28 days
    assert plan.totals.total_usd == pytest.approx((8 * 0.5 + 2) * 28 * 24)
    before = {p.name: p.read_bytes() for p in into.iterdir()}
    with pytest.raises(PlannerError, match=r"already signed by Ada on 2026-12-20 \(entry 1 .* owed twice"):
        sign(signed, into)
    assert {p.name: p.read_bytes() for p in into.iterdir()} == before
    assert len(read_ledger(signed.parent / "ledger.jsonl").entries) == 1


def test_the_entry_says_what_was_signed(signed: Path) -> None:
    entry = sign(signed).entry
    year, month = 365 * 24, 31 * 24
    assert (entry.by, str(entry.date), entry.note, entry.plan) == ("Ada", "2026-12-20", "PO 4711", "q")
    assert (entry.first_month, entry.last_month, entry.directory) == ("2027-01", "2027-01", "q")
    assert entry.committed_term_usd == pytest.approx(8 * 0.5 * year)
    assert entry.committed_horizon_usd == pytest.approx(8 * 0.5 * month)
    assert entry.total_usd == pytest.approx((8 * 0.5 + 2) * month)
    (line,) = entry.bought
    assert (line.offer, line.units, str(line.start), str(line.end)) == NEW
    assert {"plan.json", "dispatch.parquet", "input/plan.yaml", "input/demand.parquet"} <= entry.files.keys()


def test_a_copy_of_the_folder_holds_the_earlier_ones_already(tmp_path: Path, signed: Path) -> None:
    into = folder(tmp_path / "next", start="2027-02-01")
    done = sign(signed, into)
    assert [o.new for o in done.added] == [True]
    assert [o.new for o in done.there] == [False]
    assert sorted(owed(into)) == sorted([NEW, KEPT, ("west-m-1m", 9.0, "2026-01-01", "2027-01-01")])
    text = (into / "commitments.csv").read_text(encoding="utf-8")
    assert text.startswith(
        "offer,units,start,end,note,source,as_of\nwest-m-1m,2,2026-06-01,2027-06-01,bought in June\n"
    )


def test_two_equal_commitments_are_two(tmp_path: Path) -> None:
    """The plan buys 8 more of what the folder already holds 8 of: each row answers for one commitment only."""
    same = {"offer": "west-m-12m", "units": 8, "start": "2027-01-01", "end": "2028-01-01"}
    twice = [{**row, "requests_per_hour": 16.0} for row in given()["demand"]]
    directory = plan_of(folder(tmp_path / "in", commitments=[same], demand=twice), tmp_path / "reports" / "q")
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[same])
    sign(directory, into)
    assert owed(into) == [NEW, NEW]


def test_another_price_gets_an_offer_of_its_own(tmp_path: Path, signed: Path) -> None:
    """The year costs 0.25 now: what was signed is still owed at 0.5, and nothing can be bought at that price."""
    offers = [*tables()["offers"], {**YEAR, "usd_per_unit_hour": 0.25}]
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[], offers=offers)
    done = sign(signed, into)
    case = load(into)
    name = "west-m-12m at 0.5"
    assert {c.offer for c in case.commitments} == {name, "west-m-1m"}
    closed = next(o for o in case.offers if o.offer == name)
    assert (closed.usd_per_unit_hour, closed.max_units) == (0.5, 0)
    assert any("owed under an offer of its own" in text for text in done.notes)
    assert solve(case).totals.sunk_usd == pytest.approx((8 * 0.5 + 2) * 28 * 24)
    with pytest.raises(PlannerError, match="owed twice"):
        sign(signed, into)


def test_what_the_next_folder_lacks_is_added_closed(tmp_path: Path, signed: Path) -> None:
    """Its region, pool and models are new: they come along, and nothing can be bought of them."""
    east = {
        "regions": [{"region": "east"}], "models": [{"model": "n"}], "mix": [{"workload": "w", "model": "n"}],
        "demand": [{**row, "region": "east"} for row in given()["demand"]], "pools": [], "throughput": [],
        "offers": [], "commitments": [],
        "on_demand": [{"region": "east", "model": "n", "usd_per_mtok_input": 1.0, "usd_per_mtok_output": 0.0}],
    }  # fmt: skip
    into = write_folder(given(**east), tmp_path / "next", start="2027-02-01")
    sign(signed, into)
    case = load(into)
    assert sorted(owed(into)) == sorted([NEW, KEPT])
    assert {o.max_units for o in case.offers} == {0}
    assert [p.usd_per_unreserved_unit_hour for p in case.pools] == [None]
    assert {r.region for r in case.regions} == {"east", "west"}
    assert {m.model for m in case.models} == {"m", "n"}
    plan = solve(case)
    assert plan.purchases.empty
    assert plan.totals.sunk_usd == pytest.approx((8 * 0.5 + 2) * 28 * 24)


def test_names_that_mean_another_thing_are_refused(tmp_path: Path, signed: Path) -> None:
    pools = [{"pool": "west-n", "region": "west"}, {"pool": "west-m", "region": "east"}]
    into = folder(
        tmp_path / "next", start="2027-02-01", commitments=[], regions=[{"region": "west"}, {"region": "east"}],
        pools=pools, offers=[{**YEAR, "pool": "west-n"}],
        throughput=[{"pool": p["pool"], "model": "m", "tokens_per_minute_per_unit": 1} for p in pools],
    )  # fmt: skip
    with pytest.raises(InputError) as caught:
        sign(signed, into)
    assert len(caught.value.faults) == 2
    assert not (into / "commitments.csv").exists()
    assert not (signed.parent / "ledger.jsonl").exists()


def test_without_a_next_folder_the_commitments_lie_beside_the_plan(signed: Path) -> None:
    done = sign(signed)
    assert done.written == signed / "commitments.csv"
    text = (signed / "commitments.csv").read_text(encoding="utf-8")
    assert text.splitlines()[0].startswith("offer,units,start,end")
    assert len(text.splitlines()) == 3  # the purchase and what still runs; not what ended
    with pytest.raises(PlannerError, match="already signed"):
        sign(signed)
    sign(signed, signature=Signature("Bob", dt.date(2026, 12, 21)))  # a second person signs too; the file stays
    assert (signed / "commitments.csv").read_text(encoding="utf-8") == text


def test_a_file_that_is_there_is_never_overwritten(signed: Path) -> None:
    (signed / "commitments.csv").write_text("mine", encoding="utf-8")
    with pytest.raises(PlannerError, match="is not overwritten"):
        sign(signed)
    assert (signed / "commitments.csv").read_text(encoding="utf-8") == "mine"
    assert not (signed.parent / "ledger.jsonl").exists()


def test_signed_first_and_carried_later(tmp_path: Path, signed: Path) -> None:
    sign(signed)
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[])
    done = sign(signed, into)
    assert not done.signed
    assert sorted(owed(into)) == sorted([NEW, KEPT])
    assert len(read_ledger(signed.parent / "ledger.jsonl").entries) == 1


def test_interrupted_after_the_entry_the_same_call_writes_the_rest(tmp_path: Path, signed: Path, monkeypatch) -> None:
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[])
    real = Path.replace

    def dies(self, target):
        if Path(target).name == "commitments.csv":
            raise KeyboardInterrupt
        return real(self, target)

    monkeypatch.setattr(Path, "replace", dies)
    with pytest.raises(KeyboardInterrupt):
        sign(signed, into)
    monkeypatch.undo()
    assert not (into / "commitments.csv").exists()
    assert not [p for p in into.iterdir() if p.name.startswith(".commit")]
    done = sign(signed, into)
    assert not done.signed
    assert sorted(owed(into)) == sorted([NEW, KEPT])


def test_stopped_between_the_mark_and_the_entry_it_is_signed_the_next_time(signed: Path, monkeypatch) -> None:
    """The mark lies in the directory, the ledger has no such entry: nothing was signed, also by the day after."""
    with monkeypatch.context() as patched:

        def killed(*_: object) -> None:
            raise KeyboardInterrupt

        patched.setattr("planner.features.ledger.chain.OpenLedger.append", killed)
        with pytest.raises(KeyboardInterrupt):
            sign(signed)
    assert "planner accept was stopped before it wrote the entry" in unlisted(signed.parent / "ledger.jsonl", ())[0]
    assert read_signatures(signed) is not None
    assert not (signed / "commitments.csv").exists()
    later = replace(ADA, date=ADA.date + dt.timedelta(days=1))
    done = sign(signed, signature=later)
    assert done.signed
    assert done.entry.entry == 1
    assert done.entry.date == later.date
    held = read_signatures(signed)
    assert held is not None
    assert [mark.date for mark in held.marks] == [str(later.date)]
    assert not changed(done.entry, signed.parent / "ledger.jsonl")


def test_what_the_ledger_could_not_hold_is_not_marked_as_signed(signed: Path, monkeypatch) -> None:
    def full(*_: object) -> None:
        raise OSError("the disk is full")

    with monkeypatch.context() as patched:
        patched.setattr("planner.features.ledger.chain.OpenLedger.append", full)
        with pytest.raises(OSError, match="disk is full"):
            sign(signed)
        assert read_signatures(signed) is None
    sign(signed)
    before = read_signatures(signed)
    monkeypatch.setattr("planner.features.ledger.chain.OpenLedger.append", full)
    with pytest.raises(OSError, match="disk is full"):
        sign(signed, signature=replace(ADA, by="Bob"))
    assert read_signatures(signed) == before


def test_commitments_that_are_lost_are_written_again_by_the_same_call_only(tmp_path: Path, signed: Path) -> None:
    table = sign(signed).written
    assert table is not None
    before = table.read_bytes()
    table.unlink()
    with pytest.raises(PlannerError, match=r"commitments\.csv.*is missing"):
        sign(signed, into=folder(tmp_path / "next", start="2027-02-01"))
    assert sign(signed).signed is False
    assert table.read_bytes() == before


def test_another_plan_of_the_same_input(tmp_path: Path, signed: Path) -> None:
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[])
    sign(signed, into)
    other = signed.parent / "again"
    case = load(tmp_path / "in")
    from dataclasses import replace

    plan = solve(case)
    write_plan(replace(plan, proof=replace(plan.proof, gap_asked=1e-7)), case, other)
    with pytest.raises(InputError, match="another plan of the same input"):
        sign(other, into)
    done = sign(other, folder(tmp_path / "fresh", start="2027-02-01", commitments=[]))
    assert any("entry 1 (Ada, 2026-12-20) signs another plan" in text for text in done.notes)


def test_a_changed_input_or_plan_is_not_signed(signed: Path) -> None:
    (signed / "input" / "offers.csv").write_text(
        (signed / "input" / "offers.csv").read_text(encoding="utf-8").replace("0.5", "0.4"), encoding="utf-8"
    )
    with pytest.raises(InputError, match="not the input that the plan was made from"):
        sign(signed)


def test_a_plan_that_breaks_a_rule_is_not_signed(tmp_path: Path) -> None:
    from dataclasses import replace

    case = hand_case()
    plan = hand_plan(case)
    write_plan(solve(case), case, tmp_path / "good")
    sign(tmp_path / "good")
    fewer = plan.deployments.assign(units=[3.0, 10.0])
    write_plan(replace(plan, deployments=fewer), case, tmp_path / "bad")
    with pytest.raises(AuditError, match="fails its audit and cannot be signed; solve it again"):
        sign(tmp_path / "bad")
    order = replace(plan, deployments=fewer, proof=replace(plan.proof, status="given"))
    write_plan(order, case, tmp_path / "ordered")
    with pytest.raises(AuditError, match="change the order, or the policy"):
        sign(tmp_path / "ordered")
    assert len(read_ledger(tmp_path / "ledger.jsonl").entries) == 1


@pytest.mark.parametrize("where", ["input", "."])
def test_the_plan_itself_is_no_next_folder_and_holds_no_ledger(signed: Path, where: str) -> None:
    with pytest.raises(PlannerError, match="the next folder inside the plan's directory"):
        sign(signed, signed / where)
    with pytest.raises(PlannerError, match="keep it elsewhere"):
        accept(signed, signed / where / "ledger.jsonl", ADA)


def test_owed_is_in_the_order_of_its_ends(signed: Path) -> None:
    case = load(signed / "input")
    found = owed_after(case, solve(case))
    assert [(o.offer.offer, o.units, str(o.start), str(o.end)) for o in found] == [KEPT, NEW]
    assert [o.term_usd for o in found] == pytest.approx([2 * 365 * 24, 8 * 0.5 * 365 * 24])


def test_a_pool_that_comes_along_sells_no_units_by_the_hour(tmp_path: Path) -> None:
    pools = [{"pool": "west-m", "region": "west", "usd_per_unreserved_unit_hour": 9.0, "usd_per_scaled_unit_hour": 5.0,
              "max_scaled_units": 3, "start_hours": 1}]  # fmt: skip
    plan = plan_of(folder(tmp_path / "in", pools=pools), tmp_path / "reports" / "q")
    into = folder(tmp_path / "next", start="2027-02-01", pools=[], throughput=[], offers=[], commitments=[])
    sign(plan, into)
    (pool,) = load(into).pools
    assert (pool.usd_per_unreserved_unit_hour, pool.usd_per_scaled_unit_hour, pool.max_scaled_units) == (None,) * 3


def test_what_is_spent_of_a_contract_is_said_and_left_to_be_entered(tmp_path: Path) -> None:
    # January: 8 units at 0.50 USD and the 2 that are owed at 1 USD, 744 hours: 2,976 + 1,488 USD
    contract = [{"contract": "macc", "usd": 4000.0}]
    plan = plan_of(folder(tmp_path / "in", spend_commitments=contract), tmp_path / "reports" / "q")
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[], spend_commitments=contract)
    (note,) = sign(plan, into).notes
    assert note.startswith("spend commitment macc: this plan spends $4,464.00 of its $4,000.00 by the end of 2027-01; ")
    assert note.endswith("next asks for $4,000.00 of it: that must be what is left for its months")
    (note,) = sign(plan).notes
    assert note.endswith("is not written: enter it into spend_commitments.csv")


def test_an_upfront_price_is_signed_and_not_owed_again(tmp_path: Path) -> None:
    """A year at 0.5 USD an hour, 4380 USD of it upfront; later months owe no more than the hourly part, 0."""
    year = {"offer": "west-m-12m", "pool": "west-m", "term_months": 12, "upfront_usd_per_unit": 4380.0}
    offers = [*tables()["offers"], year]
    plan = plan_of(folder(tmp_path / "in", offers=offers), tmp_path / "reports" / "q")
    entry = sign(plan).entry
    assert entry.bought[0].upfront_usd_per_unit == 4380.0
    assert entry.committed_term_usd == pytest.approx(8 * 4380)
    (kept,) = read_ledger(plan.parent / "ledger.jsonl").entries
    assert kept == entry
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[], offers=offers)
    again = accept(plan, tmp_path / "other.jsonl", ADA, into)
    assert again.entry.bought == entry.bought
    case = load(into)
    assert solve(case).totals.sunk_usd == pytest.approx(2 * 1.0 * 672)  # the units that were owed before


def test_what_the_next_folder_has_no_room_for_is_not_signed(tmp_path: Path, signed: Path, monkeypatch) -> None:
    into = folder(tmp_path / "next", start="2027-02-01", commitments=[])
    real = Path.write_text

    def full(path: Path, *arguments: object, **options: object) -> int:
        if path.name.startswith(".committed"):
            raise OSError(28, "No space left on device")
        return real(path, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_text", full)
        with pytest.raises(DiskFullError, match="its disk is full"):
            sign(signed, into)
    assert read_signatures(signed) is None
    assert not (signed.parent / "ledger.jsonl").exists()
    assert not (into / "commitments.csv").exists()
    assert sign(signed, into).signed
