"""A class list as a CSV file, as spreadsheets and school programs write them. What stands in it is hostile text."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from engagement.errors import RosterError
from engagement.names import clean_name
from engagement.records import MAX_NAME_LENGTH, Consent

MAX_BYTES: Final = 1_000_000
MAX_ROWS: Final = 500

_DELIMITERS: Final = ",;\t"
_NAME: Final = frozenset(
    {"name", "full name", "fullname", "student", "student name", "display name", "participant", "nom complet"}
    | {"vollständiger name", "schüler", "schülerin", "nombre completo", "nome completo", "imię i nazwisko"}
)
_FIRST: Final = frozenset(
    {"first name", "firstname", "first", "given name", "given", "forename", "vorname", "prénom", "prenom"}
    | {"nombre", "nome", "voornaam", "imię", "имя"}
)
_LAST: Final = frozenset(
    {"last name", "lastname", "last", "surname", "family name", "family", "nachname", "familienname", "nom"}
    | {"apellido", "apellidos", "cognome", "achternaam", "nazwisko", "фамилия"}
)
_CONSENT: Final = frozenset(
    {"consent", "agreed", "agreement", "permission", "opt in", "einwilligung", "zustimmung", "einverständnis"}
    | {"consentement", "accord", "consentimiento", "consenso", "toestemming", "zgoda", "согласие"}
)
_ANSWERS: Final[Mapping[str, Consent | None]] = MappingProxyType(
    dict.fromkeys(
        (
            "agreed",
            "agree",
            "yes",
            "y",
            "true",
            "1",
            "x",
            "✓",
            "ok",
            "ja",
            "oui",
            "si",
            "sí",
            "sì",
            "tak",
            "да",
        ),
        Consent.AGREED,
    )
    | dict.fromkeys(
        ("refused", "refuse", "declined", "no", "n", "false", "0", "nein", "non", "nee", "nie", "нет"),
        Consent.REFUSED,
    )
    | dict.fromkeys(("unknown", "open", "pending", "?", "n/a"), Consent.UNKNOWN)
    | dict.fromkeys(("", "-", "–"), None)
)


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One student of a file.

    Attributes:
        line: of the file, from 1.
        name: cleaned.
        consent: None where the file says nothing.
        unclear: what it says about consent where that is not understood; `consent` is then refused.
    """

    line: int
    name: str
    consent: Consent | None
    unclear: str | None = None


@dataclass(frozen=True, slots=True)
class Remark:
    """What is to be said about one line of a file, from 1."""

    line: int
    text: str


@dataclass(frozen=True, slots=True)
class Roster:
    """A class list as it was read.

    Attributes:
        rows: the students, in the order of the file.
        left_out: lines that cannot be taken, and why.
        hints: lines that are taken and should be looked at.
        encoding: in which the file was written.
        with_consent: whether it has a column for consent.
    """

    rows: tuple[RosterRow, ...]
    left_out: tuple[Remark, ...]
    hints: tuple[Remark, ...]
    encoding: str
    with_consent: bool


def read_roster(data: bytes) -> Roster:
    """Read a CSV file with a column for names, or for first and last names, and perhaps one for consent.

    UTF-8, UTF-16 and Windows-1252 (Latin-1), separated by comma, semicolon or tab, with a line of headings; without
    one a file of one column is a list of names.

    Raises:
        RosterError: it is too large, empty, no text, damaged, or has no column for names.
    """
    if len(data) > MAX_BYTES:
        raise RosterError(
            f"The file has {len(data) / 1e6:.1f} MB, a class list has less than 1 MB: choose the CSV file of one class."
        )
    text, encoding = _decode(data)
    lines = _Lines(text)
    first = next(lines, None)
    if first is None:
        raise RosterError("The file is empty: a class list has a line of headings and one line per student.")
    columns = _columns(first[1])
    if columns is None and (len(first[1]) > 1 or lines.delimiter != "\n"):
        found = ", ".join(f"“{clean_name(cell, 24) or ''}”" for cell in first[1][:6])
        raise RosterError(
            f"Line {first[0]} names no column of names, it has {found}: call one column “name”, or two “first name” "
            "and “last name”."
        )
    rows: list[RosterRow] = []
    left_out: list[Remark] = []
    hints: list[Remark] = []
    seen: dict[str, int] = {}
    data_lines = lines if columns is not None else _with(first, lines)
    places = columns or _Columns((0,), None)
    for count, (line, cells) in enumerate(data_lines, 1):
        if count > MAX_ROWS:
            raise RosterError(
                f"The file has more than {MAX_ROWS} students, from line {line} on: choose the CSV file of one class."
            )
        read = _row(line, cells, places)
        if isinstance(read, Remark):
            left_out.append(read)
            continue
        if read.unclear is not None:
            hints.append(Remark(line, _guessed(read.name, read.unclear)))
        before = seen.setdefault(read.name.casefold(), line)
        if before != line:
            hints.append(
                Remark(line, f"“{read.name}” stands in line {before} too; two of one name are two students.")
            )
        rows.append(read)
    if not rows and not left_out:
        raise RosterError("The file has headings but no student below them.")
    return Roster(tuple(rows), tuple(left_out), tuple(hints), encoding, places.consent is not None)


