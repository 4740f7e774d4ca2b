"""What touches the world: sockets, files, HTTP, signals."""
