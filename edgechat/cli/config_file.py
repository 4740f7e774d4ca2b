"""`--config FILE`: settings in TOML, each under its option's name: `max-rooms = 100`.

What a flag or a variable says counts more. Whatever the file has that is wrong is told with its
line: a setting that is misspelt must not be passed over.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn

import click
import msgspec

from edgechat.cli.values import Number, Workers

_AT = re.compile(r"(.*) \(at (?:line (\d+)|end of document).*\)", re.DOTALL)  # tomllib's errors
_WORDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text in quotes",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
}
_PATH = re.compile(r"(.*) - at `\$\.([\w-]+).*`", re.DOTALL)  # msgspec's


def _load(ctx: click.Context, param: click.Parameter, path: Path | None) -> Path | None:
    """Make the file's values the defaults of all other options."""
    if path is not None:
        ctx.default_map = ConfigFile(path).read(ctx.command.params)
    return path


CONFIG = click.Option(
    ["--config"],
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    envvar="EDGECHAT_CONFIG",
    is_eager=True,
    callback=_load,
    metavar="FILE",
    help="A TOML file of settings, each under its option's name: max-rooms = 100. Flags and "
    "variables count more. On SIGHUP it is read again.",
)


class ConfigFile:
    """One file, and where in it each key stands."""

    def __init__(self, path: Path) -> None:
        """Raises `click.UsageError` where it can't be read."""
        self._path = path
        try:
            self._text = path.read_text("utf-8")
        except OSError as error:
            raise click.UsageError(f"{path} can't be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise click.UsageError(f"{path} is not UTF-8.") from None

    def read(self, params: Iterable[click.Parameter]) -> dict[str, Any]:
        """Its values by the parameters' names, checked. Raises `click.UsageError`."""
        known = {name_of(param): param for param in params if is_setting(param)}
        table = self._table()
        for key in table:
            if key not in known:
                self._fail(key, f"{key} is not a setting{_hint(key, known)}")
        try:
            msgspec.convert(table, _shape(known))
        except msgspec.ValidationError as error:
            key, text = _where_and_what(error)
            self._fail(key, f"{key}: {text}")
        return {known[key].name or "": self._value(known[key], table[key]) for key in table}

    def line(self, param: click.Parameter) -> str:
        """Where it is set: `edgechat.toml, line 3`."""
        return self._where(name_of(param))

    def _table(self) -> dict[str, Any]:
        import tomllib  # only where there is a file: a start should be quick

        try:
            return tomllib.loads(self._text)
        except tomllib.TOMLDecodeError as error:
            found = _AT.fullmatch(str(error))
            what = found[1] if found else str(error)
            line = (found and found[2]) or len(self._text.splitlines())
            raise click.UsageError(f"{self._path}, line {line}: not TOML: {what}.") from None

    def _value(self, param: click.Parameter, value: Any) -> Any:
        """As the option would have it: one that may be repeated has a list."""
        values = value if isinstance(value, list) else [value]
        try:
            made = [param.type.convert(each, param, None) for each in values]
        except click.BadParameter as error:
            self._fail(name_of(param), f"{name_of(param)}: {error.message}")
        return made if param.multiple else made[0]

    def _fail(self, key: str, text: str) -> NoReturn:
        raise click.UsageError(f"{self._where(key)}: {text}")

    def _where(self, key: str) -> str:
        bare = re.escape(key)
        pattern = rf"""^[ \t]*(?:\[+[ \t]*)?["']?{bare}["']?[ \t]*[=.\]]"""
        found = re.search(pattern, self._text, re.MULTILINE)
        line = f", line {self._text.count(chr(10), 0, found.end()) + 1}" if found else ""
        return f"{self._path}{line}"


def is_setting(param: click.Parameter) -> bool:
    """Whether a file may have it: all options that are variables, but for the file itself.

    One that is hidden is a variable only.
    """
    is_hidden = isinstance(param, click.Option) and param.hidden
    return isinstance(param.envvar, str) and param is not CONFIG and not is_hidden


def name_of(param: click.Parameter) -> str:
    """The option as a file has it: `max-rooms`."""
    return param.opts[0].removeprefix("--")


def _shape(known: Mapping[str, click.Parameter]) -> type[msgspec.Struct]:
    """What a file may have: the kind of each value. `convert` holds it to the ranges."""
    fields = [
        (key.replace("-", "_"), _kind(param) | msgspec.UnsetType, msgspec.UNSET)
        for key, param in known.items()
    ]
    return msgspec.defstruct("Config", fields, rename="kebab", forbid_unknown_fields=True)


def _kind(param: click.Parameter) -> Any:
    one = param.type.kind if isinstance(param.type, Number) else str
    if isinstance(param.type, Workers):
        return one | str
    return one | list[one] if param.multiple else one  # type: ignore[valid-type]


def _where_and_what(error: msgspec.ValidationError) -> tuple[str, str]:
    found = _PATH.fullmatch(str(error))
    return (found[2], f"{_plain(found[1])}.") if found else ("", str(error))


def _plain(text: str) -> str:
    """What msgspec says, in TOML's words."""
    text = text[:1].lower() + text[1:].replace("`", "").replace(" | ", " or ")
    for theirs, ours in _WORDS.items():
        text = re.sub(rf"\b{theirs}\b", ours, text)
    return text


def _hint(key: str, known: Mapping[str, object]) -> str:
    from difflib import get_close_matches  # seldom needed

    near = get_close_matches(key.lower().replace("_", "-"), known, n=1)
    return f": did you mean {near[0]}?" if near else ": `edgechat config` lists them."
