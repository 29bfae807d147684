"""All checks of a plan, in the order of the rules."""

from planner.plan.audit import capacity_check, service, totals
from planner.plan.audit.capacity_check import scaled_faults, scaled_limits
from planner.plan.audit.findings import Finding
from planner.plan.audit.linear_rule import check_rule
from planner.plan.audit.rules import rules_of
from planner.plan.audit.stress_check import stress
from planner.plan.audit.totals import flow_names, sound_tables
from planner.plan.flows import deployed_units
from planner.plan.plan import Plan
from planner.plan.pricing import months_in_force, plan_risk, scenario_costs_of
from planner.plan.pricing import totals as reprice
from planner.plan.reading import Reading
from planner.schema.case import Case


def audit(case: Case, plan: Plan, *, witness: bool = True, reading: Reading | None = None) -> list[Finding]:
    """Check cost and every rule of a plan; nothing found: the plan is right.

    Parameters
    ----------
    reading : of this case and plan, if the caller has it.
    witness : also check the stress cases from the plan's witness; False where they are proved otherwise.

    Returns
    -------
    Findings, the worst first. Of each rule the worst places are spelled out and the rest counted.
    """
    reading = Reading(case, plan) if reading is None else reading
    derived, names, demand = reading.derived, reading.names, reading.demand
    purchases, deployments, findings = sound_tables(case, plan, names)
    flows, unknown = reading.dispatch
    findings += flow_names(plan.dispatch, unknown, flows, "dispatch")
    in_force = months_in_force(case, purchases)
    repriced = reprice(case, derived, flows, purchases, deployments)
    units = deployed_units(names, deployments)
    findings += totals.digest(case, plan)
    risk = None
    if case.settings.policy.risk.weight > 0:
        costs = scenario_costs_of(case, derived, names, flows, purchases, deployments)
        risk = plan_risk(case, costs, repriced.total_usd)
    findings += totals.costs(plan, repriced, risk)
    findings += totals.purchase_costs(purchases, in_force)
    findings += totals.bound(plan, repriced, risk)
    findings += scaled_faults(case, names, plan.scaled_units)
    findings += scaled_limits(case, names, flows.scaled)
    findings += service.balance(names, flows, demand)
    findings += service.waiting(names, flows)
    findings += service.mix(case, names, flows, demand)
    findings += service.guaranteed(case, names, flows, demand)
    findings += capacity_check.reserved(names, flows, units)
    findings += capacity_check.deployment(case, derived, in_force, deployments)
    findings += capacity_check.sizes(case, purchases, deployments)
    findings += capacity_check.quota(case, names, flows)
    findings += service.caps(case, names, derived, flows)
    findings += service.cross_region(case, derived, flows)
    if witness:
        findings += stress(reading, units)
    findings += capacity_check.budget(case, in_force)
    for rule in rules_of(case, names):
        findings += check_rule(rule, purchases, deployments, flows)
    return sorted(findings, key=lambda f: -f.excess)
