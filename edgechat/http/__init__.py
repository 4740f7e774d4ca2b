"""The HTTP side: the Quart-Trio app, and the bridge to Hypercorn that serves it."""
