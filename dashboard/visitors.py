"""Who asks: an account, whoever runs classpulse and came by a one-time link, or (where nobody is asked) anybody."""

from dataclasses import dataclass
from typing import Any, Final, cast

from flask import g, has_request_context

from dashboard.controls import Controls, Phase, RunStatus
from dashboard.errors import NotAllowedError
from storage.accounts import Account, Role
from storage.scope import Scope, current_scope

BY_LINK: Final = "this computer"
"""The actor, in the audit log, of who came by a one-time link."""


ACCOUNT: Final = "/account"
"""Where an account is looked after."""

FOR_ADMINS: Final = frozenset({"settings", "start", "studio"})
"""Pages that read this computer's screen or files, or change what it does."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks.

    Attributes:
        login: by which the database knows the browser.
        account: None for who came by a one-time link.
    """

    login: str
    account: Account | None

    @property
    def name(self) -> str:
        """For the audit log."""
        return BY_LINK if self.account is None else self.account.name

    @property
    def is_admin(self) -> bool:
        """Whether they may do everything."""
        return self.account is None or self.account.role is Role.ADMIN

    @property
    def scope(self) -> Scope:
        """Whose rows they reach."""
        if self.account is None:
            return Scope(self.name, None)
        classes = None if self.is_admin else frozenset(self.account.classes)
        return Scope(self.name, classes, self.account.id)


def visitor() -> Visitor | None:
    """Who asks in the running request; None where nobody is asked who they are, or nobody is in yet."""
    found: Visitor | None = g.get("visitor") if has_request_context() else None
    return found


def may_manage() -> bool:
    """Whether who asks may read this computer's screen, start classes and change settings."""
    found = visitor()
    return found is None or found.is_admin


def check_may_manage() -> None:
    """Refuse who may not.

    Raises:
        NotAllowedError: it is a teacher's account.
    """
    if not may_manage():
        raise NotAllowedError(
            "That is for whoever has an admin's account: classes are started, and settings changed, by them."
        )


class ForAdmins:
    """Stands in the place of something that only admins may use: everything of it, also what it will have one day.

    Args:
        inner: what it stands for.
    """

    def __init__(self, inner: object) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        check_may_manage()
        return getattr(self._inner, name)


class _ControlsForAdmins(ForAdmins):
    """As above; a teacher sees how it stands with a class of theirs, and may end it."""

    def status(self) -> RunStatus:
        """How it stands with the class that is read, if it is theirs."""
        status = cast("Controls", self._inner).status()
        scope = current_scope()
        if scope is None or not status.name or scope.allows(status.name):
            return status
        return RunStatus(Phase.IDLE)

    def stop(self) -> bool:
        """End the class that is read, if it is theirs."""
        if self.status().phase is Phase.IDLE:
            return False
        return cast("Controls", self._inner).stop()


def controls_for_admins(controls: Controls) -> Controls:
    """The same, for admins."""
    return cast("Controls", _ControlsForAdmins(controls))
