"""The promises, in worlds that Hypothesis makes up and makes smaller."""

from __future__ import annotations

from hypothesis import HealthCheck, given, note, settings
from hypothesis import strategies as st

from . import actions
from .actions import CALLS, CLIENTS, ELSEWHERE, Action
from .world import Failure, World, run

_CLIENT = st.integers(0, CLIENTS - 1)
_CALLS = st.integers(0, 40)
_SAY = st.builds(actions.Say, _CLIENT, st.sampled_from((1, 3, 12)))
_WAIT = st.builds(actions.Wait, st.sampled_from(actions.PAUSES))
_ACTION: st.SearchStrategy[Action] = st.one_of(
    *[_SAY] * 5,  # more often than the others
    *[_WAIT] * 3,
    st.builds(actions.Cut, _CLIENT, st.sampled_from(actions.NOTICES)),
    st.builds(actions.Come, _CLIENT),
    st.builds(actions.Go, _CLIENT),
    st.builds(actions.Repeat, _CLIENT),
    st.builds(actions.Conflict, _CLIENT),
    st.builds(actions.Type, _CLIENT),
    st.builds(actions.Visit, st.integers(0, len(ELSEWHERE) - 1)),
    st.builds(actions.Swallow, _CLIENT),
    st.builds(actions.Stall, _CLIENT, st.booleans()),
    st.builds(actions.Restart),
    st.builds(actions.Crash, _CALLS),
    st.builds(actions.PowerLoss, _CALLS),
    st.builds(
        actions.Fail,
        st.integers(0, len(CALLS) - 1),
        st.sampled_from(actions.ERRORS),
        st.sampled_from(actions.TIMES),
    ),
    st.builds(actions.Heal),
    st.builds(actions.Jump, st.sampled_from(actions.JUMPS)),
)


# With the next some 30 s: `make simulate N=…` goes on where they end.
@settings(
    max_examples=120,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(seed=st.integers(0, 2**32), story=st.lists(_ACTION, min_size=8, max_size=50))
def test_promises_are_kept_whatever_happens(seed: int, story: list[Action]) -> None:
    world = World(f"hypothesis {seed}", story, 0)
    try:
        world.run()
    except Failure:
        note("\n".join(world.story.events))
        raise


def test_promises_are_kept_in_these_worlds() -> None:
    """Hypothesis looks for short stories; these are long, and more of them come to a point."""
    for number in range(150):
        run(f"world {number}")


def test_a_seed_tells_the_same_story_twice() -> None:
    for seed in ("one", "two", "three"):
        first, second = run(seed), run(seed)
        assert first.actions == second.actions
        assert first.events == second.events


def test_a_list_of_actions_replays_what_was_invented() -> None:
    first = run("four")
    assert run("four", first.actions).events == first.events
