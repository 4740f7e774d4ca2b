"""The results as markdown: every server under every workload, then the targets."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bench.candidates import CANDIDATES
from bench.report.results import Results
from bench.report.targets import ME, TARGETS, Target
from bench.workloads.catalogue import WORKLOADS

CHAT = ("one", "ten", "small", "open")
DASH, AT_MOST, AT_LEAST = "\u2013", "\u2264", "\u2265"

DISTURBANCE = (
    "## Disturbed\n\nOther processes had the core of the server or the load for more than 10 % of "
    "a round: on these, run it again on a machine that has nothing else to do.\n\n"
)


def row(cells: Iterable[str]) -> str:
    """A line of a table."""
    return "| " + " | ".join(cells) + " |"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A whole table; empty if there are no rows."""
    lines = [row(cells) for cells in rows]
    return "\n".join([row(head), row("---" for _ in head), *lines]) + "\n" if lines else ""


def shown(value: float | None, form: str, scale: float = 1.0) -> str:
    """A figure, or a dash where there is none."""
    return DASH if value is None else form.format(value * scale)


def measured_servers(results: Results, keys: Sequence[str]) -> list[str]:
    """The servers that were under any of these workloads, in their usual order."""
    return [s for s in CANDIDATES if any(results.of(workload, s) for workload in keys)]


def chat_cell(results: Results, workload: str, server: str) -> str:
    """CPU per delivery and its ratio to the floor, the rate, and the latency."""
    cpu = results.median(workload, server, "cpu_us_per_delivery")
    if cpu is None:
        return "failed" if results.of(workload, server) else DASH
    p50, p99 = (shown(results.median(workload, server, f"{p}_us"), "{:.1f}", 1e-3)
                for p in ("p50", "p99"))  # fmt: skip
    if workload == "open":
        ratio = shown(results.ratio(workload, server, "floor", "p99_us"), " ({:.2f}\u00d7)")
        return f"p50 {p50}, p99 {p99} ms{ratio}, {cpu:.1f} \u00b5s"
    ratio = shown(results.ratio(workload, server, "floor", "cpu_us_per_delivery"), "{:.2f}\u00d7")
    rate = shown(results.median(workload, server, "deliveries_per_s"), "{:,.0f}k/s", 1e-3)
    return f"{cpu:.2f} \u00b5s ({ratio}), {rate}, p99 {p99} ms"


def chat_table(results: Results) -> str:
    """Fan-out: each server a row, each workload a column."""
    columns = [key for key in CHAT if key in results.rounds]
    head = ["server", *(title(results, key) for key in columns)]
    servers = measured_servers(results, columns)
    return table(head, ([CANDIDATES[server].title,
                         *(chat_cell(results, key, server) for key in columns)]
                        for server in servers))  # fmt: skip


def connections_cell(results: Results, workload: str, server: str) -> str:
    """What connections cost: memory and idle CPU, or CPU and wall time of joining."""
    if not results.of(workload, server):
        return DASH
    if workload.startswith("idle"):
        memory = shown(results.median(workload, server, "rss_kib"), "{:.1f} KiB")
        cpu = shown(results.median(workload, server, "idle_cpu_ms_per_s"), "{:.1f} ms/s")
        return f"{memory}, {cpu}" if memory != DASH else "failed"
    cpu = shown(results.median(workload, server, "cpu_s"), "{:.2f} s CPU")
    wall = shown(results.median(workload, server, "wall_s"), "{:.2f} s")
    return f"{cpu}, {wall}" if cpu != DASH else "failed"


def connections_table(results: Results) -> str:
    """Idle, joining, resuming."""
    keys = ("idle2k", "idle10k", "storm", "storm-v2", "resume")
    columns = [key for key in keys if key in results.rounds]
    head = ["server", *(title(results, key) for key in columns)]
    servers = measured_servers(results, columns)
    return table(head, ([CANDIDATES[server].title,
                         *(connections_cell(results, key, server) for key in columns)]
                        for server in servers))  # fmt: skip


def target_row(results: Results, target: Target) -> list[str]:
    """A target, its figure, and whether it is met."""
    figure = target.figure(results)
    bound = f"{AT_MOST if target.at_most else AT_LEAST} {target.bound:g}{target.unit}"
    value = shown(figure, "{:.2f}") + (target.unit if figure is not None else "")
    verdict = judged(results, target, figure)
    return [title(results, target.workload), target.what, value, bound, verdict]


def title(results: Results, workload: str) -> str:
    """A workload's title, with a word where `--quick` made it smaller than that says."""
    smaller = results.quick and WORKLOADS[workload].quick is not None
    return WORKLOADS[workload].title + (" (smaller)" if smaller else "")


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


def report(results: Results) -> str:
    """The whole page."""
    about = "\n".join(f"- {key}: {value}" for key, value in results.about.items())
    lines = [f"- {key}: {', '.join(found)}" for key in results.rounds
             if (found := results.disturbed(key))]  # fmt: skip
    shared = "\n".join(lines)
    failed = "\n".join(f"- {failure}" for failure in results.failures())
    parts = (
        "# Benchmark\n", about + "\n", "## Targets\n", target_table(results),
        "## Chat: CPU of the server per delivery (to the floor), deliveries a second, latency\n",
        chat_table(results), "## Connections\n", connections_table(results),
        DISTURBANCE + shared + "\n" if shared else "",
        f"## Failed\n\n{failed}\n" if failed else "",
    )  # fmt: skip
    return "\n".join(part for part in parts if part)
