"""Real sockets, real files, the real clock."""
