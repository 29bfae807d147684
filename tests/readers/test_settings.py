"""plan.yaml: what is read, and what is refused before anything is built from it."""

import datetime as dt

import pytest

from planner.errors import InputError
from planner.readers.settings_file import read_settings, read_sheet, read_yaml
from planner.schema.describe import settings_of
from planner.schema.settings import PlanSettings, Policy

MINIMAL = "horizon: {start: 2027-01-01, months: 3}\n"


def read(text, tmp_path):
    path = tmp_path / "plan.yaml"
    path.write_text(text, encoding="utf-8")
    raw, faults = read_yaml(path)
    found, more = read_settings(raw)
    if faults or more:
        raise InputError([*faults, *more])
    return found


def test_defaults(tmp_path):
    found = read(MINIMAL, tmp_path)
    assert found == PlanSettings.model_validate({"horizon": {"start": dt.date(2027, 1, 1), "months": 3}})
    assert found.policy.headroom == 0.30


@pytest.mark.parametrize("blank", ["", "null", "~"])
def test_blank_is_the_default(blank, tmp_path):
    text = f"name: {blank}\n{MINIMAL}policy: {{reserved_headroom: {blank}, failover: {blank}, whole_units: {blank}}}\n"
    assert read(text, tmp_path) == read(MINIMAL, tmp_path)


def test_every_key(tmp_path):
    found = read(
        'name: 2027\nhorizon: {start: "2027-02-01", months: "2"}\npolicy:\n  headroom: .25\n  reserved_headroom: 0\n'
        "  whole_units: no\n  tail_value: 5e-1\n  failover: {enabled: on, share: 1, on_demand_trust: 0}\n"
        "  egress: {max_cross_region_share: 0.2}\n  max_commitment_usd: 1e6\n",
        tmp_path,
    )
    policy = found.policy
    assert (found.name, found.horizon.start, found.horizon.months) == ("2027", dt.date(2027, 2, 1), 2)
    assert (policy.headroom, policy.reserved_headroom, policy.whole_units, policy.tail_value) == (0.25, 0.0, False, 0.5)
    assert (policy.failover.enabled, policy.failover.share, policy.failover.on_demand_trust) == (True, 1.0, 0.0)
    assert (policy.egress.max_cross_region_share, policy.max_commitment_usd) == (0.2, 1e6)


@pytest.mark.parametrize(("text", "words"), [
    ("", "plan.yaml: the file is empty (0 bytes)"),
    ("# nothing\n", "plan.yaml, row 1: is not a block of keys; allowed: keys such as name: 2027-q1 and horizon: "
                    "{start: 2027-01-01, months: 3}"),
    ("- 1\n", "plan.yaml, row 1: is not a block of keys; allowed: keys such as name: 2027-q1 and horizon: "
              "{start: 2027-01-01, months: 3}"),
    ("name: x\n", "plan.yaml, column horizon.start: must be filled in; allowed: a date such as 2027-01-01\n"
                  "plan.yaml, column horizon.months: must be filled in; allowed: a whole number from 1 to 120"),
    (MINIMAL + "policy: {headrom: 0.2}\n", "plan.yaml, row 2, column policy.headrom: there is no key 'policy.headrom'; "
                                           "did you mean 'policy.headroom'?"),
    (MINIMAL + "headroom: 0.2\n", "plan.yaml, row 2, column headroom: there is no key 'headroom'; did you mean "
                                  "'policy.headroom'?"),
    (MINIMAL + "policy: 3\n", "plan.yaml, row 2, column policy: is a block of keys, not a value (found '3'); allowed: "
                              + ", ".join(settings_of(Policy, "policy."))),
    (MINIMAL + "policy: {headroom: true}\n", "plan.yaml, row 2, column policy.headroom: is not a number "
                                             "(found 'true'); allowed: a number from 0 to below 1"),
    ("horizon: {start: 2027-01-01, months: 1_2}\n",
     "plan.yaml, row 1, column horizon.months: is not a number: write 1000, without underscores (found '1_2'); "
     "allowed: a whole number from 1 to 120"),
    (MINIMAL + "policy: {headroom: [0.2]}\n", "plan.yaml, row 2, column policy.headroom: holds a list; one plain value "
                                              "is needed"),
    (MINIMAL + "policy: {headroom: {}}\n", "plan.yaml, row 2, column policy.headroom: holds a block of keys; one plain "
                                           "value is needed"),  # it counted as the default, 30 %
    (MINIMAL + "name: {a: 1}\n", "plan.yaml, row 2, column name: holds a block of keys; one plain value is needed"),
    (MINIMAL + "name: a\nname: b\n", "plan.yaml, row 2, column name: the key appears twice, in lines 2 and 3"),
    (MINIMAL + "name: &a x\npolicy: {headroom: *a}\n",
     "plan.yaml, row 3, column policy.headroom: anchors and aliases are not used here; write the value out"),
    (MINIMAL + "name: !!python/object/apply:os.system [touch built]\n",
     "plan.yaml, row 2, column name: holds the tag 'python/object/apply:os.system'; one plain value is needed"),
    (MINIMAL + "name: [1\n", "plan.yaml, row 3: is not YAML: expected ',' or ']', but got '<stream end>'"),
    ("horizon: {start: 2027-01-15, months: 3}\n", "plan.yaml, row 1, column horizon.start: a horizon starts on the "
                                                  "first day of a month; write 2027-01-01 (found '2027-01-15')"),
    ("horizon: {start: 20270101, months: 3}\n", "plan.yaml, row 1, column horizon.start: is not a date "
                                                "(found '20270101'); allowed: a date such as 2027-01-01"),
    ("horizon: {start: 9999-12-01, months: 3}\n",
     "plan.yaml, row 1, column horizon.start: lies outside the years 2000 to 2199 (found '9999-12-01'); "
     "allowed: a date such as 2027-01-01"),
    ("horizon: {start: 2027-13-01, months: 0}\n",
     "plan.yaml, row 1, column horizon.start: is not a date (found '2027-13-01'); allowed: a date such as 2027-01-01\n"
     "plan.yaml, row 1, column horizon.months: is too small (found '0'); allowed: a whole number from 1 to 120"),
])  # fmt: skip
def test_faults(text, words, tmp_path):
    with pytest.raises(InputError) as caught:
        read(text, tmp_path)
    assert str(caught.value) == words
    assert not (tmp_path / "built").exists()


def test_a_bomb_of_anchors_is_refused_at_once(tmp_path):
    lines = ["a0: &a0 [x, x]"] + [f"a{k}: &a{k} [{', '.join([f'*a{k - 1}'] * 9)}]" for k in range(1, 40)]
    with pytest.raises(InputError):
        read(MINIMAL + "\n".join(lines), tmp_path)


def test_a_tower_of_brackets_is_refused(tmp_path):
    with pytest.raises(InputError, match="is not YAML that planner can read"):
        read("name: " + "[" * 5000, tmp_path)


def test_the_sheet_plan():
    raw, faults = read_sheet(
        [["key", "value", "note"], ["name", "x", ""], [], ["horizon.start", "2027-01-01"], ["horizon.months", "3"],
         ["policy.headroom", "", "blank"], ["policy.headrom", "0.2"], ["name", "y"], ["", "7"]]
    )  # fmt: skip
    found, more = read_settings(raw)
    assert found is None
    assert [str(fault) for fault in (*faults, *more)] == [
        "sheet plan, row 2, column name: the key appears twice, in rows 2 and 8",
        "plan!A9, column key: has a value, but no key",
        "sheet plan, row 7, column policy.headrom: there is no key 'policy.headrom'; did you mean 'policy.headroom'?",
    ]
