"""The hands of the pages: looks at sources, and keeps an agent running for the class that is started."""

import logging
import os
import socket
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import Engine

from capture.agent import AgentSettings
from capture.errors import AgentError, SourceError
from capture.sources import is_synthetic, open_source
from capture.stages import Stage
from capture.supervisor import Supervisor
from classpulse.checks import Examination, roll_before_class
from classpulse.choices import find_choices
from classpulse.errors import SettingsError, StartRefusedError
from classpulse.place import Said, check_mode, modes_of, place_said, tell, with_place
from classpulse.settings import Settings
from classpulse.settings_editor import fixed_by, keep
from classpulse.shared_view import VIEW_VARIABLE, SharedView
from classpulse.studio import Studio
from dashboard.controls import (
    Choices,
    Findings,
    Line,
    Phase,
    Picture,
    PictureReading,
    RunStatus,
    Told,
    View,
    Wanted,
)
from dashboard.preferences import PreferencesRefusedError
from engagement.consent import ClassRoll
from engagement.errors import ClasspulseError
from engagement.names import clean_name
from engagement.records import SYNTHETIC_SOURCE, Mode
from storage import queries
from storage.queries import Condition
from storage.recorder import Recorder
from storage.stop import request_stop

if TYPE_CHECKING:
    from inference.reader import Reader

logger = logging.getLogger(__name__)

Command = Callable[[Settings, float | None], list[str]]
"""Makes the command line of an agent: for these settings, for so many seconds."""

SLOW_TO_OPEN: Final = ("demo", "camera")
"""Kinds of sources that take seconds to open: whether they can be is left to the agent."""

GIVEN: Final = "./given"
"""The source of a picture that was given on a page: a path, so that it is nobody who is made up."""

_SLOW_STEP_SECONDS: Final = 8.0

_STAGES: Final = {
    "start": "starting the reader",
    Stage.OPEN: "opening the source",
    Stage.LOAD: "loading the models",
    Stage.RESUME: "opening the session",
}


class Run:
    """One class that is read, from its start to its end, by a supervised agent.

    Args:
        chosen: the settings with which it is read.
        command: makes the agent's command line.
        view: name of the memory for its pictures; None where there is none.
        seconds: end after so long; None until it is stopped or its source ends.
        on_restart: called with a sentence before the agent is started again.
        on_end: called once it is over.
    """

    def __init__(
        self,
        chosen: Settings,
        command: Command,
        view: str | None,
        seconds: float | None,
        on_restart: Callable[[str], None],
        on_end: Callable[["Run"], None],
    ) -> None:
        self.chosen = chosen
        self.code: int | None = None
        """The exit code of its agent; None while it runs, and where it was given up."""
        self.failure: ClasspulseError | None = None
        """Why it was given up."""
        self.ended = threading.Event()
        self.stop = threading.Event()
        self.looks = _looks_of(chosen)
        """How many its recording holds; None where its source does not end, or does not say when."""
        self._on_end = on_end
        ends_at = None if seconds is None else time.monotonic() + seconds

        def next_command() -> Sequence[str] | None:
            left = None if ends_at is None else ends_at - time.monotonic()
            return command(chosen, left) if left is None or left > 0 else None

        self.supervisor = Supervisor(
            next_command,
            # in the environment and not among the arguments: a URL may hold a password
            environment=os.environ
            | {"CLASSPULSE_STORAGE__DATABASE": chosen.database_url}
            | ({} if view is None else {VIEW_VARIABLE: view}),
            on_restart=on_restart,
        )
        self._thread = threading.Thread(target=self._go, name="class", daemon=True)
        self._thread.start()

    @property
    def reason(self) -> str | None:
        """Why it failed, a sentence; None where it did not."""
        if self.failure is not None:
            return str(self.failure)
        if self.code:
            return self.supervisor.error or f"The reading ended with exit code {self.code}; the log says why."
        return None

    def close(self) -> None:
        """Stop it and wait for its end."""
        self.stop.set()
        self._thread.join()

    def _go(self) -> None:
        try:
            self.code = self.supervisor.run(self.stop)
        except AgentError as error:
            self.failure = error
        except OSError as error:
            self.failure = AgentError(
                f"The reading could not be started ({error}): close other programs and try again."
            )
        except Exception as error:
            logger.exception("what keeps the reading going broke")
            self.failure = AgentError(
                f"The reading broke off ({type(error).__name__}, the log says more): start the class again."
            )
        finally:
            try:
                self._on_end(self)
            finally:
                self.ended.set()


