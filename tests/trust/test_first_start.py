"""Where the class is: asked once, kept, logged, and obeyed by every door that starts a reading."""

import json
import os
import pty
import subprocess
import sys
import time
import tomllib
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from sqlalchemy import Engine
from typer.testing import CliRunner

from capture.classroom import Classroom
from classpulse import settings, watching
from classpulse.cli import app
from classpulse.controls import LiveControls
from classpulse.errors import ModeRefusedError, SettingsError, StartRefusedError
from classpulse.place import check_mode
from dashboard.controls import Told, Wanted
from engagement.place import Institution, Place
from engagement.records import Consent, Mode
from storage import queries
from storage.audit import AuditAction, AuditEntry, audit_entries
from storage.database import open_database
from storage.recorder import NewSession, OpenedSession, Recorder
from storage.requests import read_requests
from storage.students import add_student, set_consent

NOWHERE = (
    "",
    '[session]\nplace = "eu"\ninstitution = "school"\n',
    '[session]\nplace = "eu"\ninstitution = "other"\nagreed = true\n',
    '[session]\nplace = "unsaid"\ninstitution = "school"\n',
    '[session]\nplace = "elsewhere"\n',
    '[session]\nplace = "elsewhere"\ninstitution = "unsaid"\n',
)
"""Settings with which nothing but participation may be read."""

ELSEWHERE = '[session]\nplace = "elsewhere"\ninstitution = "university"\n'


@pytest.fixture(autouse=True)
def file(settings_file: Path) -> Path:
    """The settings, empty."""
    return settings_file


@pytest.fixture(scope="module")
def picture(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of four, as a file whose name begins as the demo does."""
    return drawn(tmp_path_factory.mktemp("pictures") / "demo.png", 3.0, seats=4, width=960, height=540)


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gallery of sixteen, most of whose faces can be read; one is turned away."""
    return drawn(tmp_path_factory.mktemp("pictures") / "crowd.png", 57.0, seats=16, width=1280, height=720)


def drawn(path: Path, second: float, **size: int) -> Path:
    with Classroom(**size) as classroom:
        Image.fromarray(classroom.draw(second)).save(path)
    return path


def classpulse(*arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "classpulse", *arguments],
        capture_output=True,
        text=True,
        timeout=240,
        stdin=subprocess.DEVNULL,
        check=False,
    )


def place(*options: str) -> str:
    done = CliRunner().invoke(app, ["place", *options])
    assert done.exit_code == 0, done.exception
    return done.stdout


def log(engine: Engine, action: AuditAction) -> list[AuditEntry]:
    return [entry for entry in audit_entries(engine) if entry.action is action]


@pytest.mark.parametrize("text", NOWHERE)
@pytest.mark.parametrize("mode", ["aggregate", "individual"])
def test_no_option_variable_or_file_unlocks_more(
    file: Path, picture: Path, monkeypatch: pytest.MonkeyPatch, text: str, mode: str
) -> None:
    file.write_text(text)
    asked = settings.settings_with(source=str(picture), mode=mode, agreed=True)
    with pytest.raises(ModeRefusedError, match="mode reads expressions, and"):
        check_mode(asked)
    monkeypatch.setenv("CLASSPULSE_SESSION__MODE", mode)
    monkeypatch.setenv("CLASSPULSE_SESSION__AGREED", "true")
    with pytest.raises(ModeRefusedError, match="choose participation"):
        check_mode(settings.settings_with(source=str(picture)))
    # people who are made up may be read in every mode, everywhere
    check_mode(settings.settings_with(source="demo:4"))


def test_elsewhere_individual_needs_a_class_that_agreed(file: Path, picture: Path) -> None:
    file.write_text(ELSEWHERE)
    check_mode(settings.settings_with(source=str(picture), mode="aggregate"))
    with pytest.raises(ModeRefusedError, match="told and agreed"):
        check_mode(settings.settings_with(source=str(picture), mode="individual"))
    check_mode(settings.settings_with(source=str(picture), mode="individual", agreed=True))


@pytest.mark.parametrize("command", ["watch", "start"])
def test_every_command_refuses_with_one_sentence(file: Path, picture: Path, command: str) -> None:
    file.write_text(NOWHERE[1])
    looked = CliRunner().invoke(app, ["doctor", "--source", str(picture), "--mode", "aggregate"])
    assert isinstance(looked.exception, ModeRefusedError)
    refused = classpulse(command, "--source", str(picture), "--mode", "aggregate")
    assert refused.returncode == 1
    assert refused.stderr.startswith("classpulse: Aggregate mode reads expressions, and in the EU")
    assert len(refused.stderr.splitlines()) == 1
    assert not (file.parent / "class.db").exists()


