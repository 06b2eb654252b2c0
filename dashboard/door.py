"""Who is let in: log in with name and password, come by a one-time link, log out, choose another password.

Without a session nothing is answered but `/health`, the login and a link. These pages are plain HTML without a script.
"""

import hashlib
import logging
import math
import re
import secrets
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flask import Flask, Response, g, make_response, redirect, request, session
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import BadData
from jinja2 import Environment, FileSystemLoader, select_autoescape
from sqlalchemy import Engine
from werkzeug.wrappers import Response as AnyResponse

from dashboard import links
from dashboard.attempts import Attempts
from dashboard.errors import NotAllowedError, PasswordRefusedError
from dashboard.forwarding import is_from_here
from dashboard.passwords import hash_password, matches
from dashboard.security import said
from dashboard.theme import PALETTES
from dashboard.visitors import ACCOUNT, Visitor, visitor
from storage import accounts, logins
from storage.accounts import Role
from storage.audit import AuditAction, audit
from storage.errors import OutOfScopeError, StorageError, UnknownAccountError
from storage.scope import Scope, restricted

LOGIN: Final = "/login"
LOGOUT: Final = "/logout"

OPEN: Final = frozenset({"answer_health", "door_login", "door_enter"})
"""Endpoints that answer without a session."""

AWAY: Final = "The database cannot be reached just now. The log of the pages says why."
"""What they are told who are not in: where it lies, and under whose name it is asked, is no business of theirs."""

_NOBODY: Final = "unknown account"
"""The actor, in the audit log, where a name was tried that nobody has: what was typed may be a password."""

_DEVICE: Final = "classpulse-device"
_DEVICE_DAYS: Final = 180
_TOKEN: Final = "login"  # noqa: S105 - the name of what holds it
_OWN_PATH: Final = re.compile(r"/(?![/\\])[^\\\x00-\x1f\x7f]*")
_REMEMBERED_SECONDS: Final = 60.0
"""For so long a browser that was let in is known while the database cannot be asked."""
_MOST_REMEMBERED: Final = 1000

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Access:
    """How visitors are told apart.

    Attributes:
        secret: of this installation, at least 32 bytes; it signs cookies and links.
        loopback_only: only this computer can reach the pages, so what comes in plain HTTP is not read by others.
    """

    secret: bytes
    loopback_only: bool = True

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise ValueError(f"A secret has at least 32 bytes, this one has {len(self.secret)}.")


class _Sessions(SecureCookieSessionInterface):
    """Flask's signed cookie, with SHA-256; behind TLS it is sent over TLS only."""

    digest_method = staticmethod(hashlib.sha256)

    def get_cookie_name(self, app: Flask) -> str:
        # a browser shares its cookies between the ports of a host: two classpulses would log each other out
        return (
            "__Host-classpulse" if request.is_secure else f"classpulse-{request.environ.get('SERVER_PORT')}"
        )

    def get_cookie_secure(self, app: Flask) -> bool:
        return request.is_secure

    def get_cookie_samesite(self, app: Flask) -> str:
        return "Strict"

    def get_cookie_httponly(self, app: Flask) -> bool:
        return True


