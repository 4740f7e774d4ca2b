"""What is counted, under which name: one table, which the documents and the dashboard follow.

No label has anything of a room or of an address in it: a private room's id is its only lock, and
a label for each room would be a time series for each.
"""

from __future__ import annotations

from edgechat.metrics.engine_table import ENGINE
from edgechat.metrics.journal_table import JOURNAL
from edgechat.metrics.metric import Labelled, Plain
from edgechat.metrics.words import NO_CLOSES, NO_DEFECTS, NOTHING_REFUSED

PLAIN = (
    Plain("edgechat_connections", "Connections open now.", lambda s: s.listener.connections.open),
    Plain(
        "edgechat_connection_addresses",
        "Addresses with a connection open now, but for this machine's and trusted proxies'.",
        lambda s: s.listener.connections.addresses,
    ),
    Plain(
        "edgechat_connections_accepted_total",
        "Connections accepted.",
        lambda s: s.listener.accepted,
    ),
    Plain("edgechat_websockets", "WebSockets open now.", lambda s: s.listener.websockets),
    Plain(
        "edgechat_outbox_bytes",
        "Bytes that wait for clients to read.",
        lambda s: s.listener.outbox_bytes + s.followers.outbox_bytes,
    ),
    Plain(
        "edgechat_pauses_total",
        "Times that a connection was not read from for a moment, as it sent too many frames.",
        lambda s: s.listener.budgets.pauses,
    ),
    Plain("edgechat_rooms", "Rooms open now.", lambda s: s.rooms.live),
    Plain("edgechat_rooms_started_total", "Rooms opened.", lambda s: s.rooms.started),
    Plain("edgechat_members", "Sessions in all rooms together.", lambda s: s.members),
    Plain("edgechat_followers", "Followers of rooms by events.", lambda s: s.followers.open),
    Plain("edgechat_limiters", "Addresses whose allowance is kept now.", lambda s: s.limiters.live),
    Plain("edgechat_messages_total", "Messages stored and shown.", lambda s: s.turn.lines),
    Plain(
        "edgechat_deliveries_total",
        "Messages written to members and followers: each counts once for each.",
        lambda s: s.turn.deliveries,
    ),
    Plain(
        "edgechat_turns_total", "Turns in which a room was asked something.", lambda s: s.turn.turns
    ),
    Plain(
        "edgechat_batches_total",
        "Batches: what one room was asked in one turn.",
        lambda s: s.turn.batches,
    ),
    Plain(
        "edgechat_batches_unstored_total",
        "Batches that could not be stored.",
        lambda s: s.turn.refused_batches,
    ),
    Plain(
        "edgechat_storage_works",
        "1 while what was tried last could be stored, or 0.",
        lambda s: s.storage_works,
    ),
    Plain(
        "edgechat_files_synced_total",
        "Files fsynced in the background.",
        lambda s: s.journal.files_synced,
    ),
    Plain(
        "edgechat_sync_failures_total",
        "Files that could not be fsynced.",
        lambda s: s.journal.sync_failures,
    ),
    Plain(
        "edgechat_sync_seconds",
        "How long the last sync of the journal in the background took.",
        lambda s: s.journal.sync_seconds,
    ),
    Plain(
        "edgechat_files_to_sync",
        "Files that lack lines now which the journal has.",
        lambda s: s.journal.behind,
    ),
    *JOURNAL,
    *ENGINE,
    Plain(
        "edgechat_webhook_deliveries_total",
        "Lines that targets of webhooks took.",
        lambda s: s.webhooks.delivered,
    ),
    Plain(
        "edgechat_webhook_failures_total",
        "Tries in vain to post to targets of webhooks.",
        lambda s: s.webhooks.failures,
    ),
    Plain(
        "edgechat_webhook_lines_behind",
        "Lines that targets of webhooks do not have yet.",
        lambda s: s.webhooks.behind,
    ),
    Plain(
        "edgechat_webhooks_held",
        "Webhooks that wait, as their targets refuse a line.",
        lambda s: s.webhooks.held,
    ),
)

LABELLED = (
    Labelled(
        "edgechat_connections_refused_total",
        "Connections and upgrades refused before they got to a room.",
        "reason",
        lambda s: {**NOTHING_REFUSED, **s.listener.refused},
    ),
    Labelled(
        "edgechat_closes_total",
        "WebSockets ended, by close code; 1006 is without one.",
        "code",
        lambda s: {**NO_CLOSES, **s.listener.closes},
    ),
    Labelled(
        "edgechat_refusals_total",
        "Refusals told to clients, by code.",
        "code",
        lambda s: s.refusals,
    ),
    Labelled(
        "edgechat_evictions_total",
        "Idle ones ended early, as there were too many.",
        "kind",
        lambda s: {"room": s.rooms.let_go, "limiter": s.limiters.let_go},
    ),
    Labelled(
        "edgechat_full_total",
        "Wanted when there were too many, and none was idle.",
        "kind",
        lambda s: {"room": s.rooms.refused, "limiter": s.limiters.refused},
    ),
    Labelled(
        "edgechat_defects_total",
        "Defects of the server itself, by what they ended.",
        "ended",
        lambda s: {**NO_DEFECTS, **s.defects},
    ),
)