def test_a_run_that_can_ask_nobody_reads_participation(file: Path, picture: Path) -> None:
    done = classpulse("watch", "--source", str(picture), "--headless")
    assert done.returncode == 0, done.stderr
    assert "Session 1" in done.stderr
    made = open_database(settings.load().database_url)
    assert queries.find_session(made, "last").mode is Mode.PARTICIPATION
    made.dispose()


def test_the_answer_is_kept_in_settings_and_log_and_can_be_changed(file: Path, engine: Engine) -> None:
    assert "Not told yet" in place()
    told = place("--where", "elsewhere", "--institution", "school")
    assert told == "Elsewhere; A school. Modes: participation, aggregate, individual.\n"
    assert place("--where", "eu").endswith("Modes: participation.\n")
    assert tomllib.loads(file.read_text())["session"] == {"place": "eu", "institution": "school"}
    last, first = log(engine, AuditAction.PLACE_TOLD)
    assert (first.actor, dict(first.detail)) == (
        "command line",
        {"place": "elsewhere", "institution": "school"},
    )
    assert dict(last.detail) == {"place": "eu", "institution": "school"}
    # the same once more is no news
    place("--where", "eu")
    assert len(log(engine, AuditAction.PLACE_TOLD)) == 2


def test_a_file_that_was_written_by_hand_reaches_the_log_with_the_next_class(
    file: Path, engine: Engine, picture: Path
) -> None:
    file.write_text(ELSEWHERE)
    options = ("--source", str(picture), "--mode", "individual", "--agreed", "--headless")
    assert classpulse("watch", *options).returncode == 0
    (told,) = log(engine, AuditAction.PLACE_TOLD)
    assert (told.actor, told.detail["place"]) == ("settings", "elsewhere")
    (started,) = log(engine, AuditAction.SESSION_STARTED)
    assert started.subject == queries.find_session(engine, "last").id
    assert dict(started.detail) == {"mode": "individual", "class_agreed": True}


def test_a_class_that_is_being_read_ends_where_its_mode_is_not_allowed_any_more(
    file: Path, engine: Engine
) -> None:
    file.write_text(ELSEWHERE)
    recorder = Recorder(engine)

    def new_session(name: str, mode: Mode, source: str = 'window "Zoom Meeting"') -> NewSession:
        return NewSession(name, mode, 2.0, source, datetime.now(UTC), "classpulse watch", os.getpid())

    agreed = recorder.open_session(new_session("Physics", Mode.INDIVIDUAL))
    counted = recorder.open_session(new_session("Algebra", Mode.AGGREGATE))
    present = recorder.open_session(new_session("Chess", Mode.PARTICIPATION))
    demo = recorder.open_session(new_session("Demo", Mode.INDIVIDUAL, source="synthetic class of 9"))

    def asked() -> set[int]:
        return {one for one in (agreed, counted, present, demo) if read_requests(engine, one).stop}

    place("--where", "elsewhere", "--institution", "school")
    assert asked() == set()
    place("--where", "eu")
    # the agent looks for it before every interval; of a made-up class every mode may be read
    assert asked() == {agreed, counted}


