"""Every callback with each of its values replaced by what no page sends: refused in a line, or answered; never a fault.

The callbacks are listed from the app itself, so that a new one cannot be forgotten.
"""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hands import Hands
from seed import Lesson
from sqlalchemy import Engine
from test_every_callback import bodies
from visiting import Browser

from dashboard.app import DashboardSettings, create_app
from dashboard.controls import Findings, Phase, RunStatus, Told, View, Wanted
from dashboard.preferences import Preferences
from engagement.records import Consent, NoteKind
from storage import notes, students
from storage.database import open_database
from storage.migrate import migrate

BAD: Final[tuple[Any, ...]] = (
    None,
    True,
    False,
    0,
    -1,
    7,
    2**31,
    2**53,
    2**63 - 1,
    2**70,
    1.5,
    -1e300,
    "",
    "x",
    "-1",
    "7",
    "99999999999999999999",
    "nan",
    "\x00",
    "\ud800",
    "../../etc/passwd",
    "9" * 5000,
    "x" * 200_000,
    [],
    [None],
    [[]],
    [{}],
    ["x"],
    ["x", 1, None],
    {},
    {"x": 1},
    {"session": None},
    {"session": "x"},
    {"session": 7},
    {"session": [], "mode": {}, "drawn": {}, "do": "write", "id": {}, "phase": 7},
    {"do": "write"},
    {"do": "edit", "note": "x"},
    {"do": "undo"},
    {"mark": "x", "episodes": 7},
    {"id": 7},
    [{"id": "x", "kept": 1}],
    [{"id": None, "name": None, "started": None, "kept": None}],
    {"contents": 7, "name": []},
    {"megabytes": "x"},
    json.loads("[" * 200 + "]" * 200),
)
RAW: Final = ("NaN", "Infinity", "-Infinity", "1e999", "-1e999", "1" * 5000)
"""Numbers that JSON has not, or that no database can count."""


class Writing(Hands):
    """Controls that start and tell, and remember nothing.

    Attributes:
        stands: how it stands with the class, None for as the test began.
    """

    stands: RunStatus | None = None

    def status(self) -> RunStatus:
        return self.stands or super().status()

    def tell(self, told: Told) -> None:
        pass

    def start(self, wanted: Wanted) -> None:
        pass


class Book:
    """A book of settings with nothing in it."""

    def read(self) -> Preferences:
        return Preferences("", (), None)

    def write(self, values: Mapping[str, Any]) -> None:
        raise AssertionError("nothing of it may be written")


class Room:
    """A running class, an ended one and a class list, on pages that can do everything."""

    def __init__(self, engine: Engine) -> None:
        now = datetime.now(UTC)
        for ago in (3, 2, 1):
            lesson = Lesson(engine, now - timedelta(days=ago), interval=10, minutes=3, name="Physics 9b")
            lesson.run(3)
            lesson.close()
        self.ended = lesson.session_id
        live = Lesson(engine, now - timedelta(minutes=1), interval=2, name="Physics 9b")
        live.run(1)
        live.last_commit_was(now)
        self.running = live.session_id
        self.note = notes.add_note(engine, live.session_id, now, "a note", NoteKind.NOTE)
        self.student = students.add_student(engine, "Physics 9b", "Carla")
        students.set_consent(engine, self.student, Consent.AGREED, "letter", now)
        self.live = live
        self.hands = hands = Writing(
            RunStatus(Phase.RUNNING, "Physics 9b"),
            findings=Findings(1, "window", picture=b"x", tiles=3, faces=2),
            view=View(now.timestamp(), b"x", 4, 4, ()),
        )
        self.app = create_app(engine, DashboardSettings(controls=hands, book=Book()))  # type: ignore[arg-type]
        self.browser = Browser(self.app.server)
        self.browser.get("/_dash-layout")
        self.kept: dict[str, Any] = {}
        for output in ("now-pulse.data", "running-state.data"):
            answer = self.send(self.body(output, self.app.callback_map[output]))
            for name, properties in answer.get_json()["response"].items():
                self.kept[name] = next(iter(properties.values()))

    def good(self, name: str, prop: str) -> Any:
        """What a page that is open sends."""
        known = {
            **self.kept,
            "now-session": self.running,
            "now-chart-placed": True,
            "now-view": "mood",
            "now-answer": {"mark": "seen", "episodes": ["1"], "sent": 1},
            "now-note-order": {"do": "write", "text": "n", "begun": 1e12, "kind": "note", "sent": 1},
            "shell-viewer": {"scheme": "dark", "zone": "Europe/Berlin"},
            "report-session": self.ended,
            "sessions-grid": [
                {"id": self.ended, "name": "Physics 9b", "started": "2026-01-01", "kept": "", "length": 180}
            ],
            "students-grid": [{"id": self.student, "name": "Carla"}],
            "students-chosen": self.student,
            "students-consent": "agreed",
            "students-day": "2026-01-01",
            "students-class": ["Physics 9b"] if prop == "data" else "Physics 9b",
            "students-only-agreed": True,
            "students-shown": {"class": "Physics 9b", "agreed": False, "own": ""},
            "students-agreed-wish": {"agreed": True, "at": 1e12},
            "students-pressed-match": {"type": "students-match", "label": "Room 4", "value": "nobody"},
            "students-pressed-unmatch": {"type": "students-unmatch", "label": "Room 4", "value": 1},
            "students-pressed-offer": {
                "type": "students-two",
                "session": 1,
                "seat": 1,
                "same": 2,
                "value": 1,
            },
            "calibrate-removed": {"type": "calibrate-remove", "student": self.student, "value": 1},
            "students-file": {"contents": "data:text/csv;base64,bmFtZQpBZGE=", "name": "a.csv"},
            "trends-class": ["Physics 9b"] if prop == "data" else "Physics 9b",
            "trends-lesson": str(self.ended),
            "trends-measure": "coverage",
            "start-mode": "participation",
            "start-interval": 2,
            "start-source": [] if prop == "data" else "demo",
            "studio-picture": {
                "number": 1,
                "name": "a.png",
                "data": "data:image/png;base64,QUE=",
                "turn": None,
            },
            "calibrate-state": {
                "session": self.running,
                "seat": 1,
                "calibrated": None,
                "windows": [{"expression": "neutral", "since": 1e12, "until": 1.1e12}],
                "begun": {"expression": "happy", "since": 1e12},
            },
            "calibrate-seat": [{"value": "1", "label": "Ada"}] if prop == "data" else "1",
            "calibrate-expression": "happy",
            "studio-class": "Physics 9b",
            "studio-mode": "individual",
            "studio-interval": 2,
            "studio-started": self.ended,
            "shell-url": "/trends" if prop == "pathname" else "?class=Physics%209b",
        }
        counters = {"now-noted", "now-answered", "start-opened", "studio-opened"}
        if prop.startswith("n_") or name in counters:
            return 1
        if prop in {"checked", "opened"}:
            return True
        return known.get(name, "text" if prop == "value" else None)

    def end(self) -> None:
        """From here on no class runs."""
        self.hands.stands = RunStatus(Phase.IDLE)
        self.live.close()

    def body(self, output: str, callback: Mapping[str, Any]) -> dict[str, Any]:
        """What a page sends to run a callback."""
        body: dict[str, Any] = next(bodies(_School(self), output, callback))  # type: ignore[arg-type]
        for one in [*body["inputs"], *body["state"]]:
            if isinstance(one, list):
                if "key" in one[0]["id"]:
                    one[0]["id"]["key"] = "dashboard.port"
                one[0]["value"] = {
                    "id": one[0]["id"],
                    "value": str(self.student),
                    "n_clicks": 1,
                }[one[0]["property"]]
            else:
                one["value"] = self.good(one["id"], one["property"])
        return body

    def send(self, body: Mapping[str, Any] | bytes) -> Any:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        return self.browser.client.post(
            "/_dash-update-component",
            base_url=self.browser.base,
            data=data,
            headers={"Origin": self.browser.base, "Content-Type": "application/json"},
        )

    def callbacks(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for output, callback in list(self.app.callback_map.items()):
            if "callback" in callback:
                yield output, callback


class _School:
    """As `bodies` wants it."""

    def __init__(self, room: Room) -> None:
        self.session = {"Zanzibar 7a": room.ended}
        self.student = {"Zanzibar 7a": room.student}
        self.running = room.running
        self.kept: dict[str, Any] = {}


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('room') / 'class.db'}")
    migrate(engine)
    yield Room(engine)
    engine.dispose()


