"""What the teacher answers to seats that may be one participant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, Engine, RowMapping, delete, exists, func, select, update
from sqlalchemy.orm import aliased

from engagement.records import OfferAnswer, OfferReason, Seat
from storage.database import reading, writing
from storage.errors import AnswerRefusedError, UnknownOfferError
from storage.schema import EpisodeTable, IntervalTable, ReadingTable, SeatOfferTable, SeatTable, SessionTable

_SEAT = (
    SeatTable.number,
    SeatTable.name,
    SeatTable.fingerprint,
    SeatTable.first_seen_at,
    SeatTable.last_seen_at,
    SeatTable.student_id,
    SeatTable.calibrated,
)


@dataclass(frozen=True, slots=True)
class OpenOffer:
    """Two seats of a session that may be one participant, which the teacher has not answered; times are aware UTC.

    Attributes:
        session_id, started_at: of the session.
        seat, same_as: the newer seat and the one that it may be.
        name, same_as_name: as they are shown.
        reason: why it is offered.
        offered_at: when.
    """

    session_id: int
    started_at: datetime
    seat: int
    same_as: int
    name: str
    same_as_name: str
    reason: OfferReason
    offered_at: datetime


def open_offers(engine: Engine, class_name: str) -> list[OpenOffer]:
    """The offers of a class that wait for an answer, the newest first; not those that other answers have settled."""
    newer, older = aliased(SeatTable), aliased(SeatTable)
    query = (
        select(
            SeatOfferTable.session_id,
            SessionTable.started_at,
            SeatOfferTable.seat,
            SeatOfferTable.same_as,
            newer.name.label("name"),
            older.name.label("same_as_name"),
            SeatOfferTable.reason,
            SeatOfferTable.offered_at,
        )
        .select_from(SeatOfferTable)
        .join(SessionTable, SessionTable.id == SeatOfferTable.session_id)
        .outerjoin(
            newer, (newer.session_id == SeatOfferTable.session_id) & (newer.number == SeatOfferTable.seat)
        )
        .outerjoin(
            older, (older.session_id == SeatOfferTable.session_id) & (older.number == SeatOfferTable.same_as)
        )
        .where(SessionTable.name == class_name, SeatOfferTable.answer.is_(None))
        .order_by(
            SeatOfferTable.session_id.desc(),
            SeatOfferTable.offered_at.desc(),
            SeatOfferTable.seat,
            SeatOfferTable.same_as,
        )
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
        merged = {
            session_id: read_merged(connection, session_id) for session_id in {row.session_id for row in rows}
        }
    return [
        OpenOffer(
            row.session_id,
            row.started_at,
            row.seat,
            row.same_as,
            Seat(row.seat, row.name, "").display_name,
            Seat(row.same_as, row.same_as_name, "").display_name,
            OfferReason(row.reason),
            row.offered_at,
        )
        for row in rows
        for one in (merged[row.session_id],)
        if one.get(row.seat, row.seat) != one.get(row.same_as, row.same_as)
    ]


def answer_offer(engine: Engine, session_id: int, seat: int, same_as: int, answer: OfferAnswer) -> None:
    """Keep what the teacher says to an offer; on `same` the rows of the newer seat become rows of the older one.

    An answer of `different` may be changed later, `same` not: whose rows they were is not kept.

    Args:
        engine: from `storage.database.open_database`, migrated.
        session_id: the session.
        seat: the newer seat of the offer.
        same_as: the seat that it may be.
        answer: what the teacher says.

    Raises:
        UnknownOfferError: nobody offered these two.
        AnswerRefusedError: both were seen at one time, or are two students of the list, or are one already; nothing
            was changed.
    """
    with writing(engine) as connection:
        offer = (
            (SeatOfferTable.session_id == session_id)
            & (SeatOfferTable.seat == seat)
            & (SeatOfferTable.same_as == same_as)
        )
        # on PostgreSQL two answers at once wait for each other, and so does an agent that commits what it read on the
        # seats as they were
        connection.execute(
            select(SessionTable.id).where(SessionTable.id == session_id).with_for_update()
        ).one_or_none()
        if (
            connection.execute(select(SeatOfferTable.seat).where(offer).with_for_update()).one_or_none()
            is None
        ):
            raise UnknownOfferError(
                f"Nobody offered seat {seat} as seat {same_as} in session {session_id}: open the page again, the "
                "offer may have been erased."
            )
        merged = read_merged(connection, session_id)
        low, high = sorted((merged.get(seat, seat), merged.get(same_as, same_as)))
        if answer is OfferAnswer.SAME and low != high:
            _join(connection, session_id, high, low)
        elif answer is OfferAnswer.DIFFERENT and low == high:
            raise AnswerRefusedError(
                f"Seats {seat} and {same_as} were made one before, and what was read on either is not told apart "
                "any more: this cannot be taken back."
            )
        connection.execute(
            update(SeatOfferTable).where(offer).values(answer=str(answer), answered_at=datetime.now(UTC))
        )


def merged_seats(engine: Engine, session_id: int) -> dict[int, int]:
    """The seats of a session that the teacher said to be another: seat -> the seat that holds its rows."""
    with reading(engine) as connection:
        return read_merged(connection, session_id)


def read_merged(connection: Connection, session_id: int) -> dict[int, int]:
    """As `merged_seats`, within a transaction."""
    pairs = connection.execute(
        select(SeatOfferTable.seat, SeatOfferTable.same_as)
        .where(SeatOfferTable.session_id == session_id, SeatOfferTable.answer == str(OfferAnswer.SAME))
        .order_by(SeatOfferTable.answered_at, SeatOfferTable.seat)
    )
    return _roots((pair.seat, pair.same_as) for pair in pairs)


def _roots(pairs: Iterable[tuple[int, int]]) -> dict[int, int]:
    """Per seat the smallest number of those that are one with it, where that is another."""
    root: dict[int, int] = {}
    for seat, same_as in pairs:
        low, high = sorted((root.get(seat, seat), root.get(same_as, same_as)))
        for one in {seat, same_as, high, *(one for one, its in root.items() if its == high)}:
            root[one] = low
    return {seat: low for seat, low in root.items() if seat != low}


def _join(connection: Connection, session_id: int, high: int, low: int) -> None:
    """Make all rows of seat `high` rows of seat `low`."""
    of_session = select(IntervalTable.id).where(IntervalTable.session_id == session_id)
    one, other = aliased(ReadingTable), aliased(ReadingTable)
    both = connection.scalar(
        select(func.count())
        .select_from(one)
        .join(other, other.interval_id == one.interval_id)
        .where(one.seat == high, other.seat == low, one.interval_id.in_(of_session))
    )
    seats = {
        row["number"]: row
        for row in connection.execute(
            select(*_SEAT).where(SeatTable.session_id == session_id, SeatTable.number.in_((high, low)))
        ).mappings()
    }
    if len(seats) < 2:
        raise UnknownOfferError(
            f"Seat {high} or {low} of session {session_id} was erased, so there is nothing to make one."
        )
    names = [Seat(number, seats[number]["name"], "").display_name for number in (high, low)]
    if both:
        raise AnswerRefusedError(
            f"{names[0]} and {names[1]} were seen at the same time ({both} {'time' if both == 1 else 'times'}), so "
            "they are two people: answer “two people”."
        )
    students = {row["student_id"] for row in seats.values()} - {None}
    if len(students) > 1:
        raise AnswerRefusedError(
            f"{names[0]} and {names[1]} are matched to two students of the list: match the label of one anew, then "
            "answer again."
        )
    connection.execute(
        update(ReadingTable)
        .where(ReadingTable.seat == high, ReadingTable.interval_id.in_(of_session))
        .values(seat=low)
    )
    twin = aliased(EpisodeTable)
    of_high = (EpisodeTable.session_id == session_id) & (EpisodeTable.seat == high)
    connection.execute(
        update(EpisodeTable)
        .where(
            of_high,
            ~exists().where(
                twin.session_id == session_id,
                twin.seat == low,
                twin.rule == EpisodeTable.rule,
                twin.started_at == EpisodeTable.started_at,
            ),
        )
        .values(seat=low)
    )
    connection.execute(delete(EpisodeTable).where(of_high))
    _join_seats(connection, session_id, seats[high], seats[low], students)


def _join_seats(
    connection: Connection, session_id: int, high: RowMapping, low: RowMapping, students: set[int]
) -> None:
    """One row of two: seen as long as both, under the name that was read last."""
    newest_first = sorted(
        (high, low), key=lambda row: row["last_seen_at"] or row["first_seen_at"], reverse=True
    )
    named = next((row for row in newest_first if row["name"] is not None), newest_first[0])
    last = [row["last_seen_at"] for row in (high, low) if row["last_seen_at"] is not None]
    connection.execute(
        delete(SeatTable).where(SeatTable.session_id == session_id, SeatTable.number == high["number"])
    )
    connection.execute(
        update(SeatTable)
        .where(SeatTable.session_id == session_id, SeatTable.number == low["number"])
        .values(
            name=named["name"],
            fingerprint=named["fingerprint"],
            first_seen_at=min(high["first_seen_at"], low["first_seen_at"]),
            last_seen_at=max(last) if last else None,
            student_id=next(iter(students), None),
            calibrated=high["calibrated"] or low["calibrated"],
        )
    )
