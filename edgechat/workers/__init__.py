"""Several processes for one server: a front that accepts, and workers that have the rooms."""
