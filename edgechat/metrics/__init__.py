"""What a server counts, for Prometheus: read at a scrape, on an address of its own."""
