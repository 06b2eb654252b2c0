"""The synthetic class: a gallery as a Zoom window shows it, from a seeded script with a known truth.

Its people do not exist (`capture.drawn_faces`), what they do is written (`capture.class_script`), rooms and clothes are
drawn (`capture.tile_art`). It is the demo, and a test bed: `Classroom.draw(at)` gives the picture of any second and
`Classroom.truth(at)` what is in it.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from capture.class_names import MEN, WOMEN
from capture.class_script import Act, Script, SeatTruth, weights
from capture.drawn_faces import BROW_Y, CHIN_Y, EYES_Y, HEIGHT, WIDTH, Faces, Look
from capture.errors import InvalidSourceError
from capture.frame import Frame
from capture.liveness import check_interval
from capture.tile_art import (
    GARMENTS,
    ROOMS,
    Picture,
    Stage,
    draw_garment,
    draw_label,
    draw_room,
    text_size,
    write,
)
from engagement.records import SYNTHETIC_SOURCE, Box, State

Theme = Literal["dark", "light"]

MOST_SEATS: Final = 49
SMALLEST: Final = (640, 400)
LARGEST: Final = (3840, 2160)

_GROUND: Final[dict[Theme, tuple[int, int, int]]] = {"dark": (26, 26, 26), "light": (242, 242, 245)}
_CARD: Final[dict[Theme, tuple[int, int, int]]] = {"dark": (38, 38, 40), "light": (222, 224, 228)}
_CARD_INK: Final[dict[Theme, tuple[int, int, int]]] = {"dark": (240, 240, 240), "light": (44, 46, 52)}
_SPEAKER: Final = (35, 217, 89)
_STAGE_MARGIN: Final = 36
_STAGE_TILE: Final = 288
"""Height in pixels of a tile on the stage where a person is put together."""
_STEPS: Final = 4
"""An expression comes and goes in so many steps, each of which is a picture that is kept."""
_KEPT_BYTES: Final = 64 << 20
"""Pictures of people that are kept, so that a face that has not moved is not made again."""


@dataclass(frozen=True, slots=True)
class _Person:
    """How one participant looks and sits."""

    name: str
    head: int
    mirrored: bool
    tint: NDArray[np.float32]
    glasses: int | None
    zoom: float
    across: float
    down: float
    garment: int
    room: int
    seed: int


class Classroom:
    """A live source that plays the synthetic class.

    Args:
        seats: participants, 2..49.
        width, height: of the picture, 640 x 400 to 3840 x 2160 pixels.
        seed: of the people and of all that happens.
        theme: of the meeting window.
        rounded: whether tiles have round corners.
        script: what happens, for as many seats; by default a story made from `seed`.
        clock: monotonic seconds; the class starts when it is entered.

    Raises:
        InvalidSourceError: a size or number of seats out of range.
    """

    def __init__(
        self,
        seats: int = 27,
        width: int = 1920,
        height: int = 1080,
        *,
        seed: int = 7,
        theme: Theme = "dark",
        rounded: bool = True,
        script: Script | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 2 <= seats <= MOST_SEATS:
            raise InvalidSourceError(f"A synthetic class has 2 to {MOST_SEATS} seats, got {seats}.")
        if not (SMALLEST[0] <= width <= LARGEST[0] and SMALLEST[1] <= height <= LARGEST[1]):
            raise InvalidSourceError(
                f"A synthetic class is drawn at 640 x 400 to 3840 x 2160 pixels, got {width} x {height}."
            )
        self.seats = seats
        self.width = width
        self.height = height
        self.theme: Theme = theme
        self._rounded = rounded
        self._seed = seed
        self._clock = clock
        self._started: float | None = None
        self._script = script or Script(seats, seed)
        self._faces: Faces | None = None
        self._people: list[_Person] = []
        self._stages: dict[int, tuple[float, Stage, Picture, Picture]] = {}
        self._figures: OrderedDict[tuple[int, Look, float], Picture] = OrderedDict()
        self._kept = 0
        self._rooms: dict[int, Picture] = {}
        self._labels: dict[tuple[int, int, int, bool], tuple[Picture, NDArray[np.float32]]] = {}
        self._grain: Picture | None = None

    @property
    def name(self) -> str:
        """What the user reads."""
        return f"{SYNTHETIC_SOURCE} of {self.seats}"

    @property
    def live(self) -> bool:
        """True: the class goes on by itself."""
        return True

    def frame_count(self, interval: float) -> int | None:
        """None: the class goes on without end."""
        check_interval(interval)
        return None

    def __enter__(self) -> Self:
        self._started = self._clock()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._started = None
        for kept in (self._stages, self._figures, self._rooms, self._labels):
            kept.clear()
        self._kept = 0

    def frames(self, interval: float) -> Iterator[Frame]:
        """The class as it is whenever the caller asks; see `FrameSource.frames`."""
        check_interval(interval)
        index = 0
        while self._started is not None:
            image = self.draw(self._clock() - self._started)
            yield Frame(image, datetime.now(UTC), index)
            index += 1

    def truth(self, at: float) -> list[SeatTruth]:
        """Everybody in the gallery `at` seconds after the start of the class, in the order of their tiles."""
        seats, boxes = self._placed(at)
        speaker = self._script.speaker(at)
        people = self._cast()
        truths = []
        for seat, box in zip(seats, boxes, strict=True):
            act = self._script.act(seat, at)
            truths.append(
                SeatTruth(
                    people[seat].name, box, act.state, act.expression, act.strength, act.yaw, seat == speaker
                )
            )
        return truths

    def draw(self, at: float) -> NDArray[np.uint8]:
        """The gallery `at` seconds after the start of the class.

        Returns:
            uint8 (height, width, 3) RGB.
        """
        image = np.empty((self.height, self.width, 3), np.uint8)
        image[:] = _GROUND[self.theme]
        seats, boxes = self._placed(at)
        speaker = self._script.speaker(at)
        for seat, box in zip(seats, boxes, strict=True):
            act = self._script.act(seat, at)
            tile = image[box.top : box.bottom, box.left : box.right]
            if act.state is State.CAMERA_OFF:
                self._draw_card(tile, seat)
            else:
                self._draw_camera(tile, seat, act, at, speaking=seat == speaker)
            self._draw_frame(tile, seat, speaking=seat == speaker)
        return image

    def _placed(self, at: float) -> tuple[list[int], list[Box]]:
        seats = [seat for seat in self._script.order(at) if self._script.act(seat, at).present]
        return seats, layout(len(seats), self.width, self.height)

    def _cast(self) -> list[_Person]:
        """Who sits where: no composite twice until all have been seen, then mirrored and in other light."""
        if self._people:
            return self._people
        faces = self._model()
        random = np.random.default_rng((self._seed, 6))
        sorts = [
            [int(head) for head in random.permutation(len(faces)) if faces.women[head] == woman]
            for woman in (True, False)
        ]
        order = [head for pair in zip(*sorts, strict=True) for head in random.permutation(pair).tolist()]
        names = {True: list(random.permutation(WOMEN)), False: list(random.permutation(MEN))}
        turns = -(-self.seats // len(ROOMS))
        rooms = np.concatenate([random.permutation(len(ROOMS)) for _ in range(turns)])
        for seat in range(self.seats):
            again = seat >= len(order)
            head = order[seat % len(order)]
            warmth = float(random.uniform(-0.05, 0.05))
            light = float(random.uniform(0.95, 1.16))
            self._people.append(
                _Person(
                    name=str(names[faces.women[head]].pop()),
                    head=head,
                    mirrored=bool(random.random() < 0.5) != again,
                    tint=np.array([1 + warmth, 1.0, 1 - warmth], np.float32) * np.float32(light),
                    glasses=int(random.integers(3)) if random.random() < 0.18 else None,
                    zoom=float(random.uniform(0.84, 1.08)),
                    across=float(random.uniform(-0.06, 0.06)),
                    down=float(random.uniform(-0.03, 0.04)),
                    garment=int(random.integers(len(GARMENTS))),
                    room=int(rooms[seat]),
                    seed=int(random.integers(1 << 30)),
                )
            )
        return self._people

    def _model(self) -> Faces:
        if self._faces is None:
            self._faces = Faces()
        return self._faces

    def _draw_card(self, tile: Picture, seat: int) -> None:
        """Camera off: the name in the middle of a flat card."""
        height, width = tile.shape[:2]
        tile[:] = _CARD[self.theme]
        name = self._cast()[seat].name
        size = max(10, round(height * 0.15))
        while text_size(name, size)[0] > width * 0.86 and size > 8:
            size -= 1
        across, _ = text_size(name, size)
        write(
            tile, name, (width - across) // 2, (height + round(size * 0.66)) // 2, size, _CARD_INK[self.theme]
        )

    def _draw_camera(self, tile: Picture, seat: int, act: Act, at: float, *, speaking: bool) -> None:
        height, width = tile.shape[:2]
        person = self._cast()[seat]
        room = self._room(seat, width, height)
        tile[:] = room
        if act.state is not State.NO_FACE:
            scale = round(height / _STAGE_TILE, 3)
            figure = self._figure(seat, self._look(seat, act, at, speaking=speaking), scale)
            sway = _sway(person.seed, at, width, height, figure.shape, scale)
            moved = cv2.warpAffine(figure, sway, (width, height), flags=cv2.INTER_LINEAR)
            clear = cv2.cvtColor(255 - moved[..., 3], cv2.COLOR_GRAY2RGB)
            cv2.multiply(tile, clear, tile, scale=1 / 255)
            cv2.add(tile, np.ascontiguousarray(moved[..., :3]), tile)
        grain = self._noise()
        start = int(np.random.default_rng((person.seed, int(at * 25))).integers(grain.size - tile.size))
        cv2.add(tile, grain[start : start + tile.size].reshape(tile.shape), tile)

    def _draw_frame(self, tile: Picture, seat: int, *, speaking: bool) -> None:
        """Name label, speaker's border, round corners."""
        height, width = tile.shape[:2]
        unit = max(1.0, self.height / 1080)
        label = round(min(max(0.115 * height, 13.0), max(22 * unit, 0.075 * height)))
        inset = max(2, round(label * 0.22))
        key = (seat, label, width, speaking)
        if key not in self._labels:
            self._labels[key] = draw_label(
                self._cast()[seat].name, label, width - 2 * inset, muted=not speaking
            )
        colour, cover = self._labels[key]
        high, wide = cover.shape[:2]
        part = tile[height - inset - high : height - inset, inset : inset + wide]
        part[:] = (part * (1 - cover) + colour * cover).astype(np.uint8)
        thick = max(2, round(3 * unit * min(1.0, height / 150)))
        if speaking:
            cv2.rectangle(tile, (0, 0), (width - 1, height - 1), _SPEAKER, 2 * thick - 1)
        if self._rounded:
            _round_corners(tile, max(3, round(7 * unit * min(1.0, height / 150))), _GROUND[self.theme])

    def _look(self, seat: int, act: Act, at: float, *, speaking: bool) -> Look:
        """The face at one time, its strengths and angles brought to a few steps so that pictures can be kept."""
        person = self._cast()[seat]
        if act.state is State.TURNED_AWAY:
            return Look(yaw=act.yaw, glasses=person.glasses)
        anger, disgust, fear, happy, sad, surprise = (
            round(value * _STEPS) / _STEPS for value in weights(act)
        )
        # one blink of 0.16 s every 4 to 5 s
        phase = (person.seed % 1000) / 50
        blink = 1.0 if (at + phase) % (4.0 + phase / 20) < 0.16 else 0.0
        talk = 0.0
        if speaking:
            talk = round(max(0.0, math.sin(at * 11 + phase) * math.sin(at * 3.7)) * 0.8 * _STEPS) / _STEPS
        return Look(
            (anger, disgust, fear, happy, sad, surprise),
            talk,
            blink,
            yaw=4.0 * round(act.yaw / 4.0),
            pitch=5.0 * round(act.pitch / 5.0),
            glasses=person.glasses,
        )

    def _figure(self, seat: int, look: Look, scale: float) -> Picture:
        """The person with clothes, RGB and alpha, premultiplied, at `scale` times the size of the stage."""
        key = (seat, look, scale)
        if key in self._figures:
            self._figures.move_to_end(key)
            return self._figures[key]
        person = self._cast()[seat]
        stage, back, front = self._stage(seat, scale)
        faces = self._model()
        head = faces.head(person.head, replace(look, yaw=-look.yaw) if person.mirrored else look)
        head = _premultiplied(np.ascontiguousarray(head[:, ::-1]) if person.mirrored else head)
        zoom, left = stage.zoom, stage.centre - WIDTH / 2 * stage.zoom
        if zoom < 0.75:  # warpAffine alone would leave out pixels
            small = (round(WIDTH * zoom), round(HEIGHT * zoom))
            head, zoom = np.asarray(cv2.resize(head, small, interpolation=cv2.INTER_AREA), np.uint8), 1.0
        place = np.array([[zoom, 0, left], [0, zoom, stage.top]])
        smooth = cv2.INTER_LINEAR if zoom <= 1 else cv2.INTER_CUBIC
        layer = cv2.warpAffine(head, place, (stage.width, stage.height), flags=smooth)
        figure = _over(front, _over(np.asarray(layer, np.uint8), back))
        tinted = cv2.multiply(figure, (*person.tint.tolist(), 1.0))
        figure = np.asarray(cv2.min(tinted, _spread(figure[..., 3], 4)), np.uint8)
        self._figures[key] = figure
        self._kept += figure.nbytes
        while self._kept > _KEPT_BYTES and len(self._figures) > 1:
            self._kept -= self._figures.popitem(last=False)[1].nbytes
        return figure

    def _stage(self, seat: int, scale: float) -> tuple[Stage, Picture, Picture]:
        """Where a person stands on the stage, and the clothes behind and before the head, premultiplied."""
        if self._stages.get(seat, (0.0,))[0] != scale:
            person = self._cast()[seat]
            tall, margin = _STAGE_TILE * scale, _STAGE_MARGIN * scale
            zoom = person.zoom * 0.47 * tall / (CHIN_Y - BROW_Y)
            stage = Stage(
                width=round(tall * 16 / 9 + 2 * margin),
                height=round(tall + 2 * margin),
                centre=tall * 8 / 9 * (1 + person.across) + margin,
                top=margin + (0.42 + person.down) * tall - EYES_Y * zoom,
                zoom=zoom,
            )
            narrow = self._model().women[person.head]
            back, front = draw_garment(GARMENTS[person.garment], stage, narrow=narrow, seed=person.seed)
            self._stages[seat] = scale, stage, _premultiplied(back), _premultiplied(front)
        return self._stages[seat][1:]

    def _room(self, seat: int, width: int, height: int) -> Picture:
        if seat not in self._rooms or self._rooms[seat].shape[:2] != (height, width):
            person = self._cast()[seat]
            room = draw_room(ROOMS[person.room], width, height, person.seed)
            self._rooms[seat] = np.clip(room * (0.6 + 0.4 * person.tint), 0, 255).astype(np.uint8)
        return self._rooms[seat]

    def _noise(self) -> Picture:
        """Grain of a camera, laid over each tile from another place in each frame."""
        if self._grain is None:
            random = np.random.default_rng(self._seed)
            tile = layout(self.seats - 1, self.width, self.height)[0]
            values = np.abs(random.normal(0, 2.0, int(tile.area * 3 * 1.5) + 4096))
            self._grain = values.astype(np.uint8)
        return self._grain


