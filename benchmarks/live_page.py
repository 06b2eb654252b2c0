"""What one live update costs: on the server with many stored readings, and in the browser over a long session.

python benchmarks/live_page.py [--readings 10000000] [--updates 5400]

Server: a file is filled with past lessons of 49 seats by bulk SQL; then a lesson of 49 seats that is three hours old
goes on, and everything the open page asks after one new interval is asked through the app, in turn.
Browser: a lesson of 27 seats starts empty and is committed as fast as the page keeps up; time is that of the page's
main thread (CPU), memory is the JavaScript heap after a collection. Times on the wall depend on what else runs.
"""

import argparse
import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text
from werkzeug.test import Client

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "dashboard"))

from page_answers import LOOK
from seed import NAMES, Lesson

from dashboard.app import DashboardSettings, PageServer, create_app
from dashboard.health import take_pulse
from dashboard.live import attention, chart, notes
from dashboard.live.pulse import PULSE, pulse_data
from dashboard.pages import now
from dashboard.wording import local_time
from engagement.records import Mode
from storage.database import open_database
from storage.migrate import migrate

SEATS = 49
LESSON = 1500
"""Intervals of a past lesson."""

VIEWER = {"scheme": "light", "zone": "UTC"}
CROWD = tuple(NAMES) + tuple(f"{name.split(maxsplit=1)[0]} B." for name in NAMES[: SEATS - len(NAMES)])

