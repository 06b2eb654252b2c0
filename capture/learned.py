"""What an agent learns of a session as it goes: the mood, what is usual for each seat, and how it was read last."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from engagement.attention import AttentionTracker
from engagement.intervals import stack_probabilities
from engagement.mood import MoodTracker
from engagement.records import Reading


class Learned:
    """What is known of a session after the intervals that were taken in, as the agent knew it that committed them.

    Attributes:
        mood: of the class.
        attention: the rules and what is usual.
        read_with: seat -> the calibration with which its expression was read last; None where with none.
        places: position -> seat of the last frame.
    """

    def __init__(self) -> None:
        self.mood = MoodTracker()
        self.attention = AttentionTracker()
        self.read_with: dict[int, int | None] = {}
        self.places: dict[int, int] = {}

    def take_in(
        self,
        readings: Sequence[Reading] | None,
        calibrations: Mapping[int, int | None],
        at: datetime,
        seconds: float,
    ) -> None:
        """Take in one interval that was committed.

        Args:
            readings: None where nothing was observed, empty where the mode keeps none.
            calibrations: seat -> with which calibration its expression was read.
            at, seconds: start and length; aware UTC.
        """
        if readings is None:
            self.attention.update(None, (), at, seconds)
        elif readings:
            self.places = {reading.position: reading.seat for reading in readings}
            self.mood.update(stack_probabilities(readings), at)
            if others := read_otherwise(self.read_with, calibrations):
                self.attention.forget_usual(others, at)
            self.read_with |= calibrations
            self.attention.update(readings, (), at, seconds)


def read_otherwise(before: Mapping[int, int | None], now: Mapping[int, int | None]) -> list[int]:
    """The seats that are read with another calibration than before, or with none any more; a new seat is not."""
    return [seat for seat, calibration in now.items() if before.get(seat, calibration) != calibration]
