from __future__ import annotations

import pytest

from edgechat.http.accept_encoding import accepts_gzip


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip", True),
        ("GZip", True),
        ("x-gzip", True),  # RFC 9110, 8.4.1.3: another name of it
        ("br, gzip", True),
        ("br,\tgzip ; q=0.5", True),
        ("gzip;Q=0.001", True),
        ("gzip;q=1.000", True),
        ("*", True),
        ("*;q=0.1", True),
        ("br;q=0.1, *", True),
        (", ,gzip,", True),
        ("identity;q=0.5, gzip", True),
        ("identity, gzip", True),
        ("", False),
        ("br", False),
        ("identity", False),
        ("x-gzipped", False),
        ("gzipped", False),
        ("gzip;q=0", False),
        ("gzip;q=0.000", False),
        ("gzip;q=0, *", False),
        ("x-gzip;q=0, *", False),
        ("*;q=0", False),
        ("identity, gzip;q=0.9", False),  # the plain file is liked better
        ("gzip;q=2", False),
        ("gzip;q=1.001", False),
        ("gzip;q=0.0001", False),
        ("gzip;q=-1", False),
        ("gzip;q=nan", False),
        ("gzip;level=9", False),
        ("gzip q=1", False),
        ('"gzip"', False),
    ],
)
def test_what_is_accepted(header: str, accepted: bool) -> None:
    assert accepts_gzip(header) is accepted