_INTERVALS = """
WITH RECURSIVE step(n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM step WHERE n + 1 < :count)
INSERT INTO intervals (id, session_id, started_at, seconds, grid, tiles, faces, faces_read, n_seen, n_turned_away,
    n_no_face, n_camera_off, n_unreadable, n_opted_out, angry, disgust, fear, happy, sad, surprise, neutral, valence,
    arousal, low, high, mood_faces, facing, dropped, processing_ms)
SELECT :first + n, :session, strftime('%Y-%m-%d %H:%M:%f', :start, '+' || (2 * n) || ' seconds') || '000', 2.0, 1, 49,
    44, 40, 40, 3, 2, 3, 1, 0, 1, 0, 1, 8, 3, 2, 25, 0.1 * sin(n / 90.0), 0.1, 0.1 * sin(n / 90.0) - 0.08,
    0.1 * sin(n / 90.0) + 0.08, 40, 0.93, 0, 180.0 FROM step
"""
_READINGS = """
WITH RECURSIVE seat(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM seat WHERE n < 49)
INSERT INTO readings (interval_id, seat, position, state, angry, disgust, fear, happy, sad, surprise, neutral, yaw,
    pitch, quality)
SELECT intervals.id, seat.n, seat.n - 1, 'seen', 0.05, 0.02, 0.03, 0.2, 0.1, 0.1, 0.5, 5.0, -2.0, 0.8
FROM intervals CROSS JOIN seat WHERE intervals.session_id = :session ORDER BY intervals.id, seat.n
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--readings", type=int, default=10_000_000)
    parser.add_argument("--updates", type=int, default=5400, help="intervals of the browser's lesson")
    parser.add_argument("--interval", type=float, default=2.0, help="seconds of each of them")
    parser.add_argument("--filled", type=int, default=0, help="how many are there when the page is opened")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if given.readings:
            with database(Path(folder) / "server.db") as engine:
                measure_server(engine, given.readings)
        if given.updates:
            with database(Path(folder) / "browser.db") as engine:
                measure_browser(engine, given.updates, given.interval, given.filled)


@contextmanager
def database(path: Path) -> Iterator[Engine]:
    engine = open_database(f"sqlite:///{path}")
    migrate(engine)
    yield engine
    engine.dispose()


def measure_server(engine: Engine, readings: int) -> None:
    begun = time.perf_counter()
    lessons = max(1, readings // (SEATS * LESSON))
    for number in range(lessons):
        past = Lesson(engine, datetime.now(UTC) - timedelta(days=number + 1), names=(), name=f"Past {number}")
        fill(engine, past, LESSON)
        past.close()
    lesson = Lesson(engine, datetime.now(UTC) - timedelta(hours=3), names=CROWD, minutes=190)
    lesson.commit()  # the seats
    fill(engine, lesson, 5200)
    while lesson.index < 5399:
        lesson.commit()
    with engine.connect() as connection:
        kept = connection.execute(text("SELECT COUNT(*) FROM readings")).scalar_one()
    print(f"{kept:,} readings in {lessons + 1} lessons, filled in {time.perf_counter() - begun:.0f} s")
    page = Page(create_app(engine).server.test_client(), engine)
    page.update()
    costs: dict[str, list[tuple[float, float]]] = {}
    for _ in range(40):
        lesson.commit()
        for name, cost in page.update().items():
            costs.setdefault(name, []).append(cost)
    print(f"{'one live update, 49 seats, 3 h':32}{'CPU ms':>10}{'wall ms':>10}   (medians of 40)")
    for name, measured in costs.items():
        cpu, wall = (statistics.median(column) * 1000 for column in zip(*measured, strict=True))
        print(f"{name:32}{cpu:10.1f}{wall:10.1f}")


def fill(engine: Engine, lesson: Lesson, count: int) -> None:
    """Add intervals with readings to a lesson, without the checks that a recorder makes."""
    with engine.begin() as connection:
        first = connection.execute(text("SELECT COALESCE(MAX(id), 0) + 1 FROM intervals")).scalar_one()
        connection.execute(text("PRAGMA ignore_check_constraints = ON"))
        start = lesson.now.replace(tzinfo=None).isoformat(sep=" ", timespec="milliseconds")
        given = {"session": lesson.session_id, "first": first, "count": count, "start": start}
        connection.execute(text(_INTERVALS), given)
        connection.execute(
            text(_READINGS.replace("WHERE intervals.session_id = :session", "WHERE intervals.id >= :first")),
            {"first": first},
        )
        connection.execute(text("PRAGMA ignore_check_constraints = OFF"))
    lesson.index += count


class Page:
    """What an open page asks of the server after each interval, without a browser."""

    def __init__(self, client: Client, engine: Engine) -> None:
        self._client, self._engine = client, engine
        self._kept: dict[str, Any] = {}

    def update(self) -> dict[str, tuple[float, float]]:
        """CPU and wall seconds per question, and of all."""
        told = pulse_data(take_pulse(self._engine), datetime.now(UTC))
        pulse = {f"{PULSE}.data": told}
        viewer = {"shell-viewer.data": VIEWER}
        costs = {
            "pulse": self._ask([f"{PULSE}.data"], {f"{now.POLL}.n_intervals": 1}, pulse),
            "glance, looks and seats": self._ask(
                list(LOOK), {**pulse, **viewer, f"{attention.ANSWERED}.data": 0}, self._state(now.DRAWN)
            ),
            "chart": self._ask(
                [f"{chart.CHART}.figure", f"{chart.CURSOR}.data", f"{chart.CHART_TEXT}.children"],
                {**pulse, **viewer, f"{chart.VIEW}.value": "mood", f"{notes.NOTED}.data": 0},
                self._state(chart.CURSOR),
            ),
        }
        total = [sum(column) for column in zip(*costs.values(), strict=True)]
        return {**costs, "all": (total[0], total[1])}

    def _state(self, store: str) -> dict[str, Any]:
        return {f"{store}.data": self._kept.get(store)}

    def _ask(self, outputs: list[str], inputs: dict[str, Any], state: dict[str, Any]) -> tuple[float, float]:
        def props(values: dict[str, Any]) -> list[dict[str, Any]]:
            return [
                dict(zip(("id", "property"), key.split("."), strict=True), value=values[key])
                for key in values
            ]

        several = len(outputs) > 1
        body = {
            "output": f"..{'...'.join(outputs)}.." if several else outputs[0],
            "outputs": [dict(zip(("id", "property"), one.split("."), strict=True)) for one in outputs],
            "inputs": props(inputs),
            "state": props(state),
            "changedPropIds": list(inputs)[:1],
        }
        if not several:
            body["outputs"] = body["outputs"][0]
        cpu, wall = time.process_time(), time.perf_counter()
        headers = {"Host": "localhost", "Origin": "http://localhost"}
        answer = self._client.post("/_dash-update-component", headers=headers, json=body)
        spent = time.process_time() - cpu, time.perf_counter() - wall
        assert answer.status_code in {200, 204}, answer.status
        if answer.status_code == 200:
            for name, properties in json.loads(answer.get_data())["response"].items():
                if "data" in properties:
                    self._kept[name] = properties["data"]
        return spent


def measure_browser(engine: Engine, updates: int, interval: float, filled: int) -> None:
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("No Chromium or Chrome found; install one and try again.")
    lesson = Lesson(
        engine,
        datetime.now(UTC) - timedelta(seconds=interval * updates),
        minutes=updates * interval / 60 + 1,
        interval=interval,
        mode=Mode.INDIVIDUAL,
    )
    while lesson.index <= filled:
        lesson.commit()
    with (
        PageServer(engine, settings=DashboardSettings(poll_seconds=3600)) as server,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(server.url)
        probe = page.context.new_cdp_session(page)
        probe.send("Performance.enable", {"timeDomain": "threadTicks"})
        # old intervals are thinned out: the last one tells that the chart is up to date
        wait = """(last) => {
            const plot = document.querySelector("#now-chart .js-plotly-plot");
            const one = plot && plot.data && plot.data.find((trace) => trace.name === "Mood");
            return one && one.x[one.x.length - 1] === last;
        }"""

        def drawn() -> None:
            last = local_time(lesson.now - timedelta(seconds=interval), None)
            # looking at each frame would itself keep the page at work
            page.wait_for_function(wait, arg=last, timeout=60_000, polling=100)

        drawn()
        # one question per interval, as of a page that asks every two seconds, however fast the intervals come
        ask = f"(count) => dash_clientside.set_props('{now.POLL}', {{n_intervals: count}})"
        print(
            f"{'browser, 27 seats':>18}{'main thread ms':>18}{'heap MB':>10}{'nodes':>8}   (per update, after)"
        )
        stretch = max(1, (updates - lesson.index) // 12)
        spent = metrics(probe)["TaskDuration"]
        begun = lesson.index
        while lesson.index < updates:
            lesson.commit()
            page.evaluate(ask, lesson.index)
            drawn()
            if (lesson.index - begun) == stretch:
                probe.send("HeapProfiler.collectGarbage")
                after = metrics(probe)
                each = (after["TaskDuration"] - spent) * 1000 / stretch
                print(
                    f"{lesson.index * interval / 60:14.0f} min{each:18.1f}{after['JSHeapUsedSize'] / 1e6:10.1f}"
                    f"{after['Nodes']:8.0f}",
                    flush=True,
                )
                spent, begun = metrics(probe)["TaskDuration"], lesson.index
        browser.close()


def metrics(probe: Any) -> dict[str, float]:
    return {one["name"]: one["value"] for one in probe.send("Performance.getMetrics")["metrics"]}


if __name__ == "__main__":
    main()