class LiveControls:
    """What `dashboard.controls.Controls` asks for, on this computer.

    Args:
        chosen: the settings; what the page asks for goes before them.
        engine: on the migrated database.
        command: makes the command line of an agent.
        load_reader: makes what reads the faces of a picture.
    """

    def __init__(
        self,
        chosen: Settings,
        engine: Engine,
        command: Command,
        load_reader: Callable[[Settings], "Reader"],
    ) -> None:
        self._chosen = chosen
        self._said = _said_of_the_place()
        self._engine = engine
        self._command = command
        self._load_reader = load_reader
        self._recorder = Recorder(engine)
        self._lock = threading.Lock()
        self._run: Run | None = None
        self._refusal: str | None = None
        self._looks = _Looks()
        self._studio = Studio(engine, load_reader)
        self._view = _shared_view()

    def _up_to_date(self) -> Settings:
        """The settings, with what `classpulse place` was told since in another terminal."""
        said = _said_of_the_place()
        if said is not None and said != self._said:
            self._said = said
            self._chosen = with_place(self._chosen, said)
        return self._chosen

    def suggestion(self) -> Wanted:
        """The class that is read; else the settings, and where they name no class, what was last read."""
        run = self._run
        if run is not None and not run.ended.is_set():
            session, capture = run.chosen.session, run.chosen.capture
            return Wanted(session.name, session.mode, capture.interval, capture.source)
        name, mode = self._chosen.session.name, self._chosen.session.mode
        if "name" not in self._chosen.session.model_fields_set:
            last = _last_class(self._engine)
            if last is not None:
                name = last.name
                mode = mode if "mode" in self._chosen.session.model_fields_set else last.mode
        allowed = mode in modes_of(self._up_to_date())
        return Wanted(
            name,
            mode if allowed else Mode.PARTICIPATION,
            self._chosen.capture.interval,
            self._chosen.capture.source,
        )

    def told(self) -> Told | None:
        """Where the class is; None where it has not been said."""
        session = self._up_to_date().session
        if session.place is None or session.institution is None:
            return None
        return Told(session.place, session.institution)

    def tell(self, told: Told) -> None:
        """Keep where the class is, in the settings and in the audit log.

        Raises:
            SettingsError: the settings cannot be written, or a variable says it.
        """
        self._chosen = tell(self._chosen, self._engine, told.place, told.institution, "page")

    def choices(self) -> Choices:
        """What is on the screen now."""
        try:
            return find_choices(self._chosen.capture.titles)
        except Exception as error:
            logger.warning("the windows could not be listed: %s", error, exc_info=True)
            return Choices(
                (),
                f"The windows could not be listed ({type(error).__name__}, the log says more): choose a part of the "
                "screen, or look again.",
            )

    def look(self, wanted: Wanted) -> int:
        """Begin to look at a source, in place of the look before.

        Raises:
            StartRefusedError: the class that is read is paused, and its page says that nothing is looked at.
        """
        reading = queries.live_session(self._engine, host=socket.gethostname())
        if reading is not None and reading.paused_at is not None:
            raise StartRefusedError(f"{reading.name} is paused: nothing is looked at until it goes on.")
        chosen = with_wanted(self._up_to_date(), wanted)
        if wanted.mode not in modes_of(chosen):
            chosen = with_wanted(self._chosen, replace(wanted, mode=Mode.PARTICIPATION))

        def roll() -> ClassRoll:
            return roll_before_class(self._engine, wanted.name)

        return self._looks.begin(Examination(chosen, self._load_reader, roll, served=True), wanted.source)

    def findings(self) -> Findings | None:
        """Of the last look."""
        return self._looks.findings()

    def start(self, wanted: Wanted) -> None:
        """Begin to read a class.

        Raises:
            StartRefusedError: something is missing, or a class is read already.
            ClasspulseError: its source cannot be read.
        """
        name = clean_name(wanted.name)
        if name is None:
            raise StartRefusedError("The class needs a name: type one, such as Physics 9b.")
        synthetic = is_synthetic(wanted.source)
        if self.told() is None and not synthetic:
            raise StartRefusedError("Say first where the class is, or that you would rather not say.")
        if wanted.mode is Mode.INDIVIDUAL and not (wanted.agreed or synthetic):
            raise StartRefusedError(
                "Individual mode is for a class that was told and agreed: tick that it was, or choose another mode."
            )
        chosen = with_wanted(self._up_to_date(), wanted, name)
        check_mode(chosen)
        check_start(chosen)
        self._recorder.close_abandoned()
        # a school's database holds the classes of other computers too
        reading = queries.live_session(self._engine, host=socket.gethostname())
        if reading is not None:
            raise _busy(reading.name)
        self.begin(chosen)
        if not (wanted.tried or synthetic):
            self._remember(wanted.mode)

    def begin(self, chosen: Settings, seconds: float | None = None) -> Run:
        """Read what the settings say; what can be checked before was checked.

        Raises:
            StartRefusedError: a class is read already.
        """
        with self._lock:
            if self._run is not None and not self._run.ended.is_set():
                raise _busy(self._run.chosen.session.name)
            self._looks.end()
            self._refusal = None
            self._run = Run(
                chosen,
                self._command,
                None if self._view is None else self._view.name,
                seconds,
                self._on_restart,
                self._on_end,
            )
            return self._run

    def refuse(self, reason: str) -> None:
        """Say on the page why what was asked for at the terminal was not started."""
        self._refusal = reason

    def stop(self) -> bool:
        """End the class that is read; False where this program reads none."""
        run = self._run
        if run is None:
            return False
        if run.ended.is_set():
            # one that was given up has left its session open
            self._recorder.close_abandoned()
            self._run = None
            return True
        run.stop.set()
        try:
            session = queries.live_session(self._engine, host=socket.gethostname())
            if session is not None and self._is_own(session):
                # should its agent be blocked and have to be killed: the session is over all the same
                request_stop(self._engine, session.id)
        except ClasspulseError as error:
            # it is stopped by the end of its input, whatever the database says
            logger.warning("the stop was not written down: %s", error)
        return True

    def status(self) -> RunStatus:
        """How it stands with the class that this program reads."""
        run = self._run
        if run is None:
            if self._refusal is not None:
                return RunStatus(Phase.FAILED, self._chosen.session.name, reason=self._refusal)
            return RunStatus(Phase.IDLE)
        name = run.chosen.session.name
        if run.ended.is_set():
            return RunStatus(Phase.FAILED if run.reason else Phase.IDLE, name, reason=run.reason)
        if run.stop.is_set():
            return RunStatus(Phase.STOPPING, name)
        if run.supervisor.made_progress:
            return RunStatus(Phase.RUNNING, name, looks=run.looks)
        stage = _STAGES.get(run.supervisor.stage or "start", "reading")
        return RunStatus(Phase.STARTING, name, stage=stage, looks=run.looks)

    def view(self, *, blurred: bool) -> View | None:
        """The last picture of the class that this program reads, and of those to come for some seconds."""
        run = self._run
        if self._view is None or run is None or run.ended.is_set():
            return None
        self._view.ask(blurred=blurred)
        return self._view.read()

    def read_picture(self, picture: Picture) -> PictureReading:
        """Read a picture once, by the rules of a class.

        Raises:
            ClasspulseError: the mode may not be used, or the picture cannot be decoded.
        """
        wanted = Wanted(
            picture.class_name, picture.mode, self._chosen.capture.interval, GIVEN, picture.agreed
        )
        return self._studio.read(with_wanted(self._up_to_date(), wanted, picture.class_name), picture)

    def close(self) -> None:
        """End what is going on; an agent that broke has left its session open, which is closed."""
        # each also where a second Ctrl-C cuts the one before short
        with ExitStack() as stack:
            stack.callback(self._recorder.close_abandoned)
            if self._view is not None:
                stack.callback(self._view.close)
            if self._run is not None:
                stack.callback(self._run.close)
            self._looks.end()

    def _remember(self, mode: Mode) -> None:
        """Let the mode that was chosen be what the form begins with, also after a restart."""
        session = self._chosen.session
        if session.mode is mode or fixed_by("session", "mode") is not None:
            return
        self._chosen = self._chosen.model_copy(update={"session": session.model_copy(update={"mode": mode})})
        try:
            keep({"session.mode": mode.value})
        except PreferencesRefusedError as error:
            logger.warning("the mode was not kept in the settings: %s", error)

    def _is_own(self, session: queries.SessionRow) -> bool:
        """Whether a session is that of the class that this program reads."""
        return self._run is not None and session.name == clean_name(self._run.chosen.session.name)

    def _on_restart(self, reason: str) -> None:
        if self._view is not None:
            self._view.wipe()
        if self._run is not None:
            self._say(self._run, Condition.RESTARTING, reason)

    def _on_end(self, run: Run) -> None:
        if self._view is not None:
            self._view.wipe()
        if run.failure is not None and run.supervisor.made_progress:
            self._say(run, Condition.STOPPED, str(run.failure))
            return
        try:
            self._recorder.close_abandoned()
        except ClasspulseError as error:
            logger.warning("the session was not closed: %s", error)

    def _say(self, run: Run, condition: Condition, reason: str) -> None:
        try:
            self._recorder.say_condition(condition, reason, datetime.now(UTC), run.chosen.session.name)
        except ClasspulseError as error:
            # the page is told where it can be; what keeps the agent alive does not depend on it
            logger.warning("the page was not told: %s", error)


