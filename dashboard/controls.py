"""What the pages ask of the program that serves them: what could be read, whether it can be, and to start and stop.

The pages import neither capture nor inference: whoever serves them hands over an implementation of `Controls`
(`classpulse.controls`). Where there is none, the pages show and stop classes that others read, and start none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol

from engagement.emotion import Expression
from engagement.place import Institution, Place
from engagement.records import IntervalRecord, Mode, TileReading


@dataclass(frozen=True, slots=True)
class Wanted:
    """A class that is to be read.

    Attributes:
        name: of the class, as the teacher wrote it.
        mode: what may be inferred and kept.
        interval: seconds between frames.
        source: what is read, as after `--source`.
        agreed: whether the teacher states that the class was told and agreed; `individual` needs it.
        tried: it says nothing of the next lesson: its mode is not what the form begins with.
    """

    name: str
    mode: Mode
    interval: float
    source: str
    agreed: bool = False
    tried: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """Where the class is, as the teacher says: it decides which modes may be chosen."""

    place: Place
    institution: Institution


class SourceKind(StrEnum):
    """Where a source stands in the list, in its order."""

    MEETING = "meeting"
    WINDOW = "window"
    MONITOR = "monitor"


@dataclass(frozen=True, slots=True)
class Choice:
    """Something on this computer's screen that could be read.

    Attributes:
        source: as after `--source`.
        kind: of what.
        title: what the teacher reads, cleaned.
        detail: its size, and what is the matter with it.
    """

    source: str
    kind: SourceKind
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Choices:
    """What could be read now.

    Attributes:
        found: meeting windows first, the best one at the top.
        problem: why the screen shows nothing, a sentence with what to do; None where it does.
    """

    found: tuple[Choice, ...]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the doctor: what was looked at, how it stands, what was found, what to do (or nothing)."""

    name: str
    state: Literal["ok", "warn", "fail"]
    found: str
    advice: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at a source has found so far.

    Attributes:
        number: of the look; each has another.
        source: that was looked at.
        lines: in the order in which they were found.
        doing: what is looked at now, in words; None when all was.
        picture: PNG of what would be read, so coarse that nobody is known on it; None before there is one.
        tiles: how many; None before they were looked for.
        faces: how many; None before they were looked for.
    """

    number: int
    source: str
    lines: tuple[Line, ...] = ()
    doing: str | None = None
    picture: bytes | None = None
    tiles: int | None = None
    faces: int | None = None


class Phase(StrEnum):
    """How it stands with the class that this program reads."""

    IDLE = "idle"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class RunStatus:
    """The class that this program reads, or read last.

    Attributes:
        phase: how it stands.
        name: of the class; "" where there is none.
        stage: what its agent does, while it starts.
        reason: why it failed, a sentence with what to do.
        looks: how many looks its recording holds; None where its source does not end, or does not say when.
    """

    phase: Phase
    name: str = ""
    stage: str | None = None
    reason: str | None = None
    looks: int | None = None


@dataclass(frozen=True, slots=True)
class ViewTile:
    """One tile of a running class, as it was just read.

    Attributes:
        place: left, top, width and height of the tile, as shares of the picture.
        face: the same of its face; None where none was found.
        name: as it was read; None where it was not.
        state: a value of `engagement.records.State`.
        expression: the likeliest one; None where the mode does not allow it, or it was not read.
    """

    place: tuple[float, float, float, float]
    face: tuple[float, float, float, float] | None
    name: str | None
    state: str
    expression: Expression | None


@dataclass(frozen=True, slots=True)
class View:
    """The last picture of a running class, in memory only.

    Attributes:
        at: when it was read, seconds since 1970 (UTC).
        picture: JPEG of the tiles that were read; who opted out is not on it.
        width, height: in pixels.
        tiles: what was read on it.
    """

    at: float
    picture: bytes
    width: int
    height: int
    tiles: tuple[ViewTile, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that somebody gives to be read once.

    Attributes:
        data: the file, such as PNG or JPEG.
        name: of the file.
        class_name: by whose list somebody is left out; "" for all lists.
        mode: what may be said of whom.
        agreed: whether who gives it states that those on it were told and agreed; `individual` needs it.
        turn: number of the turn of a camera of which it is one picture; None for one by itself.
    """

    data: bytes
    name: str
    class_name: str
    mode: Mode
    agreed: bool
    turn: int | None = None


@dataclass(frozen=True, slots=True)
class PictureReading:
    """What was read on one picture, as far as its mode allows.

    Attributes:
        mode: that allows it.
        width, height: of the picture in pixels.
        readings: one per tile, boxes in pixels of the picture.
        record: what of it would be stored, were it a frame of a class.
        timings_ms: milliseconds of each stage, and in total.
        withheld: nobody was looked at: it shows no gallery, so no names, and somebody is to be left out by theirs.
    """

    mode: Mode
    width: int
    height: int
    readings: tuple[TileReading, ...]
    record: IntervalRecord
    timings_ms: Mapping[str, float]
    withheld: bool = False


class Controls(Protocol):
    """The hands of the pages. Every method may be called from any thread and returns within a second or two."""

    def suggestion(self) -> Wanted:
        """The class that is read; where none is, what to fill the form with: the settings, and what was last read."""
        ...

    def told(self) -> Told | None:
        """Where the class is; None where it has not been said."""
        ...

    def tell(self, told: Told) -> None:
        """Keep where the class is, in the settings and in the audit log.

        Raises:
            ClasspulseError: the settings cannot be written, or a variable says it.
        """
        ...

    def choices(self) -> Choices:
        """What is on the screen now."""
        ...

    def look(self, wanted: Wanted) -> int:
        """Begin to look at a source in the background, in place of the look before; its number.

        Raises:
            ClasspulseError: nothing is looked at now; a sentence says why.
        """
        ...

    def findings(self) -> Findings | None:
        """Of the last look; None before the first."""
        ...

    def start(self, wanted: Wanted) -> None:
        """Begin to read a class in the background.

        Raises:
            ClasspulseError: it cannot be started, or one is read already; a sentence says why and what to do.
        """
        ...

    def stop(self) -> bool:
        """End the class that this program reads, in the background; False where it reads none."""
        ...

    def status(self) -> RunStatus:
        """How it stands."""
        ...

    def view(self, *, blurred: bool) -> View | None:
        """The last picture of the class that this program reads; None until there is one.

        Pictures are only made for some seconds after this was called, so that they are where nobody looks not made.
        """
        ...

    def read_picture(self, picture: Picture) -> PictureReading:
        """Read a picture once. Nothing of it is kept but that expressions were read, in the audit log.

        Raises:
            ClasspulseError: the mode may not be used, or the picture cannot be decoded; a sentence says why.
        """
        ...
