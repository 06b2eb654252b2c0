"""The records that travel from the gallery to the page. Frozen; each checks its invariants when it is made."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engagement.emotion import EXPRESSIONS, Expression
from engagement.errors import InvalidRecordError

MAX_NAME_LENGTH: Final = 64


class State(StrEnum):
    """What could be read on one seat in one frame."""

    SEEN = "seen"
    TURNED_AWAY = "turned_away"
    NO_FACE = "no_face"
    CAMERA_OFF = "camera_off"
    UNREADABLE = "unreadable"
    OPTED_OUT = "opted_out"


SYNTHETIC_SOURCE: Final = "synthetic class"
"""How the source of a session begins whose people are made up."""

STATES_WITH_FACE: Final = frozenset({State.SEEN, State.TURNED_AWAY, State.UNREADABLE})


class Mode(StrEnum):
    """What may be inferred and kept."""

    PARTICIPATION = "participation"
    AGGREGATE = "aggregate"
    INDIVIDUAL = "individual"


class NotObservedReason(StrEnum):
    """Why an interval holds no observation."""

    WINDOW_CLOSED = "window_closed"
    MINIMISED = "minimised"
    COVERED = "covered"
    MOVED = "moved"
    RESIZED = "resized"
    FROZEN = "frozen"
    BLACK = "black"
    NOT_A_GALLERY = "not_a_gallery"
    SOURCE_FAILED = "source_failed"
    RESTARTED = "restarted"
    PAUSED = "paused"


class WindowChange(StrEnum):
    """How the meeting window changed since the frame before; it was followed, and the frame shows it whole."""

    MOVED = "moved"
    RESIZED = "resized"


class OfferReason(StrEnum):
    """Why two seats may be one participant."""

    RENAMED = "renamed"
    SAME_NAME = "same_name"


class OfferAnswer(StrEnum):
    """What the teacher says to an offer."""

    SAME = "same"
    DIFFERENT = "different"


class EpisodeMark(StrEnum):
    """What the teacher says to an episode's card: it was seen, or it has to wait."""

    SEEN = "seen"
    NOT_NOW = "not_now"


class NoteKind(StrEnum):
    """What stands on the timeline: free text, or the name of a topic that begins."""

    NOTE = "note"
    TOPIC = "topic"


class Consent(StrEnum):
    """What a student answered to being read."""

    AGREED = "agreed"
    REFUSED = "refused"
    UNKNOWN = "unknown"


