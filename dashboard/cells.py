"""What a text becomes in a cell of a table that somebody opens in a spreadsheet."""

import re
from typing import Final

_FORMULA_STARTS: Final = tuple("=+-@\t\r\n＝＋－＠")
_FORMULA_INSIDE: Final = re.compile(r"([;,|\t\r\n][ \"]*)(?=[=+\-@＝＋－＠])")


def harmless(text: str, *, parted: bool) -> str:
    """A text that no spreadsheet takes for a formula: one that starts like one gets an apostrophe in front (OWASP, CSV
    injection). A workbook marks its cells as text besides, but what it holds may be copied or saved elsewhere.

    Args:
        text: of the cell.
        parted: whether whoever reads the file may part cells elsewhere than meant, as spreadsheets of many countries do
            with a CSV file at a semicolon: what follows such a character gets an apostrophe too.
    """
    if parted:
        text = _FORMULA_INSIDE.sub(r"\1'", text)
    return f"'{text}" if text.startswith(_FORMULA_STARTS) else text
