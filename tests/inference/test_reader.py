import subprocess
import sys
import textwrap
from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from capture.classroom import Classroom
from capture.gallery import find_tiles
from engagement.calibration import apply_bias
from engagement.consent import ClassRoll
from engagement.records import STATES_WITH_FACE, Box, Consent, Face, Label, State, Tile, TileReading
from inference.faces import FaceDetector
from inference.names import LabelReader
from inference.quality import QualityGate
from inference.reader import Reader, load_reader, main_face
from tests.capture.synthetic_gallery import Portrait, compose_gallery, draw_label


@pytest.fixture(scope="module")
def reader(detector: FaceDetector) -> Reader:
    """Faces, pose and names, no expressions."""
    return Reader(detector, None, LabelReader(budget=None), QualityGate())


@pytest.fixture(scope="module")
def expression_reader() -> Reader:
    """As the product loads it, without names."""
    return load_reader(keep_names=False)


def test_real_screenshots(reader: Reader, screenshots: list[Any]) -> None:
    faces = shown = named = tiles = 0
    for shot in screenshots:
        result = reader.read(shot.image, shot.tiles)
        assert result.grid
        assert [reading.tile for reading in result.readings] == list(shot.tiles)
        assert set(result.timings_ms) == {"faces", "expression", "names"}
        for reading, truth in zip(result.readings, shot.truth, strict=True):
            tiles += 1
            shown += truth["face"]
            faces += truth["face"] and reading.face is not None
            named += (reading.label.name or "").casefold().rstrip(".") == truth["name"].casefold().rstrip(".")
            if not truth["camera_on"]:
                assert reading.state is State.CAMERA_OFF
            elif not truth["face"]:
                assert reading.state is State.NO_FACE
            if reading.face is not None:
                assert reading.tile.box.contains(*reading.face.box.centre)
    assert shown == 56
    assert faces == shown
    assert named >= 0.95 * tiles


@pytest.mark.parametrize("count", [9, 25, 49])
def test_composed_galleries(reader: Reader, people: list[Portrait], count: int) -> None:
    shown_people = [None if index % 9 == 8 else person for index, person in enumerate(people[-count:])]
    gallery = compose_gallery([None if person is None else person.picture for person in shown_people])
    tiles = [Tile(box, None, on) for box, on in zip(gallery.boxes, gallery.camera_on, strict=True)]
    result = reader.read(gallery.image, tiles)
    states = [reading.state for reading in result.readings]
    assert states.count(State.CAMERA_OFF) == count // 9
    shown = count - count // 9
    assert sum(state in STATES_WITH_FACE for state in states) >= 0.97 * shown
    # LFW's portraits have bystanders, so now and then another one is the largest
    right = [
        person is not None
        and reading.face is not None
        and person.head_in(reading.tile.box).contains(*reading.face.box.centre)
        for reading, person in zip(result.readings, shown_people, strict=True)
    ]
    assert sum(right) >= 0.9 * shown


