"""What happens in the synthetic class: a seeded story with a known truth per seat and second.

A lesson runs in rounds of `ROUND` seconds. In each round most seats sit through ordinary stretches, mostly neutral with
short smiles and other expressions, while a few play a part, so that every attention rule meets its case:

    absent      the chair is empty from about 0:40 to 2:20, camera on
    turned      looks away for most of the time from 1:00 to 3:30
    camera      the camera is off from 1:10 to 7:00
    leaver      leaves the meeting at 1:50 and comes back at 2:40
    low         looks sad and angry from 3:10 to 6:10
    dip         two fifths of the class look sad or angry for 24 s from 6:30

At 5:00 something is funny, and most smile.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import numpy as np

from engagement.emotion import EXPRESSIONS, Expression
from engagement.records import Box, State

ROUND: Final = 480.0
"""Seconds after which the parts are given anew."""

_OTHERS: Final[tuple[tuple[Expression, float], ...]] = (
    ("happy", 0.56),
    ("surprise", 0.20),
    ("sad", 0.12),
    ("angry", 0.09),
    ("fear", 0.015),
    ("disgust", 0.015),
)
"""How often each expression interrupts neutral, on an ordinary seat."""
_DIP: Final = (390.0, 414.0)
_LAUGH: Final = (300.0, 305.0)
"""Something funny is said: most of the class smiles."""
_RAMP: Final = 0.6
"""Seconds in which an expression comes and goes."""
_AWAY_YAW: Final = 58.0


@dataclass(frozen=True, slots=True)
class SeatTruth:
    """What one seat truly shows at one time.

    Attributes:
        name: as on the tile's label.
        box: its tile in pixels of the frame.
        state: seen, turned_away, no_face or camera_off.
        expression: what the face shows; None unless the state is seen.
        strength: 0..1, how far that expression has come; 1 but for half a second at its beginning and end.
        yaw: degrees of the head, above 0 to the right of the picture; 0 without a face.
        speaking: whether the tile has the speaker's border.
    """

    name: str
    box: Box
    state: State
    expression: Expression | None
    strength: float
    yaw: float
    speaking: bool


@dataclass(frozen=True, slots=True)
class Act:
    """What one seat does at one time, apart from where its tile lies; attributes as in `SeatTruth`.

    Attributes:
        present: False while it has left the meeting.
        yaw, pitch: degrees of the head, above 0 to the right of the picture and up; 0 without a face.
    """

    present: bool
    state: State
    expression: Expression | None = None
    strength: float = 0.0
    yaw: float = 0.0
    pitch: float = 0.0


@dataclass(frozen=True, slots=True)
class _Parts:
    """Which seats play a part in one round, and when it begins."""

    absent: dict[int, tuple[float, float]]
    turned: dict[int, tuple[float, float]]
    camera: dict[int, tuple[float, float]]
    leaver: dict[int, tuple[float, float]]
    low: dict[int, tuple[float, float]]
    dip: frozenset[int]


class Script:
    """The story of one class.

    Args:
        seats: how many participants there are, 1 or more.
        seed: of everything that happens.
    """

    def __init__(self, seats: int, seed: int) -> None:
        self.seats = seats
        self.seed = seed
        random = np.random.default_rng((seed, 1))
        off = random.permutation(np.arange(1, seats))[: seats // 12]
        self._always_off = frozenset(int(seat) for seat in off)
        self._parts = cache(self._give_parts)
        self._stretches = cache(self._make_stretches)
        self._orders = cache(self._make_orders)
        self._held = lru_cache(4096)(self._held_at)

    def act(self, seat: int, at: float) -> Act:
        """What `seat` does `at` seconds after the start of the class, `at` >= 0."""
        number, within = divmod(at, ROUND)
        parts = self._parts(int(number))
        if _inside(parts.leaver.get(seat), within):
            return Act(False, State.NO_FACE)
        if seat in self._always_off or _inside(parts.camera.get(seat), within):
            return Act(True, State.CAMERA_OFF)
        if _inside(parts.absent.get(seat), within):
            return Act(True, State.NO_FACE)
        side = 1.0 if (seat + int(number)) % 2 else -1.0
        if _inside(parts.turned.get(seat), within) and within % 26.0 > 4.0:
            return Act(True, State.TURNED_AWAY, yaw=side * _AWAY_YAW)
        expression, strength = self._expression(seat, int(number), within, parts)
        yaw, pitch = self._pose(seat, at)
        return Act(True, State.SEEN, expression, strength, yaw, pitch)

    def _pose(self, seat: int, at: float) -> tuple[float, float]:
        """People hold their heads for some seconds, then move: a little to a side, now and then down to their notes."""
        beat, since = divmod(at + seat * 1.7, 7.0)
        before, now = (self._held(seat, int(beat) + step) for step in (-1, 0))
        share = min(1.0, since / 0.8)
        yaw, pitch = (was + (goes - was) * share for was, goes in zip(before, now, strict=True))
        return yaw, pitch

    def _held_at(self, seat: int, beat: int) -> tuple[float, float]:
        random = np.random.default_rng((self.seed, 7, seat, beat + 1))
        return float(random.choice([-8.0, 0.0, 0.0, 8.0])), -10.0 if random.random() < 0.06 else 0.0

    def order(self, at: float) -> Sequence[int]:
        """All seats in the order in which the gallery shows them; those that left are to be skipped."""
        number, within = divmod(at, ROUND)
        orders = self._orders(int(number))
        step = sum(within >= moment for moment in (95.0, 205.0, 330.0))
        return orders[step]

    def speaker(self, at: float) -> int | None:
        """The seat that is speaking; the first one, the teacher's, more often than the others."""
        turn = int(at // 9.0)
        random = np.random.default_rng((self.seed, 5, turn))
        seat = 0 if random.random() < 0.55 else int(random.integers(self.seats))
        act = self.act(seat, at)
        return seat if act.present and act.state is State.SEEN else None

    def _expression(self, seat: int, number: int, within: float, parts: _Parts) -> tuple[Expression, float]:
        if seat in parts.low and _inside(parts.low[seat], within):
            start = parts.low[seat][0]
            beat, left = divmod(within - start, 12.0)
            kind: Expression = "angry" if int(beat) % 3 == 2 else "sad"
            return _eased(kind, left, 12.0)
        if seat in parts.dip and _inside(_DIP, within):
            return _eased("angry" if seat % 4 == 3 else "sad", within - _DIP[0], _DIP[1] - _DIP[0])
        if _inside(_LAUGH, within) and (seat * 7 + number) % 10 < 8:
            return _eased("happy", within - _LAUGH[0], _LAUGH[1] - _LAUGH[0])
        for start, end, expression in self._stretches(seat, number):
            if start <= within < end:
                return _eased(expression, within - start, end - start)
        return "neutral", 1.0

    def _give_parts(self, number: int) -> _Parts:
        random = np.random.default_rng((self.seed, 2, number))
        free = [
            int(seat) for seat in random.permutation(np.arange(1, self.seats)) if seat not in self._always_off
        ]
        dip = frozenset(free[-max(1, round(0.42 * self.seats)) :]) if self.seats >= 8 else frozenset()

        def cast(start: float, end: float, needed: int) -> dict[int, tuple[float, float]]:
            if self.seats < needed or not free:
                return {}
            shift = float(random.uniform(-6, 6))
            return {free.pop(0): (start + shift, end + shift)}

        return _Parts(
            low=cast(190.0, 370.0, 2),
            absent=cast(40.0, 140.0, 4),
            turned=cast(60.0, 210.0, 6),
            camera=cast(70.0, 420.0, 8),
            leaver=cast(110.0, 160.0, 10),
            dip=dip,
        )

    def _make_stretches(self, seat: int, number: int) -> list[tuple[float, float, Expression]]:
        """Short expressions between long neutral ones, over one round."""
        random = np.random.default_rng((self.seed, 3, seat, number))
        kinds, shares = zip(*_OTHERS, strict=True)
        at = float(random.uniform(2, 16))
        stretches: list[tuple[float, float, Expression]] = []
        while at < ROUND:
            kind: Expression = kinds[int(random.choice(len(kinds), p=shares))]
            length = float(random.uniform(3.0, 6.0))
            stretches.append((at, at + length, kind))
            at += length + float(random.uniform(10, 26))
        return stretches

    def _make_orders(self, number: int) -> tuple[tuple[int, ...], ...]:
        """The order of the round, which changes three times: two seats change places, or one comes to the front."""
        order = list(range(self.seats)) if number == 0 else list(self._orders(number - 1)[-1])
        random = np.random.default_rng((self.seed, 4, number))
        orders = [tuple(order)]
        for change in range(3):
            if self.seats > 2:
                if change == 1:
                    order.insert(1, order.pop(int(random.integers(2, self.seats))))
                else:
                    first, second = (int(place) for place in random.choice(self.seats, 2, replace=False))
                    order[first], order[second] = order[second], order[first]
            orders.append(tuple(order))
        return tuple(orders)


def _inside(span: tuple[float, float] | None, at: float) -> bool:
    return span is not None and span[0] <= at < span[1]


def _eased(expression: Expression, since: float, length: float) -> tuple[Expression, float]:
    """An expression that comes and goes within `_RAMP` seconds; while it is weak, the face counts as neutral."""
    strength = float(np.clip(min(since, length - since) / _RAMP, 0.0, 1.0))
    if expression == "neutral":
        return expression, 1.0
    return (expression, strength) if strength > 0.5 else ("neutral", 1.0 - strength)


def weights(act: Act) -> tuple[float, float, float, float, float, float]:
    """Strengths of the six expressions for `capture.drawn_faces.Look`."""
    strengths = [0.0] * 6
    if act.expression is not None and act.expression != "neutral":
        strengths[EXPRESSIONS.index(act.expression)] = act.strength
    return (strengths[0], strengths[1], strengths[2], strengths[3], strengths[4], strengths[5])
