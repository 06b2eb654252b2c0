"""What the page Settings asks of the program that serves it: the settings as they stand, and to write some anew.

The pages know no settings file: whoever serves them hands over an implementation of `SettingsBook`
(`classpulse.settings_editor`). Where there is none, the page says so and shows nothing to edit.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from dashboard.errors import DashboardError

Value = str | float | tuple[str, ...] | None
"""What a setting holds; None where it has nothing."""


class Kind(StrEnum):
    """How a setting is edited."""

    TEXT = "text"
    NUMBER = "number"
    CHOICE = "choice"
    LINES = "lines"


@dataclass(frozen=True, slots=True)
class Preference:
    """One setting.

    Attributes:
        key: section and name, such as "capture.interval".
        description: what it is, a sentence or two.
        kind: how it is edited.
        value: what stands in the file, or the default; where it is fixed, what holds.
        default: what holds where nothing is written.
        choices: of a choice.
        fixed: why it cannot be edited here, a few words; None where it can.
        in_use: what the program that serves the page runs with, where that differs from `value`; else None.
    """

    key: str
    description: str
    kind: Kind
    value: Value
    default: Value
    choices: tuple[str, ...] = ()
    fixed: str | None = None
    in_use: str | None = None


@dataclass(frozen=True, slots=True)
class Preferences:
    """All settings.

    Attributes:
        file: the path of the settings file.
        settings: in the order in which they are shown, section by section.
        problem: why the file cannot be edited, a sentence with what to do; None where it can.
    """

    file: str
    settings: tuple[Preference, ...]
    problem: str | None = None


class PreferencesRefusedError(DashboardError):
    """Settings were not written; nothing of the file has changed.

    Attributes:
        problems: a sentence per key; empty where no single setting is to blame.
    """

    def __init__(self, message: str, problems: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.problems = dict(problems or {})


class SettingsBook(Protocol):
    """The settings of the program that serves the pages. Methods may be called from any thread."""

    def read(self) -> Preferences:
        """The settings as they stand now."""
        ...

    def write(self, changes: Mapping[str, Value]) -> None:
        """Write these settings to the file, all or none; None takes one out, so that its default holds.

        Raises:
            PreferencesRefusedError: a value is wrong, a setting is fixed, or the file cannot be read or written.
        """
        ...
