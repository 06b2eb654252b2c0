"""The hands of the pages: starting, stopping and looking, with real processes in place of the agent."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sqlalchemy import Engine, update

from capture.errors import SourceNotFoundError
from classpulse import settings
from classpulse.controls import LiveControls
from classpulse.errors import ModeRefusedError, StartRefusedError
from classpulse.place import tell_by_command
from classpulse.settings import Settings
from dashboard.controls import Findings, Phase, RunStatus, Told, Wanted
from engagement.consent import ClassRoll
from engagement.place import Institution, Place
from engagement.records import Consent, Mode, Tile
from inference.errors import InferenceError
from inference.reader import ReaderResult
from storage import queries, students
from storage.errors import StorageError
from storage.pause import pause
from storage.recorder import NewSession, Recorder
from storage.schema import SessionTable

STAGES = (
    "import sys, time\n"
    "def stage(name): print(f'classpulse:stage {name} 30', flush=True)\n"
    "def interval():\n"
    "    for name in ('grab', 'read', 'commit', 'wait'): stage(name)\n"
)
READS = STAGES + "stage('open'); interval(); sys.stdin.read()"
"""An agent that keeps one interval and waits for its end."""


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in [name for name in os.environ if name.startswith("CLASSPULSE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CLASSPULSE_SETTINGS", str(tmp_path / "settings.toml"))
    (tmp_path / "settings.toml").write_text('[session]\nplace = "elsewhere"\ninstitution = "school"\n')
    return settings.load({"storage": {"database": f"sqlite:///{tmp_path / 'class.db'}"}})


Make = Callable[..., LiveControls]


@pytest.fixture
def controls(engine: Engine, chosen: Settings) -> Iterator[Make]:
    """Makes controls whose agent runs a Python program."""
    made: list[LiveControls] = []

    def make(program: str = READS, **options: dict[str, object]) -> LiveControls:
        given = settings.load({"storage": {"database": chosen.storage.database}, **options})
        made.append(
            LiveControls(given, engine, lambda _chosen, _left: [sys.executable, "-c", program], no_reader)
        )
        return made[-1]

    yield make
    for one in made:
        one.close()


def no_reader(_chosen: Settings) -> None:
    raise InferenceError("The models are not there: install classpulse again.")


def wanted(**changes: object) -> Wanted:
    values: dict[str, object] = {
        "name": "Physics 9b",
        "mode": Mode.AGGREGATE,
        "interval": 2.0,
        "source": "demo:4",
    }
    return Wanted(**values | changes)  # type: ignore[arg-type]


def wait_for(what: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.02)


def test_a_class_is_started_once_and_stopped(controls: Make) -> None:
    hands = controls()
    assert hands.status() == RunStatus(Phase.IDLE)
    assert not hands.stop()
    hands.start(wanted(name="  Physics\u202e 9b "))
    with pytest.raises(StartRefusedError, match="Physics 9b is being read already: stop it first"):
        hands.start(wanted(name="Art"))
    wait_for(lambda: hands.status().phase is Phase.RUNNING)
    assert hands.status().name == "Physics 9b"
    # what the doctor looks at beside it
    assert hands.suggestion() == wanted()
    assert hands.stop()
    wait_for(lambda: hands.status().phase is Phase.IDLE)
    hands.start(wanted(name="Art"))
    wait_for(lambda: hands.status().phase is Phase.RUNNING)
    assert hands.status().name == "Art"


def test_while_it_starts_the_stage_is_told_in_words(controls: Make) -> None:
    hands = controls(STAGES + "stage('load'); sys.stdin.read()")
    hands.start(wanted())
    wait_for(lambda: hands.status() == RunStatus(Phase.STARTING, "Physics 9b", stage="loading the models"))


def test_why_an_agent_ended_is_told_and_another_try_is_free(controls: Make, tmp_path: Path) -> None:
    there = tmp_path / "there"
    program = (
        f"import pathlib\nif not pathlib.Path({str(there)!r}).exists():\n"
        "    print('classpulse:error The camera is away: plug it in.', flush=True)\n    raise SystemExit(1)\n"
    )
    hands = controls(program + READS)
    hands.start(wanted())
    wait_for(lambda: hands.status().phase is Phase.FAILED)
    assert hands.status().reason == "The camera is away: plug it in."
    there.touch()
    hands.start(wanted())
    wait_for(lambda: hands.status().phase is Phase.RUNNING)


def test_an_agent_that_fails_again_and_again_is_given_up_in_words(controls: Make, chosen: Settings) -> None:
    hands = controls("raise SystemExit(70)")
    hands.start(wanted())
    wait_for(lambda: hands.status().phase is Phase.FAILED)
    assert "failed 5 times" in (hands.status().reason or "")
    assert hands.stop()
    assert hands.status().phase is Phase.IDLE


def test_a_recording_that_ends_is_no_failure(controls: Make) -> None:
    hands = controls(STAGES + "interval()")
    hands.start(wanted())
    wait_for(lambda: hands.status().phase is Phase.IDLE)
    assert hands.status().reason is None


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"name": " \u200b "}, StartRefusedError, "needs a name"),
        ({"mode": Mode.INDIVIDUAL, "source": "monitor:1"}, StartRefusedError, "told and agreed"),
        ({"source": "no/such/lesson.mp4"}, SourceNotFoundError, "no/such/lesson.mp4"),
        ({"source": "~nobody-of-this-name/lesson.mp4"}, SourceNotFoundError, "~nobody-of-this-name"),
        ({"interval": 0.1}, Exception, "interval must be 0.5"),
    ],
)
def test_what_is_missing_is_said_before_anything_starts(
    controls: Make, changes: dict[str, object], error: type[Exception], words: str
) -> None:
    hands = controls()
    with pytest.raises(error, match=words):
        hands.start(wanted(**changes))
    assert hands.status().phase is Phase.IDLE


def test_what_another_terminal_says_of_the_place_holds_on_the_pages_that_run(
    controls: Make, engine: Engine, tmp_path: Path
) -> None:
    hands = controls(session={"mode": "aggregate"})
    assert hands.told() == Told(Place.ELSEWHERE, Institution.SCHOOL)
    assert hands.suggestion().mode is Mode.AGGREGATE
    tell_by_command(settings.load(), Place.EU, Institution.SCHOOL)
    assert hands.told() == Told(Place.EU, Institution.SCHOOL)
    assert hands.suggestion().mode is Mode.PARTICIPATION
    with pytest.raises(ModeRefusedError, match=r"in the EU .* choose participation"):
        hands.start(wanted(mode=Mode.AGGREGATE, source=str(gallery(tmp_path))))
    (tmp_path / "settings.toml").write_text("[session\n")
    assert hands.told() == Told(Place.EU, Institution.SCHOOL)


def test_individual_mode_is_for_who_agreed_or_is_made_up(
    controls: Make, engine: Engine, tmp_path: Path
) -> None:
    hands = controls()
    hands.start(wanted(mode=Mode.INDIVIDUAL))
    assert hands.status().phase is Phase.STARTING
    hands.stop()
    wait_for(lambda: hands.status().phase is Phase.IDLE)
    path = str(gallery(tmp_path))
    hands.start(wanted(mode=Mode.INDIVIDUAL, source=path, agreed=True))
    assert hands.suggestion().mode is Mode.INDIVIDUAL


def test_what_is_only_tried_is_not_what_the_form_begins_with(controls: Make, tmp_path: Path) -> None:
    hands = controls(STAGES + "interval()")
    before = hands.suggestion().mode
    assert before is not Mode.INDIVIDUAL
    for tried, mode in ((True, before), (False, Mode.INDIVIDUAL)):
        hands.start(wanted(mode=Mode.INDIVIDUAL, source=str(gallery(tmp_path)), agreed=True, tried=tried))
        wait_for(lambda: hands.status().phase is Phase.IDLE)
        assert hands.suggestion().mode is mode


def test_a_class_that_another_program_reads_is_not_read_twice(controls: Make, engine: Engine) -> None:
    new = NewSession("Chemistry", Mode.AGGREGATE, 2.0, "demo", datetime.now(UTC), "test", os.getpid())
    other = Recorder(engine).open_session(new)
    hands = controls()
    with pytest.raises(StartRefusedError, match="Chemistry is being read already"):
        hands.start(wanted())
    assert not hands.stop()
    Recorder(engine).close_session(other, datetime.now(UTC))
    hands.start(wanted())


def test_the_form_begins_with_what_was_read_last(controls: Make, engine: Engine) -> None:
    assert controls().suggestion() == Wanted("Class", Mode.PARTICIPATION, 2.0, "window")
    recorder, now = Recorder(engine), datetime.now(UTC)
    for name, source in (("Physics 9b", "window"), ("Demo", "synthetic class of 27")):
        kind = Mode.AGGREGATE if source == "window" else Mode.INDIVIDUAL
        session = recorder.open_session(NewSession(name, kind, 2.0, source, now, "test", os.getpid()))
        recorder.close_session(session, now)
        expected = Wanted("Physics 9b", Mode.AGGREGATE, 2.0, "window") if source == "window" else None
        if expected is not None:
            assert controls().suggestion() == expected
    # people who are made up are no class of the teacher's
    assert controls().suggestion().name == "Class"
    told = controls(
        session={"name": "Art", "mode": "individual"}, capture={"source": "monitor:1", "interval": 5}
    )
    assert told.suggestion() == Wanted("Art", Mode.INDIVIDUAL, 5.0, "monitor:1")


def test_a_refusal_at_the_terminal_stands_on_the_page_until_something_starts(controls: Make) -> None:
    hands = controls(session={"name": "Physics 9b"})
    hands.refuse("No window was found.")
    assert hands.status() == RunStatus(Phase.FAILED, "Physics 9b", reason="No window was found.")
    hands.start(wanted())
    assert hands.status().phase is Phase.STARTING


def gallery(folder: Path) -> Path:
    from capture.classroom import Classroom

    with Classroom(seats=6, width=960, height=540) as classroom:
        Image.fromarray(classroom.draw(3.0)).save(folder / "class.png")
    return folder / "class.png"


def looked(hands: LiveControls) -> Findings:
    wait_for(lambda: (found := hands.findings()) is not None and found.doing is None)
    found = hands.findings()
    assert found is not None
    return found


def test_a_look_gives_a_picture_and_the_lines_of_the_doctor(controls: Make, tmp_path: Path) -> None:
    hands = controls()
    assert hands.findings() is None
    path = gallery(tmp_path)
    number = hands.look(wanted(source=str(path)))
    found = looked(hands)
    assert (found.number, found.source) == (number, str(path))
    lines = {line.name: line for line in found.lines}
    assert lines["source"].found == "class.png, 960 x 540 pixels"
    # what cannot be read is a line like any other
    assert lines["faces"].advice == "The models are not there: install classpulse again."
    assert {"disk", "database", "port", "models"} <= lines.keys()
    assert lines["port"].state == "ok"
    assert found.picture is not None
    assert found.picture.startswith(b"\x89PNG")
    assert (found.tiles, found.faces) == (None, None)


def test_while_a_class_is_paused_nothing_is_looked_at(controls: Make, engine: Engine, tmp_path: Path) -> None:
    hands, path = controls(), gallery(tmp_path)
    now = datetime.now(UTC)
    session = Recorder(engine).open_session(
        NewSession("Physics 9b", Mode.AGGREGATE, 2.0, "window", now, "test", os.getpid())
    )
    pause(engine, session, paused=True)
    with pytest.raises(
        StartRefusedError, match="Physics 9b is paused: nothing is looked at until it goes on"
    ):
        hands.look(wanted(source=str(path)))
    assert hands.findings() is None
    pause(engine, session, paused=False)
    hands.look(wanted(source=str(path)))
    assert looked(hands).picture is not None


def test_a_look_leaves_out_by_the_lists_that_there_are(
    engine: Engine, chosen: Settings, tmp_path: Path
) -> None:
    rolls: list[ClassRoll] = []

    class Noting:
        def read(self, _image: np.ndarray, tiles: Sequence[Tile], roll: ClassRoll) -> ReaderResult:
            rolls.append(roll)
            return ReaderResult((), bool(tiles), {})

    ben = students.add_student(engine, "Physics 9b", "Ben Carver")
    students.set_consent(engine, ben, Consent.REFUSED, None, None)
    hands = LiveControls(chosen, engine, lambda _chosen, _left: [], lambda _chosen: Noting())  # type: ignore[arg-type, return-value]
    source = str(gallery(tmp_path))
    # the name is often typed after the look: who refused anywhere is left out
    for name in ("Physics 9b", "Art"):
        hands.look(wanted(source=source, name=name))
        looked(hands)
    students.set_consent(engine, ben, Consent.AGREED, None, None)
    hands.look(wanted(source=source, name="Physics 9b"))
    looked(hands)
    hands.close()
    assert [roll.needs_names for roll in rolls] == [True, True, True, True, False, False]


def test_a_newer_look_takes_the_place_of_the_one_before(controls: Make, tmp_path: Path) -> None:
    hands = controls()
    path = gallery(tmp_path)
    Image.fromarray(np.full((300, 400, 3), 90, np.uint8)).save(tmp_path / "flat.png")
    first = hands.look(wanted(source=str(path)))
    second = hands.look(wanted(source=str(tmp_path / "flat.png")))
    assert second != first
    found = looked(hands)
    assert (found.number, found.source) == (second, str(tmp_path / "flat.png"))
    # nothing of what was seen stays once the class is read
    hands.start(wanted())
    assert hands.findings() is None


def test_whatever_breaks_in_a_look_is_a_line_and_no_traceback(
    engine: Engine, chosen: Settings, tmp_path: Path
) -> None:
    def broken(_chosen: Settings) -> None:
        raise ZeroDivisionError("of all things")

    hands = LiveControls(chosen, engine, lambda _chosen, _left: [], broken)  # type: ignore[arg-type]
    hands.look(wanted(source=str(gallery(tmp_path))))
    found = looked(hands)
    assert (found.lines[-1].name, found.lines[-1].state) == ("look", "fail")
    assert found.lines[-1].found == "an error that should not happen (ZeroDivisionError)"


def test_what_is_left_by_an_agent_that_was_killed_is_closed(controls: Make, engine: Engine) -> None:
    dead = NewSession("Physics 9b", Mode.AGGREGATE, 2.0, "demo", datetime.now(UTC), "test", 4_000_001)
    Recorder(engine).open_session(dead)
    hands = controls()
    hands.start(wanted())
    assert queries.live_session(engine) is None


def test_a_class_on_another_computer_of_the_school_is_in_nobodys_way(controls: Make, engine: Engine) -> None:
    there = NewSession("Chemistry", Mode.AGGREGATE, 2.0, "demo", datetime.now(UTC), "test", os.getpid())
    session = Recorder(engine).open_session(there)
    hands = controls()
    with pytest.raises(StartRefusedError, match="Chemistry"):
        hands.start(wanted())
    with engine.begin() as connection:
        connection.execute(
            update(SessionTable).where(SessionTable.id == session).values(agent_host="room-12")
        )
    hands.start(wanted())
    wait_for(lambda: hands.status().phase is Phase.RUNNING)


def test_a_stop_needs_no_database_and_neither_does_the_form(
    controls: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands = controls()
    hands.start(wanted())
    wait_for(lambda: hands.status().phase is Phase.RUNNING)

    def away(*_args: object, **_named: object) -> None:
        raise StorageError("The database cannot be reached: mount its disk.")

    with monkeypatch.context() as patch:
        for what in ("live_session", "find_session"):
            patch.setattr(f"classpulse.controls.queries.{what}", away)
        assert hands.stop()
        wait_for(lambda: hands.status().phase is Phase.IDLE)
        assert hands.suggestion().name == "Class"


def test_windows_that_cannot_be_listed_are_a_sentence(
    controls: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_titles: object) -> None:
        raise RuntimeError("AppleScript timed out")

    monkeypatch.setattr("classpulse.controls.find_choices", broken)
    choices = controls().choices()
    assert choices.found == ()
    assert "could not be listed (RuntimeError" in (choices.problem or "")
