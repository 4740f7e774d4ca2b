"""What the journal counts: a part of `table`."""

from __future__ import annotations

from edgechat.metrics.metric import Plain

JOURNAL = (
    Plain(
        "edgechat_journal_files", "Files of the journal there now.", lambda s: s.journal.segments
    ),
    Plain(
        "edgechat_journal_commits_total",
        "Commits of the journal: each makes durable what all rooms said.",
        lambda s: s.journal.commits,
    ),
    Plain(
        "edgechat_journal_failures_total",
        "Commits of the journal that failed: what was in them was refused.",
        lambda s: s.journal.failed_commits,
    ),
    Plain(
        "edgechat_journal_seconds_total",
        "How long all commits of the journal took together.",
        lambda s: s.journal.seconds,
    ),
    Plain(
        "edgechat_journal_rooms_total",
        "Rooms in commits of the journal: each counts once for each.",
        lambda s: s.journal.rooms,
    ),
    Plain(
        "edgechat_journal_lines_total",
        "Messages in commits of the journal.",
        lambda s: s.journal.lines,
    ),
    Plain(
        "edgechat_journal_bytes_total",
        "Bytes written to the journal.",
        lambda s: s.journal.bytes,
    ),
    Plain(
        "edgechat_recovered_lines_total",
        "Lines that the journal had and a history lacked, put back.",
        lambda s: s.journal.recovered_lines,
    ),
    Plain(
        "edgechat_aside_lines_total",
        "Lines of the journal that did not continue a history, put aside.",
        lambda s: s.journal.aside_lines,
    ),
)
