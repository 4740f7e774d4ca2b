"""The figures of a run as tables, a chart, and verdicts on the targets."""
