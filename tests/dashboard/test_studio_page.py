"""Try it, without a browser: what is said of a picture, what is asked of the controls, how far a recording is."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from dash import Dash
from hands import Hands, a_picture_read
from page_answers import shown
from seed import Lesson
from sqlalchemy import Engine
from visiting import Browser

from dashboard.app import DashboardSettings, create_app
from dashboard.components import tried
from dashboard.controls import Phase, Picture, RunStatus, Wanted
from dashboard.pages import studio
from engagement.errors import ClasspulseError
from engagement.phrases import signed
from engagement.policy import Policy
from engagement.records import Box, IntervalRecord, Mode, NotObservedReason
from storage import queries
from storage.pause import pause


def test_each_face_has_its_bars_in_individual_mode_only() -> None:
    text = shown(tried.result(a_picture_read()))
    assert "Ada" in text
    assert text.count("Happy 80 %") == 2
    assert "Quality 88 %, 60 px high, head 12° right" in text
    assert "opted out" in text
    assert "2 rows" not in text
    assert "3 rows, 3 with a name" in text
    for mode, words in (
        (Mode.AGGREGATE, "No expression: they are counted of at least 5 faces, 2 could be read."),
        (Mode.PARTICIPATION, "No expression: in participation mode none is read."),
    ):
        told = shown(tried.result(a_picture_read(mode)))
        assert words in told
        assert f"None: in {mode} mode nothing is kept of one seat." in told
        assert "Happy" not in told
        assert "Quality" not in told


def test_a_group_is_told_of_with_its_mood() -> None:
    read = a_picture_read(Mode.AGGREGATE, tuple("ABCDEFG"))
    text = shown(tried.stored(read))
    assert "Expressions of 7 faces: Happy 7." in text
    assert read.record.mood is not None
    assert f"Mood of the class: mostly positive, {signed(read.record.mood.valence)} (" in text
    few = shown(tried.stored(a_picture_read(Mode.INDIVIDUAL)))
    assert "Mood of the class: of 2 faces, too few to be told." in few


def test_the_headline_says_what_there_is() -> None:
    read = a_picture_read()
    assert tried.headline(read) == "3 tiles, 2 faces, 2 read"
    assert tried.headline(a_picture_read(Mode.PARTICIPATION)) == "3 tiles, 2 faces"
    alone = replace(read, record=replace(read.record, grid=False))
    assert tried.headline(alone) == "No gallery, 2 faces, 2 read"
    assert "each face counts as a tile" in shown(tried.stored(alone))


def test_a_picture_with_nobody_on_it_would_be_stored_as_not_observed() -> None:
    record = IntervalRecord(
        0, datetime.now(UTC), 2.0, 0, 0, 0, {}, None, None, None, NotObservedReason.NOT_A_GALLERY
    )
    nobody = replace(a_picture_read(), readings=(), record=Policy(Mode.INDIVIDUAL).apply(record))
    text = shown(tried.result(nobody))
    assert "No tile and no face was found." in text
    assert "That nothing was observed: no gallery in sight." in text
    assert tried.headline(nobody) == "No gallery, no face"
    assert tried.marks(nobody) == []
    assert "somebody is left out by theirs" in shown(tried.result(replace(nobody, withheld=True)))


def test_marks_lie_in_shares_of_the_picture_and_cover_who_opted_out() -> None:
    read = a_picture_read()
    tile, face, *_, out = tried.marks(read)
    assert tile.style["left"] == f"{100 * 10 / read.width:.2f}%"
    assert face.style["width"] == f"{100 * 50 / read.width:.2f}%"
    assert "cp-try-out" in out.className
    assert shown(out) == "3 opted out"
    # a face that reaches beyond the picture is marked as far as it is on it
    far = replace(read.readings[0].tile, box=Box(-20, -20, 10_000, 10_000))
    (beyond,) = tried.marks(replace(read, readings=(replace(read.readings[0], tile=far),)))[:1]
    assert beyond.style == {"left": "0.00%", "top": "0.00%", "width": "100.00%", "height": "100.00%"}


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("lesson.mp4", "./lesson.mp4"),
        ("demo", "./demo"),
        ("window:Zoom", "./window:Zoom"),
        ("~/lesson.mp4", "~/lesson.mp4"),
        ("../lesson.mp4", "./../lesson.mp4"),
        ("films/lesson.mp4", "./films/lesson.mp4"),
        ("window:a/b", "./window:a/b"),
        ("/films/lesson.mp4", "/films/lesson.mp4"),
    ],
)
def test_what_is_typed_is_a_path_and_no_other_source(text: str, source: str) -> None:
    assert studio.as_path(text) == source


def test_what_is_no_data_address_is_no_picture() -> None:
    assert studio.bytes_of("data:image/png;base64," + base64.b64encode(b"abc").decode()) == b"abc"
    assert studio.bytes_of("data:image/png;base64,%%%") == b""
    assert studio.bytes_of("https://example.org/a.png") == b""


class Reading(Hands):
    """Notes what is started; refuses a picture called bad.png."""

    def __init__(self, status: RunStatus | None = None) -> None:
        super().__init__(status)
        self.wanted: list[Wanted] = []

    def start(self, wanted: Wanted) -> None:
        self.wanted.append(wanted)

    def read_picture(self, picture: Picture) -> Any:
        if picture.name == "bad.png":
            raise ClasspulseError("The picture bad.png cannot be decoded.")
        return super().read_picture(picture)


Ask = Callable[..., dict[str, Any]]


def asker(engine: Engine, hands: Reading | None) -> Ask:
    return asking(create_app(engine, DashboardSettings(controls=hands)), "studio-")  # type: ignore[arg-type]


def asking(app: Dash, prefix: str, visitor: Browser | None = None) -> Ask:
    """Runs the first callback with that output, or with that first input; values are by id without its prefix."""
    browser = visitor or Browser(app.server)
    browser.get("/_dash-layout")

    def ask(output: str, **values: Any) -> dict[str, Any]:
        name, known = next(
            (name, one)
            for name, one in app.callback_map.items()
            if "callback" in one
            and (output in name or output == "{id}.{property}".format_map(one["inputs"][0]))
        )

        def filled(parts: Any) -> list[dict[str, Any]]:
            return [{**one, "value": values[one["id"].removeprefix(prefix)]} for one in parts]

        outputs = [
            {"id": one.component_id, "property": one.component_property}
            for one in (known["output"] if isinstance(known["output"], list | tuple) else [known["output"]])
        ]
        body = {
            "output": name,
            "outputs": outputs if name.startswith("..") else outputs[0],
            "inputs": filled(known["inputs"]),
            "state": filled(known["state"]),
            "changedPropIds": [f"{one['id']}.{one['property']}" for one in known["inputs"][:1]],
        }
        answer = browser.post("/_dash-update-component", json=body)
        assert answer.status_code in {200, 204}, answer.get_data(as_text=True)
        return answer.get_json()["response"] if answer.status_code == 200 else {}

    return ask


GIVEN = {
    "number": 7,
    "name": "../a\u202eb.png",
    "data": "data:image/png;base64," + base64.b64encode(b"pixels").decode(),
    "turn": None,
}


def test_a_picture_goes_to_the_controls_as_it_came(engine: Engine) -> None:
    hands = Reading()
    ask = asker(engine, hands)
    told = ask(f"{studio.RESULT}.children", picture=GIVEN, mode="aggregate", agreed=False, **{"class": "9b"})
    (picture,) = hands.given
    assert (picture.data, picture.name, picture.class_name) == (b"pixels", "../ab.png", "9b")
    assert (picture.mode, picture.agreed, picture.turn) == (Mode.AGGREGATE, False, None)
    assert told[studio.ANSWER]["data"] == {"number": 7, "read": True, "agreed": False}
    assert told[studio.SAID]["children"] == "3 tiles, 2 faces, 2 read"

    ask(
        f"{studio.RESULT}.children",
        picture={**GIVEN, "turn": 1.7e12},
        mode="individual",
        agreed=True,
        **{"class": ""},
    )
    assert hands.given[-1].turn == 1_700_000_000_000
    assert hands.given[-1].agreed
    # a tick that is hidden states nothing
    ask(f"{studio.RESULT}.children", picture=GIVEN, mode="aggregate", agreed=True, **{"class": ""})
    assert not hands.given[-1].agreed


def test_nobody_is_looked_at_in_individual_mode_before_they_agreed(engine: Engine) -> None:
    hands = Reading()
    told = asker(engine, hands)(
        f"{studio.RESULT}.children", picture=GIVEN, mode="individual", agreed=False, **{"class": ""}
    )
    assert hands.given == []
    assert "told and agreed" in told[studio.PROBLEM]["children"]
    assert told[studio.ANSWER]["data"] == {"number": 7, "read": False, "agreed": False}


def test_what_cannot_be_read_is_said_and_the_page_waits_no_longer(engine: Engine) -> None:
    told = asker(engine, Reading())(
        f"{studio.RESULT}.children",
        picture={**GIVEN, "name": "bad.png"},
        mode="participation",
        agreed=False,
        **{"class": ""},
    )
    assert told[studio.PROBLEM]["children"] == "The picture bad.png cannot be decoded."
    assert told[studio.ANSWER]["data"] == {"number": 7, "read": False, "agreed": False}
    assert told[studio.RESULT]["children"] is None


def test_a_recording_is_started_under_the_name_of_its_file_where_no_class_is_named(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    films = [tmp_path / "Physics 9b.mp4", tmp_path / "x.mp4"]
    for film in films:
        film.touch()
    hands = Reading()
    ask = asker(engine, hands)
    values = {"analyse": 1, "interval": 5, "mode": "aggregate", "agreed": False}
    told = ask(f"{studio.STARTED}.data", path=" Physics 9b.mp4 ", **values, **{"class": ""})
    assert told[studio.STARTED]["data"] == 0
    ask(f"{studio.STARTED}.data", path=str(films[1]), **values, **{"class": "Chess"})
    assert hands.wanted == [
        Wanted("Physics 9b", Mode.AGGREGATE, 5.0, "./Physics 9b.mp4", tried=True),
        Wanted("Chess", Mode.AGGREGATE, 5.0, str(films[1]), tried=True),
    ]
    nowhere = ask(f"{studio.STARTED}.data", path="  ", **values, **{"class": ""})
    assert "Write where the recording lies" in nowhere[studio.ANALYSE_SAID]["children"]
    for path in ("gone.mp4", "~nobody-of-this-name/x.mp4", "nul\0.mp4"):
        gone = ask(f"{studio.STARTED}.data", path=path, **values, **{"class": ""})
        words = gone[studio.ANALYSE_SAID]["children"]
        assert words.startswith(f"There is no file or folder {path} on the computer that runs classpulse")
    assert len(hands.wanted) == 2


def test_how_far_a_recording_is_and_where_its_report_stands(engine: Engine) -> None:
    hands = Reading(RunStatus(Phase.RUNNING, "Physics 9b", looks=40))
    ask = asker(engine, hands)

    def now(started: Any = 0) -> dict[str, Any]:
        return ask(f"{studio.PROGRESS}.className", **{"show-poll": 1}, started=started)

    assert "The first look takes some seconds" in now()[studio.DONE]["children"]
    lesson = Lesson(engine, datetime.now(UTC) - timedelta(days=1), names=("Ada",), interval=10)
    lesson.run(1)
    told = now()
    assert told[studio.DONE]["children"] == "6 of 40 looks"
    section = told[studio.BAR]["children"]["props"]["children"]["props"]
    assert section["value"] == pytest.approx(15)
    assert section["aria-label"] == "Read so far: 15 % of the recording"
    pause(engine, lesson.session_id, paused=True)
    told = now()
    assert told[studio.DONE]["children"] == "6 of 40 looks, paused"
    assert told[studio.PAUSE]["children"] == "Go on"
    ask(f"{studio.PAUSE}.n_clicks", pause=1)
    session = queries.live_session(engine)
    assert session is not None
    assert session.paused_at is None

    # a class of the screen has no end that could be told
    hands._status = RunStatus(Phase.RUNNING, "Physics 9b")
    told = now()
    assert told[studio.PROGRESS]["className"] == "cp-hidden"
    assert told[studio.ANALYSE]["disabled"]
    assert told[studio.BUSY]["children"].startswith("Physics 9b is being read")
    lesson.close()
    hands._status = RunStatus(Phase.IDLE)
    assert now()[studio.REPORT]["children"]["props"]["href"] == f"/sessions/{lesson.session_id}"
    # one that was opened before is no report of what was started here
    opened = round(queries.find_session(engine, "last").opened_at.timestamp() * 1000)
    assert now(opened - 1)[studio.REPORT]["children"] is not None
    assert now(opened)[studio.REPORT]["children"] is None
    assert now(None)[studio.REPORT]["children"] is None
    hands._status = RunStatus(Phase.FAILED, "Physics 9b", reason="It holds no frame.")
    assert now(opened)[studio.ANALYSE_SAID]["children"] == "It holds no frame."


def test_pages_that_only_show_say_what_to_run(engine: Engine) -> None:
    told = asker(engine, None)(f"{studio.ROOM}.className", opened=0)
    assert told[studio.ROOM]["className"] == "cp-hidden"
    assert "Run classpulse start in a terminal" in str(told[studio.NO_CONTROLS]["children"])
