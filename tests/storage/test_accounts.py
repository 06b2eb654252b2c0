"""Accounts and logins: what is kept of them, when a browser is out, and links that are good once."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from engagement.errors import InvalidRecordError
from storage.accounts import (
    Role,
    accounts,
    add_account,
    find_account,
    has_accounts,
    is_last_admin,
    password_hash,
    remove_account,
    set_classes,
    set_password,
    set_role,
)
from storage.audit import AuditAction, audit_entries
from storage.database import reading
from storage.errors import AccountExistsError, UnknownAccountError
from storage.logins import IDLE, LONGEST, close_login, close_logins, find_login, open_login, use_link
from storage.recorder import NewSession, Recorder
from storage.schema import LoginTable

NOW = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def make(engine: Engine, name: str = "Ms Berg", role: Role = Role.TEACHER, *classes: str) -> int:
    return add_account(engine, name, role, "hash", classes, actor="command line").id


def test_an_account_is_kept_with_its_classes(engine: Engine) -> None:
    assert not has_accounts(engine)
    made = add_account(
        engine, "  Ms\u202eBerg ", Role.TEACHER, "hash", ["Physics 9b", "Algebra", "Algebra"], actor="test"
    )
    assert (made.name, made.role, made.classes) == ("MsBerg", Role.TEACHER, ("Algebra", "Physics 9b"))
    assert has_accounts(engine)
    assert find_account(engine, "MSBERG") == made == accounts(engine)[0]
    assert password_hash(engine, "msberg") == (made.id, "hash")
    assert password_hash(engine, "nobody") is None
    assert password_hash(engine, "") is None


def test_a_class_is_given_as_it_is_written(engine: Engine, new_session: Callable[..., NewSession]) -> None:
    recorder = Recorder(engine)
    for name in ("Maths 9B", "physics", "Physics"):
        recorder.open_session(new_session(name=name))
    made = add_account(
        engine, "Ms Berg", Role.TEACHER, "hash", ["maths 9b", "physics", "Chess"], actor="test"
    )
    assert made.classes == ("Chess", "Maths 9B", "physics")


def test_names_differ_in_more_than_capitals(engine: Engine) -> None:
    make(engine, "Straße")
    with pytest.raises(AccountExistsError, match="already"):
        make(engine, "STRASSE")
    for empty in ("", " ", "\u200b\u202e"):
        with pytest.raises(InvalidRecordError, match="visible letter"):
            make(engine, empty)
    # the audit log calls others so
    for taken in ("Command Line", " this computer", "unknown account", "classpulse watch"):
        with pytest.raises(InvalidRecordError, match="type another name"):
            make(engine, taken)
    assert len(accounts(engine)) == 1


def test_an_admin_has_no_list_of_classes(engine: Engine) -> None:
    with pytest.raises(InvalidRecordError, match="every class"):
        make(engine, "Head", Role.ADMIN, "Algebra")
    assert not accounts(engine)
    make(engine, "Head", Role.TEACHER, "Algebra")
    set_role(engine, "head", Role.ADMIN, actor="test")
    assert (find_account(engine, "Head").role, find_account(engine, "Head").classes) == (Role.ADMIN, ())
    with pytest.raises(InvalidRecordError, match="every class"):
        set_classes(engine, "Head", ["Algebra"], actor="test")


def test_the_last_admin_is_known(engine: Engine) -> None:
    make(engine, "Head", Role.ADMIN)
    make(engine)
    assert is_last_admin(engine, "HEAD")
    assert not is_last_admin(engine, "Ms Berg")
    set_role(engine, "Ms Berg", Role.ADMIN, actor="test")
    assert not is_last_admin(engine, "Head")
    with pytest.raises(UnknownAccountError):
        is_last_admin(engine, "Nobody")


def test_a_name_that_is_not_there_is_named(engine: Engine) -> None:
    for change in (
        lambda: find_account(engine, "Nobody"),
        lambda: remove_account(engine, "Nobody", actor="test"),
        lambda: set_password(engine, "Nobody", "hash", actor="test"),
        lambda: set_role(engine, "Nobody", Role.ADMIN, actor="test"),
        lambda: set_classes(engine, "Nobody", [], actor="test"),
    ):
        with pytest.raises(UnknownAccountError, match=r'"Nobody".*accounts list'):
            change()
    assert not audit_entries(engine)


def test_each_change_is_a_line_of_the_audit_log_without_a_name_or_password(engine: Engine) -> None:
    number = make(engine, "Ms Berg", Role.TEACHER, "Algebra")
    set_password(engine, "Ms Berg", "another", actor="command line")
    set_role(engine, "Ms Berg", Role.ADMIN, actor="command line")
    remove_account(engine, "Ms Berg", actor="Head")
    log = audit_entries(engine)
    assert [(entry.action, entry.subject) for entry in reversed(log)] == [
        (AuditAction.ACCOUNT_MADE, number),
        (AuditAction.ACCOUNT_CHANGED, number),
        (AuditAction.ACCOUNT_CHANGED, number),
        (AuditAction.ACCOUNT_REMOVED, number),
    ]
    assert log[0].actor == "Head"
    assert "Berg" not in str(log)
    assert "another" not in str(log)


def test_a_login_is_found_by_its_token_and_kept_without_it(engine: Engine) -> None:
    number = make(engine)
    token = open_login(engine, number, NOW)
    found = find_login(engine, token, NOW)
    assert found is not None
    assert found.account == find_account(engine, "Ms Berg")
    assert len(token) >= 43
    with reading(engine) as connection:
        assert token not in str(connection.execute(select(LoginTable.__table__)).all())
    for wrong in ("", token[:-1], token + "A", "\ud800", found.key):
        assert find_login(engine, wrong, NOW) is None


def test_a_login_ends_by_itself(engine: Engine) -> None:
    token = open_login(engine, make(engine), NOW)
    just = timedelta(seconds=1)
    assert find_login(engine, token, NOW + IDLE - just) is not None
    # it was used, so it lives on
    assert find_login(engine, token, NOW + 2 * IDLE - 3 * just) is not None
    assert find_login(engine, token, NOW + 4 * IDLE) is None
    used = open_login(engine, None, NOW)
    at = NOW
    while at < NOW + LONGEST - IDLE:
        at += IDLE / 2
        assert find_login(engine, used, at) is not None
    assert find_login(engine, used, NOW + LONGEST) is None
    open_login(engine, None, NOW + 2 * LONGEST)
    with reading(engine) as connection:
        assert len(connection.execute(select(LoginTable.token)).all()) == 1, "what ran out is forgotten"


def test_a_password_that_changes_lets_every_browser_out(engine: Engine) -> None:
    number, other = make(engine), make(engine, "Somebody")
    tokens = [open_login(engine, number, NOW) for _ in range(3)]
    theirs = open_login(engine, other, NOW)
    kept = find_login(engine, tokens[0], NOW)
    assert kept is not None
    set_password(engine, "Ms Berg", "another", actor="Ms Berg", keep=kept.key)
    assert [find_login(engine, token, NOW) is not None for token in tokens] == [True, False, False]
    set_password(engine, "Ms Berg", "a third", actor="command line")
    assert find_login(engine, tokens[0], NOW) is None
    assert find_login(engine, theirs, NOW) is not None


def test_who_is_removed_is_out_at_once(engine: Engine) -> None:
    token = open_login(engine, make(engine), NOW)
    remove_account(engine, "Ms Berg", actor="test")
    assert find_login(engine, token, NOW) is None
    number = make(engine, "Ms Berg")
    assert find_login(engine, token, NOW) is None
    again = open_login(engine, number, NOW)
    set_classes(engine, "Ms Berg", ["Algebra"], actor="test")
    found = find_login(engine, again, NOW)
    assert found is not None
    assert found.account is not None
    assert found.account.classes == ("Algebra",), "what changes holds from the next request on"


def test_logging_out(engine: Engine) -> None:
    number = make(engine)
    first, second, link = (open_login(engine, one, NOW) for one in (number, number, None))
    found = find_login(engine, first, NOW)
    assert found is not None
    close_login(engine, found.key)
    assert find_login(engine, first, NOW) is None
    close_logins(engine, number)
    assert find_login(engine, second, NOW) is None
    assert find_login(engine, link, NOW) is not None
    close_logins(engine, None)
    assert find_login(engine, link, NOW) is None


def test_a_link_is_good_once(engine: Engine) -> None:
    hour = timedelta(hours=1)
    assert use_link(engine, "a", NOW, hour)
    assert not use_link(engine, "a", NOW, hour)
    assert not use_link(engine, "a", NOW + hour, hour)
    assert use_link(engine, "b", NOW + 3 * hour, hour)
