"""Over every route and every callback: a teacher's account learns nothing of another class and changes nothing in it.

Both are listed from the app itself, so that a new one cannot be forgotten.
"""

import itertools
import json
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hands import a_picture_read
from seed import Lesson
from sqlalchemy import Engine, select
from visiting import ADMIN, SECRET, TEACHER, Browser, make_accounts

from dashboard.app import DashboardSettings, create_app
from dashboard.controls import Choices, Findings, Phase, RunStatus, View, Wanted
from dashboard.door import OPEN, Access
from engagement.records import Consent, Mode, NoteKind
from storage import notes, queries, students
from storage.database import open_database, reading
from storage.migrate import migrate
from storage.schema import Base

OURS, THEIRS = "Physics 9b", "Zanzibar 7a"
HIDDEN = ("Zanzibar", "Quetzalcoatl", "Xylophone", "Wolfram")
"""Words that stand only in the other class: its name, a seat, a note, a student."""


class Hands:
    """Controls that read the other class, and remember what was asked of them."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        answers: dict[str, Any] = {
            "suggestion": Wanted(THEIRS, Mode.INDIVIDUAL, 2.0, "window:Zanzibar", True),
            "choices": Choices((), f"The window of {THEIRS} is hidden."),
            "look": 1,
            "findings": Findings(1, "window:Zanzibar", picture=b"Zanzibar", tiles=3, faces=2),
            "start": None,
            "stop": True,
            "status": RunStatus(Phase.RUNNING, THEIRS),
            "view": View(datetime.now(UTC).timestamp(), b"Zanzibar", 4, 4, ()),
            "told": None,
            "tell": None,
            "read_picture": a_picture_read(names=("Zanzibar",)),
        }
        if name not in answers:
            raise AttributeError(name)

        def answer(*_values: Any, **_named: Any) -> Any:
            self.asked.append(name)
            return answers[name]

        return answer


class School:
    """Two classes, one of them running and not ours, with everything that a page could show."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.session: dict[str, int] = {}
        self.student: dict[str, int] = {}
        now = datetime.now(UTC)
        for name, seats, note, student in (
            (OURS, ("Ada", "Ben"), "ours", "Carla"),
            (THEIRS, ("Quetzalcoatl", "Dora"), "Xylophone", "Wolfram"),
        ):
            for ago in (2, 1):
                lesson = Lesson(
                    engine, now - timedelta(days=ago), names=seats, interval=10, minutes=3, name=name
                )
                lesson.run(3)
                lesson.close()
            self.session[name] = lesson.session_id
            notes.add_note(engine, lesson.session_id, now - timedelta(days=1), note, NoteKind.TOPIC)
            self.student[name] = students.add_student(engine, name, student)
            students.set_consent(engine, self.student[name], Consent.AGREED, f"letter of {name}", now)
            students.match_label(engine, name, seats[0], self.student[name])
        live = Lesson(
            engine, now - timedelta(minutes=1), names=("Quetzalcoatl", "Dora"), interval=2, name=THEIRS
        )
        live.run(1)
        live.last_commit_was(now)
        self.running = live.session_id
        make_accounts(engine, OURS)
        self.kept: dict[str, Any] = {}
        self.hands = Hands()
        self.app = create_app(
            engine,
            DashboardSettings(access=Access(SECRET), controls=self.hands),  # type: ignore[arg-type]
        )

    def keep_what_an_admin_sees(self) -> None:
        """What the browser of an admin keeps of the running class: a teacher may have looked over a shoulder."""
        admin = self.browser(ADMIN)
        admin.get("/_dash-layout")
        self.kept |= {"trends-measure": "coverage", "now-session": self.running}
        self.kept["now-standing"] = {
            "session": self.running,
            "name": THEIRS,
            "mode": "individual",
            "paused": False,
        }
        for output in ("now-pulse.data", "running-state.data", "now-pulse.data"):
            for key, callback in self.app.callback_map.items():
                if key == output and "callback" in callback:
                    body = next(bodies(self, key, callback))
                    for one in body["state"]:
                        one["value"] = None
                    answer = admin.post("/_dash-update-component", json=body).get_json()
                    for name, properties in (answer or {}).get("response", {}).items():
                        self.kept[name] = next(iter(properties.values()))
        assert {"now-pulse", "running-state"} <= set(self.kept)

    def browser(self, name: str) -> Browser:
        browser = Browser(self.app.server)
        assert browser.log_in(name).status_code == 303
        return browser

    def rows(self) -> dict[str, list[str]]:
        """Every row, but for those of the session of whoever asks, and what they did."""
        with reading(self.engine) as connection:
            return {
                table.name: sorted(map(repr, connection.execute(select(table))))
                for table in Base.metadata.sorted_tables
                if table.name not in {"logins", "audit_log", "used_links"}
            }


