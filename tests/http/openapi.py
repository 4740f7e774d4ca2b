"""`docs/openapi.yaml`, read; and whether an answer is one that it names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tests.serving.running import Answer

PATH = Path(__file__).parents[2] / "docs" / "openapi.yaml"
DOCUMENT: dict[str, Any] = json.loads(PATH.read_bytes())
METHODS = ("get", "head", "options", "post")
DOOR = "any"  # in the place of a path and a method


class Said(NamedTuple):
    """Something that the document says a request may be answered with. No code: no error."""

    path: str
    method: str
    status: int
    code: str = ""


def resolve(part: dict[str, Any]) -> dict[str, Any]:
    """What a `$ref` leads to; else the part itself."""
    while "$ref" in part:
        found = DOCUMENT
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
        part = found
    return part


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DOCUMENT["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def said() -> set[Said]:
    """All that it says."""
    door = DOCUMENT["components"]["responses"]["Door"]
    found = {
        Said(DOOR, DOOR, int(status), code)
        for status, codes in door["x-codes"].items()
        for code in codes
    }
    for path, method, operation in operations():
        for status, response in operation["responses"].items():
            if status != "default":
                for code in codes_of(resolve(response)) or [""]:
                    found.add(Said(path, method, int(status), code))
    return found


def codes_of(response: dict[str, Any]) -> list[str]:
    """The codes of an error; none of another answer."""
    schema = response.get("content", {}).get("application/json", {}).get("schema", {})
    codes: list[str] = [
        code
        for part in schema.get("allOf", ())
        for code in part.get("properties", {}).get("code", {}).get("enum", ())
    ]
    return codes


def path_of(target: str) -> str | None:
    """The document's path for a target."""
    bare = target.partition("?")[0]
    fixed = [path for path in DOCUMENT["paths"] if path == bare]
    for path in [*fixed, *DOCUMENT["paths"]]:
        pattern = re.sub(r"\{\w+\}", "[^/]+", path)
        if re.fullmatch(pattern, bare):
            return str(path)
    return None


def check(method: str, target: str, answer: Answer) -> Said:
    """Hold an answer to the document; returns what it is in it."""
    path = path_of(target)
    operation = DOCUMENT["paths"].get(path, {}).get(method.lower())
    code = _code(answer)
    if operation is None or str(answer.status) not in operation["responses"]:
        door = DOCUMENT["components"]["responses"]["Door"]
        assert code in door["x-codes"][str(answer.status)], (method, target, answer)
        fits(json.loads(answer.body), _schema(door, "application/json"))
        return Said(DOOR, DOOR, answer.status, code)
    assert path is not None
    response = resolve(operation["responses"][str(answer.status)])
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if method != "HEAD" and "content" in response:
        assert kind in response["content"] or "*/*" in response["content"], (target, kind)
        if kind == "application/json":
            try:
                fits(json.loads(answer.body), _schema(response, kind))
            except AssertionError:  # a code that the door has in common with this status
                assert code in _door_codes(answer.status), (method, target, answer)
                return Said(DOOR, DOOR, answer.status, code)
        elif kind == "text/plain":
            fits(answer.body.decode(), _schema(response, kind))
    elif method != "HEAD":
        assert answer.body == b"", (method, target)
    for name in response.get("headers", {}):
        if name not in ("EdgeChat-Next", "EdgeChat-Since"):  # they are there where it is known
            assert name.lower() in answer.headers, (target, name)
    return Said(path, method.lower(), answer.status, "" if method == "HEAD" else code)


def _door_codes(status: int) -> list[str]:
    codes: list[str] = DOCUMENT["components"]["responses"]["Door"]["x-codes"].get(str(status), [])
    return codes


def _schema(response: dict[str, Any], kind: str) -> dict[str, Any]:
    schema: dict[str, Any] = response["content"][kind]["schema"]
    return schema


def _code(answer: Answer) -> str:
    if answer.status < 400 or not answer.body:
        return ""
    body = json.loads(answer.body)
    assert set(body) == {"error", "code"}, answer
    return str(body["code"])


TYPES = {"object": dict, "array": list, "string": str, "integer": int}
KNOWN = {
    "$ref",
    "additionalProperties",
    "allOf",
    "const",
    "description",
    "enum",
    "items",
    "maxLength",
    "maximum",
    "minLength",
    "minimum",
    "pattern",
    "properties",
    "required",
    "type",
}


def fits(value: Any, schema: dict[str, Any]) -> None:
    """Fail where a value is not one of a JSON schema, as far as the document uses them."""
    schema = resolve(schema)
    assert schema.keys() <= KNOWN
    if "type" in schema:
        assert isinstance(value, TYPES[schema["type"]]), (value, schema)
    assert value in schema.get("enum", [value]), (value, schema)
    assert value == schema.get("const", value), (value, schema)
    if isinstance(value, str):
        assert schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", 10**9), value
        assert re.search(schema.get("pattern", ""), value), (value, schema)
    if isinstance(value, int):
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), value
    for part in schema.get("allOf", ()):
        fits(value, part)
    if isinstance(value, dict):
        properties = schema.get("properties", {})
        assert set(schema.get("required", ())) <= value.keys(), (value, schema)
        if not schema.get("additionalProperties", True):
            assert value.keys() <= properties.keys(), (value, schema)
        for name, part in properties.items():
            if name in value:
                fits(value[name], part)
    for each in value if isinstance(value, list) else ():
        fits(each, schema.get("items", {}))