def _said_of_the_place() -> Said | None:
    """None where file or variables cannot be read: what was known holds."""
    try:
        return place_said()
    except SettingsError:
        return None


def with_wanted(chosen: Settings, wanted: Wanted, name: str | None = None) -> Settings:
    """The settings with what the page asks for in place of theirs; the name only where it is given, cleaned."""
    session = {"mode": wanted.mode, "agreed": wanted.agreed} | ({} if name is None else {"name": name})
    return chosen.model_copy(
        update={
            "capture": chosen.capture.model_copy(
                update={"source": wanted.source, "interval": wanted.interval}
            ),
            "session": chosen.session.model_copy(update=session),
        }
    )


def check_start(chosen: Settings, seconds: float | None = None) -> None:
    """Say what is wrong before anything is started.

    Raises:
        AgentError: the interval or the running time makes no sense.
        SourceError: the source cannot be read.
    """
    AgentSettings(chosen.session.name, chosen.capture.interval, chosen.session.mode, seconds, "", os.getpid())
    source = open_source(chosen.capture.source, titles=chosen.capture.titles)
    if chosen.capture.source.strip().partition(":")[0].lower() not in SLOW_TO_OPEN:
        with source:
            pass


def _looks_of(chosen: Settings) -> int | None:
    """How many looks the recording of these settings holds; None where its source does not end, or does not say."""
    try:
        source = open_source(chosen.capture.source, titles=chosen.capture.titles)
        return None if source.live else source.frame_count(chosen.capture.interval)
    except SourceError:
        # its agent says what is wrong with it
        return None


