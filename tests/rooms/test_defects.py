from __future__ import annotations

import pytest

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
