"""These tests talk to a server."""

from tests.serving.fixtures import bystanders, no_defect, server

__all__ = ["bystanders", "no_defect", "server"]
