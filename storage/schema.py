"""The tables. Their CHECKs repeat the invariants of `engagement.records`, so that no other door can break them.

Rows per seat are the bulk (10 million after a year of lessons), so `readings` is narrow, is clustered by its key and
carries no time of its own: the time is that of its interval.
"""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, ClassVar, Final

from sqlalchemy import (
    JSON,
    REAL,
    BigInteger,
    CheckConstraint,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    MetaData,
    Text,
    TypeDecorator,
    UniqueConstraint,
    false,
    text,
    true,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from engagement.emotion import EXPRESSIONS
from engagement.records import (
    MAX_NAME_LENGTH,
    Consent,
    EpisodeMark,
    Mode,
    NoteKind,
    NotObservedReason,
    OfferAnswer,
    OfferReason,
    Rule,
    State,
    WindowChange,
)
from storage.errors import NaiveDatetimeError

MAX_SOURCE_LENGTH: Final = 200
"""Characters of what is watched, such as the title of a window, which a web page may have written."""

MAX_NOTE_LENGTH: Final = 2000
"""Characters of one note."""

CLASS_SEAT: Final = 0
"""Stands for the whole class in `episodes.seat`: NULLs would all differ in a unique key."""


class Condition(StrEnum):
    """What stands between a session and its next interval, as whoever keeps its agent alive says."""

    RESTARTING = "restarting"
    STOPPED = "stopped"


class AuditAction(StrEnum):
    """What the audit log keeps: who may be read and how, and what left the database."""

    PLACE_TOLD = "place_told"
    SESSION_STARTED = "session_started"
    PICTURE_READ = "picture_read"
    CONSENT_CHANGED = "consent_changed"
    SEAT_CALIBRATED = "seat_calibrated"
    SESSION_EXPORTED = "session_exported"
    STUDENT_EXPORTED = "student_exported"
    SESSION_KEPT = "session_kept"
    SESSION_ERASED = "session_erased"
    SESSION_PURGED = "session_purged"
    STUDENT_ERASED = "student_erased"
    ACCOUNT_MADE = "account_made"
    ACCOUNT_CHANGED = "account_changed"
    ACCOUNT_REMOVED = "account_removed"
    LOGGED_IN = "logged_in"
    LOGGED_OUT = "logged_out"
    LOGIN_FAILED = "login_failed"
    LOCKED_OUT = "locked_out"


class Role(StrEnum):
    """What an account may: an admin everything, a teacher what concerns their own classes."""

    ADMIN = "admin"
    TEACHER = "teacher"


STATE_COLUMNS: Final[tuple[str, ...]] = tuple(f"n_{state}" for state in State)
"""The columns of `intervals` that count the tiles of each state, in the order of `State`."""


class UtcDateTime(TypeDecorator[datetime]):
    """An aware UTC time, exact to the microsecond, on every database.

    SQLite drops zones, so values are stored as UTC and given back as aware UTC.

    Raises:
        NaiveDatetimeError: the value to store has no zone.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The value as the driver wants it."""
        if value is None:
            return None
        if value.utcoffset() is None:
            raise NaiveDatetimeError(
                f"A time must carry its zone to be stored, got {value!r}: give an aware one."
            )
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None) if dialect.name == "sqlite" else utc

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The stored value as aware UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def _one_of(column: str, values: type[StrEnum]) -> str:
    return f"{column} IN ({', '.join(repr(str(value)) for value in values)})"


def _all_or_none(*columns: str) -> str:
    first, *others = columns
    return " AND ".join(f"({first} IS NULL) = ({other} IS NULL)" for other in others)


