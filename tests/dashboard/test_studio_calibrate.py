"""Calibrate a seat, without a browser: what is collected, what is worked out, what is kept and what is refused."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest
from dash import Dash
from page_answers import shown
from sitting import FIGURES, SKEW, Sitting
from sqlalchemy import Engine
from test_studio_page import Ask, asking
from visiting import SECRET, TEACHER, Browser, make_accounts
from werkzeug.test import TestResponse

from dashboard.app import DashboardSettings, create_app
from dashboard.door import Access
from dashboard.pages import studio_calibrate as page
from engagement.calibration import Fit, Held
from engagement.emotion import EXPRESSIONS
from engagement.records import Consent, Mode
from storage import students
from storage.calibrations import as_array, keep_bias, remove_bias
from storage.pause import pause

HAPPY = EXPRESSIONS.index("happy")


@pytest.fixture
def ada(engine: Engine) -> int:
    return students.add_student(engine, "Physics", "Ada Okafor")


@pytest.fixture
def ask(engine: Engine) -> Ask:
    return asking(create_app(engine, DashboardSettings(accuracy=FIGURES)), "calibrate-")


def milliseconds(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def shown_before(
    sitting: Sitting, *, skewed: bool = True, calibrated: datetime | None = None
) -> dict[str, Any]:
    """A neutral minute and two posed expressions, some minutes ago."""
    windows = []
    for place, (name, looks) in enumerate((("neutral", 30), ("happy", 6), ("sad", 6))):
        # a browser tells whole milliseconds
        at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=8 - place)
        sitting.show(name, looks, at, skewed=skewed)  # type: ignore[arg-type]
        windows.append(
            {"expression": name, "since": milliseconds(at), "until": milliseconds(at + timedelta(seconds=10))}
        )
    return {
        "session": sitting.session_id,
        "seat": 1,
        "calibrated": None if calibrated is None else milliseconds(calibrated),
        "windows": windows,
        "begun": None,
    }


def test_what_was_collected_is_worked_out_and_kept(engine: Engine, ada: int, ask: Ask) -> None:
    state = shown_before(Sitting(engine, ada))
    told = ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=state, seat=None)
    assert told[page.ROOM]["className"] == ""
    assert told[page.SEAT]["data"] == [{"value": "1", "label": "Ada Okafor"}]
    assert "Neutral: 30 looks" in json.dumps(told[page.COLLECTED])
    assert told[page.WORK]["disabled"] is False
    result = ask(f"{page.WORK}.n_clicks", work=1, state=state)
    assert "It helps: Ada Okafor is read better with it." in json.dumps(result[page.RESULT])
    assert result[page.KEEP]["className"] == ""
    kept = ask(f"{page.KEEP}.n_clicks", keep=1, state=state)
    assert kept[page.SAID]["children"] == "Kept: Ada Okafor is read with it from the next look on."
    assert kept[page.STATE]["data"] is None
    student = students.read_student(engine, ada)
    assert student.bias is not None
    assert student.bias["sad"] < -0.4
    listed = ask(f"{page.KEPT}.children", changed=1, **{"shell-viewer": None})
    assert "Remove the calibration of Ada Okafor" in json.dumps(listed)


def test_a_seat_that_is_read_as_most_are_is_left_as_it_is(engine: Engine, ada: int, ask: Ask) -> None:
    state = shown_before(Sitting(engine, ada), skewed=False)
    result = ask(f"{page.WORK}.n_clicks", work=1, state=state)
    assert "It would not help" in json.dumps(result[page.RESULT])
    assert result[page.KEEP]["className"] == "cp-hidden"
    refused = ask(f"{page.KEEP}.n_clicks", keep=1, state=state)
    assert "would not help" in refused[page.SAID]["children"]
    assert students.read_student(engine, ada).bias is None


def test_a_seat_that_was_calibrated_is_fitted_to_what_the_network_said(
    engine: Engine, ada: int, ask: Ask
) -> None:
    before = datetime.now(UTC) - timedelta(minutes=9)
    keep_bias(engine, ada, -SKEW, before)
    # what is stored is right already, by the bias that is on the seat
    state = shown_before(Sitting(engine, ada), skewed=False, calibrated=before)
    result = ask(f"{page.WORK}.n_clicks", work=1, state=state)
    assert "It helps" in json.dumps(result[page.RESULT])
    ask(f"{page.KEEP}.n_clicks", keep=1, state=state)
    bias = students.read_student(engine, ada).bias
    assert bias is not None
    again = as_array(bias)
    # a new one stands in the place of the old, not on top of it
    assert again[EXPRESSIONS.index("sad")] == again.min()
    assert again.min() > -1.9


def test_looks_of_before_a_calibration_was_kept_or_removed_do_not_go_with_those_of_after(
    engine: Engine, ada: int, ask: Ask
) -> None:
    state = shown_before(Sitting(engine, ada))

    def forgotten(state: dict[str, Any]) -> bool:
        told = ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=state, seat=None)
        result = ask(f"{page.WORK}.n_clicks", work=1, state=state)
        begun = ask(f"{page.BEGIN}.n_clicks", begin=1, seat="1", expression="sad", state=state)
        gone = {
            page.ENDED in told and told[page.ENDED]["data"] == {"before": state, "state": None, "said": ""},
            "choose one, and begin" in result[page.SAID]["children"],
            begun[page.STATE]["data"]["windows"] == [],
        }
        assert len(gone) == 1
        return gone.pop()

    assert not forgotten(state)
    kept_at = datetime.now(UTC)
    keep_bias(engine, ada, -SKEW, kept_at)
    assert forgotten(state)
    biased = {**state, "calibrated": milliseconds(kept_at)}
    assert not forgotten(biased)
    remove_bias(engine, ada)
    assert forgotten(biased)


def test_an_expression_is_over_when_it_was_long_enough_and_read_often_enough(
    engine: Engine, ada: int, ask: Ask
) -> None:
    sitting = Sitting(engine, ada)
    sitting.show("neutral", 1, datetime.now(UTC) - timedelta(minutes=1))
    told = ask(f"{page.BEGIN}.n_clicks", begin=1, seat="1", expression="happy", state=None)
    state = told[page.STATE]["data"]
    assert told[page.SAID]["children"] == "Ada Okafor shows happy now."
    assert (state["session"], state["seat"], state["windows"]) == (sitting.session_id, 1, [])

    def poll(seconds_ago: float) -> dict[str, Any]:
        begun = {**state["begun"], "since": milliseconds(datetime.now(UTC) - timedelta(seconds=seconds_ago))}
        return ask(f"{page.ROOM}.className", **{"show-poll": 1}, state={**state, "begun": begun}, seat=None)

    early = poll(4)
    assert page.ENDED not in early
    assert early[page.BEGIN]["disabled"] is True
    assert "Happy: 4 of 10 s" in json.dumps(early[page.RUNNING])
    # the one look at a neutral face lies before: none of the happy one was read yet
    waiting = poll(0.01)
    assert "read in 0 looks" in json.dumps(waiting[page.RUNNING])
    sitting.show("happy", 5, datetime.now(UTC) - timedelta(seconds=5))
    done = poll(11)
    over = done[page.ENDED]["data"]
    assert over["said"] == "Happy: done."
    assert over["before"]["begun"]["expression"] == "happy"
    assert over["state"]["begun"] is None
    assert [one["expression"] for one in over["state"]["windows"]] == ["happy"]
    cancelled = ask(f"{page.CANCEL}.n_clicks", cancel=1, state=state)
    assert cancelled[page.STATE]["data"]["begun"] is None


def test_a_face_that_cannot_be_read_is_not_waited_for_for_ever(engine: Engine, ada: int, ask: Ask) -> None:
    sitting = Sitting(engine, ada)
    sitting.show("neutral", 1, datetime.now(UTC) - timedelta(minutes=5))
    begun = {"expression": "happy", "since": milliseconds(datetime.now(UTC) - timedelta(seconds=12))}
    state = {"session": sitting.session_id, "seat": 1, "calibrated": None, "windows": [], "begun": begun}
    assert page.ENDED not in ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=state, seat=None)
    begun["since"] = milliseconds(datetime.now(UTC) - timedelta(seconds=31))
    told = ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=state, seat=None)
    over = told[page.ENDED]["data"]
    assert over["said"].startswith("Happy: the face could be read in 0 looks only.")
    assert over["state"] == {**state, "begun": None}


def test_why_no_seat_can_be_calibrated_is_said(engine: Engine, ada: int) -> None:
    assert "Start a class first" in page.room_of(engine)[1]
    together = Sitting(engine, ada, Mode.AGGREGATE)
    assert "aggregate mode" in page.room_of(engine)[1]
    together.recorder.close_session(together.session_id, datetime.now(UTC))
    nobodys = Sitting(engine, None)
    nobodys.show("neutral", 1)
    assert "on the page Students" in page.room_of(engine)[1]
    nobodys.recorder.close_session(nobodys.session_id, datetime.now(UTC))
    recording = Sitting(engine, ada, live=False)
    recording.show("neutral", 1)
    assert "is a recording" in page.room_of(engine)[1]
    recording.recorder.close_session(recording.session_id, datetime.now(UTC))
    sitting = Sitting(engine, ada)
    sitting.show("neutral", 1)
    room, why = page.room_of(engine)
    assert room is not None
    assert why == ""
    pause(engine, sitting.session_id, paused=True)
    assert "is paused" in page.room_of(engine)[1]
    pause(engine, sitting.session_id, paused=False)
    students.set_consent(engine, ada, Consent.REFUSED, None, None)
    assert page.room_of(engine)[0] is None


def test_what_belongs_to_another_session_counts_for_nothing(engine: Engine, ada: int, ask: Ask) -> None:
    before = Sitting(engine, ada)
    state = shown_before(before)
    before.recorder.close_session(before.session_id, datetime.now(UTC))
    Sitting(engine, ada).show("neutral", 1)
    told = ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=state, seat=None)
    assert told[page.COLLECTED]["children"] == []
    assert told[page.WORK]["disabled"] is True
    assert "not there any more" in ask(f"{page.WORK}.n_clicks", work=1, state=state)[page.SAID]["children"]
    # begun anew, nothing of it is carried over
    begun = ask(f"{page.BEGIN}.n_clicks", begin=1, seat="1", expression="neutral", state=state)
    assert begun[page.STATE]["data"]["windows"] == []


def remove(app: Dash, browser: Browser, student: int) -> TestResponse:
    """Press the button that removes a calibration."""
    browser.get("/_dash-layout")
    press = {"type": page.REMOVE, "student": student, "value": 1, "at": 1}
    name = next(name for name, one in app.callback_map.items() if pressed(one["inputs"], page.REMOVED))
    parts = [part.rpartition(".") for part in name.strip(".").split("...")]
    return browser.post(
        "/_dash-update-component",
        json={
            "output": name,
            "outputs": [{"id": one, "property": prop} for one, _, prop in parts],
            "inputs": [{"id": page.REMOVED, "property": "data", "value": press}],
            "changedPropIds": [f"{page.REMOVED}.data"],
        },
    )


def pressed(inputs: list[dict[str, str]], store: str) -> bool:
    """Whether a callback takes its presses from a store."""
    return [one["id"] for one in inputs] == [store]


def test_a_calibration_is_removed_by_its_button(engine: Engine, ada: int) -> None:
    keep_bias(engine, ada, SKEW, datetime.now(UTC))
    app = create_app(engine)
    answer = remove(app, Browser(app.server), ada)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    assert "Ada Okafor is read as everybody else again." in answer.get_data(as_text=True)
    assert students.read_student(engine, ada).bias is None


def test_the_page_is_for_admins_whoever_asks_its_callbacks(engine: Engine, ada: int) -> None:
    keep_bias(engine, ada, SKEW, datetime.now(UTC))
    state = shown_before(Sitting(engine, ada))
    make_accounts(engine, "Physics")
    app = create_app(engine, DashboardSettings(accuracy=FIGURES, access=Access(SECRET)))
    teacher = Browser(app.server)
    teacher.log_in(TEACHER)
    ask = asking(app, "calibrate-", teacher)
    for output, values in (
        (f"{page.ROOM}.className", {"show-poll": 1, "state": state, "seat": None}),
        (f"{page.BEGIN}.n_clicks", {"begin": 1, "seat": "1", "expression": "happy", "state": state}),
        (f"{page.WORK}.n_clicks", {"work": 1, "state": state}),
        (f"{page.KEEP}.n_clicks", {"keep": 1, "state": state}),
        (f"{page.KEPT}.children", {"changed": 1, "shell-viewer": None}),
    ):
        assert ask(output, **values) == {}
    assert "whoever has an admin's account" in remove(app, teacher, ada).get_data(as_text=True)
    assert students.read_student(engine, ada).bias is not None


def test_a_class_of_another_computer_is_not_calibrated_here(engine: Engine, ada: int) -> None:
    sitting = Sitting(engine, ada)
    sitting.show("neutral", 1)
    assert page.room_of(engine)[0] is not None
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE sessions SET agent_host = 'elsewhere'")
    assert "Start a class first" in page.room_of(engine)[1]


def test_what_is_shown_after_the_time_does_not_count(engine: Engine, ada: int, ask: Ask) -> None:
    sitting = Sitting(engine, ada)
    begun = datetime.now(UTC) - timedelta(seconds=60)
    sitting.show("happy", 5, begun + timedelta(seconds=1))
    sitting.show("neutral", 25, begun + timedelta(seconds=11))
    state = {
        "session": sitting.session_id,
        "seat": 1,
        "calibrated": None,
        "windows": [],
        "begun": {"expression": "happy", "since": milliseconds(begun)},
    }
    told = ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=state, seat=None)
    assert told[page.ENDED]["data"]["said"] == "Happy: done."
    assert "Happy: 5 looks" in json.dumps(told[page.COLLECTED])


def test_an_outcome_is_told_in_looks() -> None:
    none = np.zeros(7, np.float32)
    text = shown(page.outcome(Fit(none, (Held("neutral", 30, 18, 27), Held("happy", 5, 5, 5))), "Ada"))
    assert "Neutral was read as such in 18 of 30 looks; with the calibration in 27." in text
    assert "It helps: Ada is read better with it." in text
    assert "too few looks" in shown(page.outcome(Fit(none, ()), "Ada"))


def test_without_figures_of_the_classifier_nothing_is_worked_out(engine: Engine, ada: int) -> None:
    Sitting(engine, ada).show("neutral", 1)
    ask = asking(create_app(engine), "calibrate-")
    told = ask(f"{page.ROOM}.className", **{"show-poll": 1}, state=None, seat=None)
    assert told[page.ROOM]["className"] == "cp-hidden"
    assert "its figures are missing" in json.dumps(told[page.EMPTY])
