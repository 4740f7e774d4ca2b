"""What the table says, the documents and the dashboard say too, and so does a scrape."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from edgechat.chat.errors import CLOSES, REFUSALS
from edgechat.history.journal.statistics import JournalStatistics
from edgechat.metrics.collector import render
from edgechat.metrics.loop_lag import LoopLag
from edgechat.metrics.numbers import numbers_of
from edgechat.metrics.reading import Workers
from edgechat.metrics.table import LABELLED, PLAIN
from edgechat.net.budget import BudgetStatistics
from edgechat.net.connection_limits import ConnectionLimitsStatistics
from edgechat.net.event_stream import EventStreamStatistics
from edgechat.net.poller import PollerStatistics
from edgechat.net.statistics import ListenerStatistics
from edgechat.nodes.statistics import NodeStatistics
from edgechat.rooms.refusals import statistics as refusals
from edgechat.rooms.registry import RegistryStatistics
from edgechat.rooms.turn import TurnStatistics
from edgechat.statistics import ServerStatistics
from edgechat.webhooks.webhooks import WebhookStatistics

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"\b(?:edgechat|process)_[a-z_]+[a-z]\b")

STATISTICS = ServerStatistics(
    listener=ListenerStatistics(
        accepted=1,
        refused={"full": 2, 'a "quoted" one': 3},
        connections=ConnectionLimitsStatistics(open=4, addresses=5, remembered=6),
        websockets=7,
        outbox_bytes=8,
        budgets=BudgetStatistics(pauses=29, addresses=30),
        closes={1000: 9, 4008: 10},
    ),
    poller=PollerStatistics(turns=11, watched=12),
    rooms=RegistryStatistics(live=13, started=14, let_go=15, refused=16),
    members=17,
    followers=EventStreamStatistics(open=36, outbox_bytes=100),
    limiters=RegistryStatistics(live=18, started=19, let_go=20, refused=21),
    storage_works=True,
    turn=TurnStatistics(turns=22, batches=23, lines=24, deliveries=25, refused_batches=26),
    webhooks=WebhookStatistics(delivered=37, failures=38, held=39, behind=40),
    refusals={**dict.fromkeys(REFUSALS, 0), "rate_limited": 27},
    journal=JournalStatistics(
        segments=36,
        commits=37,
        failed_commits=38,
        rooms=39,
        lines=40,
        bytes=41,
        seconds=0.42,
        files_synced=32,
        sync_failures=33,
        sync_seconds=0.34,
        behind=35,
        recovered_lines=43,
        aside_lines=44,
    ),
    engine=NodeStatistics(
        is_up=True,
        is_replicated=True,
        links=45,
        ping=0.046,
        appends=47,
        moved=48,
        mended=49,
        forks=50,
        lines_behind=51,
        seconds_behind=5.2,
    ),
    defects={"a room": 28},
)


def scrape() -> dict[tuple[str, frozenset[str]], float]:
    """Each sample: its name and its labels' values, and its number."""
    workers = Workers({0: os.getpid(), 1: os.getpid()}, {0: 36, 1: 37}, wanted=38, restarts=39)
    text = render(numbers_of(STATISTICS), LoopLag().statistics(), workers).decode()
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def names() -> set[str]:
    """Of all metrics that a scrape has, as a query names them."""
    ends = ("_bucket", "_count", "_sum")
    found = {name for name, _ in scrape()}
    lag = {name for name in found if name.startswith("edgechat_event_loop") and name.endswith(ends)}
    return found - lag | {"edgechat_event_loop_lag_seconds"}


