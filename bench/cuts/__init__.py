"""Connections that are cut at random bytes, under load."""
