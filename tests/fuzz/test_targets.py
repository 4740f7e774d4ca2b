"""Any bytes, and pieces of good input in any order: nothing but a refusal may come of them."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from .seeds import SEEDS
from .targets import TARGETS

FIELD = re.compile(rb"(?:[\w-]+: [^\n]+\r?\n)+")


def inputs(name: str) -> st.SearchStrategy[bytes]:
    """Pieces of what is well-formed, with something else in between now and then."""
    pieces = st.sampled_from(SEEDS[name]) | st.binary(max_size=20)
    return st.binary(max_size=300) | st.lists(pieces, max_size=12).map(b"".join)


def heads() -> st.SearchStrategy[bytes]:
    """Requests that are whole: most get past the door."""
    lines = st.sampled_from([seed for seed in SEEDS["door"] if seed.endswith(b"HTTP/1.1\r\n")])
    hosts = st.just(b"Host: chat.example\r\n")
    headers = st.sampled_from(
        [seed for seed in SEEDS["door"] if FIELD.fullmatch(seed) and b"Host" not in seed]
    )
    fields = st.lists(headers, max_size=5, unique=True).map(b"".join)
    ends = st.sampled_from([b"\r\n", b"\n", b"\r\n0\r\n\r\n", b"\r\nhello"])
    return st.tuples(lines, hosts, fields, ends).map(b"".join)


@settings(max_examples=300)
@given(heads())
def test_what_stands_behind_the_door_reads_the_same(data: bytes) -> None:
    TARGETS["door"](data)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_but_a_refusal_comes_of_it(name: str) -> None:
    @settings(max_examples=300)
    @given(inputs(name))
    def any_input(data: bytes) -> None:
        TARGETS[name](data)

    any_input()


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_well_formed_passes(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)


def test_without_the_fuzzer_one_line_says_so() -> None:
    hidden = "import sys; sys.modules['atheris'] = None; import runpy; "
    hidden += "sys.argv[1:] = ['door']; runpy.run_module('tests.fuzz', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", hidden], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.splitlines() == ["fuzz: skipped, atheris is not installed here"]
