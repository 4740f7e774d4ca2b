"""One table of closes and one of refusals; the page and the document say what they say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

from edgechat.chat.errors import (
    CLOSES,
    REFUSALS,
    Close,
    Code,
    Refusal,
    RefusalRule,
    Return,
    after_close,
)
from edgechat.chat.message import check_message
from edgechat.chat.names import user_name
from edgechat.chat.protocol import parse, say

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "protocol.md").read_text()
CODES: tuple[Code, ...] = get_args(Code)
# What the page calls it: it backs off with jitter and resumes in any case.
IN_THE_PAGE = {Return.NEVER: "never", Return.CHANGED: "never", Return.LATER: "later"}


def test_the_tables_are_complete() -> None:
    assert set(CLOSES) == set(Close)
    assert set(REFUSALS) == set(CODES)


@pytest.mark.parametrize("code", [1005, 1006, 1001, 3000, 4999])
def test_an_unknown_close_is_tried_again(code: int) -> None:
    assert after_close(code) is Return.BACK_OFF


def test_who_may_come_back() -> None:
    never = {Close.PROTOCOL_ERROR, Close.INVALID_DATA, Close.POLICY, Close.TOO_BIG}
    assert {code for code in Close if not after_close(code).is_allowed} == never


@pytest.mark.parametrize(("code", "rule"), REFUSALS.items())
def test_nobody_is_sent_away_for_what_passes(code: Code, rule: RefusalRule) -> None:
    closes = {rule.close, rule.may_close} - {None}
    assert not rule.passes or all(CLOSES[close].client.is_allowed for close in closes if close)


@pytest.mark.parametrize(
    "refused",
    [
        lambda: user_name("x" * 33, 32),
        lambda: user_name(" ", 32),
        lambda: user_name("a\nb", 32),
        lambda: check_message(say("x" * 21), 20),
        lambda: check_message(say(" "), 20),
        lambda: check_message(say("\x07"), 20),
        lambda: parse("[]"),
    ],
)
def test_the_server_refuses_as_the_table_says(refused: object) -> None:
    assert callable(refused)
    with pytest.raises(Refusal) as caught:
        refused()
    assert caught.value.close == REFUSALS[caught.value.code].close


# The document.


def rows(first_heading: str) -> Iterator[list[str]]:
    """The cells of the table whose first column has this heading."""
    _, found, table = DOCUMENT.partition(f"\n| {first_heading} |")
    assert found, f"the document has no table of {first_heading}"
    lines = table.split("\n\n")[0].splitlines()[2:]
    for line in lines:
        yield [cell.strip() for cell in line.strip("| ").split(" | ")]


def test_the_document_has_the_closes() -> None:
    told = {
        Close(int(code)): (meaning, client)
        for codes, meaning, client in rows("close")
        for code in codes.split(", ")
    }
    assert set(told) == set(CLOSES)
    for code, rule in CLOSES.items():
        meaning, client = told[code]
        assert rule.meaning in meaning, code
        assert client.removesuffix(", if it did not mean to leave") == rule.client.value, code


def test_the_document_has_the_refusals() -> None:
    told = {code.strip("`"): more for code, *more in rows("code in `error`")}
    assert set(told) == set(REFUSALS)
    for code, rule in REFUSALS.items():
        _, then, status = told[code]
        closes = {int(number) for number in re.findall(r"close (\d+)", then)}
        assert closes == {rule.close, rule.may_close} - {None}, code
        assert then.startswith("stays open") == (rule.close is None), code
        assert ("passes by itself" in then) == rule.passes, code
        assert int(status) == rule.status, code


# The page: whichever of its files decides by close codes, in a `switch`.


def cases(sample: str) -> dict[str, str]:
    """Each `case` of the page's `switch` that has `sample`, and the word it returns."""
    switch = re.compile(rf"switch \(\w+\) \{{(?:(?!\n  \}}).)*case {sample}:.*?\n  \}}", re.DOTALL)
    found = [match for file in (ROOT / "web").glob("*.js") for match in switch.findall(_code(file))]
    assert len(found) == 1, f"{len(found)} places in the page decide by {sample}"
    answers: dict[str, str] = {}
    for labels, answer in re.findall(r'((?:(?:case [^:]+|default):\s*)+)return "(\w+)"', found[0]):
        for label in re.findall(r'case "?(\w+)"?:|(default):', labels):
            answers["".join(label)] = answer
    return answers


def _code(file: Path) -> str:
    """A file without its comments at the end of a line."""
    return re.sub(r"\s// .*", "", file.read_text())


def test_the_page_comes_back_as_the_table_says() -> None:
    page = cases("1008")
    for code, rule in CLOSES.items():
        answer = page.get(str(code.value), page["default"])
        assert answer == IN_THE_PAGE.get(rule.client, "soon"), code


def test_the_page_waits_for_what_passes() -> None:
    page = cases('"rate_limited"')
    waited_for = {code for code in CODES if page.get(code, page["default"]) == "wait"}
    assert waited_for == {code for code, rule in REFUSALS.items() if rule.passes}
