"""The whole report: targets, then every server under every workload."""

from __future__ import annotations

from collections.abc import Sequence

from bench.candidates import CANDIDATES
from bench.report.growth import growth_tables
from bench.report.results import Results
from bench.report.table import DASH, shown, table, title
from bench.report.verdicts import target_table

CHAT = ("one", "ten", "small", "open")
DISTURBANCE = (
    "Other processes had the core of the server or the load for more than 10 % of a round: on "
    "these, run it again on a machine that has nothing else to do.\n\n"
)
TO_DISK = ("disk-ten", "disk-small")
CONNECTIONS = ("idle2k", "idle10k", "storm", "storm-v2", "resume")


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
        to_floor = in_floors(results, workload, server, "p99_us")
        return f"p50 {p50}, p99 {p99} ms{to_floor}, {cpu:.1f} \u00b5s"
    to_floor = in_floors(results, workload, server, "cpu_us_per_delivery")
    rate = shown(results.median(workload, server, "deliveries_per_s"), "{:,.0f}k/s", 1e-3)
    return f"{cpu:.2f} \u00b5s{to_floor}, {rate}, p99 {p99} ms"


def in_floors(results: Results, workload: str, server: str, figure: str) -> str:
    """The ratio to the floor's figure, in brackets; nothing where there is no floor."""
    ratio = results.ratio(workload, server, "floor", figure)
    return "" if ratio is None else f" ({ratio:.2f}\u00d7)"


def chat_table(results: Results, keys: Sequence[str]) -> str:
    """Fan-out: each server a row, each workload a column."""
    columns = [key for key in keys if key in results.rounds]
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
    columns = [key for key in CONNECTIONS if key in results.rounds]
    head = ["server", *(title(results, key) for key in columns)]
    servers = measured_servers(results, columns)
    return table(head, ([CANDIDATES[server].title,
                         *(connections_cell(results, key, server) for key in columns)]
                        for server in servers))  # fmt: skip


def report(results: Results) -> str:
    """The page in markdown; sections with nothing in them are left out."""
    about = "\n".join(f"- {key}: {value}" for key, value in results.about.items())
    sections = (
        ("Targets", target_table(results)),
        ("Chat: CPU of the server per delivery (to the floor), deliveries a second, latency",
         chat_table(results, CHAT)),
        ("To disk: CPU per delivery, deliveries a second, latency", chat_table(results, TO_DISK)),
        ("Connections", connections_table(results)),
        ("Growth", growth_tables(results)),
        ("Disturbed", disturbances(results)),
        ("Failed", "".join(f"- {failure}\n" for failure in results.failures())),
    )  # fmt: skip
    parts = [f"## {heading}\n\n{text}" for heading, text in sections if text]
    return "\n".join((f"# Benchmark\n\n{about}\n", *parts))


def disturbances(results: Results) -> str:
    """The workloads that had to share a core, and which servers felt it."""
    lines = [f"- {key}: {', '.join(found)}\n" for key in results.rounds
             if (found := results.disturbed(key))]  # fmt: skip
    return DISTURBANCE + "".join(lines) if lines else ""
