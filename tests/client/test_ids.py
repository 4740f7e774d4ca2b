from __future__ import annotations

import pytest

from edgechat.chat.protocol import is_id
from edgechat.client.ids import REMEMBERED, Ids


def test_an_id_is_known_to_every_holder_of_the_key() -> None:
    first, second = Ids("secret"), Ids("secret")
    fresh = first.new()
    assert is_id(fresh)
    assert fresh in first
    assert fresh in second
    assert fresh not in Ids("another")
    assert first.new() != fresh


def test_without_a_key_each_process_is_its_own() -> None:
    first = Ids()
    assert first.new() in first
    assert first.new() not in Ids()


def test_derived_ids_are_the_same_in_each_process() -> None:
    assert Ids("secret").derived(7, "ab", 0) == Ids("secret").derived(7, "ab", 0)
    assert Ids("secret").derived(7, "ab", 0) in Ids("secret")
    different = {Ids("secret").derived(*parts) for parts in [(7, "ab", 0), (7, "ab", 1), (71, "b")]}
    assert len(different) == 3


@pytest.mark.parametrize("id", [None, "", "c1", "0" * 32, "é" * 32, "x" * 64])
def test_ids_of_others(id: str | None) -> None:
    assert id not in Ids("secret")


def test_chosen_ids_are_known_for_as_long_as_the_server_knows_them() -> None:
    ids = Ids()
    for number in range(REMEMBERED + 1):
        ids.remember(f"c{number}")
        ids.remember(f"c{number}")
    assert "c0" not in ids
    assert "c1" in ids
