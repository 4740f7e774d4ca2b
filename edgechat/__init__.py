"""EdgeChat: live chat rooms that people own."""

__version__ = "0.1.0"
