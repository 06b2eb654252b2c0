"""Who of those shown may be looked at: decided on the names, before any face is looked for."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engagement.class_list import Matches, is_own_label, label_key, match_labels, may_be
from engagement.records import Consent, Label

_NOBODY: Final[Mapping[str, int | None]] = MappingProxyType({})
_NO_BIAS: Final[Mapping[int, NDArray[np.float32]]] = MappingProxyType({})


class Look(StrEnum):
    """What may be done with a tile."""

    READ = "read"
    OPTED_OUT = "opted_out"
    LEFT_OUT = "left_out"


class ClassRoll:
    """The class list as far as it says whom to look at. Without any list all may be read but the teacher.

    Args:
        students: id, name and consent of everybody on the list.
        only_agreed: only those who agreed may be read; then one whom no label is matched to may not.
        own_label: of the teacher's own tile; None where only the meeting program tells it.
        by_hand: label -> what the teacher said: a student's id, or None for nobody of the list.
        biases: id of a student -> float32 (7,), what is added to the log probabilities of their face.
    """

    def __init__(
        self,
        students: Sequence[tuple[int, str, Consent]] = (),
        *,
        only_agreed: bool = False,
        own_label: str | None = None,
        by_hand: Mapping[str, int | None] = _NOBODY,
        biases: Mapping[int, NDArray[np.float32]] = _NO_BIAS,
    ) -> None:
        self._biases = biases
        self._students = [(student, name) for student, name, _ in students]
        self._consent = {student: consent for student, _, consent in students}
        self._refused = tuple(name for _, name, consent in students if consent is Consent.REFUSED)
        self._only_agreed = only_agreed
        self._own_label = own_label
        self._by_hand = by_hand
        self._nobodys = {label_key(label) for label, student in by_hand.items() if student is None}
        self._last: tuple[tuple[str, ...], Matches] = ((), Matches({}, {}))

    @property
    def needs_names(self) -> bool:
        """Whether a tile may be looked at only once its name is known: somebody refused, or has to agree first."""
        return self._only_agreed or Consent.REFUSED in self._consent.values()

    @property
    def uses_names(self) -> bool:
        """Whether names tell whom to leave out, be it the teacher alone. Unless it `needs_names` too, a tile whose name
        is not known may be looked at."""
        return self.needs_names or self._own_label is not None

    def match(self, labels: Sequence[Label]) -> Matches:
        """The students of the labels of one frame; the teacher's own tile is nobody's."""
        names = tuple(
            label.name
            for label in labels
            if label.name is not None and not is_own_label(label, self._own_label)
        )
        if names != self._last[0]:
            self._last = names, match_labels(names, self._students, self._by_hand)
        return self._last[1]

    def biases(self, labels: Sequence[Label]) -> list[NDArray[np.float32] | None]:
        """The bias of whose each label surely is, float32 (7,); None where it is nobody's, or has none."""
        if not self._biases:
            return [None] * len(labels)
        students = self.match(labels).students
        found = (None if label.name is None else students.get(label.name) for label in labels)
        return [self.bias_of(student) for student in found]

    def bias_of(self, student: int | None) -> NDArray[np.float32] | None:
        """The bias of a student, float32 (7,); None for nobody, and where they have none."""
        return None if student is None else self._biases.get(student)

    def looks(self, labels: Sequence[Label]) -> tuple[Look, ...]:
        """What may be done with each tile of a frame, by all its labels.

        Where somebody refused, a label that may be theirs counts as theirs until the teacher says whose it is, and so
        does one that could not be read.
        """
        matches = self.match(labels)
        return tuple(self._look(label, matches) for label in labels)

    def _look(self, label: Label, matches: Matches) -> Look:
        if is_own_label(label, self._own_label):
            return Look.LEFT_OUT
        if not self.needs_names:
            return Look.READ
        if label.name is None:
            return Look.OPTED_OUT
        student = matches.students.get(label.name)
        consents = [self._consent[one] for one in matches.unsure.get(label.name, ())]
        if student is not None:
            consents = [self._consent[student]]
        agreed = student is not None and consents == [Consent.AGREED]
        refused = Consent.REFUSED in consents or (student is None and self._may_be_refused(label.name))
        return Look.OPTED_OUT if refused or (self._only_agreed and not agreed) else Look.READ

    def _may_be_refused(self, name: str) -> bool:
        return label_key(name) not in self._nobodys and any(may_be(name, one) for one in self._refused)
