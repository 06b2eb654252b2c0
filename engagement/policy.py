"""What a mode lets through: applied where records are made, before storage."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from engagement.errors import InvalidRecordError
from engagement.mood import facing_of_posed
from engagement.records import Episode, IntervalRecord, Mode, Reading, Rule, State

EXPRESSION_RULES = frozenset({Rule.LOW_MOOD, Rule.SUDDEN_CHANGE, Rule.CLASS_DIP})
"""Rules that rest on expressions; none of them passes in `participation`."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The mode of a session, as a filter on its records.

    Attributes:
        mode: `participation` keeps totals only; `aggregate` adds expressions and mood of groups; `individual` keeps
            all, but nothing of a seat that opted out beyond its state.
        minimum_group: fewest faces read for expressions and mood to pass in `aggregate`, and fewest faces with a known
            head pose for the share of those facing to pass in `aggregate` and `participation`.
    """

    mode: Mode
    minimum_group: int = 5

    def __post_init__(self) -> None:
        if self.minimum_group < 1:
            raise InvalidRecordError(f"Policy.minimum_group must be at least 1, got {self.minimum_group}.")

    def apply(self, record: IntervalRecord) -> IntervalRecord:
        """The record without anything that the mode forbids; the totals stay."""
        match self.mode:
            case Mode.INDIVIDUAL:
                return replace(
                    record,
                    readings=tuple(_without_refused(reading) for reading in record.readings),
                )
            case Mode.AGGREGATE:
                enough = record.faces_read >= self.minimum_group
                return replace(
                    record,
                    expressions=record.expressions if enough else None,
                    mood=record.mood if enough else None,
                    facing=self._facing_of_a_group(record),
                    states=self._states_of_a_group(record),
                    readings=(),
                    seats=(),
                    offers=(),
                    episodes=tuple(episode for episode in record.episodes if episode.seat is None),
                )
            case Mode.PARTICIPATION:
                return replace(
                    record,
                    expressions=None,
                    mood=None,
                    facing=self._facing_of_a_group(record),
                    states=self._states_of_a_group(record),
                    readings=(),
                    seats=(),
                    offers=(),
                    episodes=tuple(
                        episode for episode in record.episodes if _may_pass_without_expressions(episode)
                    ),
                )

    def _states_of_a_group(self, record: IntervalRecord) -> Mapping[State, int]:
        """The states; of a few faces only that they are there, since the counts would tell who is turned away."""
        if not 0 < record.faces < self.minimum_group:
            return record.states
        seen = record.states.get(State.SEEN, 0) + record.states.get(State.TURNED_AWAY, 0)
        return {**record.states, State.SEEN: seen, State.TURNED_AWAY: 0}

    def _facing_of_a_group(self, record: IntervalRecord) -> float | None:
        posed = facing_of_posed(record.readings)[1] if record.readings else record.faces
        return record.facing if min(posed, record.faces) >= self.minimum_group else None


def _may_pass_without_expressions(episode: Episode) -> bool:
    return episode.seat is None and episode.rule not in EXPRESSION_RULES


def _without_refused(reading: Reading) -> Reading:
    if reading.state is not State.OPTED_OUT:
        return reading
    return replace(reading, yaw=None, pitch=None, quality=0.0)
