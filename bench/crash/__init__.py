"""Crash rounds: `kill -9` and power cuts under load."""
