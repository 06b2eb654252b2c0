"""The doctor: the checks of capture, and of what the front door composes: database, disk, port, models."""

import math
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from capture.doctor import Check, check_source
from capture.frame import Frame
from classpulse.database import missing_file
from classpulse.settings import Settings
from engagement.consent import ClassRoll
from engagement.errors import ClasspulseError
from engagement.names import clean_name
from engagement.records import Consent, Mode, State
from storage.students import class_names, read_class_list

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from inference.reader import Reader

MINIMUM_FREE_BYTES: Final = 500_000_000
"""A term of hourly classes takes well under this."""


def check_database(url: str) -> Check:
    """Open the database, migrate it and read from it; one that is not there yet is not made."""
    from engagement.phrases import count
    from storage import queries
    from storage.database import open_database
    from storage.migrate import migrate

    missing = missing_file(url)
    if missing is not None:
        return _missing_database(missing)
    try:
        engine = open_database(url)
        try:
            migrate(engine)
            kept = len(queries.sessions(engine))
        finally:
            engine.dispose()
    except ClasspulseError as error:
        return Check("database", "fail", str(error), "Choose another with --database.")
    return Check("database", "ok", count(kept, "session"), "")


def _missing_database(file: Path) -> Check:
    folder = next(one for one in file.parents if one.exists())
    if not os.access(folder, os.W_OK | os.X_OK):
        return Check(
            "database", "fail", f"{folder} cannot be written", "Choose another place with --database."
        )
    return Check("database", "ok", f"none at {file} yet: the first class makes it", "")


def check_disk(url: str) -> Check:
    """Room left beside a SQLite database."""
    from sqlalchemy.engine import make_url
    from sqlalchemy.exc import ArgumentError

    try:
        name = make_url(url).database
    except ArgumentError:
        return Check("disk", "warn", "not looked at: the database URL is malformed", "Correct --database.")
    if not url.startswith("sqlite") or name is None:
        return Check("disk", "ok", "the database is on a server", "")
    folder = Path(name).absolute().parent
    free = shutil.disk_usage(folder if folder.exists() else Path(folder.anchor)).free
    found = f"{free / 1e9:.1f} GB free"
    if free < MINIMUM_FREE_BYTES:
        return Check("disk", "warn", found, "Free some space, or put the database elsewhere with --database.")
    return Check("disk", "ok", found, "")


def check_port(host: str, port: int) -> Check:
    """Whether the page can listen on its port."""
    with socket.socket() as probe:
        try:
            probe.bind((host, port))
        except OSError as error:
            return Check("port", "fail", f"{host}:{port}: {error.strerror}", "Choose another with --port.")
    return Check("port", "ok", f"{host}:{port} is free", "")


@dataclass(frozen=True, slots=True)
class PictureRead:
    """What was read on one picture.

    Attributes:
        tiles: of the gallery, 0 where there is none.
        cameras: tiles with their camera on that may be looked at; without a gallery, faces.
        faces: of these cameras.
        opted_out: tiles that may not be looked at.
        named: seats whose name was read.
        seats: that were read in all.
        seconds: that it took.
    """

    tiles: int
    cameras: int
    faces: int
    opted_out: int
    named: int
    seats: int
    seconds: float


def roll_before_class(engine: "Engine", name: str) -> ClassRoll:
    """Whom to look at before a class of this name: by its list, but who refused in any class is left out, since the
    name is often not the right one yet. Without a list of that name all lists hold."""
    lists = [found for known in class_names(engine) if (found := read_class_list(engine, known)) is not None]
    named = next((one for one in lists if one.name == clean_name(name)), None)
    known = [
        (student.id, student.name, student.consent)
        for one in lists
        for student in one.students
        if named is None or one is named or student.consent is Consent.REFUSED
    ]
    if named is None:
        return ClassRoll(known, only_agreed=any(one.only_agreed for one in lists))
    return ClassRoll(known, only_agreed=named.only_agreed, own_label=named.own_label, by_hand=named.labels)


def read_picture(frame: Frame, reader: "Reader", roll: ClassRoll) -> PictureRead:
    """Read one picture twice, so that the time is that of a frame in a lesson.

    Args:
        frame: the picture.
        reader: that will be used.
        roll: whom to look at.
    """
    from capture.gallery import find_tiles

    reader.read(frame.image, find_tiles(frame.image), roll)
    started = time.perf_counter()
    tiles = find_tiles(frame.image)
    result = reader.read(frame.image, tiles, roll)
    seconds = time.perf_counter() - started
    on = [one for one in result.readings if one.state not in {State.CAMERA_OFF, State.OPTED_OUT}]
    return PictureRead(
        tiles=len(tiles),
        cameras=len(on),
        faces=sum(reading.face is not None for reading in on),
        opted_out=sum(reading.state is State.OPTED_OUT for reading in result.readings),
        named=sum(reading.label.name is not None for reading in result.readings),
        seats=len(result.readings),
        seconds=seconds,
    )


