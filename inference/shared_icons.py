"""What stands beside several names is an icon beside all of them, or a letter.

A meeting draws the microphone of all who are muted alike, pixel by pixel, and a J always the same. Beside most names
the network sees what it is; beside those where it does not, or takes the one for the other, the others tell.
"""

from dataclasses import dataclass, field
from typing import Final

from inference.label_text import TextLine
from inference.recognition import Mark

_NAMES: Final = 3
"""Names beside which a mark was seen to be an icon, from which it is one."""
_TIMES: Final = 4
"""So many times as often as it was seen to be a letter."""
_LETTERS: Final = 2
"""Names beside which it was seen to be a letter, from which it is one where it is no icon."""
_MOST: Final = 64
"""Marks that are remembered: icons of a few kinds and initials, in a few sizes."""
_ENOUGH: Final = 12
"""Names that are remembered of each."""


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A mark, and the names beside which it was seen to be an icon and a letter."""

    mark: TextLine
    as_icon: list[TextLine] = field(default_factory=list)
    as_letter: list[TextLine] = field(default_factory=list)

    @property
    def is_icon(self) -> bool | None:
        if len(self.as_icon) >= max(_NAMES, _TIMES * len(self.as_letter)):
            return True
        return False if len(self.as_letter) >= max(_LETTERS, len(self.as_icon) / _TIMES) else None


class SharedIcons:
    """What stands beside the names of one meeting."""

    def __init__(self) -> None:
        self._seen: list[_Seen] = []

    def is_icon(self, mark: TextLine) -> bool | None:
        """Whether this is an icon, or a letter; None where too few names tell."""
        seen = self._find(mark)
        return None if seen is None else seen.is_icon

    def learns(self, mark: Mark) -> bool:
        """Remember what was seen beside a name; whether something else is known of it from now on."""
        seen = self._find(mark.alone)
        if seen is None:
            seen = _Seen(mark.alone)
        else:
            self._seen.remove(seen)
        # what was met last is forgotten last
        self._seen = [*self._seen[1 - _MOST :], seen]
        before, names = seen.is_icon, seen.as_icon if mark.icon else seen.as_letter
        if len(names) < _ENOUGH and not any(mark.name.same_text(one) for one in names):
            names.append(mark.name)
        return seen.is_icon is not before

    def _find(self, mark: TextLine) -> _Seen | None:
        return next((seen for seen in self._seen if mark.same_text(seen.mark)), None)
