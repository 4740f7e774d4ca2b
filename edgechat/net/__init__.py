"""Sockets: accepting, handshakes, frames, and what waits to be sent."""