def judge_reading(read: PictureRead, *, interval: float, names: bool, needed: bool = False) -> list[Check]:
    """What is read on one picture: the grid, the faces, the names, and how long it takes.

    Args:
        read: from `read_picture`, with the reader that will be used.
        interval: seconds between frames.
        names: whether names are given in the mode of the session.
        needed: whether the class list or the teacher's own label needs them in every mode.
    """
    checks = [_grid(read.tiles), _faces(read)]
    if names:
        checks.append(_names(read.named, read.seats))
    elif needed:
        checks.append(Check("names", "ok", "read only to know whose tile to leave out", ""))
    else:
        checks.append(Check("names", "ok", "not read in participation mode", ""))
    checks.append(_time(read.seconds, interval))
    return checks


def _grid(tiles: int) -> Check:
    if tiles:
        return Check("grid", "ok", f"{tiles} tiles", "")
    advice = "Switch the meeting to gallery view, end screen sharing, and make its window larger."
    return Check("grid", "warn", "no gallery in the picture", advice)


def _faces(read: PictureRead) -> Check:
    found = f"{read.faces} of {read.cameras} cameras show one"
    if read.opted_out:
        found += f", {read.opted_out} more may not be looked at by the class list"
    if read.faces:
        return Check("faces", "ok", found, "")
    advice = "Make the window larger, or wait until cameras are on: nothing is read where no face is found."
    if read.opted_out:
        advice += (
            " Where the class list leaves somebody out, nobody is looked at whose name cannot be read: let the meeting "
            "show names."
        )
    return Check("faces", "warn", found, advice)


def _names(named: int, tiles: int) -> Check:
    found = f"{named} of {tiles} read"
    if 2 * named >= tiles > 0:
        return Check("names", "ok", found, "")
    advice = (
        "Let the meeting show names (Zoom: Settings, Video, Always display participant names) and make its window "
        "larger: without names seats are told by their place only."
    )
    return Check("names", "warn", found, advice)


def _time(seconds: float, interval: float) -> Check:
    found = f"{seconds * 1000:.0f} ms for one frame every {interval:g} s"
    if seconds < interval:
        return Check("time per frame", "ok", found, "")
    advice = f"Take a longer --interval, such as {max(2, 2 * math.ceil(seconds))}, or close other programs."
    return Check("time per frame", "warn", found, advice)


def check_models() -> Check:
    """Whether the weights are those of the manifest."""
    from models.registry import resolve

    try:
        entry = resolve("expression")
    except ClasspulseError as error:
        return Check("models", "fail", str(error), "Install classpulse again.")
    return Check("models", "ok", f"expression classifier {entry.sha256[:12]}", "")


class Examination:
    """All that the doctor looks at, step by step, so that a page can show how far it is.

    Args:
        chosen: the settings that will be used.
        load_reader: makes what reads the faces of a picture.
        read_roll: says whom to look at.
        served: the pages are up, so that their port is taken by themselves.

    Attributes:
        frame: one picture of the source; None before the step that grabs it, and where there is none.
        read: what was read on it; None before the step that reads it, and where it was not.
    """

    def __init__(
        self,
        chosen: Settings,
        load_reader: Callable[[Settings], "Reader"],
        read_roll: Callable[[], ClassRoll],
        *,
        served: bool = False,
    ) -> None:
        self._chosen = chosen
        self._load_reader = load_reader
        self._read_roll = read_roll
        self._served = served
        self.frame: Frame | None = None
        self.read: PictureRead | None = None

    def steps(self) -> Iterator[tuple[str, Callable[[], list[Check]]]]:
        """What each step looks at, in words, and the step itself; call each before the next is asked for."""
        yield "the screen", self._look
        models = check_models()
        if self.frame is not None and models.state != "fail":
            yield "tiles, faces and names", partial(self._read, self.frame)
        yield "disk and database", self._surroundings
        yield "the models", lambda: [models]

    def checks(self) -> list[Check]:
        """The lines of all steps."""
        return [check for _what, step in self.steps() for check in step()]

    def _look(self) -> list[Check]:
        capture = self._chosen.capture
        checks, self.frame = check_source(capture.source, titles=capture.titles)
        return checks

    def _read(self, frame: Frame) -> list[Check]:
        chosen = self._chosen
        try:
            # without the class list nobody knows who may be looked at
            roll = self._read_roll()
            self.read = read_picture(frame, self._load_reader(chosen), roll)
        except ClasspulseError as error:
            return [Check("faces", "fail", "not looked for", str(error))]
        return judge_reading(
            self.read,
            interval=chosen.capture.interval,
            names=chosen.session.mode is not Mode.PARTICIPATION,
            needed=roll.uses_names,
        )

    def _surroundings(self) -> list[Check]:
        url, page = self._chosen.database_url, self._chosen.dashboard
        port = (
            Check("port", "ok", "this page is on it", "")
            if self._served
            else check_port(page.host, page.port)
        )
        return [check_disk(url), check_database(url), port]
