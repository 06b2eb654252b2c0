"""What no page sends: malformed bodies of callbacks, and paths that try to leave their folder."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import Engine
from visiting import Browser

from dashboard.app import create_app
from storage.database import open_database
from storage.migrate import migrate

PATH = "/_dash-update-component"
GOOD: dict[str, Any] = {
    "output": "..shell-content.children...shell-navigation.children..",
    "outputs": [
        {"id": "shell-content", "property": "children"},
        {"id": "shell-navigation", "property": "children"},
    ],
    "inputs": [{"id": "shell-url", "property": "pathname", "value": "/about"}],
    "changedPropIds": ["shell-url.pathname"],
}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    engine: Engine = open_database(f"sqlite:///{tmp_path_factory.mktemp('bodies') / 'class.db'}")
    migrate(engine)
    yield create_app(engine).server
    engine.dispose()


def send(server: Flask, body: Any, kind: str = "application/json") -> tuple[int, str]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    answer = Browser(server).client.post(
        PATH,
        base_url="http://localhost:8050",
        data=data,
        headers={"Origin": "http://localhost:8050", "Content-Type": kind},
    )
    return answer.status_code, answer.get_data(as_text=True)


def changed(**values: Any) -> dict[str, Any]:
    return {**GOOD, **values}


BAD: list[Any] = [
    b"",
    b"{",
    b"\xff\xfe\x00",
    b"null",
    b"[]",
    b'"text"',
    b"NaN",
    b"1e999",
    b"[" * 100_000,
    b'{"output":' + b"[" * 50_000,
    b"{}",
    changed(output=None),
    changed(output=7),
    changed(output=[]),
    changed(output={}),
    changed(output=""),
    changed(output="nothing.children"),
    changed(output="..shell-content.children.."),
    changed(output="shell-viewer.data"),  # it runs in the browser
    changed(output="__proto__"),
    changed(inputs=None),
    changed(inputs={}),
    changed(inputs=[]),
    changed(inputs="shell-url.pathname"),
    changed(inputs=[None]),
    changed(inputs=[[]]),
    changed(inputs=[{}]),
    changed(inputs=[{"id": "shell-url"}]),
    changed(inputs=[{"id": "shell-url", "property": 7}]),
    changed(inputs=[{"id": {"type": "x"}, "property": "pathname"}]),
    changed(inputs=[{"id": "another", "property": "pathname"}]),
    changed(inputs=[{"id": "shell-url", "property": "search"}]),
    changed(inputs=GOOD["inputs"] * 2),
    changed(inputs=GOOD["inputs"] * 5000),
    changed(state=None),
    changed(state={}),
    changed(state=GOOD["inputs"]),
    changed(state="x"),
    changed(outputs=None),
    changed(outputs=[]),
    changed(outputs={}),
    changed(outputs="x"),
    changed(outputs=GOOD["outputs"][:1]),
    changed(outputs=[None, None]),
    changed(outputs=[{}, {}]),
    changed(outputs=list(reversed(GOOD["outputs"]))),
    changed(changedPropIds=None),
    changed(changedPropIds="shell-url.pathname"),
    changed(changedPropIds=[7]),
    changed(changedPropIds=["shell-url"]),
    changed(changedPropIds=["{.n_clicks"]),
    changed(changedPropIds=['{"type":.n_clicks']),
    changed(changedPropIds=["[" * 10_000 + ".x"]),
    changed(changedPropIds=["{" * 10_000 + ".x"]),
    {key: value for key, value in GOOD.items() if key != "output"},
    {key: value for key, value in GOOD.items() if key != "inputs"},
    {key: value for key, value in GOOD.items() if key != "outputs"},
]


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_a_malformed_body_gets_a_sentence(server: Flask, body: Any, caplog: pytest.LogCaptureFixture) -> None:
    status, text = send(server, body)
    if body == changed(changedPropIds=["[" * 10_000 + ".x"]):
        assert status == 200, "it is the name of nothing, which triggers nothing"
        return
    assert status == 400
    assert text.endswith(".")
    assert len(text) < 100
    assert "Traceback" not in caplog.text
    (line,) = [record.getMessage() for record in caplog.records]
    assert len(line) < 200


def test_half_a_character_is_refused_however_it_is_written(server: Flask) -> None:
    whole = json.dumps(changed(inputs=[{**GOOD["inputs"][0], "value": "HALF"}]))
    for half in (b"\\ud800", b"\xed\xa0\x80"):
        assert send(server, whole.encode().replace(b"HALF", half)) == (400, "The body is not JSON.")


def test_the_same_body_in_order_is_answered(server: Flask) -> None:
    status, text = send(server, GOOD)
    assert status == 200
    assert "About" in text
    assert send(server, changed(changedPropIds=[]))[0] == 200


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""]
)
def test_a_body_that_a_form_could_send_is_refused(server: Flask, kind: str) -> None:
    # only a script of ours sends JSON, and another site's would have to ask first
    assert send(server, GOOD, kind) == (400, "A callback is asked for with JSON.")


def test_a_body_that_is_too_large_is_refused(server: Flask) -> None:
    assert send(server, changed(inputs=[{**GOOD["inputs"][0], "value": "x" * 1_100_000}]))[0] == 413


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE"])
def test_a_callback_is_only_posted_to(server: Flask, method: str) -> None:
    browser = Browser(server)
    answer = browser.client.open(PATH, method=method, base_url=browser.base, headers={"Origin": browser.base})
    # Dash's own catch-all answers a GET with the empty page
    assert answer.status_code in ({200} if method == "GET" else {405})


TRICKS = [
    "/assets/../app.py",
    "/assets/..%2fapp.py",
    "/assets/%2e%2e/app.py",
    "/assets/....//app.py",
    "/assets/..\\app.py",
    "/assets//etc/passwd",
    "/assets/%00style.css",
    "/assets/style.css%00.js",
    "/static/../app.py",
    "/_dash-component-suites/x/x",
    "/_dash-component-suites/dash/../../app.py",
    "/_dash-component-suites/dash/..%2f..%2fdash.py",
    "/_dash-component-suites/os/os.py",
    "/_dash-component-suites/dashboard/app.py",
    "/sessions/1/report.csv/../../../app.py",
    "/sessions/1/report.csv%00.html",
    "/sessions/1/report...%2f..%2fapp.py",
    "/sessions/1/report./etc/passwd",
    "/sessions/1/report.exe",
    "/sessions/-1/report.csv",
    "/sessions/1e3/report.csv",
    "/sessions/0x1/report.csv",
    "/sessions/99999999999999999999999/report.csv",
    "/sessions/9223372036854775808/report.json",
    "/sessions/2147483648/report.xlsx",
    "/sessions/%31%3b/report.csv",
    "/sessions/../students/1/student.json",
    "/students/99999999999999999999999/student.json",
    "/students/9223372036854775808/student.json",
    "/students/-1/student.json",
    "/students/1/student.json/..",
    "/students/%2e%2e/student.json",
    "//evil.example/",
    "/\\evil.example",
]


@pytest.mark.parametrize("path", TRICKS)
def test_no_path_leads_out(server: Flask, path: str, caplog: pytest.LogCaptureFixture) -> None:
    browser = Browser(server)
    answer = browser.client.get(path, base_url=browser.base)
    text = answer.get_data(as_text=True)
    answer.close()
    assert answer.status_code in {200, 308, 400, 404}, answer.status_code
    assert "def create_app" not in text
    assert "root:" not in text
    if answer.status_code == 200:
        assert "<title>classpulse</title>" in text, "the empty page of the app, which says that there is none"
    if answer.status_code == 308:
        assert answer.headers["Location"].startswith(browser.base)
    assert "Content-Disposition" not in answer.headers
    assert "Traceback" not in caplog.text
