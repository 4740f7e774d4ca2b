"""The benchmark: a load generator, the peers, and the workloads. `python -m bench --help`.

Everything here but the peers needs nothing beyond the standard library.
"""