class _Looks:
    """Looks at sources in the background, one that counts at a time: a newer one takes the place of the one before."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._number = 0
        self._findings: Findings | None = None
        self._since = 0.0

    def begin(self, examination: Examination, source: str) -> int:
        with self._lock:
            self._number += 1
            number = self._number
            self._findings = Findings(number, source, doing="the screen")
            self._since = time.monotonic()
        threading.Thread(
            target=self._examine, args=(examination, number, source), name="look", daemon=True
        ).start()
        return number

    def findings(self) -> Findings | None:
        with self._lock:
            found, waited = self._findings, time.monotonic() - self._since
        if found is None or found.doing is None or waited < _SLOW_STEP_SECONDS:
            return found
        return replace(found, doing=f"{found.doing}, for {waited:.0f} s already")

    def end(self) -> None:
        """Let nothing be known of a look that still goes on."""
        with self._lock:
            self._number += 1
            self._findings = None

    def _examine(self, examination: Examination, number: int, source: str) -> None:
        found = Findings(number, source)
        try:
            for what, step in examination.steps():
                if not self._tell(replace(found, doing=what)):
                    return
                lines = [Line(check.name, check.state, check.found, check.advice) for check in step()]
                found = replace(found, lines=(*found.lines, *lines), **_seen(examination, found))
        except Exception as error:
            logger.warning("a look broke: %s", error, exc_info=True)
            what = f"an error that should not happen ({type(error).__name__})"
            found = replace(found, lines=(*found.lines, Line("look", "fail", what, "The log says more.")))
        self._tell(found)

    def _tell(self, found: Findings) -> bool:
        """Keep it if it is of the newest look; whether it is."""
        with self._lock:
            if found.number != self._number:
                return False
            self._findings = found
            self._since = time.monotonic()
            return True


def _seen(examination: Examination, found: Findings) -> dict[str, Any]:
    """What an examination has come by since: the picture, and what was read on it."""
    seen: dict[str, Any] = {}
    if examination.frame is not None and found.picture is None:
        from capture.gallery import find_tiles
        from classpulse.thumbnail import thumbnail

        image = examination.frame.image
        seen["picture"] = thumbnail(image, find_tiles(image))
    if examination.read is not None:
        seen |= {"tiles": examination.read.tiles, "faces": examination.read.faces}
    return seen


def _shared_view() -> SharedView | None:
    """Memory for the live view; None where the system has none to share, which is no reason not to read."""
    try:
        return SharedView()
    except OSError as error:
        logger.warning("no live view: the system gives no memory to share (%s)", error)
        return None


def _last_class(engine: Engine) -> queries.SessionRow | None:
    """The newest session; None where there is none, or it was of people who are made up."""
    try:
        row = queries.find_session(engine, "last")
    except ClasspulseError:
        # there is none, or the database says elsewhere what is wrong with it
        return None
    return None if row.source.startswith(SYNTHETIC_SOURCE) else row


def _busy(name: str) -> StartRefusedError:
    return StartRefusedError(f"{name} is being read already: stop it first, one class is read at a time.")
