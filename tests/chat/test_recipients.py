from __future__ import annotations

from itertools import product

from edgechat.chat.recipients import Recipients


def test_everybody_hears_everything_in_order() -> None:
    stream: Recipients[str] = Recipients()
    for frame in (b"1", b"2", b"3"):
        stream.broadcast(frame)
    assert stream.for_all() == b"123"
    assert stream.for_some() == {}


def test_one_is_told_more_at_that_place() -> None:
    stream: Recipients[str] = Recipients()
    stream.send_to("a", b"<")
    stream.broadcast(b"1")
    stream.send_to("a", b"+")
    stream.send_to("b", b"-")
    stream.broadcast(b"2")
    stream.send_to("a", b">")
    assert stream.for_all() == b"12"
    assert stream.for_some() == {"a": b"<1+2>", "b": b"1-2"}


def test_a_newcomer_hears_what_comes_after_its_start() -> None:
    stream: Recipients[str] = Recipients()
    stream.broadcast(b"1")
    stream.send_to("a", b"backlog")
    stream.start("a")
    stream.broadcast(b"2")
    stream.send_to("a", b"ready")
    stream.broadcast(b"3")
    assert stream.for_some() == {"a": b"backlog2ready3"}


def test_every_order_of_six_steps_against_a_reader_written_out() -> None:
    for steps in product(("all", "one", "start"), repeat=6):
        stream: Recipients[str] = Recipients()
        heard, extra, started = b"", False, "start" not in steps
        for at, step in enumerate(steps):
            word = b"%d" % at
            if step == "all":
                stream.broadcast(word)
                heard += word if started else b""
            elif step == "one":
                stream.send_to("a", word)
                heard += word
                extra = True
            elif not started:
                stream.start("a")
                started = extra = True
        blob = stream.for_some().get("a", stream.for_all())
        if steps.count("start") <= 1:
            assert blob == heard, steps
            assert ("a" in stream.for_some()) is extra