@dataclass(frozen=True, slots=True)
class _Columns:
    """Which columns make up a name, in the order in which it is said, and which tells the consent."""

    name: tuple[int, ...]
    consent: int | None


class _Lines(Iterator[tuple[int, list[str]]]):
    """The lines that hold anything, each with its number in the file; `delimiter` is a line end where there is none."""

    def __init__(self, text: str) -> None:
        head, _, rest = text.partition("\n")
        self._before = 0
        if head.strip().lower().startswith("sep=") and len(head.strip()) == len("sep=,"):
            # Excel says so itself
            self.delimiter, text, self._before = head.strip()[-1], rest, 1
        else:
            start = text.lstrip()
            first = start[: start.find("\n")] if "\n" in start else start
            self.delimiter = max(_DELIMITERS, key=first.count)
            if not first.count(self.delimiter):
                self.delimiter = "\n"
        self._one_cell = self.delimiter == "\n"
        self._lines = text.splitlines() if self._one_cell else []
        self._at = 0
        self._reader = csv.reader(
            io.StringIO(text, newline=""),
            delimiter="," if self._one_cell else self.delimiter,
            strict=True,
        )

    def __next__(self) -> tuple[int, list[str]]:
        while True:
            line, cells = self._one_column() if self._one_cell else self._record()
            if any(clean_name(cell) for cell in cells):
                return line, cells

    def _one_column(self) -> tuple[int, list[str]]:
        if self._at >= len(self._lines):
            raise StopIteration
        self._at += 1
        cell = self._lines[self._at - 1].strip()
        if len(cell) > 1 and cell[0] == cell[-1] == '"':
            cell = cell[1:-1].replace('""', '"')
        return self._at + self._before, [cell]

    def _record(self) -> tuple[int, list[str]]:
        line = self._reader.line_num + 1 + self._before
        try:
            return line, next(self._reader)
        except csv.Error as error:
            raise RosterError(
                f"Line {line} cannot be read as CSV ({error}): look for a quotation mark that is not closed, or save "
                "the list as CSV once more."
            ) from error


def _with(
    first: tuple[int, list[str]], rest: Iterator[tuple[int, list[str]]]
) -> Iterator[tuple[int, list[str]]]:
    yield first
    yield from rest


def _decode(data: bytes) -> tuple[str, str]:
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        guesses = ["utf-16"]
    elif b"\x00" in data[:64]:
        guesses = ["utf-16-be" if data[:1] == b"\x00" else "utf-16-le"]
    else:
        guesses = ["utf-8-sig", "cp1252", "latin-1"]
    for encoding in guesses:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\x00" in text:
            break
        return text, {"utf-8-sig": "UTF-8", "cp1252": "Windows-1252", "latin-1": "Latin-1"}.get(
            encoding, "UTF-16"
        )
    raise RosterError(
        "The file is no text: save the list as CSV first (a workbook itself, such as .xlsx, cannot be read)."
    )


def _columns(headings: Sequence[str]) -> _Columns | None:
    """Which column is which, by the headings; None where none of them is known."""
    known: dict[str, int] = {}
    for place, cell in enumerate(headings):
        heading = (clean_name(cell.replace("_", " ").replace("-", " ")) or "").casefold().rstrip(" :*")
        for kind, words in (("name", _NAME), ("first", _FIRST), ("last", _LAST), ("consent", _CONSENT)):
            if heading in words:
                known.setdefault(kind, place)
    # "Vorname;Name": beside first names it is the last name
    last = known.get("last", known.get("name") if "first" in known else None)
    if "first" in known and last is not None:
        names: tuple[int, ...] = (known["first"], last)
    elif {"name", "last", "first"} & set(known):
        names = (known.get("name", known.get("last", known.get("first", 0))),)
    else:
        return None
    return _Columns(names, known.get("consent"))


def _row(line: int, cells: Sequence[str], columns: _Columns) -> RosterRow | Remark:
    parts = [cells[place] for place in columns.name if place < len(cells)]
    name = clean_name(" ".join(parts), limit=4 * MAX_NAME_LENGTH)
    if name is None:
        return Remark(line, "there is no name.")
    if len(name) > MAX_NAME_LENGTH:
        return Remark(line, f"the name has more than {MAX_NAME_LENGTH} characters: “{name[:24]}…”.")
    said = cells[columns.consent] if columns.consent is not None and columns.consent < len(cells) else ""
    word = (clean_name(said) or "").casefold()
    if word not in _ANSWERS:
        # left off the list they would be read, whatever "by letter of the mother" means
        return RosterRow(line, name, Consent.REFUSED, unclear=word)
    return RosterRow(line, name, _ANSWERS[word])


def _guessed(name: str, said: str) -> str:
    return (
        f"the consent of “{name}” is “{said[:24]}”, which is not understood: they are taken in as refused and not "
        "looked at. If they did not refuse, write agreed or unknown into the file first, or change it on the list."
    )
