"""The first page comes with the shell, in one answer, and brings what it needs and no more."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from dash import Dash
from dash.development.base_component import Component
from seed import seed
from sqlalchemy import Engine

from dashboard import shell
from dashboard.app import DashboardSettings, create_app, page
from dashboard.live import chart
from dashboard.live.pulse import PULSE
from dashboard.pages import now, report, sessions
from storage.errors import StorageError

PATHS = (
    "/",
    "/about",
    "/sessions",
    "/sessions/1",
    "/settings",
    "/start",
    "/students",
    "/studio",
    "/trends",
    "/nowhere",
)


def components(part: Any) -> Iterator[Component]:
    """A component and all that stands in its children."""
    for one in part if isinstance(part, list | tuple) else [part]:
        if isinstance(one, Component):
            yield one
            yield from components(getattr(one, "children", None))


def served(app: Dash, path: str | None, host: str = "localhost") -> str:
    """The layout as the page at a path asks for it."""
    asking = {} if path is None else {"Referer": f"http://{host}{path}"}
    answer = app.server.test_client().get("/_dash-layout", headers={"Host": "localhost", **asking})
    assert answer.status_code == 200
    text: str = answer.get_data(as_text=True)
    return text


def test_the_page_that_is_asked_for_stands_in_the_shell(engine: Engine) -> None:
    app = create_app(engine)
    empty = served(app, "/")
    assert "No class is running" in empty
    assert json.dumps({"session": None})[1:-1].replace(" ", "") in empty.replace(" ", "")
    seed(engine, minutes=3, interval=10, name="Physics 9b")
    running = served(app, "/")
    assert "No class is running" not in running
    assert '"name":"Physics 9b"' in running
    assert sessions.GRID in served(app, "/sessions")
    assert "There is no such page" in served(app, "/nowhere")


@pytest.mark.parametrize(("path", "host"), [(None, "localhost"), ("/sessions", "evil.example")])
def test_where_the_browser_does_not_say_which_page_it_shows_it_is_asked(
    engine: Engine, path: str | None, host: str
) -> None:
    text = served(create_app(engine), path, host)
    assert sessions.GRID not in text
    assert "pathname" not in text  # the browser tells it, and with that asks for the page


def test_without_a_class_no_chart_is_there_to_be_drawn(engine: Engine) -> None:
    assert f'"{chart.CHART}"' not in served(create_app(engine), "/")
    seed(engine, minutes=3, interval=10)
    assert f'"{chart.CHART}"' in served(create_app(engine), "/")


def test_where_the_database_fails_the_page_comes_without_a_pulse(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_engine: Engine) -> None:
        raise StorageError("The disk is gone.")

    monkeypatch.setattr(now, "take_pulse", fail)
    (pulse,) = [
        one
        for one in components(now.opened(engine, 1.0, "classpulse start"))
        if getattr(one, "id", None) == PULSE
    ]
    assert pulse.data is None


def test_the_grid_is_left_to_the_pages_that_have_one(engine: Engine) -> None:
    answer = create_app(engine).server.test_client().get("/", headers={"Host": "localhost"})
    index = answer.get_data(as_text=True)
    assert not re.search(r"<script[^>]*dash_ag_grid", index)
    assert '<template id="cp-grid" data-src="/_dash-component-suites/dash_ag_grid/' in index
    assert not re.search(r"<script[^>]*plotly", index)
    assert not re.search(r"<script[^>]*(polyfill|dash_table)", index)
    assert "/assets/regenerator-runtime.js" in index
    assert len(index) < 20_000


def test_every_callback_speaks_of_something_that_a_page_has(engine: Engine) -> None:
    """Dash would look for all ids in all pages, but in the browser, each time it is opened."""
    lesson = seed(engine, minutes=3, interval=10)
    app = create_app(engine)
    settings = DashboardSettings()
    pages = [shell.layout(), chart.layout(drawn=True), report.layout(lesson.session_id)]
    pages += [page(path, engine, settings) for path in PATHS]
    there = {str(one.id) for part in pages for one in components(part) if getattr(one, "id", None)}
    asked: set[str] = set()
    for said in app.callback_map.values():
        asked |= {one["id"] for one in [*said["inputs"], *said["state"]] if not one["id"].startswith("{")}
    for outputs in app.callback_map:
        asked |= {one.rsplit(".", 1)[0] for one in outputs.strip(".").split("...") if not one.startswith("{")}
    assert asked - there == set()
