"""Where a server listens: hosts, families, one port."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from edgechat.net import listening as listening_module
from edgechat.net.listening import ListenError, listen
from tests.serving.running import open_files


@contextmanager
def listening(hosts: str | Sequence[str]) -> Iterator[list[socket.socket]]:
    with ExitStack() as stack:
        yield [stack.enter_context(one) for one in listen(hosts, 0)]


def reaches(host: str, sockets: Sequence[socket.socket]) -> bool:
    try:
        socket.create_connection((host, sockets[0].getsockname()[1]), timeout=5).close()
    except OSError:
        return False
    return True


def has_ipv6() -> bool:
    try:
        with listening("::1"):
            return True
    except ListenError:
        return False


needs_ipv6 = pytest.mark.skipif(not has_ipv6(), reason="there is no IPv6 here")


def test_a_port_that_is_taken_leaves_no_socket_open() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        files = open_files()
        with pytest.raises(ListenError, match="address already in use"):
            listen(["127.0.0.2", "127.0.0.1"], taken.getsockname()[1])
        assert open_files() == files


def test_a_host_that_is_not_there_is_named() -> None:
    with pytest.raises(ListenError, match=r"listen on 192\.0\.2\.1 port"):
        listen(["127.0.0.1", "192.0.2.1"], 0)


def test_every_address_of_every_host_has_the_same_port() -> None:
    with listening(["localhost", "127.0.0.2", "127.0.0.2"]) as sockets:
        assert len({one.getsockname()[1] for one in sockets}) == 1
        assert not any(one.getblocking() for one in sockets)
        assert reaches("127.0.0.1", sockets)
        assert reaches("127.0.0.2", sockets)
        assert not reaches("127.0.0.3", sockets)


def test_a_port_that_the_system_chose_is_free_at_each_address(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It looks at one address: at another somebody had that port, and the server did not start."""
    real = listening_module._open
    with socket.create_server(("127.0.0.2", 0)) as taken:
        chosen = [taken.getsockname()[1]]

        def choose(one: socket.socket, address: str, port: int, *more: Any, **keys: Any) -> None:
            real(one, address, port or (chosen.pop() if chosen else 0), *more, **keys)

        monkeypatch.setattr(listening_module, "_open", choose)
        files = open_files()
        with listening(["127.0.0.1", "127.0.0.2"]) as sockets:
            assert len({one.getsockname()[1] for one in sockets}) == 1
            assert open_files() == files + 2
        assert chosen == []


def test_small_frames_do_not_wait_for_more() -> None:
    """Linux hands the option on to what is accepted."""
    with listening("127.0.0.1") as (listener,):
        with socket.create_connection(listener.getsockname()):
            listener.setblocking(True)
            accepted, _ = listener.accept()
        with accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) == 1


@needs_ipv6
@pytest.mark.parametrize("host", ["::", "*", ""])
def test_all_addresses_are_those_of_both_families(host: str) -> None:
    with listening(host) as sockets:
        assert len(sockets) == 1
        assert reaches("127.0.0.1", sockets)
        assert reaches("::1", sockets)


@needs_ipv6
@pytest.mark.parametrize("hosts", [("::", "0.0.0.0"), ("0.0.0.0", "::")])
def test_both_can_be_named(hosts: tuple[str, ...]) -> None:
    with listening(hosts) as sockets:
        assert len(sockets) == 2
        assert reaches("127.0.0.1", sockets)
        assert reaches("::1", sockets)


@needs_ipv6
def test_one_address_of_ipv6_is_no_more_than_that() -> None:
    with listening("::1") as sockets:
        assert not reaches("127.0.0.1", sockets)


def test_all_addresses_of_ipv4() -> None:
    with listening("0.0.0.0") as sockets:
        assert reaches("127.0.0.1", sockets)
        assert not reaches("::1", sockets)
