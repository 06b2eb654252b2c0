"""What is stored of a real window that is covered, moved, resized, minimised, frozen, black and closed."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import Engine

from capture.agent import Agent, AgentSettings
from capture.screen import Grabber, WindowSource
from engagement.records import Box, Face, IntervalRecord, Label, Mode, State, Tile, TileReading
from inference.reader import ReaderResult
from storage import queries
from storage.recorder import Recorder
from tests.capture.test_agent import HAPPY, Hurried
from tests.x11 import X11Window, has, run_openbox, wait_until


def noise(seed: int, width: int = 320, height: int = 240) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(40, 255, (height, width, 3), dtype=np.uint8)


FLAT = np.full((240, 320, 3), 90, np.uint8)
SPEAKER = FLAT.copy()
SPEAKER[60:180, 100:220] = (200, 0, 0)


class OneFace:
    """Reads one face wherever there is noise, nothing on a flat ground, as on slides, and a face without a grid on a
    ground with something on it, as in a speaker's view."""

    def read(self, image: NDArray[np.uint8], tiles: Sequence[Tile], roll: object) -> ReaderResult:
        if np.ptp(image) < 10:
            return ReaderResult(readings=(), grid=False, timings_ms={})
        grid = bool((image == 90).mean() < 0.5)
        tile = Tile(Box(0, 0, 180, 120), None, camera_on=True)
        face = Face(Box(20, 0, 60, 80), np.zeros((5, 2), np.float32), 0.9)
        reading = TileReading(tile, Label("a1", "Ada"), State.SEEN, face, HAPPY, None, 0.9)
        return ReaderResult(readings=(reading,), grid=grid, timings_ms={})


PLACE = Box(900, 500, 480, 360)


def come_back(display: str, shown: X11Window) -> None:
    """Restore the window where it was, and wait until the server has painted it."""
    shown.restore()
    shown.raise_()
    shown.move(PLACE.left, PLACE.top)
    shown.show(noise(77))

    def painted() -> bool:
        grab = grabber.grab(PLACE)
        return grab is not None and bool(grab.image.min() >= 40)

    with Grabber(display) as grabber:
        wait_until(painted)


@pytest.mark.parametrize("own_picture", [True, False])
def test_the_stored_states_are_those_of_the_window(
    xvfb: str, engine: Engine, monkeypatch: pytest.MonkeyPatch, own_picture: bool
) -> None:
    """Between two intervals the window is changed; a covered one is read where the server gives its own picture."""
    if not has("openbox"):
        pytest.skip("needs openbox")
    if not own_picture:
        monkeypatch.setattr("capture.screen.open_pictures", lambda _display: None)
    # a picture that stands still is frozen at once: every other step below shows another one
    monkeypatch.setattr("capture.agent.FROZEN_AFTER", 0.0)
    with run_openbox(xvfb), X11Window(xvfb, "Zoom Meeting", noise(0), 300, 200) as shown:
        above: list[X11Window] = []
        steps: list[tuple[str, Callable[[], object]]] = [
            ("moved", lambda: shown.move(900, 500)),
            ("resized", lambda: shown.resize(480, 360)),
            ("seen" if own_picture else "covered", lambda: above.append(X11Window(xvfb, "Notes", noise(9), 910, 500))),
            ("seen", lambda: above.pop().close()),
            ("minimised", shown.minimise),
            ("seen", lambda: come_back(xvfb, shown)),
            ("black", lambda: shown.show(np.zeros((240, 320, 3), np.uint8))),
            ("not_a_gallery", lambda: shown.show(FLAT)),
            ("not_a_gallery", lambda: shown.show(SPEAKER)),
            ("seen", lambda: None),
            ("seen", lambda: None),
            ("frozen", lambda: None),
            ("seen", lambda: None),
            ("window_closed", shown.close),
        ]  # fmt: skip
        still = {10, 11}
        stop = Hurried()
        done = 0

        def on_interval(_record: IntervalRecord) -> None:
            nonlocal done
            if done == len(steps):
                stop.set()
                return
            name, act = steps[done]
            if name in {"seen", "moved", "resized", "covered"} and done not in still and done != 2:
                shown.show(noise(done + 1))
            act()
            done += 1

        settings = AgentSettings("States", 2.0, Mode.INDIVIDUAL, None, "test", 1)
        agent = Agent(WindowSource(display=xvfb), OneFace, Recorder(engine), settings, on_interval)
        result = agent.run(stop)
        for window in above:
            window.close()
    kept = queries.intervals_since(engine, result.session_id)
    states = kept["not_observed"].fillna(kept["followed"]).fillna("seen").tolist()
    assert states == ["seen", *(name for name, _ in steps)]
    # nothing is invented where nothing was observed
    unseen = kept[kept["not_observed"].notna()]
    assert (unseen[["tiles", "faces", "faces_read"]] == 0).all(axis=None)
    assert unseen[["valence", "facing", "happy"]].isna().all(axis=None)
    assert len(queries.readings_since(engine, result.session_id)) == len(kept) - len(unseen)
