"""Webhooks: what is said in a room is posted to an address (Standard Webhooks 1.0)."""