class Base(DeclarativeBase):
    """All tables; their constraints are named so that migrations can find them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime: UtcDateTime,
        str: Text,
        float: Float,
        dict[str, Any]: JSON,
    }


class SessionTable(Base):
    """One lesson watched, from start to end; `ended_at` is NULL while an agent holds it.

    `started_at` and `ended_at` are times of the lesson (of the recording, if one is watched); `opened_at` is the
    clock on the wall when the row was made. `interrupted_at` is when a session was left whose agent did not end it
    (the clock on the wall), NULL where it runs or ended by itself; `paused_at` since when the teacher has paused it,
    NULL where it is not paused; `stop_requested_at` when the teacher asked for its end, which its agent obeys; `kept`
    spares it from the purge; `live` is a class that goes on, else a recording.
    """

    __tablename__ = "sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    mode: Mapped[str]
    interval: Mapped[float]
    source: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    opened_at: Mapped[datetime]
    agent_name: Mapped[str]
    agent_host: Mapped[str]
    agent_pid: Mapped[int]
    interrupted_at: Mapped[datetime | None]
    paused_at: Mapped[datetime | None]
    stop_requested_at: Mapped[datetime | None]
    kept: Mapped[bool] = mapped_column(server_default=false())
    live: Mapped[bool] = mapped_column(server_default=true())

    __table_args__ = (
        CheckConstraint(f"length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="name"),
        CheckConstraint(_one_of("mode", Mode), name="mode"),
        CheckConstraint('"interval" > 0', name="interval"),
        CheckConstraint(f"length(source) BETWEEN 1 AND {MAX_SOURCE_LENGTH}", name="source"),
        CheckConstraint("ended_at >= started_at", name="ended_at"),
        # two agents that start at the same moment: the database itself lets only one of them in
        Index(
            "uq_sessions_open_name",
            "name",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
        # a session that was erased never gives its number to another: pages and bookmarks carry it
        {"sqlite_autoincrement": True},
    )


class AuditTable(Base):
    """One line of the audit log. It outlives what it tells of, so it holds numbers and no names."""

    __tablename__ = "audit_log"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    action: Mapped[str]
    subject: Mapped[int | None]
    detail: Mapped[dict[str, Any]]
    account_id: Mapped[int | None]

    __table_args__ = (
        CheckConstraint(f"length(actor) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="actor"),
        CheckConstraint(_one_of("action", AuditAction), name="action"),
        # a line that was taken out leaves a gap in the numbers
        {"sqlite_autoincrement": True},
    )


class ErasingTable(Base):
    """That something was erased whose bytes may still stand in the files; the row goes when they are overwritten."""

    __tablename__ = "erasings"

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]

    # whoever has overwritten the bytes of some must not take the row of another for theirs
    __table_args__ = ({"sqlite_autoincrement": True},)


class ClassListTable(Base):
    """What holds for one class, which is all sessions of one name."""

    __tablename__ = "class_lists"

    name: Mapped[str] = mapped_column(primary_key=True)
    only_agreed: Mapped[bool]
    own_label: Mapped[str | None]

    __table_args__ = (
        CheckConstraint(f"length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="name"),
        CheckConstraint(f"length(own_label) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="own_label"),
    )


class StudentTable(Base):
    """One student of a class list; two of one name are two rows.

    `bias` is what makes up for how the expressions of their face are read (expression -> number), `calibrated_at` when
    it was fitted; NULL where it was not.
    """

    __tablename__ = "students"

    id: Mapped[int] = mapped_column(primary_key=True)
    class_name: Mapped[str] = mapped_column(ForeignKey("class_lists.name", ondelete="CASCADE"), index=True)
    name: Mapped[str]
    consent: Mapped[str]
    consent_at: Mapped[datetime | None]
    consent_source: Mapped[str | None]
    calibrated_at: Mapped[datetime | None]
    bias: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))

    __table_args__ = (
        CheckConstraint(f"length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="name"),
        CheckConstraint(_one_of("consent", Consent), name="consent"),
        CheckConstraint(_all_or_none("calibrated_at", "bias"), name="calibration"),
        CheckConstraint(f"length(consent_source) BETWEEN 1 AND {MAX_SOURCE_LENGTH}", name="consent_source"),
        # a student who was erased never gives their number to another
        {"sqlite_autoincrement": True},
    )


class StudentLabelTable(Base):
    """A label of a class that the teacher matched by hand: to a student, or (NULL) to nobody of the list."""

    __tablename__ = "student_labels"

    class_name: Mapped[str] = mapped_column(
        ForeignKey("class_lists.name", ondelete="CASCADE"), primary_key=True
    )
    label: Mapped[str] = mapped_column(primary_key=True)
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="CASCADE"))

    __table_args__ = (CheckConstraint(f"length(label) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="label"),)


class AccountTable(Base):
    """Somebody who may open the pages with a password; `key` is the name as it is compared."""

    __tablename__ = "accounts"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    key: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password: Mapped[str]
    made_at: Mapped[datetime]
    password_at: Mapped[datetime]

    __table_args__ = (
        CheckConstraint(f"length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="name"),
        CheckConstraint(_one_of("role", Role), name="role"),
        # one that was removed never gives its number to another: device cookies carry it
        {"sqlite_autoincrement": True},
    )


class AccountClassTable(Base):
    """A class that a teacher's account may see; the class may come into being later."""

    __tablename__ = "account_classes"

    account_id: Mapped[int] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True)
    class_name: Mapped[str] = mapped_column(primary_key=True)

    __table_args__ = (
        CheckConstraint(f"length(class_name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="class_name"),
    )


class LoginTable(Base):
    """A browser that was let in, by the hash of what it holds; without an account it came by a one-time link."""

    __tablename__ = "logins"

    token: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    made_at: Mapped[datetime]
    seen_at: Mapped[datetime]


class UsedLinkTable(Base):
    """A one-time link that was used, kept until it would have run out anyway."""

    __tablename__ = "used_links"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    used_at: Mapped[datetime]


class SeatTable(Base):
    """One participant of a session; only in `individual` mode."""

    __tablename__ = "seats"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str | None]
    fingerprint: Mapped[str]
    first_seen_at: Mapped[datetime]
    last_seen_at: Mapped[datetime | None]
    student_id: Mapped[int | None] = mapped_column(ForeignKey("students.id", ondelete="SET NULL"))
    calibrated: Mapped[bool] = mapped_column(server_default=false())

    __table_args__ = (
        CheckConstraint("number >= 1", name="number"),
        CheckConstraint(f"length(name) BETWEEN 1 AND {MAX_NAME_LENGTH}", name="name"),
    )


