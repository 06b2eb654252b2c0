"""What stands beside several names is an icon: also where, alone or beside one of them, it might be a letter.

A meeting draws the microphone of all who are muted alike, pixel by pixel. Beside most names the network sees that it is
no letter; beside those where it does not, the others tell.
"""

from typing import Final

from inference.label_text import TextLine

_NAMES: Final = 3
"""Names beside which the same was seen to be an icon. No letter is taken for one so often."""
_MOST: Final = 32
"""Icons that are remembered: a few kinds in a few sizes."""


class SharedIcons:
    """The icons of one meeting."""

    def __init__(self) -> None:
        self._seen: list[tuple[TextLine, list[TextLine]]] = []

    def knows(self, mark: TextLine) -> bool:
        """Whether what this shows was seen to be an icon beside several names."""
        return any(len(names) >= _NAMES and mark.same_text(seen) for seen, names in self._seen)

    def learns(self, mark: TextLine, name: TextLine) -> bool:
        """Remember that this was seen to be an icon beside that name; whether it is known from now on."""
        names = next((names for seen, names in self._seen if mark.same_text(seen)), None)
        if names is None:
            self._seen = [*self._seen[1 - _MOST :], (mark, [name])]
            return False
        if len(names) >= _NAMES or any(name.same_text(one) for one in names):
            return False
        names.append(name)
        return len(names) == _NAMES
