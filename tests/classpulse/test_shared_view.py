"""The live view: off until somebody looks, in memory only, given back after a kill, and of whom it may show only."""

import io
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Self

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings
from capture.frame import Frame, NotObserved
from capture.stages import Stage
from classpulse.annotate import WIDTH, LiveView, annotate
from classpulse.shared_view import SIZE, SharedView
from dashboard.controls import View, ViewTile
from engagement.records import Box, Face, IntervalRecord, Label, Mode, State, Tile, TileReading
from inference.reader import ReaderResult
from storage.pause import pause
from storage.recorder import Recorder

TILE = ViewTile((0.0, 0.0, 0.5, 0.5), (0.1, 0.1, 0.2, 0.2), "Zoë van Dijk", "seen", "happy")
SHOWN = View(
    5.0, b"\xff\xd8picture", 960, 540, (TILE, ViewTile((0.5, 0.0, 0.5, 0.5), None, None, "no_face", None))
)
IN_MEMORY = Path("/dev/shm")  # noqa: S108 - where Linux shows its shared memory
LEASE = 600.0
"""Seconds: a page asks again and again, a test once, and a computer may do something else meanwhile."""


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[SharedView]:
    monkeypatch.setattr("classpulse.shared_view.LEASE_SECONDS", LEASE)
    made = SharedView()
    yield made
    made.close()


def test_what_one_process_writes_the_other_reads(memory: SharedView) -> None:
    other = SharedView(memory.name)
    assert memory.read() is None
    assert not other.is_asked()
    memory.ask(blurred=True)
    assert other.is_asked()
    assert other.blurred
    other.write(SHOWN)
    assert memory.read() == SHOWN
    memory.ask(blurred=False)
    assert not other.blurred
    other.close()


def test_where_nobody_looks_any_more_nothing_of_a_picture_stays(
    memory: SharedView, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.ask(blurred=False)
    memory.write(SHOWN)
    later = time.monotonic() + LEASE + 1
    monkeypatch.setattr("classpulse.shared_view.time.monotonic", lambda: later)
    assert not memory.is_asked()
    assert memory.read() is None
    assert SHOWN.picture not in bytes(memory._bytes)


def test_what_is_half_written_is_not_shown(memory: SharedView) -> None:
    memory.write(SHOWN)
    memory._bytes[60] ^= 0xFF
    assert memory.read() is None


def test_a_picture_that_is_too_large_is_left_away(memory: SharedView) -> None:
    memory.write(SHOWN)
    memory.write(View(6.0, bytes(SIZE), 9, 9, ()))
    assert memory.read() is None


def run(program: str, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys\nfrom classpulse.shared_view import SharedView\n{program}",
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stdin=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


@pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="shared memory can be listed on Linux only")
def test_the_memory_is_given_back_when_its_maker_is_killed() -> None:
    with run("made = SharedView(); print(made.name, flush=True); sys.stdin.read()") as maker:
        assert maker.stdout is not None
        name = maker.stdout.readline().strip()
        assert (IN_MEMORY / name).exists()
        os.kill(maker.pid, signal.SIGKILL)
        maker.wait(30)
    deadline = time.monotonic() + 30
    while (IN_MEMORY / name).exists():
        assert time.monotonic() < deadline, "the memory was left"
        time.sleep(0.05)


@pytest.mark.skipif(not IN_MEMORY.is_dir(), reason="shared memory can be listed on Linux only")
def test_what_a_killed_group_of_processes_left_is_given_back_at_the_next_start() -> None:
    with subprocess.Popen([sys.executable, "-c", "pass"]) as gone:
        gone.wait(30)
    orphan = IN_MEMORY / f"classpulse-{gone.pid}-0badcafe"
    orphan.write_bytes(b"a picture")
    foreign = IN_MEMORY / "classpulse-notes"
    foreign.write_bytes(b"of somebody else")
    mine, other = SharedView(), SharedView()
    try:
        assert not orphan.exists()
        assert foreign.exists()
        assert (IN_MEMORY / mine.name).exists(), "what a living process has is left alone"
    finally:
        foreign.unlink()
        mine.close()
        other.close()


@pytest.mark.parametrize("end", [signal.SIGKILL, None])
def test_an_agent_that_ends_does_not_take_the_memory_away(memory: SharedView, end: int | None) -> None:
    program = "theirs = SharedView(sys.argv[1]); print(theirs.is_asked(), flush=True); sys.stdin.read()"
    memory.ask(blurred=True)
    with run(program, memory.name) as agent:
        assert agent.stdout is not None
        assert agent.stdout.readline().strip() == "True"
        if end is None:
            agent.communicate(timeout=30)
        else:
            os.kill(agent.pid, end)
            agent.wait(30)
    time.sleep(0.5)
    again = SharedView(memory.name)
    assert again.is_asked()
    again.close()


def reading(left: int, state: State, name: str | None = None, *, face: bool = True) -> TileReading:
    tile = Tile(Box(left, 0, 320, 180), None, camera_on=True)
    probabilities = np.array([0, 0, 0, 1, 0, 0, 0], np.float32) if state is State.SEEN else None
    found = Face(Box(left + 120, 50, 60, 80), np.zeros((5, 2), np.float32), 0.9) if face else None
    return TileReading(tile, Label("f", name), state, found, probabilities, None, 0.5)


def noise(width: int = 1280, height: int = 360) -> NDArray[np.uint8]:
    return np.random.default_rng(3).integers(60, 255, (height, width, 3), dtype=np.uint8)


READINGS = (
    reading(0, State.SEEN, "Ada"),
    reading(320, State.OPTED_OUT, "Ben", face=False),
    reading(640, State.NO_FACE, face=False),
)


def decoded(view: View) -> NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(view.picture)).convert("RGB"))