def test_what_a_page_sends_is_answered(room: Room) -> None:
    refused = {}
    for output, callback in room.callbacks():
        answer = room.send(room.body(output, callback))
        if answer.status_code not in {200, 204}:
            refused[output] = answer.get_data(as_text=True)
    assert refused == {}


def tried(room: Room, caplog: pytest.LogCaptureFixture) -> tuple[int, int, list[str]]:
    """How many values were sent, how many of them were refused, and what else came of the others than an answer."""
    sent, refused, told = 0, 0, []
    for output, callback in room.callbacks():
        body = room.body(output, callback)
        for part, place in [(which, at) for which in ("inputs", "state") for at in range(len(body[which]))]:
            kept = body[part][place]
            one = kept[0] if isinstance(kept, list) else kept
            for value in (*BAD, *(f"<{text}>" for text in RAW)):
                changed = {**one, "value": value}
                body[part][place] = [changed] if isinstance(kept, list) else changed
                data = json.dumps(body)
                for text in RAW:
                    data = data.replace(f'"<{text}>"', text)
                caplog.clear()
                answer = room.send(data.encode())
                sent += 1
                found = [
                    f"{record.getMessage()} {record.exc_info[1] if record.exc_info else ''}"
                    for record in caplog.records
                    if record.exc_info or record.levelno >= logging.ERROR
                ]
                if answer.status_code == 400:
                    refused += 1
                    (line,) = [record.getMessage() for record in caplog.records]
                    assert "\n" not in line
                    assert len(line) < 200
                elif answer.status_code not in {200, 204} or found:
                    told.append(
                        ascii(f"{output[:60]} {one['id']}.{one['property']} = {value!r:.60}: {found}"[:400])
                    )
            body[part][place] = kept
    return sent, refused, told


@pytest.mark.logs_errors
def test_no_value_leads_to_a_fault_while_a_class_runs(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    sent, refused, told = tried(room, caplog)
    assert told == []
    assert sent > 5000
    assert refused > sent / 2


@pytest.mark.logs_errors
def test_no_value_leads_to_a_fault_where_none_runs(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    room.end()
    _, _, told = tried(room, caplog)
    assert told == []


@pytest.mark.parametrize(
    "name",
    [
        '{"label":"x","type":"students-match"}',
        '{"type":"students-match"}',
        '{"label":"x","type":"students-unmatch"}',
        '{"label":{},"type":"students-match"}',
        "{}",
    ],
)
@pytest.mark.parametrize("prop", ["value", "data"])
def test_a_component_that_was_not_sent_triggers_nothing(room: Room, name: str, prop: str) -> None:
    output, callback = next(
        (output, callback)
        for output, callback in room.callbacks()
        if callback["inputs"][0]["id"] == "students-pressed-match"
    )
    body = room.body(output, callback)
    assert room.send(body).status_code == 200
    assert room.send({**body, "changedPropIds": [f"{name}.{prop}"]}).status_code == 400
