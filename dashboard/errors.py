"""Errors of the dashboard.

ClasspulseError
└── DashboardError
    ├── AddressRefusedError    asked to listen beyond this computer
    ├── PortInUseError         something else listens on the port
    └── ExportError            a report cannot be made
"""

from engagement.errors import ClasspulseError


class DashboardError(ClasspulseError):
    """Base of the errors of the dashboard."""


class AddressRefusedError(DashboardError):
    """The dashboard was asked to listen on an address that other computers can reach."""


class PortInUseError(DashboardError):
    """The port is taken; the message names it."""


class ExportError(DashboardError):
    """A report cannot be made of this session."""
