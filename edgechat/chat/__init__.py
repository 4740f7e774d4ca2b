"""The rules. No Trio, no clock, no disk, no socket: plain functions over plain values."""