def test_each_number_is_where_it_belongs() -> None:
    found = scrape()
    plain = {name: found[name, frozenset()] for name, _, _ in PLAIN}
    assert plain == {
        "edgechat_connections": 4,
        "edgechat_connection_addresses": 5,
        "edgechat_connections_accepted_total": 1,
        "edgechat_websockets": 7,
        "edgechat_outbox_bytes": 108,
        "edgechat_rooms": 13,
        "edgechat_rooms_started_total": 14,
        "edgechat_members": 17,
        "edgechat_followers": 36,
        "edgechat_limiters": 18,
        "edgechat_messages_total": 24,
        "edgechat_deliveries_total": 25,
        "edgechat_turns_total": 22,
        "edgechat_batches_total": 23,
        "edgechat_batches_unstored_total": 26,
        "edgechat_pauses_total": 29,
        "edgechat_storage_works": 1,
        "edgechat_files_synced_total": 32,
        "edgechat_sync_failures_total": 33,
        "edgechat_sync_seconds": 0.34,
        "edgechat_files_to_sync": 35,
        "edgechat_journal_files": 36,
        "edgechat_journal_commits_total": 37,
        "edgechat_journal_failures_total": 38,
        "edgechat_journal_rooms_total": 39,
        "edgechat_journal_lines_total": 40,
        "edgechat_journal_bytes_total": 41,
        "edgechat_journal_seconds_total": 0.42,
        "edgechat_recovered_lines_total": 43,
        "edgechat_aside_lines_total": 44,
        "edgechat_engine_up": 1,
        "edgechat_engine_replicated": 1,
        "edgechat_engine_links_total": 45,
        "edgechat_engine_ping_seconds": 0.046,
        "edgechat_engine_appends_total": 47,
        "edgechat_engine_moved_total": 48,
        "edgechat_engine_mended_lines_total": 49,
        "edgechat_forks_total": 50,
        "edgechat_archive_lines_behind": 51,
        "edgechat_archive_seconds_behind": 5.2,
        "edgechat_webhook_deliveries_total": 37,
        "edgechat_webhook_failures_total": 38,
        "edgechat_webhook_lines_behind": 40,
        "edgechat_webhooks_held": 39,
    }
    labelled = {
        ("edgechat_connections_refused_total", "full"): 2,
        ("edgechat_connections_refused_total", 'a "quoted" one'): 3,
        ("edgechat_closes_total", "1000"): 9,
        ("edgechat_closes_total", "4008"): 10,
        ("edgechat_closes_total", "1006"): 0,
        ("edgechat_refusals_total", "rate_limited"): 27,
        ("edgechat_refusals_total", "bad_frame"): 0,
        ("edgechat_evictions_total", "room"): 15,
        ("edgechat_evictions_total", "limiter"): 20,
        ("edgechat_full_total", "room"): 16,
        ("edgechat_full_total", "limiter"): 21,
        ("edgechat_defects_total", "a room"): 28,
    }
    assert {(name, value): found[name, frozenset({value})] for name, value in labelled} == labelled


def test_what_can_happen_is_there_before_it_happens() -> None:
    """Else its first time would be no rise that an alert sees."""
    found = scrape()
    for code in REFUSALS:
        assert ("edgechat_refusals_total", frozenset({code})) in found
    for close in CLOSES:
        assert ("edgechat_closes_total", frozenset({str(int(close))})) in found
    assert set(refusals()) == set(REFUSALS)


WORDS = [
    (r'(?:contain|note_defect)\("([^"]+)"', "edgechat_defects_total"),
    (r'(?:refuse|Reason)\(\s*"([^"]+)"', "edgechat_connections_refused_total"),
]


@pytest.mark.parametrize(("call", "metric"), WORDS)
def test_every_word_that_is_counted_is_there(call: str, metric: str) -> None:
    """As the code has them, wherever. The listener for scrapes counts none of its refusals."""
    found = scrape()
    files = {*(ROOT / "edgechat").rglob("*.py")} - {ROOT / "edgechat" / "metrics" / "scrapes.py"}
    sources = [file.read_text() for file in files]
    words = {word for source in sources for word in re.findall(call, source)}
    assert len(words) > 3
    for word in words:
        assert (metric, frozenset({word})) in found, word


def test_the_document_lists_every_metric_and_no_other() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    section = text.split("\n## Metrics\n")[1].split("\n## ")[0]
    table, alerts = section.split("\nWorth an alert:\n")
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in NAME.findall(row)} == names()
    assert {name.removesuffix("_bucket") for name in NAME.findall(alerts)} <= names()


def test_the_document_says_what_the_metrics_say() -> None:
    text = (ROOT / "docs" / "operations.md").read_text()
    for name, words, *_ in (*PLAIN, *LABELLED):
        assert re.search(rf"^\| `{name}`.* \| {re.escape(words)} \|$", text, re.MULTILINE), name


def test_the_dashboard_shows_every_metric_and_no_other() -> None:
    text = (ROOT / "deploy" / "grafana.json").read_text()
    expressions = [
        target["expr"] for panel in json.loads(text)["panels"] for target in panel["targets"]
    ]
    shown = {name for expression in expressions for name in NAME.findall(expression)}
    assert {name.removesuffix("_bucket") for name in shown} == names()


def test_the_dashboards_panels_lie_side_by_side() -> None:
    panels = json.loads((ROOT / "deploy" / "grafana.json").read_text())["panels"]
    taken = {
        (x, y)
        for panel in panels
        for x in range(panel["gridPos"]["x"], panel["gridPos"]["x"] + panel["gridPos"]["w"])
        for y in range(panel["gridPos"]["y"], panel["gridPos"]["y"] + panel["gridPos"]["h"])
    }
    assert len(taken) == sum(panel["gridPos"]["w"] * panel["gridPos"]["h"] for panel in panels)
    assert len({panel["id"] for panel in panels}) == len(panels)
