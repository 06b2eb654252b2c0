"""Errors of the dashboard.

ClasspulseError
└── DashboardError
    ├── AddressRefusedError    asked to listen where it may not, or not on an address
    ├── AccountNeededError     other computers could reach the pages and nobody has an account
    ├── CertificateError       the certificate or its key cannot be used
    ├── NotAllowedError        the account may not do that
    ├── PasswordRefusedError   it is too short, too long or easily guessed
    ├── PortInUseError         something else listens on the port
    └── ExportError            a report cannot be made
"""

from engagement.errors import ClasspulseError


class DashboardError(ClasspulseError):
    """Base of the errors of the dashboard."""


class AddressRefusedError(DashboardError):
    """The dashboard was asked to listen where it may not, or on what is not an address."""


class AccountNeededError(DashboardError):
    """Other computers could reach the pages, and nobody has an account; the message says how to make one."""


class CertificateError(DashboardError):
    """The certificate or its key cannot be used; the message says which and why."""


class NotAllowedError(DashboardError):
    """The account may not do that."""


class PasswordRefusedError(DashboardError):
    """The password is too short, too long or easily guessed."""


class PortInUseError(DashboardError):
    """The port is taken; the message names it."""


class ExportError(DashboardError):
    """A report cannot be made of this session."""
