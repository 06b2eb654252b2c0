"""Errors of storage.

ClasspulseError
├── InvalidRecordError
│   └── NaiveDatetimeError              a time without its zone was to be stored
└── StorageError
    ├── DatabaseUrlError                the URL names no database that we can use
    │   ├── MissingDriverError          the driver for that kind of database is not installed
    │   └── ForeignDatabaseError        the tables in it belong to another program
    ├── DatabaseUnavailableError        it cannot be used now; what was committed is safe
    │   ├── DiskFullError               no room for one more row
    │   ├── DatabaseLockedError         another process holds it for too long
    │   ├── DatabaseReadOnlyError       its file or folder cannot be written or opened
    │   └── DatabaseUnreachableError    the server does not answer or lets nobody in
    ├── DatabaseDamagedError            the file cannot be read as a database
    │   └── NotADatabaseError           it never was one
    ├── NewerDatabaseError              a newer classpulse made it
    ├── RowRefusedError                 a row breaks a rule of the schema
    ├── SessionBusyError                an agent that lives holds the session
    ├── SessionClosedError              the session has ended, nothing more can be added
    ├── UnknownNoteError                no such note
    ├── UnknownSessionError             no such session
    ├── UnknownStudentError             no such student in the class lists
    ├── UnknownOfferError               nobody offered these two seats as one
    ├── UnknownAccountError             no such account
    ├── AccountExistsError              an account of that name is there already
    ├── OutOfScopeError                 another teacher's class
    └── AnswerRefusedError              what was read contradicts what the teacher says of two seats
"""

from sqlalchemy.exc import DontWrapMixin

from engagement.errors import ClasspulseError, InvalidRecordError


class NaiveDatetimeError(InvalidRecordError, DontWrapMixin):
    """A time without its zone was to be stored."""


class StorageError(ClasspulseError):
    """Base of the errors of storage. What was committed before stays committed."""


class DatabaseUrlError(StorageError):
    """The URL names no database that classpulse can use."""


class MissingDriverError(DatabaseUrlError):
    """The driver for that kind of database is not installed."""


class ForeignDatabaseError(DatabaseUrlError):
    """The database holds tables of another program under our names."""


class DatabaseUnavailableError(StorageError):
    """The database cannot be used now; the transaction was rolled back."""


class DiskFullError(DatabaseUnavailableError):
    """There is no room for one more row."""


class DatabaseLockedError(DatabaseUnavailableError):
    """Another process holds the database for too long."""


class DatabaseReadOnlyError(DatabaseUnavailableError):
    """The file or its folder cannot be written or opened."""


class DatabaseUnreachableError(DatabaseUnavailableError):
    """The server does not answer or lets nobody in."""


class DatabaseDamagedError(StorageError):
    """The file cannot be read as a database."""


class NotADatabaseError(DatabaseDamagedError):
    """The file is something else than a database."""


class NewerDatabaseError(StorageError):
    """A newer classpulse made the database."""


class RowRefusedError(StorageError):
    """A row breaks a rule of the schema; nothing of its transaction was stored."""


class SessionBusyError(StorageError):
    """An agent that lives holds the session; the message names it and its process id."""


class SessionClosedError(StorageError):
    """The session has ended; nothing can be added to it."""


class UnknownSessionError(StorageError):
    """There is no such session."""


class UnknownNoteError(StorageError):
    """There is no such note."""


class UnknownStudentError(StorageError):
    """There is no such student in the class lists."""


class UnknownOfferError(StorageError):
    """Nobody offered these two seats as one."""


class AnswerRefusedError(StorageError):
    """What was read contradicts what the teacher says of two seats; nothing was changed."""


class UnknownAccountError(StorageError):
    """There is no such account."""


class AccountExistsError(StorageError):
    """An account of that name is there already."""


class OutOfScopeError(StorageError, DontWrapMixin):
    """What was asked for belongs to a class that the account may not see, or to none."""