class SeatOfferTable(Base):
    """A seat that may be one already known, for the teacher to say; only in `individual` mode.

    Where the answer is `same`, the rows of `seat` have become rows of `same_as`.
    """

    __tablename__ = "seat_offers"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    seat: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    same_as: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reason: Mapped[str]
    offered_at: Mapped[datetime]
    answer: Mapped[str | None]
    answered_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint("1 <= same_as AND same_as < seat", name="seats"),
        CheckConstraint(_one_of("reason", OfferReason), name="reason"),
        CheckConstraint(_one_of("answer", OfferAnswer), name="answer"),
    )


class IntervalTable(Base):
    """One interval of wall time: counts, mood and how they were made."""

    __tablename__ = "intervals"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    started_at: Mapped[datetime]
    seconds: Mapped[float]
    not_observed: Mapped[str | None]
    grid: Mapped[bool]
    tiles: Mapped[int]
    faces: Mapped[int]
    faces_read: Mapped[int]
    n_seen: Mapped[int]
    n_turned_away: Mapped[int]
    n_no_face: Mapped[int]
    n_camera_off: Mapped[int]
    n_unreadable: Mapped[int]
    n_opted_out: Mapped[int]
    angry: Mapped[int | None]
    disgust: Mapped[int | None]
    fear: Mapped[int | None]
    happy: Mapped[int | None]
    sad: Mapped[int | None]
    surprise: Mapped[int | None]
    neutral: Mapped[int | None]
    valence: Mapped[float | None]
    arousal: Mapped[float | None]
    low: Mapped[float | None]
    high: Mapped[float | None]
    mood_faces: Mapped[int | None]
    facing: Mapped[float | None]
    dropped: Mapped[int]
    processing_ms: Mapped[float]
    followed: Mapped[str | None]

    __table_args__ = (
        CheckConstraint("seconds > 0", name="seconds"),
        CheckConstraint(_one_of("not_observed", NotObservedReason), name="not_observed"),
        CheckConstraint(_one_of("followed", WindowChange), name="followed"),
        CheckConstraint("not_observed IS NULL OR tiles = 0", name="nothing_where_not_observed"),
        CheckConstraint("0 <= faces_read AND faces_read <= faces AND faces <= tiles", name="faces"),
        CheckConstraint(" AND ".join(f"{column} >= 0" for column in STATE_COLUMNS), name="states"),
        CheckConstraint(f"{' + '.join(STATE_COLUMNS)} = tiles", name="states_sum_to_tiles"),
        CheckConstraint(_all_or_none(*EXPRESSIONS), name="expressions_all_or_none"),
        CheckConstraint(" AND ".join(f"{column} >= 0" for column in EXPRESSIONS), name="expressions"),
        CheckConstraint(f"{' + '.join(EXPRESSIONS)} = faces_read", name="expressions_sum_to_faces_read"),
        CheckConstraint(
            _all_or_none("valence", "arousal", "low", "high", "mood_faces"), name="mood_all_or_none"
        ),
        CheckConstraint(
            "-1 <= low AND low <= valence AND valence <= high AND high <= 1 AND mood_faces >= 0", name="mood"
        ),
        CheckConstraint("arousal BETWEEN -1 AND 1", name="arousal"),
        CheckConstraint("facing BETWEEN 0 AND 1", name="facing"),
        CheckConstraint("dropped >= 0 AND processing_ms >= 0", name="costs"),
        # the page asks for the rows of one session after the last it has
        Index(None, "session_id", "id"),
    )