def layout(count: int, width: int, height: int) -> list[Box]:
    """Tiles of 16:9, as large as they fit, row by row, the last row centred.

    Args:
        count: of tiles, 1 or more.
        width, height: of the picture.
    """
    gap = max(4, round(min(width, height) / 150))
    margin = 2 * gap

    def tile_width(columns: int) -> int:
        rows = math.ceil(count / columns)
        across = (width - 2 * margin - (columns - 1) * gap) / columns
        down = (height - 2 * margin - (rows - 1) * gap) / rows
        return int(min(across, down * 16 / 9))

    columns = max(range(1, count + 1), key=tile_width)
    wide = tile_width(columns)
    high = int(wide * 9 / 16)
    rows = math.ceil(count / columns)
    top = (height - rows * high - (rows - 1) * gap) // 2
    boxes: list[Box] = []
    for row in range(rows):
        shown = min(columns, count - row * columns)
        left = (width - shown * wide - (shown - 1) * gap) // 2
        boxes.extend(
            Box(left + place * (wide + gap), top + row * (high + gap), wide, high) for place in range(shown)
        )
    return boxes


def _sway(
    seed: int, at: float, width: int, height: int, shape: tuple[int, ...], scale: float
) -> NDArray[np.float64]:
    """Where the figure lies in its tile: people breathe, lean and shift in their chairs."""
    phase = np.random.default_rng((seed, 9)).uniform(0, 40, 4)
    angle = math.radians(1.3) * math.sin(at / 4.3 + phase[0]) + math.radians(0.5) * math.sin(
        at / 1.9 + phase[1]
    )
    size = 1 + 0.012 * math.sin(at / 6.1 + phase[2])
    pivot = np.array([shape[1] / 2, float(shape[0])])
    turn = size * np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    lift = 0.004 * height * math.sin(at * 1.5 + phase[3])
    goal = np.array(
        [width / 2 + 0.012 * width * math.sin(at / 5.3 + phase[1]), height + _STAGE_MARGIN * scale + lift]
    )
    return np.column_stack([turn, goal - turn @ pivot])