@pytest.fixture(scope="module")
def school(tmp_path_factory: pytest.TempPathFactory) -> Iterator[School]:
    """Read only, but for the last test."""
    engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('school') / 'class.db'}")
    migrate(engine)
    yield School(engine)
    engine.dispose()


def values(school: School, prop: str, name: str) -> tuple[Any, ...]:
    """What a curious teacher would put into a property: the other class, by name and number, in every shape."""
    theirs, student, running = school.session[THEIRS], school.student[THEIRS], school.running
    pulse = {
        "session": running, "mode": "individual", "name": THEIRS, "last_id": 10**6, "paused": False,
        "phase": "running", "ended": theirs, "last": 0, "stale_after": 10.0, "opened": 0,
    }  # fmt: skip
    if name in school.kept:
        return (school.kept[name],)
    if prop in {"n_clicks", "n_intervals", "n_submit", "n_blur"} or name.endswith("-poll"):
        return (1,)
    if prop == "pathname":
        return (f"/sessions/{theirs}", "/settings", "/start", "/students", "/studio")
    if prop == "search":
        return (f"?class={THEIRS.replace(' ', '%20')}", f"?session={theirs}")
    if prop in {"checked", "opened"}:
        return (True,)
    return (
        pulse,
        theirs,
        THEIRS,
        str(theirs),
        student,
        str(student),
        [running],
        {"id": theirs, "student": student},
        {
            "type": "students-two",
            "label": THEIRS,
            "value": str(student),
            "session": theirs,
            "seat": 1,
            "same": 2,
        },
    )


