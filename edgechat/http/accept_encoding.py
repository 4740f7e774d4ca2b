"""Which content coding a client accepts (RFC 9110, section 12.5.3)."""

from __future__ import annotations

import re

# A coding and its weight. What does not fit is no offer at all.
_OFFER = re.compile(
    r"""[ \t]* ([!#$%&'*+.^_`|~0-9a-z-]+)
    (?: [ \t]*;[ \t]* q= (0(?:\.[0-9]{0,3})? | 1(?:\.0{0,3})?) )? [ \t]*""",
    re.IGNORECASE | re.VERBOSE,
)


def accepts_gzip(header: str) -> bool:
    """Whether the client takes gzip, and likes it no less than the plain file.

    `header` is the value of `Accept-Encoding`; several lines of it are joined by commas.
    """
    weights = {
        offer[1].lower(): float(offer[2] or 1)
        for element in header.split(",")
        if (offer := _OFFER.fullmatch(element))
    }
    others = weights.get("*", 0.0)
    gzip = max(weights.get("gzip", -1.0), weights.get("x-gzip", -1.0))  # one coding, two names
    if gzip < 0:
        gzip = others
    return gzip > 0 and gzip >= weights.get("identity", 0.0)
