"""Names in texts that are not a student's own rows: found to be told, and taken out when they are erased."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Text, select, update
from sqlalchemy import cast as cast_as

from storage.schema import (
    MAX_SOURCE_LENGTH,
    ClassListTable,
    EpisodeTable,
    HeartbeatTable,
    SessionTable,
    StudentTable,
)

_SOMEBODY: Final = "a student"
"""What stands in the texts of others in place of a name that was erased."""

_SHORT: Final = 4
"""Letters of a name that may be a common word."""


@dataclass(frozen=True, slots=True)
class Mention:
    """A text of a class that holds one of the names.

    Attributes:
        where: in words, such as `what was watched in session 3`.
        text: as it is kept.
        typed: whether the teacher typed it; else classpulse took it from the screen.
        column: of the table that holds it.
        key: of its row.
    """

    where: str
    text: str
    typed: bool
    column: Any
    key: int | str


def whole_words(words: Iterable[str]) -> re.Pattern[str]:
    """Finds any of the words where it stands as a word of its own, whatever its capitals; a short one as it is written,
    since "Min" is a name and "3 min" is none."""
    longest_first = sorted(words, key=len, reverse=True)
    found = (re.escape(one) if len(one) <= _SHORT else f"(?i:{re.escape(one)})" for one in longest_first)
    return re.compile(rf"(?<!\w)(?:{'|'.join(found)})(?!\w)")


def find_mentions(
    connection: Connection, class_name: str, student_id: int, names: Iterable[str]
) -> list[Mention]:
    """The texts of a class in which one of a student's names stands, but for notes, episodes and their own entry."""
    pattern = whole_words(names)
    sources = select(SessionTable.id, SessionTable.source).where(SessionTable.name == class_name)
    reasons = (
        select(HeartbeatTable.session_id, HeartbeatTable.reason)
        .join(SessionTable, SessionTable.id == HeartbeatTable.session_id)
        .where(SessionTable.name == class_name)
    )
    consents = select(StudentTable.id, StudentTable.consent_source, StudentTable.name).where(
        StudentTable.class_name == class_name, StudentTable.id != student_id
    )
    own_label = select(ClassListTable.name, ClassListTable.own_label).where(ClassListTable.name == class_name)
    found = [
        *(
            Mention(f"what was watched in session {number}", text, False, SessionTable.source, number)
            for number, text in connection.execute(sources)
        ),
        *(
            Mention(f"why session {number} broke off", text or "", False, HeartbeatTable.reason, number)
            for number, text in connection.execute(reasons)
        ),
        *(
            Mention(
                f"where the answer of {who} stands", text or "", True, StudentTable.consent_source, number
            )
            for number, text, who in connection.execute(consents)
        ),
        *(
            Mention(f"the label of your own tile, {text}", text or "", True, ClassListTable.own_label, name)
            for name, text in connection.execute(own_label)
        ),
    ]
    return [one for one in found if pattern.search(one.text)]


def erase_mentions(connection: Connection, class_name: str, student_id: int, names: Iterable[str]) -> None:
    """Put somebody in the place of a student's names in the texts of their class; of a label that holds one nothing is
    left."""
    pattern = whole_words(names)
    _erase_from_episodes(connection, class_name, pattern)
    for one in find_mentions(connection, class_name, student_id, names):
        table = one.column.class_
        key = {SessionTable: "id", HeartbeatTable: "session_id", StudentTable: "id", ClassListTable: "name"}
        connection.execute(
            update(table)
            .where(getattr(table, key[table]) == one.key)
            .values({one.column.key: _cleaned(one, pattern)})
        )


def _cleaned(one: Mention, pattern: re.Pattern[str]) -> str | None:
    if one.column is ClassListTable.own_label:
        return None
    if one.column is SessionTable.source:
        # its kind stands first: by that a session that broke off is known again
        kind, space, rest = one.text.partition(" ")
        return f"{kind}{space}{_without(rest, pattern)}"[:MAX_SOURCE_LENGTH]
    return str(_without(one.text, pattern))[:MAX_SOURCE_LENGTH]


def _erase_from_episodes(connection: Connection, class_name: str, pattern: re.Pattern[str]) -> None:
    rows = connection.execute(
        select(EpisodeTable.id, EpisodeTable.reason, cast_as(EpisodeTable.evidence, Text).label("written"))
        .join(SessionTable, SessionTable.id == EpisodeTable.session_id)
        .where(SessionTable.name == class_name)
    )
    # most hold figures only, and are not worth being taken apart; JSON may hold a name in escapes
    naming = [
        row.id
        for row in rows
        if pattern.search(row.reason) or "\\u" in row.written or pattern.search(row.written)
    ]
    for number in naming:
        row = connection.execute(
            select(EpisodeTable.reason, EpisodeTable.evidence).where(EpisodeTable.id == number)
        ).one()
        connection.execute(
            update(EpisodeTable)
            .where(EpisodeTable.id == number)
            .values(reason=_without(row.reason, pattern), evidence=_without(row.evidence, pattern))
        )


def _without(value: Any, pattern: re.Pattern[str]) -> Any:
    """The same text, or JSON of texts, with somebody in the place of the names."""
    if isinstance(value, str):
        return pattern.sub(_SOMEBODY, value)
    if isinstance(value, dict):
        return {_without(key, pattern): _without(item, pattern) for key, item in value.items()}
    if isinstance(value, list):
        return [_without(item, pattern) for item in value]
    return value
