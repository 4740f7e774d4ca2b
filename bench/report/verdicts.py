"""The targets with what was reached."""

from __future__ import annotations

from bench.report.results import Results
from bench.report.table import shown, table, title
from bench.report.targets import ME, TARGETS, Target
from bench.workloads.catalogue import WORKLOADS

AT_MOST, AT_LEAST = "\u2264", "\u2265"


def target_row(results: Results, target: Target) -> list[str]:
    """A target, its figure, and whether it is met."""
    figure = target.figure(results)
    bound = f"{AT_MOST if target.at_most else AT_LEAST} {target.bound:g}{target.unit}"
    value = shown(figure, "{:.2f}") + (target.unit if figure is not None else "")
    verdict = judged(results, target, figure)
    return [title(results, target.workload), target.what, value, bound, verdict]


def judged(results: Results, target: Target, figure: float | None) -> str:
    """Met or not; no verdict on another workload than the target's, or on a shared machine."""
    if figure is None:
        return "not measured"
    if results.quick and WORKLOADS[target.workload].quick is not None:
        return "not judged: smaller"
    verdict = "met" if target.met(figure) else "**not met**"
    compared = {target.other, ME} if target.other else {ME}
    disturbed = [d for d in results.disturbed(target.workload) if d.split()[0] in compared]
    return f"not judged ({verdict.strip('*')}): disturbed" if disturbed else verdict


def target_table(results: Results) -> str:
    """The targets of the workloads that ran."""
    chosen = [target for target in TARGETS if target.workload in results.rounds]
    head = ("workload", "figure", "EdgeChat", "target", "")
    return table(head, (target_row(results, target) for target in chosen))
