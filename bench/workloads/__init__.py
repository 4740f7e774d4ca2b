"""The workloads: a file each, and `catalogue` lists them."""
