"""What nodes promise together, in some worlds: `python -m tests.simulation.nodes` plays more."""

from __future__ import annotations

from collections import Counter

from .world import run

WORLDS = 16


def test_promises_are_kept_in_these_worlds() -> None:
    tally = Counter[str]()
    for number in range(WORLDS):
        tally += run(f"world {number}").tally
    met = {what.removeprefix("action ") for what in tally if what.startswith("action ")}
    assert len(met) > 12, "few things happened"
    assert tally["worlds whose engine forgot"] > 2


def test_a_seed_tells_the_same_story_twice() -> None:
    for seed in ("one", "two"):
        first, second = run(seed), run(seed)
        assert first.actions == second.actions
        assert first.events == second.events


def test_a_list_of_actions_replays_what_was_invented() -> None:
    first = run("three")
    assert run("three", first.actions).events == first.events
