"""Compares two versions of EdgeChat, side by side."""
