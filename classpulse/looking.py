"""One picture read before a class or by itself: `classpulse doctor` and `classpulse read`."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from classpulse.database import migrated_database
from classpulse.options import ACTOR
from classpulse.process import keep_no_dump
from classpulse.settings import Settings
from engagement.records import Mode

if TYPE_CHECKING:
    from capture.doctor import Check
    from engagement.consent import ClassRoll
    from inference.reader import Reader


def read_picture(chosen: Settings, image: Path) -> dict[str, Any]:
    """Read one picture as its mode allows; what `classpulse.picture.read` gives.

    Args:
        chosen: the settings; the picture is their source, since people who are made up may be read in every mode.
        image: a file.

    Raises:
        ModeRefusedError: the mode may not be used where the class is, or needs a class that agreed.
        capture.errors.SourceError: the picture is missing or cannot be decoded.
    """
    from classpulse import picture
    from classpulse.checks import roll_before_class
    from classpulse.place import check_mode, note
    from storage.audit import AuditAction, audit

    check_mode(chosen)
    keep_no_dump()
    mode = chosen.session.mode
    with migrated_database(chosen) as engine:
        roll = roll_before_class(engine, chosen.session.name)
        result = picture.read(image, partial(look_reader, chosen, keep_names=True), roll, mode)
        if mode is not Mode.PARTICIPATION:
            note(chosen, engine, "settings")
            audit(
                engine,
                AuditAction.PICTURE_READ,
                ACTOR,
                mode=mode.value,
                class_agreed=chosen.session.agreed,
            )
    return result


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
