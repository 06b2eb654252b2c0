"""A recording of real faces goes the same way as a window; and no pixel of it is kept."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from sqlalchemy import Engine

from storage import queries
from storage.database import open_database
from tests.capture.synthetic_gallery import Gallery, Look, compose_gallery
from tests.e2e.conftest import Home, Pictures

pytestmark = pytest.mark.timeout(600)

IMAGE_SIGNATURES = (
    b"\x89PNG",
    b"\xff\xd8\xff",
    b"GIF8",
    b"RIFF",
    b"BM",
    b"II*\0",
    b"MM\0*",
    b"P6\n",
    b"\x93NUMPY",
)


@pytest.fixture(scope="module")
def gallery(face_pictures: Callable[[int, int], Pictures]) -> Gallery:
    """Twenty real faces, 1600 x 900."""
    return compose_gallery(face_pictures(20, 11), look=Look(size=(1600, 900), gap=6))


@pytest.fixture(scope="module")
def recording(gallery: Gallery, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve seconds of it at 5 frames a second."""
    file = tmp_path_factory.mktemp("recording") / "lesson.avi"
    writer = cv2.VideoWriter(str(file), cv2.VideoWriter.fourcc(*"MJPG"), 5.0, (1600, 900))
    assert writer.isOpened()
    noise = np.random.default_rng(0)
    for _ in range(60):
        frame = gallery.image.astype(np.int16) + noise.integers(-3, 4, gallery.image.shape)
        writer.write(np.clip(frame, 0, 255).astype(np.uint8)[..., ::-1])
    writer.release()
    return file


@pytest.fixture
def engine(home: Home) -> Iterator[Engine]:
    engine = open_database(home.database)
    yield engine
    engine.dispose()


def test_a_recording_gives_the_counts_of_its_gallery(
    recording: Path, home: Home, engine: Engine, gallery: Gallery
) -> None:
    before = {path for path in home.folder.rglob("*") if path.is_file()}
    result = home.run(
        "watch", "--source", str(recording), "--mode", "individual", "--session", "Recorded", "--headless"
    )
    assert result.returncode == 0, result.stderr
    session = queries.find_session(engine, "Recorded")
    kept = queries.intervals_since(engine, session.id)
    assert len(kept) == 6
    assert set(kept["tiles"]) == {20}
    assert set(kept["faces"]) == {20}
    counts = kept[["angry", "disgust", "fear", "happy", "sad", "surprise", "neutral"]].sum(axis=1)
    assert (counts == kept["faces_read"]).all()
    assert kept["faces_read"].min() >= 10
    assert len(queries.seats(engine, session.id)) == 20

    # no pixel on disk: the session wrote these files and no other, and none holds a piece of a frame
    written = {path for path in home.folder.rglob("*") if path.is_file()} - before
    assert {path.name for path in written} <= {"class.db", "class.db-wal", "class.db-shm", "agent.log"}
    pieces = pieces_of(recording, gallery)
    for path in written:
        content = path.read_bytes()
        assert not any(signature in content for signature in IMAGE_SIGNATURES), path
        assert not any(piece in content for piece in pieces), path

    # the report and the list of sessions say the same
    listed = json.loads(home.run("sessions", "--json").stdout)
    assert [entry["name"] for entry in listed] == ["Recorded"]
    assert listed[0]["intervals"] == 6
    for report_format in ("html", "csv", "json"):
        out = home.folder / f"report.{report_format}"
        written_report = home.run("report", "Recorded", "--format", report_format, "--out", str(out))
        assert written_report.returncode == 0, written_report.stderr
        assert out.stat().st_size > 500


def pieces_of(recording: Path, gallery: Gallery) -> list[bytes]:
    """Raw pixels as the agent has them in memory: 8 in a row of each face, in every frame, as RGB and BGR."""
    capture = cv2.VideoCapture(str(recording))
    pieces = []
    while (decoded := capture.read())[0]:
        for box in gallery.boxes:
            bgr = decoded[1][box.top + box.height // 2, box.left + box.width // 2 :][:8]
            pieces += [bgr.tobytes(), bgr[:, ::-1].tobytes()]
    capture.release()
    # a flat run of pixels could stand in any file by chance
    pieces = [piece for piece in pieces if len(set(piece)) > 4]
    assert len(pieces) > 500
    return pieces


def test_the_search_for_pixels_finds_them(recording: Path, gallery: Gallery) -> None:
    """The test above can fail: a raw dump of one frame is found."""
    capture = cv2.VideoCapture(str(recording))
    _, frame = capture.read()
    capture.release()
    dump = b"something before" + frame[..., ::-1].tobytes()
    assert any(piece in dump for piece in pieces_of(recording, gallery))


def test_read_prints_one_object(gallery: Gallery, home: Home) -> None:
    file = home.folder / "gallery.png"
    cv2.imwrite(str(file), gallery.image[..., ::-1])
    result = home.run("read", str(file), "--json", "--mode", "individual", "--agreed")
    assert result.returncode == 0, result.stderr
    read = json.loads(result.stdout)
    assert read["image"] == {"width": 1600, "height": 900}
    assert set(read["timings_ms"]) == {"tiles", "faces", "expression", "names", "total"}
    assert len(read["tiles"]) == 20
    assert sum(tile["face"] is not None for tile in read["tiles"]) == 20
    for tile, box in zip(read["tiles"], gallery.boxes, strict=True):
        assert np.allclose(tile["box"], [box.left, box.top, box.width, box.height], atol=3)
        assert len(tile["face"]["landmarks"]) == 5
        assert (tile["expression"] is None) == (tile["probabilities"] is None)
        if tile["probabilities"] is not None:
            assert abs(sum(tile["probabilities"].values()) - 1) < 0.01
    names = [tile["name"] for tile in read["tiles"]]
    assert sum(name == truth for name, truth in zip(names, gallery.names, strict=True)) >= 19
    assert any(tile["expression"] for tile in read["tiles"])
