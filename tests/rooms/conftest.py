"""A test fails when a defect was logged that it did not ask for.

Each runs twice: where an append is quick, so that it is done in a turn, and where it waits.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .fakes import FakeStorage


@pytest.fixture
def defects(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    """For a test that causes a defect."""
    return caplog


@pytest.fixture(autouse=True)
def _no_defects(request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    yield
    if "defects" not in request.fixturenames:
        assert [record for record in caplog.get_records("call") if record.exc_info] == []


@pytest.fixture(autouse=True, params=["quick", "slow"])
def _storage(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(FakeStorage, "waits", request.param == "slow")
