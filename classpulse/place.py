"""Where the class is: asked once, kept in the settings and the audit log, and what may be read there."""

import socket
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine

from capture.sources import is_synthetic
from classpulse.database import migrated_database
from classpulse.errors import ModeRefusedError, SettingsError
from classpulse.options import ACTOR
from classpulse.settings import SessionSettings, Settings, load
from classpulse.settings_editor import fixed_by, keep
from dashboard.preferences import PreferencesRefusedError
from dashboard.wording import INSTITUTIONS, PLACES
from engagement.place import Institution, Place, modes_allowed
from engagement.records import SYNTHETIC_SOURCE, Mode
from storage.audit import AuditAction, audit_change
from storage.stop import request_stops

_UNTOLD: Final = (
    "it has not been said where the class is. Run `classpulse place`, or answer on the page Start; until then only "
    "participation is read"
)
_WHY: Final = {
    Place.EU: (
        "in the EU and the EEA reading expressions in education and at work is prohibited (AI Act, Article 5(1)(f)), "
        "and no agreement changes that"
    ),
    Place.ELSEWHERE: "it has not been said what kind of institution this is. Run `classpulse place`",
    Place.UNSAID: "you would rather not say where the class is, and where nobody knows only participation is read",
}


def modes_of(chosen: Settings) -> tuple[Mode, ...]:
    """The modes that may be used with these settings; people who are made up may be read in every mode."""
    if is_synthetic(chosen.capture.source):
        return tuple(Mode)
    return modes_allowed(chosen.session.place, chosen.session.institution)


def check_place(chosen: Settings) -> None:
    """Say why the mode of these settings may not be used where the class is.

    Raises:
        ModeRefusedError: the place does not allow it.
    """
    session = chosen.session
    if session.mode not in modes_of(chosen):
        raise ModeRefusedError(
            f"{session.mode.capitalize()} mode reads expressions, and {_why(session)}: choose participation."
        )


Said = tuple[Place | None, Institution | None]
"""What was said of the place."""


def place_said() -> Said:
    """What file and variables say of the place now. Raises SettingsError."""
    session = load().session
    return session.place, session.institution


def with_place(chosen: Settings, said: Said) -> Settings:
    """The settings with another place."""
    place, institution = said
    session = chosen.session.model_copy(update={"place": place, "institution": institution})
    return chosen.model_copy(update={"session": session})


def check_place_anew(chosen: Settings) -> None:
    """As `check_place`, by what the settings say of the place now: it may have been told since they were read.

    Raises:
        ModeRefusedError: the place does not allow the mode any more.
        SettingsError: the settings cannot be read any more.
    """
    check_place(with_place(chosen, place_said()))


def check_mode(chosen: Settings) -> None:
    """Say why the mode of these settings may not be used; every agent is started through here.

    Raises:
        ModeRefusedError: the place does not allow it, or it needs a class that agreed.
    """
    check_place(chosen)
    session = chosen.session
    if session.mode is Mode.INDIVIDUAL and not (session.agreed or is_synthetic(chosen.capture.source)):
        raise ModeRefusedError(
            "Individual mode is for a class that was told and agreed: say that it was with --agreed, or choose another "
            "mode."
        )


def why_no_expressions(chosen: Settings) -> str | None:
    """Why no expression is read with these settings, a sentence; None where some are."""
    session = chosen.session
    if session.mode is not Mode.PARTICIPATION:
        return None
    if Mode.AGGREGATE in modes_allowed(session.place, session.institution):
        return (
            "Expressions are not read in participation mode: --mode aggregate counts them, --mode individual --agreed "
            "tells each tile's."
        )
    return f"Expressions are not read: {_why(session)}."


def _why(session: SessionSettings) -> str:
    """Why the place allows `participation` only, as the end of a sentence."""
    return _UNTOLD if session.place is None or session.institution is None else _WHY[session.place]


def tell(chosen: Settings, engine: Engine, place: Place, institution: Institution, actor: str) -> Settings:
    """Keep where the class is, in the settings file and in the audit log; the settings that hold from now on.

    A class that this computer reads in a mode that is not allowed there is ended.

    Args:
        chosen: the settings with which this program runs.
        engine: on the migrated database.
        place, institution: what the teacher says.
        actor: who says it, for the audit log.

    Raises:
        SettingsError: the file cannot be written, or a variable says it.
    """
    for name in ("place", "institution"):
        variable = fixed_by("session", name)
        if variable is not None:
            raise SettingsError(f"Where the class is stands in the variable {variable}: change it there.")
    try:
        keep({"session.place": place.value, "session.institution": institution.value})
    except PreferencesRefusedError as error:
        raise SettingsError(str(error)) from error
    session = chosen.session.model_copy(update={"place": place, "institution": institution})
    told = chosen.model_copy(update={"session": session})
    # a class that is being read in a mode that is not allowed any more ends with its interval
    refused = set(Mode) - set(modes_allowed(place, institution))
    request_stops(engine, refused, host=socket.gethostname(), spared=SYNTHETIC_SOURCE)
    note(told, engine, actor)
    return told


def tell_by_command(chosen: Settings, place: Place, institution: Institution) -> Settings:
    """Keep where the class is; the settings that hold from now on.

    Raises:
        SettingsError: the settings file cannot be written, or a variable says it.
    """
    with migrated_database(chosen) as engine:
        return tell(chosen, engine, place, institution, ACTOR)


def told_at_terminal(chosen: Settings, choose: Callable[[str, dict[str, str]], str]) -> Settings:
    """The settings once the terminal was asked where the class is; as they are where that was told, or nobody is read.

    Args:
        chosen: the settings.
        choose: asks a question with answers (value -> words) and gives the value.

    Raises:
        SettingsError: the settings file cannot be written.
    """
    told = chosen.session.place is not None and chosen.session.institution is not None
    if told or is_synthetic(chosen.capture.source):
        return chosen
    return tell_by_command(chosen, *ask(choose))


def note(chosen: Settings, engine: Engine, actor: str) -> None:
    """Write into the audit log where the class is, if it was told and the log does not end with the same."""
    place, institution = chosen.session.place, chosen.session.institution
    if place is None or institution is None:
        return
    audit_change(engine, AuditAction.PLACE_TOLD, actor, place=str(place), institution=str(institution))


def in_words(chosen: Settings) -> str:
    """Where the class is and which modes that allows, a sentence for the terminal."""
    session = chosen.session
    if session.place is None or session.institution is None:
        return "Not told yet: only participation is read."
    modes = ", ".join(str(mode) for mode in modes_allowed(session.place, session.institution))
    return f"{PLACES[session.place]}; {INSTITUTIONS[session.institution]}. Modes: {modes}."


def ask(choose: Callable[[str, dict[str, str]], str]) -> tuple[Place, Institution]:
    """Ask both questions.

    Args:
        choose: asks a question with answers (value -> words) and gives the value.
    """
    place = Place(choose("Where is the class?", {one.value: words for one, words in PLACES.items()}))
    kinds = {one.value: words for one, words in INSTITUTIONS.items()}
    return place, Institution(choose("What kind of institution is it?", kinds))
