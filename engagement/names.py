"""Names as participants type them: hostile text, cleaned once at the boundary."""

import unicodedata
from typing import Final

from engagement.records import MAX_NAME_LENGTH

_LONGEST_INPUT: Final = 1024
"""Characters looked at; one compatibility character may grow to 18, so the bound stands before the work."""

_MOST_MARKS: Final = 3
"""Combining marks kept on one character; every living script needs at most three, "Zalgo" text dozens."""

_INVISIBLE: Final = frozenset(
    "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # joiners and fillers that are letters to Unicode
) | {chr(code) for code in (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0))}


def clean_name(text: str, limit: int = MAX_NAME_LENGTH) -> str | None:
    """The name as it may be kept and shown, or None where nothing visible is left.

    Compatibility forms are folded (NFKC); control, bidirectional, zero-width, private and unassigned characters
    are dropped; blanks of any kind collapse to one space; at most `limit` characters remain. Cleaning
    twice gives the same as cleaning once. Each sink (HTML, charts, CSV) still has to escape it.
    """
    name = text[:_LONGEST_INPUT]
    while True:
        cleaned = _pass(name, limit)
        if cleaned == name:
            return cleaned or None
        name = cleaned


def _pass(text: str, limit: int) -> str:
    kept: list[str] = []
    marks = 0
    for character in unicodedata.normalize("NFKC", text):
        category = unicodedata.category(character)
        if character.isspace() or category.startswith("Z"):
            kept.append(" ")
            marks = 0
        elif category.startswith("C") or character in _INVISIBLE:
            continue
        elif category.startswith("M"):
            marks += 1
            if marks <= _MOST_MARKS:
                kept.append(character)
        else:
            kept.append(character)
            marks = 0
    return " ".join("".join(kept).split())[:limit].strip()
