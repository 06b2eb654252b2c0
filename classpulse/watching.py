"""`classpulse watch`: an agent in this process."""

import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext, suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from classpulse import logs
from classpulse.database import migrated_database
from classpulse.process import keep_no_dump, stopped_by_signals
from classpulse.settings import Settings
from engagement.errors import ClasspulseError
from engagement.phrases import count
from engagement.records import IntervalRecord, Mode, NotObservedReason

if TYPE_CHECKING:
    from classpulse.annotate import LiveView

_Told = TypeVar("_Told")


def watch(chosen: Settings, *, seconds: float | None, headless: bool, supervised: bool) -> None:
    """Read a source into the database until it ends, its time is up, or a signal comes."""
    try:
        _watch(chosen, seconds=seconds, headless=headless, supervised=supervised)
    except ClasspulseError as error:
        if supervised:
            from capture.stages import tell_error

            # for the page: the terminal is told where the command ends
            with suppress(OSError):
                tell_error(_write_line, str(error))
        raise


def _watch(chosen: Settings, *, seconds: float | None, headless: bool, supervised: bool) -> None:
    keep_no_dump()
    logs.configure("agent")
    # checked before anything heavy is loaded, so that a wrong option answers at once
    from capture.agent import Agent, AgentSettings
    from capture.sources import open_source
    from capture.stages import Stage, seconds_allowed, tell
    from classpulse.place import check_mode, check_place_anew, note
    from classpulse.progress import show_progress
    from classpulse.purging import purged
    from inference.reader import load_reader
    from storage.recorder import Recorder

    agent_settings = AgentSettings(
        session=chosen.session.name,
        interval=chosen.capture.interval,
        mode=chosen.session.mode,
        seconds=seconds,
        agent_name="classpulse watch",
        pid=os.getpid(),
        supervised=supervised,
        agreed=chosen.session.agreed,
    )
    check_mode(chosen)
    source = open_source(chosen.capture.source, titles=chosen.capture.titles)
    checked = False
    unreadable = 0

    def count_unreadable(record: IntervalRecord) -> None:
        nonlocal unreadable
        # of a live source that is a gap, not a picture
        unreadable += not source.live and record.not_observed is NotObservedReason.SOURCE_FAILED

    def check_once_open(stage: Stage) -> None:
        # before that, whoever tells where the class is finds no session to end
        nonlocal checked
        if stage is Stage.READ and not checked:
            check_place_anew(chosen)
            checked = True

    def on_stage(stage: Stage) -> None:
        seconds = seconds_allowed(stage, interval=chosen.capture.interval, live=source.live)
        # a supervisor that has gone is noticed by the end of its input
        with suppress(OSError):
            tell(_write_line, stage, seconds)

    make_reader = partial(
        load_reader,
        detector=chosen.inference.detector,
        detector_model=chosen.inference.detector_model,
        expressions=chosen.session.mode is not Mode.PARTICIPATION,
        # presence needs no names: in participation mode they are read where somebody is to be left out by theirs
        keep_names=chosen.session.mode is not Mode.PARTICIPATION,
    )
    with (
        migrated_database(chosen) as engine,
        # who supervises this one does it
        nullcontext() if supervised else purged(engine, chosen.storage.keep_days),
        stopped_by_signals() as stop,
    ):
        # also where the file or a variable was written by hand
        note(chosen, engine, "settings")
        if supervised:
            threading.Thread(target=_stop_at_end_of_input, args=(stop,), daemon=True).start()
        with (
            show_progress(
                lambda: source.frame_count(chosen.capture.interval), shown=not headless and not supervised
            ) as on_progress,
            _live_view(expressions=chosen.session.mode is Mode.INDIVIDUAL) as view,
        ):
            agent = Agent(
                source,
                make_reader if view is None else lambda: view.of(make_reader()),
                Recorder(engine),
                agent_settings,
                _each_of(count_unreadable, on_progress, None if view is None else view.on_interval),
                _each_of(
                    check_once_open, on_stage if supervised else None, None if view is None else view.on_stage
                ),
            )
            result = agent.run(stop)
    report_command = f"classpulse report {result.session_id} --out report.html"
    if chosen.storage.database and not supervised:
        report_command += f" --database {chosen.storage.database}"
    sys.stderr.write(
        f"Session {result.session_id} ({chosen.session.name}): "
        f"{kept_in_words(result.intervals, result.dropped, unreadable)} Report: {report_command}\n"
    )


def kept_in_words(intervals: int, dropped: int, unreadable: int) -> str:
    """What a reading came to, a sentence: intervals kept, late frames dropped, pictures that could not be read."""
    told = f"{count(intervals, 'interval')} kept, {count(dropped, 'late frame')} dropped"
    return f"{told}, {count(unreadable, 'picture')} could not be read." if unreadable else f"{told}."


@contextmanager
def _live_view(*, expressions: bool) -> Iterator["LiveView | None"]:
    """What the pages may look at, where they share memory with this process.

    Args:
        expressions: whether expressions per face may be shown.
    """
    from classpulse.shared_view import VIEW_VARIABLE, SharedView

    name = os.environ.get(VIEW_VARIABLE)
    try:
        memory = None if name is None else SharedView(name)
    except OSError as error:
        # a class can be read without being shown
        logging.getLogger(__name__).warning("no live view: %s", error)
        memory = None
    if memory is None:
        yield None
        return
    from classpulse.annotate import LiveView

    with closing(memory):
        yield LiveView(memory, expressions=expressions)


def _each_of(*calls: Callable[[_Told], None] | None) -> Callable[[_Told], None]:
    """Calls those that are there."""
    made = [call for call in calls if call is not None]

    def call_each(told: _Told) -> None:
        for call in made:
            call(told)

    return call_each


def _write_line(line: str) -> None:
    os.write(1, line.encode())


def _stop_at_end_of_input(stop: threading.Event) -> None:
    # not through sys.stdin: a thread that holds its lock aborts the interpreter at its end
    while os.read(0, 4096):
        pass
    stop.set()


def watch_command(chosen: Settings, seconds: float | None) -> list[str]:
    """The command that runs an agent of these settings in a process of its own, under a supervisor."""
    options: dict[str, object] = {
        "--source": chosen.capture.source,
        "--session": chosen.session.name,
        "--mode": chosen.session.mode.value,
        "--interval": chosen.capture.interval,
        "--seconds": seconds,
        "--detector": chosen.inference.detector,
        "--detector-model": chosen.inference.detector_model,
    }
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    if chosen.session.agreed:
        given.append("--agreed")
    # -P: nothing is imported from the folder in which the user happens to be
    return [sys.executable, "-P", "-m", "classpulse", "watch", "--headless", "--supervised", *given]
