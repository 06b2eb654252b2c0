"""One picture read before a class or by itself: `classpulse doctor` and `classpulse read`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classpulse.database import migrated_database, missing_file
from classpulse.options import ACTOR
from classpulse.process import keep_no_dump
from classpulse.settings import Settings
from engagement.records import Mode

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from capture.doctor import Check
    from engagement.consent import ClassRoll
    from inference.reader import Reader


def read_picture(chosen: Settings, image: Path) -> dict[str, Any]:
    """Read one picture as its mode allows; what `classpulse.picture.as_json` gives, with times that are measured warm:
    the models are loaded and have run once before the clock starts.

    Args:
        chosen: the settings; the picture is their source, since people who are made up may be read in every mode.
        image: a file.

    Raises:
        ModeRefusedError: the mode may not be used where the class is, or needs a class that agreed.
        capture.errors.SourceError: the picture is missing or cannot be decoded.
    """
    import numpy as np

    from capture.gallery import find_tiles
    from capture.replay import load_image
    from classpulse import picture
    from classpulse.checks import roll_before_class
    from classpulse.place import check_mode

    check_mode(chosen)
    keep_no_dump()
    with migrated_database(chosen) as engine:
        roll = roll_before_class(engine, chosen.session.name)
        pixels = load_image(image)
        reader = look_reader(chosen, keep_names=True)
        # warm on the mirror image: as much work, and nothing that is remembered of its labels helps with the picture's
        # own
        mirrored = np.ascontiguousarray(pixels[:, ::-1])
        reader.read(mirrored, find_tiles(mirrored), roll)
        result = picture.read(pixels, reader, roll, chosen.session.mode, chosen.capture.interval)
        note_picture(chosen, engine, ACTOR)
    return picture.as_json(result)


def note_picture(chosen: Settings, engine: "Engine", actor: str) -> None:
    """Write into the audit log that expressions of a picture were read, if they were.

    Args:
        chosen: the settings with which it was read.
        engine: on the migrated database.
        actor: through which door it came.
    """
    from classpulse.place import note
    from storage.audit import AuditAction, audit

    mode = chosen.session.mode
    if mode is Mode.PARTICIPATION:
        return
    note(chosen, engine, "settings")
    audit(engine, AuditAction.PICTURE_READ, actor, mode=mode.value, class_agreed=chosen.session.agreed)


def doctor(chosen: Settings) -> "list[Check]":
    """Check the machine and what is read of the source; each line says what to do.

    Raises:
        ModeRefusedError: the mode may not be used where the class is.
    """
    from classpulse.checks import Examination
    from classpulse.place import check_place

    check_place(chosen)
    keep_no_dump()
    return Examination(chosen, look_reader, partial(_roll, chosen)).checks()


def _roll(chosen: Settings) -> "ClassRoll":
    """Whom to look at before a class of these settings."""
    from classpulse.checks import roll_before_class
    from engagement.consent import ClassRoll

    if missing_file(chosen.database_url) is not None:
        # as it would be in one that is just made, which is for a class to do
        return ClassRoll()
    with migrated_database(chosen) as engine:
        return roll_before_class(engine, chosen.session.name)


def look_reader(chosen: Settings, *, keep_names: bool | None = None) -> "Reader":
    """A reader of one picture, which reads all names at once.

    Args:
        chosen: the settings.
        keep_names: whether names are given; None as in a class of this mode.

    Raises:
        ModelsError, InferenceError: it cannot be loaded.
    """
    from inference.reader import load_reader

    mode = chosen.session.mode
    return load_reader(
        detector=chosen.inference.detector,
        detector_model=chosen.inference.detector_model,
        # not before it was said that the class agreed
        expressions=mode is Mode.AGGREGATE or (mode is Mode.INDIVIDUAL and chosen.session.agreed),
        keep_names=mode is not Mode.PARTICIPATION if keep_names is None else keep_names,
        label_budget=None,
    )