def bodies(school: School, output: str, callback: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Requests for a callback, each with another set of values of the other class."""

    def filled(dependency: Mapping[str, Any], place: int) -> Any:
        if dependency["id"].startswith("{"):
            pattern = json.loads(dependency["id"])
            number = school.student[THEIRS]
            own = {key: number if value == ["ALL"] else value for key, value in pattern.items()}
            return [{"id": own, "property": dependency["property"], "value": 1}]
        offered = values(school, dependency["property"], dependency["id"])
        return {**dependency, "value": offered[place % len(offered)]}

    several = callback["output"] if isinstance(callback["output"], list | tuple) else None
    outputs: Any = (
        [{"id": one.component_id, "property": one.component_property} for one in several]
        if several is not None
        else {"id": callback["output"].component_id, "property": callback["output"].component_property}
    )
    for place, trigger in itertools.product(range(8), range(max(1, len(callback["inputs"])))):
        inputs = [filled(one, place) for one in callback["inputs"]]
        changed = []
        if inputs:
            one = inputs[trigger][0] if isinstance(inputs[trigger], list) else inputs[trigger]
            own = (
                json.dumps(one["id"], sort_keys=True, separators=(",", ":"))
                if isinstance(one["id"], dict)
                else one["id"]
            )
            changed = [f"{own}.{one['property']}"]
        yield {
            "output": output,
            "outputs": outputs,
            "inputs": inputs,
            "state": [filled(one, place) for one in callback["state"]],
            "changedPropIds": changed,
        }


def ask_everything(school: School, browser: Browser) -> tuple[int, dict[str, str]]:
    """How many requests were made, and by callback the answers that name something of the other class."""
    telling: dict[str, str] = {}
    asked = 0
    for output, callback in list(school.app.callback_map.items()):
        if "callback" not in callback:  # it runs in the browser
            continue
        for body in bodies(school, output, callback):
            asked += 1
            answer = browser.post("/_dash-update-component", json=body)
            text = answer.get_data(as_text=True)
            # what was sent may come back; what was not known may not
            sent = json.dumps(body)
            found = [word for word in HIDDEN if word in text and word not in sent]
            if found:
                telling[output] = text
    return asked, telling


def test_no_route_tells_anything_of_another_class(school: School) -> None:
    teacher, admin = school.browser(TEACHER), school.browser(ADMIN)
    teacher.get("/_dash-layout")
    asked, told = 0, 0
    for rule in school.app.server.url_map.iter_rules():
        if "GET" not in (rule.methods or ()) or rule.endpoint == "door_enter":
            continue
        of_students = rule.rule.startswith("/students/")
        for number in (school.student[THEIRS],) if of_students else (school.session[THEIRS], school.running):
            for suffix in ("html", "csv", "xlsx", "json", "pdf") if "<suffix>" in rule.rule else ("x",):
                if suffix == "pdf":
                    continue  # Chromium prints what html shows
                path = re.sub(r"<int[^>]*:\w+>", str(number), rule.rule)
                path = re.sub(r"<(\w+:)?suffix>|<(\w+:)?\w+>", suffix, path)
                asked += 1
                answer = teacher.get(path)
                text = answer.get_data().decode("utf-8", "replace")
                assert answer.status_code < 500, path
                assert not [word for word in HIDDEN if word in text], path
                if "<int" in rule.rule and rule.endpoint not in OPEN:
                    assert answer.status_code in {403, 404}, path
                    told += admin.get(path).status_code == 200
    assert asked > 30
    assert told >= 5


def test_a_teacher_sees_and_exports_their_own_class(school: School) -> None:
    teacher = school.browser(TEACHER)
    answer = teacher.get(f"/sessions/{school.session[OURS]}/report.html")
    assert answer.status_code == 200
    assert "Ada" in answer.get_data(as_text=True)
    student = teacher.get(f"/students/{school.student[OURS]}/student.json")
    assert "Carla" in student.get_data(as_text=True)
    assert queries.live_session(school.engine) is not None
    # to them no class is running
    body = next(
        body
        for output, callback in school.app.callback_map.items()
        if output.startswith("running-state.data") and "callback" in callback
        for body in bodies(school, output, callback)
    )
    told = teacher.post("/_dash-update-component", json=body).get_data(as_text=True)
    assert '"phase":"idle"' in told.replace(" ", "") or "running" not in told


@pytest.mark.parametrize(("who", "title"), [(TEACHER, "This page is for admins"), (ADMIN, None)])
@pytest.mark.parametrize("path", ["/settings", "/start"])
def test_what_is_for_admins(school: School, who: str, title: str | None, path: str) -> None:
    browser = school.browser(who)
    browser.get("/_dash-layout")
    output = next(key for key in school.app.callback_map if "shell-content.children" in key)
    callback = school.app.callback_map[output]
    body = next(bodies(school, output, callback))
    body["inputs"][0]["value"] = path
    text = browser.post("/_dash-update-component", json=body).get_data(as_text=True)
    assert ("This page is for admins" in text) == (title is not None)
    navigation = json.dumps(json.loads(text)["response"]["shell-navigation"])
    assert ('"/settings"' in navigation) == (who == ADMIN)
    assert '"/account"' in navigation


@pytest.mark.logs_errors  # values that no page sends
def test_no_callback_tells_or_changes_anything_of_another_class(
    school: School, caplog: pytest.LogCaptureFixture
) -> None:
    teacher = school.browser(TEACHER)
    teacher.get("/_dash-layout")
    school.keep_what_an_admin_sees()
    school.hands.asked.clear()
    before = school.rows()
    asked, telling = ask_everything(school, teacher)
    assert asked > 300
    assert not telling
    # every query that a page makes can be narrowed: none had to be refused for its shape
    assert "were not touched" not in caplog.text
    assert "is not for a teacher's account" not in caplog.text
    after = school.rows()
    changed = {
        table: [row for row in set(before[table]) ^ set(after[table]) if _is_theirs(school, table, row)]
        for table in before
    }
    assert not any(changed.values()), changed
    # nothing but how it stands was asked of this computer's hands
    assert set(school.hands.asked) <= {"status"}
    # the same requests are no dead letters: an admin learns a good deal
    _asked, known = ask_everything(school, school.browser(ADMIN))
    assert len(known) >= 8, sorted(known)
    assert {"suggestion", "findings"} <= set(school.hands.asked)


def _is_theirs(school: School, table: str, row: str) -> bool:
    return (
        table in {"accounts", "account_classes"}
        or THEIRS in row
        or any(word in row for word in HIDDEN)
        or (
            table in {"notes", "episodes", "seats", "intervals", "heartbeats", "seat_offers"}
            and re.search(rf"\({school.running}, |, {school.running}, |, {school.session[THEIRS]}, ", row)
            is not None
        )
    )