class Rule(StrEnum):
    """The attention rules."""

    ABSENT = "absent"
    CAMERA_OFF = "camera_off"
    TURNED_AWAY = "turned_away"
    LOW_MOOD = "low_mood"
    SUDDEN_CHANGE = "sudden_change"
    CLASS_DIP = "class_dip"


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned rectangle in whole pixels of its frame; right and bottom are exclusive."""

    left: int
    top: int
    width: int
    height: int

    def __post_init__(self) -> None:
        if self.width <= 0 or self.height <= 0:
            raise InvalidRecordError(
                f"Box needs a width and height above 0, got {self.width} x {self.height}."
            )

    @property
    def right(self) -> int:
        """First column to the right of the box."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row under the box."""
        return self.top + self.height

    @property
    def area(self) -> int:
        """In square pixels."""
        return self.width * self.height

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) in pixels."""
        return self.left + self.width / 2, self.top + self.height / 2

    def contains(self, x: float, y: float) -> bool:
        """Whether the point lies in the box."""
        return self.left <= x < self.right and self.top <= y < self.bottom

    def iou(self, other: "Box") -> float:
        """Intersection over union, 0..1."""
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.bottom, other.bottom) - max(self.top, other.top)
        if width <= 0 or height <= 0:
            return 0.0
        intersection = width * height
        return intersection / (self.area + other.area - intersection)

    def clipped(self, width: int, height: int) -> "Box":
        """The part inside a frame of `width` x `height` pixels.

        Raises:
            InvalidRecordError: the box lies wholly outside.
        """
        left, top = max(0, self.left), max(0, self.top)
        return Box(left, top, min(width, self.right) - left, min(height, self.bottom) - top)


@dataclass(frozen=True, slots=True)
class Tile:
    """One participant's rectangle in the gallery.

    Attributes:
        box: the tile in pixels of the frame.
        label_box: the strip in which the name label lies, in pixels of the frame; None where there is none.
        camera_on: False for a card (name, initials or avatar on a flat ground).
    """

    box: Box
    label_box: Box | None
    camera_on: bool


@dataclass(frozen=True, slots=True)
class Face:
    """One detected face.

    Attributes:
        box: in pixels of the frame.
        landmarks: float32 (5, 2), x and y in pixels of the frame: right eye, left eye, nose tip, right and left
            mouth corner, right and left being the person's own (so the right eye is the left one in the picture).
        score: detector confidence, 0..1.
    """

    box: Box
    landmarks: NDArray[np.float32]
    score: float

    def __post_init__(self) -> None:
        if self.landmarks.shape != (5, 2) or self.landmarks.dtype != np.float32:
            raise InvalidRecordError(
                f"Face.landmarks must be float32 (5, 2), got {self.landmarks.dtype} {self.landmarks.shape}."
            )


@dataclass(frozen=True, slots=True)
class HeadPose:
    """Coarse head pose in degrees: yaw > 0 to the right of the picture, pitch > 0 up, roll > 0 clockwise."""

    yaw: float
    pitch: float
    roll: float


@dataclass(frozen=True, slots=True)
class Label:
    """The name label of a tile.

    Attributes:
        fingerprint: hash of the label's pixels, equal for the same label wherever its tile moves; "" if none.
        name: the text as read, cleaned, at most 64 characters; None if it could not be read.
        own: the meeting program says that this is the tile of whoever watches, as "(me)" behind the name does.
    """

    fingerprint: str
    name: str | None
    own: bool = False


@dataclass(frozen=True, slots=True)
class TileReading:
    """What was read on one tile in one frame, before it is given to a seat.

    Attributes:
        tile: the tile read.
        label: its name label.
        state: what could be read.
        face: the main face, None unless the state is in `STATES_WITH_FACE`.
        probabilities: float32 (7,) in the order of `EXPRESSIONS`, sums to 1, calibrated; None if not read.
        pose: coarse head pose; None without a face, or where it is too small or too doubtful for one.
        quality: 0..1, how well the face could be read (0 without a face).
    """

    tile: Tile
    label: Label
    state: State
    face: Face | None
    probabilities: NDArray[np.float32] | None
    pose: HeadPose | None
    quality: float

    def __post_init__(self) -> None:
        check_probabilities(self.probabilities)
        if (self.state in STATES_WITH_FACE) != (self.face is not None):
            raise InvalidRecordError(f"State {self.state} and face {self.face} contradict each other.")


@dataclass(frozen=True, slots=True)
class Seat:
    """One participant through a session.

    Attributes:
        number: 1, 2, ... in the order in which they were first seen in this session.
        name: as read from the label; None if never read.
        fingerprint: of the label that identifies the seat; "" if none.
        student_id: whose seat it is, of the class list; None where that is not certain.
        calibrated: whether a bias was applied to what was read on it.
    """

    number: int
    name: str | None
    fingerprint: str
    student_id: int | None = None
    calibrated: bool = False

    def __post_init__(self) -> None:
        if self.number < 1:
            raise InvalidRecordError(f"Seat.number starts at 1, got {self.number}.")
        if self.name is not None and not 0 < len(self.name) <= MAX_NAME_LENGTH:
            raise InvalidRecordError(
                f"Seat.name has 1 to {MAX_NAME_LENGTH} characters, got {len(self.name)}."
            )

    @property
    def display_name(self) -> str:
        """The name, or "Seat 7" where none was read."""
        return self.name or f"Seat {self.number}"


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read on one seat in one frame.

    Attributes:
        seat: the seat's number.
        position: 0, 1, ... place of its tile in the window, row by row.
        state: what could be read.
        probabilities: float32 (7,) in the order of `EXPRESSIONS`, sums to 1; only where the state is `seen`.
        yaw, pitch: degrees, coarse; None without a face.
        quality: 0..1.
    """

    seat: int
    position: int
    state: State
    probabilities: NDArray[np.float32] | None
    yaw: float | None
    pitch: float | None
    quality: float

    def __post_init__(self) -> None:
        check_probabilities(self.probabilities)
        if self.probabilities is not None and self.state is not State.SEEN:
            raise InvalidRecordError(f"Only a seat that is seen has probabilities, this one is {self.state}.")
        if not 0.0 <= self.quality <= 1.0:
            raise InvalidRecordError(f"Reading.quality must be in 0..1, got {self.quality}.")


@dataclass(frozen=True, slots=True)
class SeatOffer:
    """A new seat that may be one already known: for the teacher to say, never merged by itself.

    Attributes:
        seat: number of the new seat.
        same_as: number of the seat that it may be.
        reason: `renamed` where another name appeared in its place, or a name much like its own; `same_name` where
            two of one name changed places so that nobody can tell which is which.
    """

    seat: int
    same_as: int
    reason: OfferReason

    def __post_init__(self) -> None:
        if not self.seat > self.same_as >= 1:
            raise InvalidRecordError(
                f"SeatOffer needs a seat that is newer than the one it may be, got {self.seat} and {self.same_as}."
            )


