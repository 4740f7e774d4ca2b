"""The browser client's files: compressed once, addressed by what is in them."""

from __future__ import annotations

import functools
import gzip
import hashlib
import mimetypes
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

_PAGE = "index.html"
_ANY_ORIGIN = {"Access-Control-Allow-Origin": "*"}
# A service worker reaches no higher than it is, and other sites know no version.
_AT_ROOT = ("sw.js", "manifest.webmanifest", "client.js", "client.d.ts", "embed.js")
_FOR_ALL = "embed.js"  # what it says on a site that is not allowed is that it is not
_TEXT = (".html", ".js", ".ts", ".css", ".svg", ".json", ".webmanifest", ".txt")
_UNSERVED = ("types.d.ts", "qrcode.d.ts", "SHA256SUMS")  # of use to developers only
_ROOM = ("main.js", "room.js")  # what a room's page begins with
_IMPORT = re.compile(rb'^(?:import|export) [^;]*? from "\./([\w-]+\.js)"', re.MULTILINE)
_TYPES = {
    "": "text/plain; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".ts": "application/typescript; charset=utf-8",
    ".webmanifest": "application/manifest+json",
}

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; manifest-src 'self'; worker-src 'self'; "
    "base-uri 'self'; form-action 'none'; frame-ancestors {ancestors}; "
    "require-trusted-types-for 'script'; trusted-types edgechat-sw"
)


class Asset(NamedTuple):
    """A file as it is sent."""

    body: bytes
    gzipped: bytes | None
    headers: dict[str, str]


class OldVersion(Exception):
    """A file of the page as it was before an upgrade, or on another server."""


class Assets:
    """All of `web/`. A changed file changes every asset's address, so they may be kept for ever.

    A page that was loaded before an upgrade must not get a mix of two versions: a file under the
    address of another version is not there.
    """

    def __init__(self, folder: Path, frame_ancestors: Sequence[str] = ()) -> None:
        """`frame_ancestors`: the origins that may show the page in a frame."""
        files = {
            str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file() and not path.name.endswith(_UNSERVED)
        }
        digest = hashlib.blake2b(digest_size=8)
        for name, body in files.items():
            digest.update(name.encode() + b"\0" + body)
        self.version = digest.hexdigest()
        self._files = files
        self._sites = " ".join(frame_ancestors)
        self._policy = _POLICY.format(ancestors=self._sites or "'none'")

    def front_page(self) -> Asset:
        """The page itself, never cached."""
        return self._page("./", ())

    def room_page(self) -> Asset:
        """The same, opened in a room, one step down.

        It asks for all its modules at once: else the browser would learn of them round by round.
        """
        return self._page("../", self._modules)

    @functools.cached_property
    def _modules(self) -> Sequence[str]:
        """What a room's page imports before it can be used."""
        found: dict[str, None] = dict.fromkeys(_ROOM)
        waiting = list(found)
        while waiting:
            imported = [name.decode() for name in _IMPORT.findall(self._files[waiting.pop()])]
            waiting += [name for name in imported if name not in found]
            found.update(dict.fromkeys(imported))
        return tuple(found)

    def _page(self, base: str, modules: Sequence[str]) -> Asset:
        links = "\n".join(
            f'<link rel="modulepreload" href="assets/{self.version}/{name}">' for name in modules
        )
        page = self._filled(_PAGE, base).replace(b"{{preload}}\n", links.encode())
        return _asset(_PAGE, page, "no-store", self._policy)

    def at_root(self, name: str) -> Asset | None:
        """A file that has to be at the root: always asked for again."""
        if name not in _AT_ROOT or name not in self._files:
            return None
        asset = _asset(name, self._filled(name, "./"), "no-cache", self._policy)
        return asset._replace(headers=asset.headers | _ANY_ORIGIN) if name == _FOR_ALL else asset

    def asset(self, version: str, name: str) -> Asset | None:
        """A file under its versioned address. Raises `OldVersion` for another version's."""
        if name not in self._files or name in (_PAGE, *_AT_ROOT):
            return None
        if version != self.version:
            raise OldVersion
        caching = "public, max-age=31536000, immutable"
        return _asset(name, self._files[name], caching, self._policy)

    def _filled(self, name: str, base: str) -> bytes:
        text = self._files[name]
        values = {"base": base, "version": self.version, "sites": self._sites}
        for key, value in values.items():
            text = text.replace(b"{{%b}}" % key.encode(), value.encode())
        return text


@functools.cache  # for the server, which tells the version, and for HTTP
def load_assets(frame_ancestors: tuple[str, ...]) -> Assets:
    """What is in `find_web()`, read once."""
    return Assets(find_web(), frame_ancestors)


def find_web() -> Path:
    """Where the client's files are: in the package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    inside = package / "web"
    return inside if inside.is_dir() else package.parent / "web"


@functools.cache  # compressed once, and not at the start (docs/decisions/0008-start.md)
def _asset(name: str, body: bytes, caching: str, policy: str) -> Asset:
    suffix = Path(name).suffix
    kind = _TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
    if kind in ("text/html", "text/css"):
        kind += "; charset=utf-8"
    headers = {
        "Content-Type": kind,
        "Cache-Control": caching,
        "Content-Security-Policy": policy,
        "Cross-Origin-Opener-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    gzipped = None
    if suffix in _TEXT:
        gzipped = gzip.compress(body, mtime=0)
        headers["Vary"] = "Accept-Encoding"
    return Asset(body, gzipped, headers)