class ReadingTable(Base):
    """What was read on one seat in one interval; only in `individual` mode.

    `calibration` is that whose bias was applied (`storage.calibrations.calibration_number`), NULL where none was: what
    is usual for a seat is learned anew from the first reading that has another than the one before.
    """

    __tablename__ = "readings"

    interval_id: Mapped[int] = mapped_column(ForeignKey("intervals.id", ondelete="CASCADE"), primary_key=True)
    seat: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int]
    state: Mapped[str]
    angry: Mapped[float | None] = mapped_column(REAL)
    disgust: Mapped[float | None] = mapped_column(REAL)
    fear: Mapped[float | None] = mapped_column(REAL)
    happy: Mapped[float | None] = mapped_column(REAL)
    sad: Mapped[float | None] = mapped_column(REAL)
    surprise: Mapped[float | None] = mapped_column(REAL)
    neutral: Mapped[float | None] = mapped_column(REAL)
    yaw: Mapped[float | None] = mapped_column(REAL)
    pitch: Mapped[float | None] = mapped_column(REAL)
    quality: Mapped[float] = mapped_column(REAL)
    # a number and no time: SQLite keeps it in 6 bytes instead of 26, and here is the bulk
    calibration: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint('seat >= 1 AND "position" >= 0', name="place"),
        CheckConstraint(_one_of("state", State), name="state"),
        CheckConstraint(_all_or_none(*EXPRESSIONS), name="probabilities_all_or_none"),
        CheckConstraint(
            " AND ".join(f"{column} BETWEEN 0 AND 1" for column in EXPRESSIONS), name="probabilities"
        ),
        # 0.001 as in the record, and a little for the sum in another order and precision
        CheckConstraint(f"ABS({' + '.join(EXPRESSIONS)} - 1) <= 0.0011", name="probabilities_sum_to_1"),
        CheckConstraint("angry IS NULL OR state = 'seen'", name="probabilities_only_where_seen"),
        CheckConstraint("quality BETWEEN 0 AND 1", name="quality"),
        # clustered by (interval, seat): one b-tree instead of a table and its index
        {"sqlite_with_rowid": False},
    )


class EpisodeTable(Base):
    """One stretch in which a seat, or the class (`CLASS_SEAT`), met an attention rule.

    `mark` is what the teacher answered to its card, and `marked_at` when (the clock on the wall).
    """

    __tablename__ = "episodes"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"))
    rule: Mapped[str]
    seat: Mapped[int]
    reason: Mapped[str]
    started_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]
    evidence: Mapped[dict[str, Any]]
    mark: Mapped[str | None]
    marked_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(_one_of("rule", Rule), name="rule"),
        CheckConstraint(_one_of("mark", EpisodeMark), name="mark"),
        CheckConstraint("seat >= 0", name="seat"),
        CheckConstraint("ended_at >= started_at", name="ended_at"),
        UniqueConstraint("session_id", "rule", "seat", "started_at"),
    )


class NoteTable(Base):
    """What the teacher typed, or a topic chosen with one press, at a time; `edited_at` by the clock on the wall."""

    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime]
    text: Mapped[str]
    kind: Mapped[str] = mapped_column(server_default=str(NoteKind.NOTE))
    edited_at: Mapped[datetime | None]

    __table_args__ = (
        CheckConstraint(f"length(text) BETWEEN 1 AND {MAX_NOTE_LENGTH}", name="text"),
        CheckConstraint(_one_of("kind", NoteKind), name="kind"),
        # a page that still shows a note that was deleted must not change another one
        {"sqlite_autoincrement": True},
    )


class HeartbeatTable(Base):
    """The last sign of life of a session's agent and its last commit, by the clock on the wall.

    `condition` is NULL while the agent gets on: whoever restarts it says so there, with the reason and the time, and
    the next commit takes it away.
    """

    __tablename__ = "heartbeats"

    session_id: Mapped[int] = mapped_column(ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True)
    stage: Mapped[str]
    at: Mapped[datetime]
    committed_at: Mapped[datetime | None]
    condition: Mapped[str | None]
    reason: Mapped[str | None]
    condition_at: Mapped[datetime | None]

    __table_args__ = (CheckConstraint(_one_of("condition", Condition), name="condition"),)
