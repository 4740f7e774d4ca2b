"""Which characters show something: names and messages that nobody can see are refused.

Sources: Unicode's `Default_Ignorable_Code_Point` (DerivedCoreProperties.txt, Unicode 15), its
noncharacters, and the few letters and symbols whose glyph is a blank. Characters that Unicode has
not assigned are taken as visible: a new emoji may be newer than this Python.
"""

from __future__ import annotations

import re
import unicodedata

# Without a glyph of their own. Joiners, variation selectors and tags change their neighbours.
_IGNORED = (
    "\u00ad\u034f\u061c\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\ufff0-\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff\ufdd0-\ufdef"
)
# Hangul fillers and the empty braille cell: a letter or symbol to Unicode, a blank to the eye.
_BLANK_GLYPHS = "\u115f\u1160\u2800\u3164\uffa0"
_OBJECT = "\ufffc-\ufffd"  # two of the range above that do have a glyph

_VISIBLE = re.compile(rf"[{_OBJECT}]|[^\s\x00-\x1f\x7f-\x9f{_IGNORED}{_BLANK_GLYPHS}]")
_HIDDEN = re.compile(rf"(?![{_OBJECT}])[{_IGNORED}{_BLANK_GLYPHS}]")

_JOINERS = "\u200c\u200d"
_VIRAMA = 9  # the canonical combining class of what joins the consonants of Indic scripts
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")  # England, Scotland, Wales
_KEYCAP = "\u20e3"
_IDEOGRAPHIC_SELECTORS = range(0xE0100, 0xE01F0)
_MONGOLIAN = range(0x1820, 0x18AB)


def shows_nothing(text: str) -> bool:
    """Whether a reader of `text` would see nothing at all."""
    return _VISIBLE.search(text) is None


def has_hidden(name: str) -> bool:
    """Whether a name has a character that can't be seen where it stands.

    Such a name looks like another one. Joiners stay where a script or an emoji needs them, and
    variation selectors after what they vary.
    """
    name = _FLAG.sub("\U0001f3f4", name)
    return any(
        not _does_something(character.group(), name[: character.start()], name[character.end() :])
        for character in _HIDDEN.finditer(name)
    )


def _does_something(character: str, before: str, after: str) -> bool:
    if not before:
        return False
    last, following = before[-1], after[:1]
    if character in _JOINERS:
        return _joins(character, before, following)
    if character in "\ufe0e\ufe0f":  # text or emoji
        return unicodedata.category(last) in ("So", "Sm", "Po") or following == _KEYCAP
    if ord(character) in _IDEOGRAPHIC_SELECTORS:
        return unicodedata.name(last, "").startswith("CJK ")
    return character in "\u180b\u180c\u180d\u180e\u180f" and ord(last) in _MONGOLIAN


def _joins(character: str, before: str, following: str) -> bool:
    """Whether a joiner shows between these (Unicode Standard Annex 31, section 2.3).

    Next to a virama; between Arabic letters; and the emoji's own between two emoji.
    """
    last = before[-1]
    if unicodedata.combining(last) == _VIRAMA:
        return True
    if not following:
        return False
    if unicodedata.combining(following) == _VIRAMA:
        return True
    letter = next((each for each in reversed(before) if not unicodedata.combining(each)), "")
    if _is_arabic(letter) and _is_arabic(following):
        return True
    return character == "\u200d" and _is_emoji(last) and unicodedata.category(following) == "So"


def _is_arabic(letter: str) -> bool:
    return letter != "" and unicodedata.bidirectional(letter) == "AL"


def _is_emoji(last: str) -> bool:
    """A symbol, or what may end one: a variation selector, or a skin tone (which is a `Sk`)."""
    return last == "\ufe0f" or unicodedata.category(last) in ("So", "Sk")
