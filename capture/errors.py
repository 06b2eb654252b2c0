"""Errors of capture.

ClasspulseError
└── CaptureError
    ├── SourceError                 a source cannot be opened or read
    │   ├── InvalidSourceError      what was asked for makes no sense: a malformed --source, an interval of 0
    │   ├── SourceNotFoundError     no such file, folder, camera, monitor or window
    │   ├── UnreadableSourceError   it exists and cannot be decoded or entered
    │   └── DisplayError            no display, Wayland, missing permission
    └── AgentError                  the loop cannot run
"""

from engagement.errors import ClasspulseError


class CaptureError(ClasspulseError):
    """Base of the errors of capture."""


class SourceError(CaptureError):
    """A source cannot be opened or read; it holds no resources when this is raised."""


class InvalidSourceError(SourceError, ValueError):
    """What was asked for makes no sense, whatever the state of this computer."""


class SourceNotFoundError(SourceError):
    """No such file, folder, camera, monitor or window."""


class UnreadableSourceError(SourceError):
    """The source exists and cannot be decoded or entered."""


class DisplayError(SourceError):
    """There is no display to grab, or the system does not let us."""


class AgentError(CaptureError):
    """The capture loop cannot run."""
