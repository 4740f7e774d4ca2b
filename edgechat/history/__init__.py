"""Histories on disk: one append-only JSONL file a room."""
