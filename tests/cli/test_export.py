from __future__ import annotations

import csv
import io
import re
import resource
import subprocess
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from edgechat.chat.line import Record
from edgechat.cli.export import export
from edgechat.cli.formats import FORMATS, Csv, Markdown, Text
from edgechat.cli.grep import grep
from tests.cli.commands import arguments, edgechat, environment
from tests.serving.files import make_lines, write

NASTY = "<script>alert(1)</script> & \"q\" 's' \x1b[31m\u2028"


def run(command: object, *words: str | Path) -> Result:
    return CliRunner().invoke(command, [str(word) for word in words])  # type: ignore[arg-type]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Two public rooms, a private one, and a damaged line in `ops`."""
    folder = tmp_path / "data" / "rooms"
    write(folder / "public" / "lobby.jsonl", make_lines(3, "Straße <b>", ids=True))
    lines = make_lines(4, "disk full")
    lines[1] = lines[1].replace(b"disk", b"dusk")
    write(folder / "public" / "ops.jsonl", lines)
    write(folder / "private" / f"{'ab' * 32}.jsonl", make_lines(1, "secret"))
    return tmp_path / "data"


def record(message: str, name: str = "alice", seq: int = 1) -> Record:
    return Record(seq, 1_763_880_000_123, "", name, message, "c1")


def test_jsonl_is_byte_for_byte(data: Path) -> None:
    target = data / "out"
    run(export, "lobby", "--format", "jsonl", "--data", data, "-o", target)
    path = data / "rooms" / "public" / "lobby.jsonl"
    assert target.read_bytes().splitlines() == path.read_bytes().splitlines()[1:]


def test_a_damaged_line_is_named(data: Path) -> None:
    for kind, word in [
        ("jsonl", '{"seq":2,"kind":"lost"}\n'),
        ("txt", "(message 2 is damaged)\n"),
        ("md", "*(message 2 is damaged)*\n"),
        ("csv", "\r\n2,,,,\r\n"),
        ("html", '<p class="lost" id="m2">Message 2 is damaged.</p>\n'),
    ]:
        target = data / "out"
        done = run(export, "ops", "--format", kind, "--data", data, "-o", target)
        assert done.exit_code == 0
        assert word in target.read_bytes().decode()
        assert "dusk" not in target.read_text()


def test_text() -> None:
    assert Text().message(record("a\nb", "al\x1bice"), b"") == (
        "2025-11-23 06:40:00Z al\\x1bice: a\n    b\n"
    )


def test_markdown_is_escaped() -> None:
    page = Markdown()
    text = page.message(record("# *x* [a](b)\n1. <i>\n- `c`"), b"")
    assert text == (
        "\n## 2025-11-23\n\n**alice** 06:40:00  \n"
        "\\# \\*x\\* \\[a\\]\\(b\\)  \n1\\. \\<i\\>  \n\\- \\`c\\`\n"
    )
    assert "## " not in page.message(record("again"), b"")


def test_csv_has_no_formula_and_keeps_lines() -> None:
    table = Csv()
    rows = table.begin("") + table.message(record('=1+1,"a"\nb', "@x"), b"")
    assert list(csv.reader(io.StringIO(rows, newline=""))) == [
        ["seq", "time", "name", "message", "id"],
        ["1", "2025-11-23T06:40:00.123Z", "'@x", '\'=1+1,"a"\nb', "c1"],
    ]


class Page(HTMLParser):
    """The tags, attributes and texts of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.values: list[str] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.values += [f"{name}={value}" for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def test_the_page_has_no_script_and_escapes_all() -> None:
    html = FORMATS["html"]()
    text = html.begin(NASTY) + html.message(record(NASTY, NASTY), b"") + html.end()
    page = Page(text)
    assert set(page.tags) == {
        *("html", "head", "meta", "title", "style", "body", "h1", "h2"),
        *("article", "b", "time", "a", "p", "footer"),
    }
    assert not [value for value in page.values if re.match("on|src=|style=|href=[^#]", value)]
    assert not re.search("[\0-\x08\x0b-\x1f\x7f-\x9f]", text)
    assert page.texts.count(NASTY.replace("\x1b", "\N{REPLACEMENT CHARACTER}")) == 2
    policy = next(value for value in page.values if value.startswith("content=default-src 'none';"))
    style = re.search("<style>(.*)</style>", text, re.DOTALL)
    assert style
    digest = b64encode(sha256(style[1].encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}';" in policy
    assert "script-src" not in policy


def test_a_file_gets_its_format_by_its_name(data: Path, tmp_path: Path) -> None:
    for ending, begins in [("html", "<!DOCTYPE"), ("csv", "seq,"), ("log", "2025-"), ("MD", "# ")]:
        target = tmp_path / f"lobby.{ending}"
        target.write_text("old")
        assert run(export, "lobby", "-o", target, "--data", data).exit_code == 0
        assert target.read_text().startswith(begins)
    assert {path.name for path in tmp_path.iterdir()} == {
        *("data", "lobby.html", "lobby.csv", "lobby.log", "lobby.MD"),
    }


def test_what_is_no_file_is_not_replaced(data: Path) -> None:
    assert run(export, "lobby", "-o", "/dev/null", "--data", data).exit_code == 0
    assert Path("/dev/null").is_char_device()


def test_a_full_disk_leaves_the_old_file(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "out.txt"
    target.write_text("old")
    write(data / "rooms" / "public" / "lobby.jsonl", make_lines(2_000))
    done = subprocess.run(
        arguments("export", "lobby", "-o", target, "--data", data),
        capture_output=True,
        text=True,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000)),
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == f"Error: {target} can't be written: File too large."
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"data", "out.txt"}


async def test_standard_output(data: Path) -> None:
    done = await edgechat("export", "lobby", "--data", data)
    assert (done.status, done.out.count("\n")) == (0, 3)


async def test_wrong_arguments(data: Path) -> None:
    for words in [
        ("export", "nobody"),
        ("export", "a!"),
        ("export", "lobby", "--format", "pdf"),
        ("export", "lobby", "-o", str(data)),
        ("grep", " "),
        ("grep", "x", "nobody"),
    ]:
        done = await edgechat(*words, "--data", data)
        assert (done.status, done.out, len(done.err.splitlines())) == (2, "", 1), done


def test_grep_finds_all_words_in_any_case(data: Path) -> None:
    done = run(grep, "FULL disk", "--data", data)
    assert [line.partition(" ")[0] for line in done.stdout.splitlines()] == [
        *("ops:1:", "ops:3:", "ops:4:"),
    ]
    done = run(grep, "STRASSE", "--data", data)
    assert (done.exit_code, done.stdout.count("\n")) == (0, 3)
    assert done.stdout.endswith(" alice: 3 Straße <b>\n")
    assert run(grep, "full", "lobby", "--data", data).exit_code == 1
    done = run(grep, "secret", "ab" * 32, "--data", data)
    assert done.stdout.startswith("private abababab…:1: ")


def test_grep_for_programs(data: Path) -> None:
    done = run(grep, "3", "lobby", "--json", "--data", data)
    line = (data / "rooms" / "public" / "lobby.jsonl").read_bytes().splitlines()[3]
    assert done.stdout_bytes == b'{"room":"lobby",' + line[1:] + b"\n"
