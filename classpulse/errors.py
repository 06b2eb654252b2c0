"""Errors of the front door.

ClasspulseError
├── SettingsError       the settings file or a variable is wrong
├── UsageError          a command cannot do what its options ask for
│   └── NoDatabaseError the database that is to be looked at is not there
├── StartRefusedError   a class cannot be started from the page
├── ModeRefusedError    a mode may not be used where the class is, or needs a class that agreed
└── BusyError           something else is being done, which takes longer than anybody waits
"""

from engagement.errors import ClasspulseError


class SettingsError(ClasspulseError):
    """The settings file or a variable is wrong."""


class UsageError(ClasspulseError):
    """A command cannot do what its options ask for."""


class NoDatabaseError(UsageError):
    """The database that a command looks at or changes is not there; none was made."""


class ModeRefusedError(ClasspulseError):
    """A mode may not be used where the class is, or needs a class that agreed."""


class StartRefusedError(ClasspulseError):
    """A class cannot be started from the page: something is missing, or one is read already."""


class BusyError(ClasspulseError):
    """Something else is being done, which takes longer than anybody waits."""