def test_a_class_that_was_just_being_opened_is_refused_too(
    file: Path, picture: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the first look at the settings and the session there are seconds, in which there is none to end."""
    file.write_text(ELSEWHERE)
    chosen = settings.settings_with(source=str(picture), mode="aggregate")
    opened = Recorder.open_or_resume

    def told_meanwhile(recorder: Recorder, new: NewSession) -> OpenedSession:
        place("--where", "eu")
        return opened(recorder, new)

    monkeypatch.setattr(Recorder, "open_or_resume", told_meanwhile)
    monkeypatch.setattr("classpulse.logs.configure", lambda _part: None)
    monkeypatch.setattr("classpulse.watching.keep_no_dump", lambda: None)
    with pytest.raises(ModeRefusedError, match="in the EU"):
        watching.watch(chosen, seconds=None, headless=True, supervised=False)
    session = queries.find_session(engine, "last")
    assert session.ended_at is not None
    assert queries.intervals_since(engine, session.id).empty


@pytest.mark.parametrize("text", NOWHERE)
def test_one_picture_is_read_without_expressions_where_nobody_has_allowed_them(
    file: Path, picture: Path, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object, **_options: object) -> None:
        raise AssertionError("the expression model was loaded")

    monkeypatch.setattr("inference.reader.resolve", never)
    file.write_text(text)
    done = CliRunner().invoke(app, ["read", str(picture), "--json"])
    assert done.exit_code == 0, done.exception
    assert done.stderr.startswith("Expressions are not read: ")
    assert len(done.stderr.splitlines()) == 1
    assert ("Run `classpulse place`" in done.stderr) == (text in {"", NOWHERE[4], NOWHERE[5]})
    tiles = json.loads(done.stdout)["tiles"]
    assert len(tiles) == 4
    assert any(tile["face"] for tile in tiles)
    assert {(tile["expression"], tile["probabilities"]) for tile in tiles} == {(None, None)}


def read_picture(picture: Path, *options: str) -> tuple[dict[str, Any], str]:
    done = CliRunner().invoke(app, ["read", str(picture), "--json", *options])
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout), done.stderr


def test_one_picture_is_read_as_its_mode_allows(
    file: Path, picture: Path, crowd: Path, engine: Engine
) -> None:
    file.write_text(ELSEWHERE)
    read, said = read_picture(picture)
    assert said == (
        "Expressions are not read in participation mode: --mode aggregate counts them, --mode individual --agreed "
        "tells each tile's.\n"
    )
    assert (read["mode"], read["expressions"]) == ("participation", None)
    assert not any(tile["expression"] for tile in read["tiles"])
    assert log(engine, AuditAction.PICTURE_READ) == []

    # four faces are no group
    few, said = read_picture(picture, "--mode", "aggregate")
    assert (few["expressions"], said) == (None, "")
    many, _ = read_picture(crowd, "--mode", "aggregate")
    assert sum(many["expressions"].values()) == many["faces_read"] >= 5
    for tile in few["tiles"] + many["tiles"]:
        assert (tile["expression"], tile["probabilities"]) == (None, None)

    each, _ = read_picture(crowd, "--mode", "individual", "--agreed")
    shown = Counter(tile["expression"] for tile in each["tiles"] if tile["expression"] is not None)
    assert shown == Counter(each["expressions"]) == Counter(many["expressions"])
    last, *_, first = log(engine, AuditAction.PICTURE_READ)
    assert (first.actor, dict(first.detail)) == ("command line", {"mode": "aggregate", "class_agreed": False})
    assert dict(last.detail) == {"mode": "individual", "class_agreed": True}


def test_a_picture_in_words_tells_of_nobody_where_the_mode_forbids_it(
    file: Path, picture: Path, crowd: Path
) -> None:
    file.write_text(ELSEWHERE)

    def words(image: Path, *options: str) -> str:
        done = CliRunner().invoke(app, ["read", str(image), *options])
        assert done.exit_code == 0, done.stderr
        return done.stdout

    assert "xpression" not in words(picture)
    few = words(picture, "--mode", "aggregate")
    assert "Expressions are told of at least 5 faces; " in few
    assert ", expression " not in few
    many = words(crowd, "--mode", "aggregate")
    assert many.splitlines()[1].startswith("Expressions of ")
    assert ", expression " not in many
    assert ", expression " in words(crowd, "--mode", "individual", "--agreed")


def test_who_is_turned_away_is_said_in_individual_mode_only(file: Path, crowd: Path) -> None:
    file.write_text(ELSEWHERE)

    def states(*options: str) -> Counter[str]:
        return Counter(tile["state"] for tile in read_picture(crowd, *options)[0]["tiles"])

    each = states("--mode", "individual", "--agreed")
    assert each["turned_away"] > 0
    together = each - Counter(turned_away=each["turned_away"]) + Counter(seen=each["turned_away"])
    # a face that is too doubtful to be read is so in every mode; without expressions none is read
    for options in ((), ("--mode", "aggregate")):
        found = states(*options)
        assert found["turned_away"] == 0
        assert found["seen"] + found["unreadable"] == together["seen"] + together["unreadable"]


def test_a_picture_called_as_the_demo_is_none(
    file: Path, picture: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(file.parent)
    Path("demo").write_bytes(picture.read_bytes())
    done = CliRunner().invoke(app, ["read", "demo", "--mode", "individual", "--agreed"])
    assert isinstance(done.exception, ModeRefusedError)


@pytest.mark.parametrize(
    ("text", "options", "reason"),
    [
        (ELSEWHERE, ("--mode", "individual"), "Individual mode is for a class that was told and agreed"),
        (
            NOWHERE[1],
            ("--mode", "individual", "--agreed"),
            "Individual mode reads expressions, and in the EU",
        ),
        # made-up people may be read everywhere, a picture is none whatever the settings' source is
        (
            '[capture]\nsource = "demo"\n',
            ("--mode", "aggregate"),
            "Aggregate mode reads expressions, and it has not",
        ),
    ],
)
def test_one_picture_is_refused_where_a_class_would_be(
    file: Path, picture: Path, engine: Engine, text: str, options: tuple[str, ...], reason: str
) -> None:
    file.write_text(text)
    done = classpulse("read", str(picture), *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"classpulse: {reason}")
    assert log(engine, AuditAction.PICTURE_READ) == []


def test_who_refused_in_any_class_is_left_out_of_one_picture(
    file: Path, picture: Path, engine: Engine
) -> None:
    file.write_text(ELSEWHERE)
    free, _ = read_picture(picture)
    name = next(tile["name"] for tile in free["tiles"] if tile["face"] is not None)
    student = add_student(engine, "Chess", name)
    set_consent(engine, student, Consent.REFUSED, None, None)
    for options in ((), ("--mode", "individual", "--agreed"), ("--session", "Physics")):
        read, _ = read_picture(picture, *options)
        out = next(tile for tile in read["tiles"] if tile["name"] == name)
        assert (out["state"], out["face"], out["expression"]) == ("opted_out", None, None)
        assert sum(tile["state"] == "opted_out" for tile in read["tiles"]) == 1


@pytest.mark.parametrize(
    ("command", "end"), [(("watch", "--source"), b"interval kept"), (("read",), b"4 tiles, ")]
)
def test_a_terminal_is_asked_once(
    file: Path, picture: Path, engine: Engine, command: tuple[str, ...], end: bytes
) -> None:
    parent, child = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "classpulse", *command, str(picture)],
        stdin=child,
        stdout=child,
        stderr=child,
        close_fds=True,
    )
    os.close(child)
    seen = b""

    def until(words: bytes) -> None:
        nonlocal seen
        deadline = time.monotonic() + 120
        while words not in seen:
            assert time.monotonic() < deadline, seen
            try:
                seen += os.read(parent, 4096)
            except OSError:  # the end of a terminal on Linux
                break
        assert words in seen, seen

    try:
        until(b"1 to 3")
        os.write(parent, b"7\n2\n")
        until(b"1 to 5")
        os.write(parent, b"1\n")
        until(end)
    finally:
        process.kill()
        process.wait(30)
        os.close(parent)
    assert b"Where is the class?" in seen
    assert tomllib.loads(file.read_text())["session"] == {"place": "elsewhere", "institution": "school"}
    assert [entry.actor for entry in log(engine, AuditAction.PLACE_TOLD)] == ["command line"]


def hands_of(engine: Engine) -> LiveControls:
    return LiveControls(
        settings.load(),
        engine,
        lambda _chosen, _left: [sys.executable, "-c", "import sys; sys.stdin.read()"],
        lambda _chosen: None,  # type: ignore[arg-type, return-value]
    )


def test_the_page_asks_before_the_first_class_and_obeys_the_answer(
    file: Path, engine: Engine, picture: Path
) -> None:
    hands = hands_of(engine)
    try:
        wanted = Wanted("Physics 9b", Mode.AGGREGATE, 2.0, str(picture), agreed=True)
        assert hands.told() is None
        with pytest.raises(StartRefusedError, match="Say first where the class is"):
            hands.start(wanted)
        for place in (Place.EU, Place.UNSAID):
            hands.tell(Told(place, Institution.SCHOOL))
            for mode in (Mode.AGGREGATE, Mode.INDIVIDUAL):
                with pytest.raises(ModeRefusedError):
                    hands.start(Wanted("Physics 9b", mode, 2.0, str(picture), agreed=True))
        hands.tell(Told(Place.ELSEWHERE, Institution.SCHOOL))
        hands.start(wanted)
        assert settings.load().session.mode is Mode.AGGREGATE
    finally:
        hands.close()
    # told once, known after a restart
    again = hands_of(engine)
    assert again.told() == Told(Place.ELSEWHERE, Institution.SCHOOL)
    assert again.suggestion().mode is Mode.AGGREGATE
    again.tell(Told(Place.EU, Institution.SCHOOL))
    assert again.suggestion().mode is Mode.PARTICIPATION
    again.close()
    places = [entry.detail["place"] for entry in reversed(log(engine, AuditAction.PLACE_TOLD))]
    assert places == ["eu", "unsaid", "elsewhere", "eu"]
    assert {entry.actor for entry in log(engine, AuditAction.PLACE_TOLD)} == {"page"}


def test_what_a_variable_says_is_not_told_otherwise(
    file: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLASSPULSE_SESSION__PLACE", "eu")
    hands = hands_of(engine)
    with pytest.raises(SettingsError, match="CLASSPULSE_SESSION__PLACE"):
        hands.tell(Told(Place.ELSEWHERE, Institution.SCHOOL))
    hands.close()
    assert file.read_text() == ""
