"""Several servers, one chat: rooms whose newest lines are in an engine (Valkey or Redis)."""
