"""These tests talk to a server."""

from tests.serving.fixtures import bystanders, held_clock, no_defect, server

__all__ = ["bystanders", "held_clock", "no_defect", "server"]