class Door:
    """Lets visitors in and out.

    Args:
        server: the Flask server of the app; `dashboard.security.protect` looks at a request before this does.
        engine: on the migrated database.
        access: how visitors are told apart.
        attempts: None for counters of its own.
    """

    def __init__(
        self, server: Flask, engine: Engine, access: Access, attempts: Attempts | None = None
    ) -> None:
        self._engine = engine
        self._access = access
        self._attempts = attempts or Attempts()
        self._devices = links.signer(access.secret, "device")
        self._remembered: OrderedDict[str, tuple[Visitor, float]] = OrderedDict()
        server.secret_key = access.secret
        server.session_interface = _Sessions()
        server.before_request(self._let_in)
        server.teardown_request(self._leave)
        server.register_error_handler(OutOfScopeError, _refused)
        server.register_error_handler(NotAllowedError, _refused)
        for path, name, view, methods in (
            (LOGIN, "door_login", self._login, ["GET", "POST"]),
            (links.PATH, "door_enter", self._enter, ["GET"]),
            (LOGOUT, "door_logout", self._logout, ["POST"]),
            (ACCOUNT, "door_account", self._account, ["GET", "POST"]),
        ):
            server.add_url_rule(path, name, view, methods=methods)

    def _let_in(self) -> AnyResponse | None:
        if not self._access.loopback_only and not request.is_secure and not _is_from_here():
            return said("The dashboard is served over HTTPS only.", 403)
        try:
            found = self._who()
        except StorageError as error:
            _log.warning("nobody can be let in: %s", error)
            return None if request.endpoint == "answer_health" else said(AWAY, 503)
        if found is not None:
            g.visitor = found
            g.scope = restricted(found.scope)
            g.scope.__enter__()
            return None
        if request.endpoint in OPEN:
            return None
        if request.method in {"GET", "HEAD"} and request.accept_mimetypes.accept_html and _is_page():
            return self._login_page(401, after=request.full_path.rstrip("?"))
        return said("Log in first.", 401)

    def _leave(self, _error: BaseException | None) -> None:
        scope = g.pop("scope", None)
        if scope is not None:
            scope.__exit__(None, None, None)

    def _who(self) -> Visitor | None:
        token = session.get(_TOKEN)
        if not isinstance(token, str):
            return None
        try:
            found = logins.find_login(self._engine, token, datetime.now(UTC))
        except StorageError:
            # so that the page itself can say for a while what is wrong with the database; whether the account is still
            # there, and what it may, cannot be asked now: it may nothing but look
            known, seen_at = self._remembered.get(token, (None, 0.0))
            if known is None or time.monotonic() - seen_at > _REMEMBERED_SECONDS:
                raise
            if known.account is None:
                return known
            return replace(known, account=replace(known.account, role=Role.TEACHER, classes=()))
        if found is None:
            self._remembered.pop(token, None)
            return None
        who = Visitor(found.key, found.account)
        self._remembered[token] = who, time.monotonic()
        while len(self._remembered) > _MOST_REMEMBERED:
            self._remembered.popitem(last=False)
        return who

    def _enter(self) -> AnyResponse:
        key = request.args.get("key", "")
        # who is in already loses nothing: a link that is opened twice is no fault
        if visitor() is None:
            if not _is_from_here():
                return said("Such a link opens the pages on the computer that serves them only.", 403)
            if not links.spend(self._engine, self._access.secret, key, datetime.now(UTC)):
                return self._login_page(401, problem="This link was used already, or is too old.")
            self._open(None)
            audit(self._engine, AuditAction.LOGGED_IN, Visitor("", None).name)
        return redirect(_own_path(request.args.get("to", "/")), 303)

    def _login(self) -> AnyResponse:
        if request.method == "GET":
            return redirect("/", 303) if visitor() is not None else self._login_page(200)
        name, password = request.form.get("name", ""), request.form.get("password", "")
        after = request.form.get("after", "/")
        known = accounts.password_hash(self._engine, name)
        attempt = self._attempts.begin(
            accounts.compared(name), request.remote_addr, None if known is None else self._device_of(known)
        )
        if attempt.wait > 0:
            answer = self._login_page(
                429,
                name=name,
                after=after,
                problem=f"Too many tries. Try again in {_minutes(attempt.wait)}.",
            )
            answer.headers["Retry-After"] = str(math.ceil(attempt.wait))
            return answer
        if not matches(None if known is None else known[1], password) or known is None:
            actor, subject = (_NOBODY, None) if known is None else (self._name_of(name), known[0])
            audit(self._engine, AuditAction.LOGIN_FAILED, actor, subject)
            if attempt.locks:
                audit(self._engine, AuditAction.LOCKED_OUT, actor, subject)
            return self._login_page(
                401, name=name, after=after, problem="There is no account with this name and password."
            )
        self._attempts.succeeded(attempt)
        self._open(known[0])
        audit(self._engine, AuditAction.LOGGED_IN, self._name_of(name), known[0])
        answer = redirect(_own_path(after), 303)
        answer.set_cookie(
            _DEVICE,
            str(self._devices.dumps([known[0], secrets.token_urlsafe(16)])),
            max_age=timedelta(days=_DEVICE_DAYS),
            path=LOGIN,
            httponly=True,
            secure=request.is_secure,
            samesite="Strict",
        )
        return answer

    def _name_of(self, typed: str) -> str:
        try:
            return accounts.find_account(self._engine, typed).name
        except UnknownAccountError:
            return _NOBODY

    def _device_of(self, known: tuple[int, str]) -> str | None:
        """The mark of this browser, if this account logged in on it before."""
        try:
            number, mark = self._devices.loads(
                request.cookies.get(_DEVICE, ""), max_age=_DEVICE_DAYS * 24 * 3600
            )
        except (BadData, TypeError, ValueError):
            return None
        return str(mark) if number == known[0] else None

    def _open(self, account_id: int | None) -> None:
        # nothing of a session that somebody else planted goes on
        session.clear()
        session[_TOKEN] = logins.open_login(self._engine, account_id, datetime.now(UTC))

    def _logout(self) -> AnyResponse:
        who = visitor()
        if who is not None:
            with restricted(None):
                number = None if who.account is None else who.account.id
                if request.form.get("everywhere"):
                    logins.close_logins(self._engine, number)
                else:
                    logins.close_login(self._engine, who.login)
                audit(self._engine, AuditAction.LOGGED_OUT, who.name, number)
            self._forget(who)
        session.clear()
        return redirect(LOGIN, 303)

    def _account(self) -> AnyResponse:
        who = visitor()
        if who is None or who.account is None:
            return _page("account.html", 200, account=None)
        if request.method == "GET":
            return _page("account.html", 200, account=who.account)
        try:
            done = self._change_password(who, who.account)
        except PasswordRefusedError as error:
            return _page("account.html", 400, account=who.account, problem=str(error))
        return done

    def _change_password(self, who: Visitor, account: accounts.Account) -> AnyResponse:
        old, new = request.form.get("password", ""), request.form.get("new-password", "")
        if new != request.form.get("again", ""):
            raise PasswordRefusedError("The new password was not typed the same twice: type it again.")
        with restricted(Scope(account.name, None, account.id)):
            known = accounts.password_hash(self._engine, account.name)
            attempt = self._attempts.begin(accounts.compared(account.name), request.remote_addr, who.login)
            if attempt.wait > 0:
                raise PasswordRefusedError(f"Too many tries. Try again in {_minutes(attempt.wait)}.")
            if known is None or not matches(known[1], old):
                raise PasswordRefusedError("The present password is another one: type it again.")
            self._attempts.succeeded(attempt)
            accounts.set_password(
                self._engine,
                account.name,
                hash_password(new, account.name),
                actor=account.name,
                keep=who.login,
            )
        return _page(
            "account.html", 200, account=account, told="The password was changed. Other browsers are out."
        )

    def _forget(self, who: Visitor) -> None:
        for token in [
            token for token, (one, _) in list(self._remembered.items()) if one.account == who.account
        ]:
            self._remembered.pop(token, None)

    def _login_page(self, status: int, **shown: Any) -> AnyResponse:
        return _page("login.html", status, **{"has_accounts": accounts.has_accounts(self._engine), **shown})


_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape()
)


def _page(template: str, status: int, **shown: Any) -> AnyResponse:
    page = _PAGES.get_template(template).render(
        **{"palettes": PALETTES, "lifetime": logins.LONGEST, "problem": None, "told": None, **shown}
    )
    return make_response(page, status)


def _refused(error: Exception) -> Response:
    return said(str(error), 403)


def _is_page() -> bool:
    """Whether a person would look at it: neither a file of a page nor something that Dash asks for."""
    return not request.path.startswith(("/assets/", "/static/", "/_"))


def _is_from_here() -> bool:
    return is_from_here(request.remote_addr, request.headers)


def _own_path(after: str) -> str:
    """Where to go after the login: a path of ours, never another site."""
    return after if _OWN_PATH.fullmatch(after) and not after.startswith((LOGIN, LOGOUT, links.PATH)) else "/"


def _minutes(seconds: float) -> str:
    whole = max(1, math.ceil(seconds / 60))
    return "a minute" if whole == 1 else f"{whole} minutes"
