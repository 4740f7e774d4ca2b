"""The load generator: raw sockets and one epoll, cheaper than any server under it."""
