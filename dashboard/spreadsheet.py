"""A session as an Excel workbook. Text is written as text: nothing in it becomes a formula or a link."""

import io
import math
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Any, Final

import pandas as pd
import xlsxwriter
from xlsxwriter.workbook import Workbook

from dashboard.cells import harmless
from dashboard.material import Material
from dashboard.wording import MODES, clock, day, method, mode_meaning

_WIDEST: Final = 60
"""Characters; wider columns wrap."""
_NARROWEST: Final = 8
_SAMPLE: Final = 200
"""Rows looked at for the width of a column."""
_OPTIONS: Final = {
    # names of students are not for the disk, and "=1+1" is a name like any other
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "remove_timezone": False,
}


def workbook(
    material: Material,
    intervals: Iterable[Sequence[Any]],
    columns: Mapping[str, str],
    low_moments: Sequence[Mapping[str, str]],
    zone: tzinfo | None,
) -> bytes:
    """The sheets Summary, Intervals, Seats, Episodes, Low moments, Notes and Columns; those without rows have a header.

    Args:
        material: the session.
        intervals: the rows of the sheet Intervals, in the order of `columns`.
        columns: name and meaning of each column of Intervals; the sheet Columns says the same.
        low_moments: text per column, one row each.
        zone: of the times; None for the computer's own.
    """
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, _OPTIONS) as book:
        sheets = _Sheets(book)
        sheets.add("Summary", ("what", "value"), _summary(material, zone))
        sheets.add("Intervals", tuple(columns), intervals)
        sheets.add("Seats", ("seat", "name", "calibrated", *_states(material)), _seats(material))
        sheets.add(
            "Episodes",
            (
                "started_at_utc",
                "ended_at_utc",
                "seat",
                "name",
                "rule",
                "reason",
                "answer",
                "answered_at_utc",
            ),
            _episodes(material),
        )
        sheets.add(
            "Low moments",
            ("number", "start", "length", "change_of_mood", "note"),
            [[low["number"], low["start"], low["length"], low["size"], low["note"]] for low in low_moments],
        )
        sheets.add(
            "Notes",
            ("at_utc", "kind", "text", "edited_at_utc"),
            material.notes[["at", "kind", "text", "edited_at"]].itertuples(index=False),
        )
        sheets.add("Columns", ("column of Intervals", "meaning"), columns.items())
    return out.getvalue()


class _Sheets:
    """Writes tables with a bold header that stays in sight, a filter, and columns as wide as their text."""

    def __init__(self, book: Workbook) -> None:
        self._book = book
        self._head = book.add_format({"bold": True, "bottom": 1})
        self._wrapped = book.add_format({"text_wrap": True, "valign": "top"})

    def add(self, name: str, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
        sheet = self._book.add_worksheet(name)
        widths = [len(title) for title in header]
        sheet.write_row(0, 0, header, self._head)
        last = 0
        for last, row in enumerate(rows, start=1):
            for column, value in enumerate(row):
                cell = _cell(value)
                if cell is None:
                    continue
                if isinstance(cell, str):
                    sheet.write_string(last, column, cell)
                else:
                    sheet.write_number(last, column, cell)
                if last <= _SAMPLE:
                    widths[column] = max(widths[column], len(str(cell)))
        for column, width in enumerate(widths):
            sheet.set_column(
                column,
                column,
                min(max(width + 1, _NARROWEST), _WIDEST),
                self._wrapped if width >= _WIDEST else None,
            )
        sheet.freeze_panes(1, 0)
        if last:
            sheet.autofilter(0, 0, last, len(header) - 1)


def _cell(value: Any) -> str | float | None:
    """What a sheet can hold: text, a number, or nothing; times as ISO 8601, since a cell knows no time zone."""
    if value is None or value is pd.NA or value is pd.NaT:
        return None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, str):
        return harmless(value, parted=False) or None
    number = float(value)
    return number if math.isfinite(number) else None


def _summary(material: Material, zone: tzinfo | None) -> list[tuple[str, Any]]:
    session, summary = material.session, material.summary
    return [
        ("session", session.name),
        ("day", day(session.started_at, zone)),
        ("from", clock(session.started_at, zone)),
        ("to", clock(material.ended_at, zone)),
        ("source", session.source),
        ("mode", MODES[session.mode]),
        ("what the mode means", mode_meaning(session.mode, session.source)),
        *(("what happened", sentence) for sentence in summary.sentences),
        ("seats", summary.seats),
        ("observed, seconds", summary.seconds),
        ("not observed, seconds", summary.not_observed),
        ("coverage, 0..1", summary.coverage),
        ("mood, -1..1", summary.mood),
        ("facing, 0..1", summary.facing),
        ("method", method(session.interval, material.kept_interval)),
    ]


def _states(material: Material) -> list[str]:
    return [f"share_{state}" for state in material.seat_states().columns] if material.names else []


def _seats(material: Material) -> list[list[Any]]:
    if not material.names:
        return []
    shares = material.seat_states()
    return [
        [seat, name, int(seat in material.calibrated), *shares.loc[seat]]
        for seat, name in material.names.items()
    ]


def _episodes(material: Material) -> list[list[Any]]:
    return [
        [
            episode["started_at"],
            episode["ended_at"],
            episode["seat"],
            "the class" if pd.isna(episode["seat"]) else material.names.get(int(episode["seat"]), ""),
            episode["rule"],
            episode["reason"],
            None if pd.isna(episode["mark"]) else episode["mark"],
            episode["marked_at"],
        ]
        for episode in material.episodes.to_dict("records")
    ]