def test_who_sits_far_from_the_camera_in_a_large_tile_is_seen(reader: Reader, people: list[Portrait]) -> None:
    rooms = []
    for person in people[:4]:
        # a head of about 35 of 360 pixels, before a room of its own colours
        room = cv2.GaussianBlur(cv2.resize(person.picture, (640, 360)), (0, 0), 40)
        scale = 36 / person.head.height
        small = cv2.resize(person.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        top, left = 120, 320 - small.shape[1] // 2
        room[top : top + small.shape[0], left : left + small.shape[1]] = small
        rooms.append(np.asarray(room, np.uint8))
    gallery = compose_gallery(rooms)
    tiles = [Tile(box, None, True) for box in gallery.boxes]
    found = [reading.face for reading in reader.read(gallery.image, tiles).readings]
    heights = [face.box.height for face in found if face is not None]
    assert len(heights) >= 3
    # seen at the first look's 112 pixels a tile they would be smaller than any face that is reported
    assert max(heights) * 112 / tiles[0].box.height < 16


def test_without_a_grid_each_face_is_a_tile(reader: Reader, screenshots: list[Any]) -> None:
    shot = next(shot for shot in screenshots if shot.name == "11.jpg")
    result = reader.read(shot.image, [])
    assert not result.grid
    assert len(result.readings) == 4
    height, width = shot.image.shape[:2]
    for reading, place in zip(result.readings, shot.tiles, strict=True):  # row by row
        assert reading.face is not None
        assert place.box.contains(*reading.face.box.centre)
        assert reading.tile.box.contains(*reading.face.box.centre)
        assert reading.tile.box == reading.tile.box.clipped(width, height)
        assert reading.label.name is None


def test_a_frame_without_faces_has_no_readings(reader: Reader) -> None:
    result = reader.read(np.full((400, 640, 3), 60, np.uint8), [])
    assert result.readings == ()
    assert not result.grid


def test_a_portrait_on_a_card_is_no_presence(reader: Reader, people: list[Portrait]) -> None:
    portrait = people[0].picture
    whole = Box(0, 0, portrait.shape[1], portrait.shape[0])
    on, off = (
        reader.read(portrait, [Tile(whole, None, camera_on=shown)]).readings[0] for shown in (True, False)
    )
    assert on.state in STATES_WITH_FACE
    assert off.state is State.CAMERA_OFF
    assert off.face is None


def test_expressions_are_read_where_the_seat_is_seen_and_sure(
    expression_reader: Reader, screenshots: list[Any]
) -> None:
    shot = next(shot for shot in screenshots if shot.name == "20.png")
    readings = expression_reader.read(shot.image, shot.tiles).readings
    for reading in readings:
        assert (reading.probabilities is not None) == (reading.state is State.SEEN)
    assert any(reading.state is State.SEEN for reading in readings)


def test_a_face_whose_expression_is_unsure_is_unreadable(
    detector: FaceDetector, expression_reader: Reader, screenshots: list[Any]
) -> None:
    doubting = Reader(detector, expression_reader._classifier, None, QualityGate(min_probability=1.0))
    shot = next(shot for shot in screenshots if shot.name == "20.png")
    states = {reading.state for reading in doubting.read(shot.image, shot.tiles).readings}
    assert State.UNREADABLE in states
    assert State.SEEN not in states


def test_small_faces_are_counted_and_not_read(detector: FaceDetector, screenshots: list[Any]) -> None:
    shot = next(shot for shot in screenshots if shot.name == "20.png")
    strict = Reader(detector, None, None, QualityGate(min_height=10_000))
    readings = strict.read(shot.image, shot.tiles).readings
    assert {reading.state for reading in readings} == {State.UNREADABLE}
    assert all(reading.face is not None for reading in readings)


def test_of_several_people_the_largest_and_most_central_is_the_seat() -> None:
    def face(box: Box, score: float = 0.9) -> Face:
        return Face(box, np.zeros((5, 2), np.float32), score)

    tile = Box(0, 0, 320, 180)
    middle, passing = face(Box(130, 60, 60, 60)), face(Box(255, 50, 65, 65))
    assert main_face([passing, middle], tile) is middle
    assert main_face([face(Box(135, 60, 20, 20)), passing], tile) is passing
    assert main_face([], tile) is None
    large_but_doubtful = face(Box(90, 20, 140, 140), 0.6)
    assert main_face([middle, large_but_doubtful], tile) is middle
    assert main_face([large_but_doubtful], tile) is large_but_doubtful


class Watched:
    """A detector that keeps what it was shown and finds nothing."""

    def __init__(self) -> None:
        self.shown: list[NDArray[np.uint8]] = []

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        self.shown.append(image.copy())
        return []

    def saw(self, colour: tuple[int, int, int]) -> bool:
        return any((np.abs(image.astype(int) - colour).max(axis=2) < 40).any() for image in self.shown)


class Nearsighted:
    """A detector that finds one face in the middle, so many pixels high at the first look and later, or none."""

    def __init__(self, first: int, later: int | None) -> None:
        self._heights = [first, later]
        self.looks = 0

    def detect(self, image: NDArray[np.uint8]) -> list[Face]:
        height = self._heights[min(self.looks, 1)]
        self.looks += 1
        if height is None:
            return []
        box = Box(image.shape[1] // 2 - height // 2, image.shape[0] // 2 - height // 2, height, height)
        return [Face(box, np.zeros((5, 2), np.float32), 0.9)]


@pytest.mark.parametrize(
    ("first", "later", "tile_height", "looks", "height"),
    [
        (19, 19, 224, 2, 19),  # twice as near, the same face as many pixels high: half as large as it seemed
        (19, None, 224, 2, 38),  # not found from nearer: what was found stays
        (21, 19, 224, 1, 42),  # large enough to be framed well
        (19, 19, 130, 1, 22),  # the tile has no more pixels to show
    ],
)
def test_a_small_face_is_looked_at_from_nearer_and_stays_where_nothing_is_found(
    first: int, later: int | None, tile_height: int, looks: int, height: int
) -> None:
    detector = Nearsighted(first, later)
    image = np.full((tile_height, 400, 3), 90, np.uint8)
    tile = Tile(Box(0, 0, 400, tile_height), None, camera_on=True)
    face = Reader(detector, None, None, QualityGate()).read(image, [tile]).readings[0].face
    assert face is not None
    assert (detector.looks, face.box.height) == (looks, height)


def test_of_a_small_face_no_other_is_taken_and_where_there_is_no_room_nobody_looks_again() -> None:
    class Distracted(Nearsighted):
        def detect(self, image: NDArray[np.uint8]) -> list[Face]:
            faces = super().detect(image)
            return [Face(Box(4, 4, 60, 60), faces[0].landmarks, 0.6)] if self.looks > 1 else faces

    image = np.full((224, 400, 3), 90, np.uint8)
    tile = Tile(Box(0, 0, 400, 224), None, camera_on=True)
    elsewhere = Distracted(19, 19)
    face = Reader(elsewhere, None, None, QualityGate()).read(image, [tile]).readings[0].face
    assert face is not None
    assert (elsewhere.looks, face.score, face.box.height) == (2, 0.9, 38)
    crowd = Watched()
    frame = np.full((7 * 150, 7 * 268, 3), 90, np.uint8)
    places = [Box(column * 268, row * 150, 268, 150) for row in range(7) for column in range(7)]
    Reader(crowd, None, None, QualityGate()).read(frame, [Tile(box, None, True) for box in places])
    assert len(crowd.shown) == 1


class Counting(LabelReader):
    """A label reader that counts the frames it was shown."""

    frames = 0

    def read(self, image: NDArray[np.uint8], tiles: Sequence[Tile]) -> tuple[Label, ...]:
        self.frames += 1
        return super().read(image, tiles)


RED, GREEN, BLUE = (250, 10, 10), (10, 250, 10), (10, 10, 250)


def coloured(names: list[str], colours: list[tuple[int, int, int]]) -> tuple[NDArray[np.uint8], list[Tile]]:
    """Tiles side by side, each of one colour with its name; their boxes reach a few pixels into each other."""
    image = np.full((190, 330 * len(names), 3), 30, np.uint8)
    tiles = []
    for index, (name, colour) in enumerate(zip(names, colours, strict=True)):
        part = image[4:184, 330 * index + 5 : 330 * index + 325]
        part[:] = colour
        draw_label(part, name)
        box = Box(330 * index, 4, 345, 180).clipped(image.shape[1], 190)
        tiles.append(Tile(box, Box(box.left + 5, 154, 240, 30), camera_on=True))
    return image, tiles


def test_the_detector_never_sees_a_pixel_of_who_refused() -> None:
    image, tiles = coloured(["Anna Keller", "Ben Carver", "Carla Rossi"], [GREEN, RED, BLUE])
    roll = ClassRoll([(1, "Anna Keller", Consent.AGREED), (2, "Ben Carver", Consent.REFUSED)])
    detector = Watched()
    reader = Reader(detector, None, LabelReader(budget=None), QualityGate())
    readings = reader.read(image, tiles, roll).readings
    assert [reading.label.name for reading in readings] == ["Anna Keller", "Ben Carver", "Carla Rossi"]
    assert [reading.state for reading in readings] == [State.NO_FACE, State.OPTED_OUT, State.NO_FACE]
    assert (detector.saw(GREEN), detector.saw(RED), detector.saw(BLUE)) == (True, False, True)
    assert image[90, 400].tolist() == list(RED)  # the frame itself is not ours to change
    assert Reader(detector, None, LabelReader(budget=None), QualityGate()).read(image, tiles).readings
    assert detector.saw(RED)


def test_where_no_name_is_kept_it_is_read_only_to_leave_somebody_out() -> None:
    image, tiles = coloured(["Anna Keller", "Ben Carver", "Carla Rossi"], [GREEN, RED, BLUE])
    detector, labels = Watched(), Counting(budget=None)
    reader = Reader(detector, None, labels, QualityGate(), keep_names=False)
    anybody = reader.read(image, tiles, ClassRoll([(1, "Ben Carver", Consent.AGREED)])).readings
    assert labels.frames == 0
    assert detector.saw(RED)
    detector.shown.clear()
    refused = reader.read(image, tiles, ClassRoll([(1, "Ben Carver", Consent.REFUSED)])).readings
    assert labels.frames == 1
    assert [reading.state for reading in refused] == [State.NO_FACE, State.OPTED_OUT, State.NO_FACE]
    assert (detector.saw(GREEN), detector.saw(RED), detector.saw(BLUE)) == (True, False, True)
    assert {reading.label for reading in (*anybody, *refused)} == {Label("", None)}


def test_without_what_reads_names_nobody_is_looked_at_where_somebody_refused() -> None:
    image, tiles = coloured(["Anna Keller", "Ben Carver"], [GREEN, RED])
    roll = ClassRoll([(1, "Ben Carver", Consent.REFUSED)])
    for keep_names in (True, False):
        detector = Watched()
        reader = Reader(detector, None, None, QualityGate(), keep_names=keep_names)
        readings = reader.read(image, tiles, roll).readings
        assert {reading.state for reading in readings} == {State.OPTED_OUT}
        assert not detector.shown


def test_until_a_name_is_read_nobody_is_looked_at_where_somebody_refused() -> None:
    image, tiles = coloured(["Anna Keller", "Ben Carver"], [GREEN, RED])
    roll = ClassRoll([(2, "Ben Carver", Consent.REFUSED)])
    detector = Watched()
    reader = Reader(detector, None, LabelReader(budget=1), QualityGate())
    states = [[reading.state for reading in reader.read(image, tiles, roll).readings] for _ in range(2)]
    assert states == [[State.NO_FACE, State.OPTED_OUT], [State.NO_FACE, State.OPTED_OUT]]
    assert not detector.saw(RED)
    # without a grid there are no names
    result = reader.read(image, [], roll)
    assert (result.readings, result.grid) == ((), False)
    assert not detector.saw(RED)


def test_the_teachers_own_tile_gets_no_reading_and_is_not_looked_at() -> None:
    image, tiles = coloured(["Ada Okafor (Host, me)", "Ben Carver"], [RED, GREEN])
    detector = Watched()
    reader = Reader(detector, None, LabelReader(budget=None), QualityGate())
    assert [reading.label.name for reading in reader.read(image, tiles).readings] == ["Ben Carver"]
    # a toolbar lies over the name
    image[150:184] = 60
    assert [reading.tile for reading in reader.read(image, tiles).readings] == [tiles[1]]
    assert not detector.saw(RED)
    chosen = ClassRoll(own_label="ben carver")
    image, tiles = coloured(["Carla Rossi", "Ben Carver"], [GREEN, RED])
    reader = Reader(detector, None, LabelReader(budget=None), QualityGate())
    assert [reading.label.name for reading in reader.read(image, tiles, chosen).readings] == ["Carla Rossi"]
    assert not detector.saw(RED)


def test_reading_needs_no_tensorflow_and_says_nothing() -> None:
    script = textwrap.dedent(
        """
        import sys
        import numpy as np
        from engagement.records import Box, Tile
        from inference.reader import load_reader

        heavy = {"cv2", "onnxruntime", "ai_edge_litert", "joblib"} & set(sys.modules)
        assert not heavy, heavy
        image = np.full((360, 640, 3), 90, np.uint8)
        reader = load_reader()
        result = reader.read(image, [Tile(Box(0, 0, 640, 360), Box(0, 320, 300, 40), True)])
        assert [reading.state for reading in result.readings] == ["no_face"]
        size = reader._classifier.size
        for faces in (1, 5, 60):
            reader._classifier.classify(np.zeros((faces, size, size), np.uint8))
        loaded = {"tensorflow", "keras", "mtcnn", "rapidocr", "models.train"} & set(sys.modules)
        assert not loaded, loaded
        """
    )
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False, timeout=100
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout + result.stderr == ""


def test_a_seats_bias_is_applied_before_the_gate_and_to_that_seat_only() -> None:
    with Classroom(seats=9, width=1280, height=720) as classroom:
        image = classroom.draw(3.0)
    tiles = find_tiles(image)
    reader = load_reader(label_budget=None)
    before = reader.read(image, tiles, ClassRoll()).readings
    clear = [one for one in before if one.probabilities is not None and one.label.name]
    assert len(clear) >= 3
    name = clear[0].label.name
    assert name is not None

    def read_with(bias: NDArray[np.float32]) -> dict[str | None, TileReading]:
        roll = ClassRoll([(7, name, Consent.AGREED)], biases={7: bias})
        return {one.label.name: one for one in reader.read(image, tiles, roll).readings}

    bias = np.array([1.5, 0, 0, -1.5, 0, 0, 0], np.float32)
    after = read_with(bias)
    for one in clear[1:]:
        assert after[one.label.name].probabilities == pytest.approx(one.probabilities, abs=1e-6)
    wanted = apply_bias(np.asarray(clear[0].probabilities), bias)
    assert after[name].probabilities == pytest.approx(wanted, abs=1e-6)
    # one that leaves nothing likely is left to nobody's guess
    spread = -np.log(np.maximum(np.asarray(clear[0].probabilities), 1e-4)).astype(np.float32)
    assert read_with(spread)[name].state is State.UNREADABLE


def test_the_teachers_own_tile_counts_nowhere_though_no_name_is_kept() -> None:
    image, tiles = coloured(["Ada Okafor", "Ben Carver", "Carla Rossi"], [RED, GREEN, BLUE])
    detector, labels = Watched(), Counting(budget=None)
    reader = Reader(detector, None, labels, QualityGate(), keep_names=False)
    own = ClassRoll([(1, "Ben Carver", Consent.AGREED)], own_label="ada okafor")
    readings = reader.read(image, tiles, own).readings
    assert labels.frames == 1
    assert [reading.tile for reading in readings] == tiles[1:]
    assert {reading.label for reading in readings} == {Label("", None)}
    assert (detector.saw(RED), detector.saw(GREEN), detector.saw(BLUE)) == (False, True, True)
    # a toolbar lies over the name
    image[150:184, :330] = 60
    assert [reading.tile for reading in reader.read(image, tiles, own).readings] == tiles[1:]


def test_an_own_tile_alone_withholds_nobody_where_no_name_can_be_read() -> None:
    own = ClassRoll([(1, "Ben Carver", Consent.AGREED)], own_label="Ada Okafor")
    image, tiles = coloured(["Ada Okafor", "Ben Carver"], [RED, GREEN])
    for keep_names in (True, False):
        detector = Watched()
        blind = Reader(detector, None, None, QualityGate(), keep_names=keep_names)
        assert [reading.state for reading in blind.read(image, tiles, own).readings] == [State.NO_FACE] * 2
        detector.shown.clear()
        assert not blind.read(image, [], own).grid
        assert detector.saw(RED)
        assert detector.saw(GREEN)
