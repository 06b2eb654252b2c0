"""What the pages ask of a running agent, read before every interval with one query."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Engine, Text, cast, func, literal, select
from sqlalchemy.orm import InstrumentedAttribute

from engagement.records import OfferAnswer
from storage.database import reading
from storage.errors import UnknownSessionError
from storage.schema import (
    ClassListTable,
    SeatOfferTable,
    SessionTable,
    StudentLabelTable,
    StudentTable,
)


@dataclass(frozen=True, slots=True)
class Requests:
    """What holds for a session now.

    Attributes:
        paused: the teacher has paused it (see `storage.pause`).
        stop: the teacher wants its end (see `storage.stop`).
        class_list: changes whenever anything of the class list does; says nothing else.
        answers: the same for the seats that were said to be one.
    """

    paused: bool
    stop: bool
    class_list: str
    answers: str


def read_requests(engine: Engine, session_id: int) -> Requests:
    """What the pages ask of the agent of a session.

    Raises:
        UnknownSessionError: there is no such session, any more.
    """
    of_class = (
        (_row(ClassListTable.only_agreed, ClassListTable.own_label), ClassListTable.name),
        (
            _row(StudentTable.id, StudentTable.consent, StudentTable.name, StudentTable.calibrated_at),
            StudentTable.class_name,
        ),
        (_row(StudentLabelTable.label, StudentLabelTable.student_id), StudentLabelTable.class_name),
    )
    class_list = [
        select(rows).where(name == SessionTable.name).correlate(SessionTable).scalar_subquery()
        for rows, name in of_class
    ]
    answers = (
        select(_row(SeatOfferTable.seat, SeatOfferTable.same_as))
        .where(SeatOfferTable.session_id == SessionTable.id, SeatOfferTable.answer == str(OfferAnswer.SAME))
        .correlate(SessionTable)
        .scalar_subquery()
    )
    query = select(SessionTable.paused_at, SessionTable.stop_requested_at, *class_list, answers).where(
        SessionTable.id == session_id
    )
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise UnknownSessionError(f"Session {session_id} was erased while it was being watched.")
    paused_at, stop_requested_at, *parts, same = row
    return Requests(
        paused_at is not None,
        stop_requested_at is not None,
        "\n\n".join(part or "" for part in parts),
        same or "",
    )


def _row(*columns: InstrumentedAttribute[Any]) -> ColumnElement[Any]:
    """All rows of a query as one text: no name holds a line break, so it differs if any of them does."""
    text: ColumnElement[str] = literal("")
    for column in columns:
        text = text + func.coalesce(cast(column, Text), "") + "\n"
    return func.aggregate_strings(text, "\n")