def _premultiplied(picture: Picture) -> Picture:
    alpha = np.ascontiguousarray(picture[..., 3])
    colour = cv2.multiply(cv2.cvtColor(picture, cv2.COLOR_RGBA2RGB), _spread(alpha, 3), scale=1 / 255)
    return np.asarray(cv2.merge([*cv2.split(colour), alpha]), np.uint8)


def _over(above: Picture, below: Picture) -> Picture:
    """One premultiplied picture laid over another."""
    clear = _spread(255 - above[..., 3], 4)
    return np.asarray(cv2.add(above, cv2.multiply(below, clear, scale=1 / 255)), np.uint8)


def _spread(alpha: Picture, channels: int) -> Picture:
    return np.asarray(cv2.merge([alpha] * channels), np.uint8)


def _round_corners(tile: Picture, radius: int, colour: tuple[int, int, int]) -> None:
    across = np.arange(radius) + 0.5
    reach = np.hypot(radius - across[None, :], radius - across[:, None])
    outside = np.clip(reach - radius + 0.5, 0, 1)[..., None]
    ground = np.array(colour, np.float32)
    for rows, columns, cover in (
        (slice(0, radius), slice(0, radius), outside),
        (slice(0, radius), slice(-radius, None), outside[:, ::-1]),
        (slice(-radius, None), slice(0, radius), outside[::-1]),
        (slice(-radius, None), slice(-radius, None), outside[::-1, ::-1]),
    ):
        part = tile[rows, columns]
        part[:] = (part * (1 - cover) + ground * cover).astype(np.uint8)