@dataclass(frozen=True, slots=True)
class Mood:
    """Mood of the class: smoothed mean over faces read, with a 95 % band of the valence.

    Attributes:
        valence, arousal: -1..1.
        low, high: 95 % band of the valence, -1..1.
        faces: how many faces it rests on in this interval.
    """

    valence: float
    arousal: float
    low: float
    high: float
    faces: int

    def __post_init__(self) -> None:
        if not -1.0 <= self.low <= self.valence <= self.high <= 1.0:
            raise InvalidRecordError(
                f"Mood needs -1 <= low <= valence <= high <= 1, got {self.low}, {self.valence}, {self.high}."
            )


@dataclass(frozen=True, slots=True)
class Episode:
    """One stretch in which a seat (or the class) meets an attention rule.

    Attributes:
        rule: which rule.
        seat: the seat's number, None for the class.
        reason: the sentence for the teacher at the time of this record.
        started_at, ended_at: aware UTC; ended_at is None while the episode is open.
        evidence: the figures that made the rule fire (JSON types only).
    """

    rule: Rule
    seat: int | None
    reason: str
    started_at: datetime
    ended_at: datetime | None
    evidence: Mapping[str, Any]

    @property
    def key(self) -> tuple[Rule, int | None, datetime]:
        """Identifies the episode within its session."""
        return self.rule, self.seat, self.started_at


@dataclass(frozen=True, slots=True)
class IntervalRecord:
    """One row of storage: one interval of wall time, one frame.

    Attributes:
        session_id: key of the session in the database.
        started_at: aware UTC time of the frame.
        seconds: length of the interval, above 0.
        not_observed: None, or why nothing was observed (then tiles, faces and readings are 0 or empty).
        grid: False where no grid was seen and each face found counts as a tile.
        tiles: participants shown.
        faces: faces found.
        faces_read: faces whose expression was read.
        states: counts per state, sum to `tiles`.
        expressions: counts per expression (top probability), sum to `faces_read`; None where the mode forbids them.
        mood: None where too little was read or the mode forbids it.
        facing: facing share, 0..1; None where no seat was seen.
        readings: one per tile; empty where the mode keeps none.
        seats: the seats that the readings name.
        episodes: opened, changed or ended in this interval.
        offers: seats of this interval that may be ones already known; empty where the mode keeps none.
        followed: how the window changed since the interval before; None where it did not, or nothing was observed.
        dropped: frames dropped since the last record because the loop was late.
        processing_ms: from grab to record.
    """

    session_id: int
    started_at: datetime
    seconds: float
    tiles: int
    faces: int
    faces_read: int
    states: Mapping[State, int]
    expressions: Mapping[Expression, int] | None
    mood: Mood | None
    facing: float | None
    not_observed: NotObservedReason | None = None
    grid: bool = True
    readings: tuple[Reading, ...] = ()
    seats: tuple[Seat, ...] = ()
    episodes: tuple[Episode, ...] = ()
    offers: tuple[SeatOffer, ...] = ()
    followed: WindowChange | None = None
    dropped: int = 0
    processing_ms: float = 0.0

    def __post_init__(self) -> None:
        check_utc("IntervalRecord.started_at", self.started_at)
        if self.seconds <= 0:
            raise InvalidRecordError(f"IntervalRecord.seconds must be above 0, got {self.seconds}.")
        if sum(self.states.values()) != self.tiles:
            raise InvalidRecordError(f"States must sum to {self.tiles} tiles, got {dict(self.states)}.")
        if self.expressions is not None and sum(self.expressions.values()) != self.faces_read:
            raise InvalidRecordError(
                f"Expressions must sum to {self.faces_read} faces read, got {dict(self.expressions)}."
            )
        if not 0 <= self.faces_read <= self.faces <= self.tiles:
            raise InvalidRecordError(
                f"Need faces read <= faces <= tiles, got {self.faces_read}, {self.faces}, {self.tiles}."
            )
        if self.not_observed is not None and self.tiles:
            raise InvalidRecordError("An interval that was not observed holds no tiles.")
        object.__setattr__(self, "states", MappingProxyType(dict(self.states)))


def check_probabilities(probabilities: NDArray[np.float32] | None) -> None:
    """Raise InvalidRecordError unless None or float32 (7,) that sums to 1 within 0.001."""
    if probabilities is None:
        return
    if probabilities.shape != (len(EXPRESSIONS),) or probabilities.dtype != np.float32:
        raise InvalidRecordError(
            f"Probabilities must be float32 ({len(EXPRESSIONS)},), got {probabilities.dtype} {probabilities.shape}."
        )
    if (
        not np.isfinite(probabilities).all()
        or probabilities.min() < 0
        or abs(float(probabilities.sum()) - 1) > 1e-3
    ):
        raise InvalidRecordError(f"Probabilities must be in 0..1 and sum to 1, got {probabilities}.")


def check_utc(what: str, at: datetime) -> None:
    """Raise InvalidRecordError unless `at` is aware and in UTC."""
    offset = at.utcoffset()
    if offset is None or offset.total_seconds() != 0:
        raise InvalidRecordError(f"{what} must be an aware datetime in UTC, got {at!r}.")