def test_who_opted_out_and_whatever_else_the_window_shows_is_not_on_it() -> None:
    image = noise()
    view = annotate(image, READINGS, blurred=False, expressions=True)
    seen = decoded(view)
    assert seen.shape == (360, 1280, 3)
    assert seen[10:170, 10:310].mean() > 100
    assert seen[:, 330:630].max() < 40
    # the strip of thumbnails, the chat, the toolbar, the teacher's own tile
    assert seen[:, 980:].max() < 40
    assert seen[200:].max() < 40
    assert np.array_equal(image, noise())
    first, second, third = view.tiles
    assert first == ViewTile(
        (0.0, 0.0, 0.25, 0.5), (120 / 1280, 50 / 360, 60 / 1280, 80 / 360), "Ada", "seen", "happy"
    )
    assert (second.state, second.name) == ("opted_out", "Ben")
    assert (third.face, third.expression) == (None, None)


def test_a_tile_that_reaches_into_that_of_who_opted_out_shows_nothing_of_them() -> None:
    readings = (
        reading(40, State.SEEN, "Ada"),
        reading(320, State.OPTED_OUT, "Ben", face=False),
        reading(600, State.SEEN, "Cleo"),
    )
    for order in (readings, readings[::-1]):
        seen = decoded(annotate(noise(), order, blurred=False, expressions=True))
        assert seen[:180, 325:635].max() < 40
        assert seen[10:170, 50:310].mean() > 100


def test_blurred_tiles_hold_no_detail_and_without_consent_no_expression_is_told() -> None:
    blurred = annotate(noise(), READINGS, blurred=True, expressions=False)
    sharp = annotate(noise(), READINGS, blurred=False, expressions=False)

    def detail(view: View) -> float:
        part = decoded(view)[20:160, 20:300].astype(float)
        return float(np.abs(np.diff(part, axis=1)).mean())

    assert detail(sharp) > 20
    assert detail(blurred) < 2
    assert {tile.expression for tile in blurred.tiles} == {None}


def test_a_large_frame_is_made_smaller_and_a_tile_over_its_edge_does_no_harm() -> None:
    readings = (reading(2500, State.SEEN, "Ada"),)
    view = annotate(noise(2560, 720), readings, blurred=True, expressions=True)
    assert decoded(view).shape == (360, WIDTH, 3)
    assert (view.width, view.height) == (WIDTH, 360)


class Recorded:
    """A reader that gives what a test says."""

    def read(self, image: NDArray[np.uint8], tiles: object, roll: object = None) -> ReaderResult:
        return ReaderResult(READINGS, True, {})


def test_pictures_are_only_made_while_somebody_looks(memory: SharedView) -> None:
    reader = LiveView(memory, expressions=False).of(Recorded())  # type: ignore[arg-type]
    assert reader.read(noise(), []).readings == READINGS
    assert memory.read() is None
    memory.ask(blurred=True)
    reader.read(noise(), [])
    view = memory.read()
    assert view is not None
    # whose tile it is is told in individual mode only
    assert [tile.name for tile in view.tiles] == [None, None, None]


def frame(index: int) -> Frame:
    return Frame(noise(), datetime(2026, 3, 2, 10, tzinfo=UTC) + timedelta(seconds=2 * index), index)


class Script:
    """A source of these items."""

    name = "script"
    live = True

    def __init__(self, items: list[Frame | NotObserved]) -> None:
        self._items = items

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        pass

    def frames(self, interval: float) -> Iterator[Frame | NotObserved]:
        yield from self._items


@pytest.mark.parametrize("looked_at", [True, False])
def test_a_pause_leaves_no_picture_whether_somebody_looks_or_not(
    memory: SharedView, engine: Engine, monkeypatch: pytest.MonkeyPatch, looked_at: bool
) -> None:
    view = LiveView(SharedView(memory.name), expressions=False)
    seen: list[tuple[str | None, bool]] = []

    def on_interval(record: IntervalRecord) -> None:
        view.on_interval(record)
        seen.append((record.not_observed, memory.read() is not None))
        if len(seen) == 1:
            pause(engine, record.session_id, paused=True)
            if not looked_at:
                # in a pause of a recording no interval comes, but stages do
                later = time.monotonic() + LEASE + 1
                monkeypatch.setattr("classpulse.shared_view.time.monotonic", lambda: later)
                view.on_stage(Stage.WAIT)
                assert memory.read() is None
        if len(seen) == 2:
            pause(engine, record.session_id, paused=False)

    memory.ask(blurred=False)
    agent = Agent(
        Script([frame(0), frame(1)]),  # type: ignore[arg-type]
        lambda: view.of(Recorded()),  # type: ignore[arg-type]
        Recorder(engine),
        AgentSettings(
            session="9b", interval=0.5, mode=Mode.PARTICIPATION, seconds=None, agent_name="test", pid=1
        ),
        on_interval,
        view.on_stage,
    )
    agent.run(threading.Event())
    assert seen == [(None, True), ("paused", False), (None, looked_at)]
    view._memory.close()
