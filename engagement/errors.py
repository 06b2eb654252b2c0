"""Errors of classpulse.

ClasspulseError
├── InvalidRecordError        a record was made that breaks one of its invariants
├── RosterError               a class list cannot be read as a table of students
├── capture.errors.*          a source, a window or the grid
├── inference.errors.*        a detector, a classifier or a label reader
├── storage.errors.*          the database
├── dashboard.errors.*        the page server and exports
└── models.errors.*           the workshop and the registry
"""


class ClasspulseError(Exception):
    """Base of every error that a user may see.

    The message is one or two sentences: what failed, what was expected, what to do now.
    """


class InvalidRecordError(ClasspulseError, ValueError):
    """A record breaks one of its invariants; the message names the field, the expected and the actual value."""


class RosterError(ClasspulseError):
    """A class list cannot be read as a table of students; the message says where and what to do."""
