from __future__ import annotations

import pytest
import trio
import trio.testing

from edgechat.rooms.defects import contain, statistics


def test_a_defect_is_logged_with_its_traceback_and_counted(
    defects: pytest.LogCaptureFixture,
) -> None:
    before = statistics().get("a test", 0)
    with contain("a test"):
        raise RuntimeError("a defect")
    assert statistics()["a test"] == before + 1
    (record,) = defects.get_records("call")
    assert record.getMessage() == "A defect ended a test."
    assert record.exc_info is not None


def test_nothing_else_is_contained() -> None:
    with pytest.raises(KeyboardInterrupt), contain("a test"):
        raise KeyboardInterrupt


async def test_a_defect_that_comes_with_a_cancellation_is_contained(
    defects: pytest.LogCaptureFixture,
) -> None:
    """The two are one group, which is no `Exception`: it ended the server when it stopped."""

    async def fail_at_its_end() -> None:
        try:
            await trio.sleep_forever()
        finally:
            raise RuntimeError("a defect")

    before = statistics().get("a test", 0)
    with trio.CancelScope() as scope:
        with contain("a test"):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(fail_at_its_end)
                nursery.start_soon(trio.sleep_forever)
                await trio.testing.wait_all_tasks_blocked()
                scope.cancel()
        pytest.fail("the cancellation ended with the block")
    assert scope.cancelled_caught
    assert statistics()["a test"] == before + 1
    assert "A defect ended a test." in defects.text
