"""Whose rows a piece of work may touch: a teacher's account reaches the rows of its classes and no others.

Inside `restricted`, every statement that goes to the database, whoever wrote it, is narrowed to those rows before it is
run, also where a table stands in a subquery or on the far side of a join; a row for another class is not written. What
the rules below do not know is refused: a new table, SQL as text. So no query of a page can forget whose rows it reads.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from numbers import Integral
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Engine, Select, Table, event, select
from sqlalchemy.dialects.postgresql import dml as postgresql
from sqlalchemy.dialects.sqlite import dml as sqlite
from sqlalchemy.orm import with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption
from sqlalchemy.sql.dml import Insert, Update, UpdateBase
from sqlalchemy.sql.elements import BindParameter, ColumnClause, TextClause
from sqlalchemy.sql.expression import Alias, ClauseElement, Executable, Join
from sqlalchemy.sql.selectable import AliasedReturnsRows, CompoundSelect, SelectBase, TextualSelect

from storage.errors import OutOfScopeError
from storage.schema import (
    AuditAction,
    AuditTable,
    Base,
    ClassListTable,
    EpisodeTable,
    HeartbeatTable,
    IntervalTable,
    NoteTable,
    ReadingTable,
    SeatOfferTable,
    SeatTable,
    SessionTable,
    StudentLabelTable,
    StudentTable,
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be touched, and who touches it.

    Attributes:
        actor: name of the account, for the audit log.
        classes: names of the classes; None for all.
        account_id: number of the account; None where there is none.
    """

    actor: str
    classes: frozenset[str] | None
    account_id: int | None = None

    def allows(self, class_name: str) -> bool:
        """Whether a class may be touched."""
        return self.classes is None or class_name in self.classes


_now: ContextVar[Scope | None] = ContextVar("scope", default=None)
"""Of the running request. A thread that is started for something longer begins without: it serves everybody."""

# the plain table: what narrows a query is not narrowed itself
_SESSIONS: Final[Any] = SessionTable.__table__
_INTERVALS: Final[Any] = IntervalTable.__table__


@contextmanager
def restricted(scope: Scope | None) -> Iterator[None]:
    """Everything that this thread asks of a database meanwhile stays within the scope; None is without bounds."""
    token = _now.set(scope)
    try:
        yield
    finally:
        _now.reset(token)


def current_scope() -> Scope | None:
    """The scope of this thread; None where there are no bounds."""
    return _now.get()


def narrow(engine: Engine) -> None:
    """See to it that this engine keeps to the scope."""
    event.listen(engine, "before_execute", _narrowed, retval=True)


OWNER: Final[Mapping[type[Base], str]] = MappingProxyType(
    {
        SessionTable: "name",
        ClassListTable: "name",
        StudentTable: "class_name",
        StudentLabelTable: "class_name",
        SeatTable: "session_id",
        SeatOfferTable: "session_id",
        IntervalTable: "session_id",
        EpisodeTable: "session_id",
        NoteTable: "session_id",
        HeartbeatTable: "session_id",
        ReadingTable: "interval_id",
    }
)
"""The column that says to which class a row belongs. Of the audit log one sees what one did oneself, and the logins to
one's account."""

_LOGINS: Final = [
    str(action)
    for action in (
        AuditAction.LOGGED_IN,
        AuditAction.LOGGED_OUT,
        AuditAction.LOGIN_FAILED,
        AuditAction.LOCKED_OUT,
    )
]
"""Their subject is an account; who does them is not in yet, or no more."""


def _own_sessions(classes: frozenset[str]) -> Select[Any]:
    return select(_SESSIONS.c.id).where(_SESSIONS.c.name.in_(sorted(classes)))


def _criteria(scope: Scope, classes: frozenset[str]) -> list[ExecutableOption]:
    """What narrows a statement, for every table and its aliases.

    They are lambdas because only those are laid onto the aliases of a join. SQLAlchemy keeps the words of each and asks
    for its values anew.
    """
    # numbers begin with 1: nobody's line is that of no account
    names, own = sorted(classes), scope.account_id or 0
    sessions = _own_sessions(classes)
    intervals = select(_INTERVALS.c.id).where(_INTERVALS.c.session_id.in_(sessions))
    by_column: dict[str, Callable[[Any], ColumnElement[bool]]] = {
        "name": lambda table: table.name.in_(names),
        "class_name": lambda table: table.class_name.in_(names),
        "session_id": lambda table: table.session_id.in_(sessions),
        "interval_id": lambda table: table.interval_id.in_(intervals),
    }
    return [
        *(
            with_loader_criteria(table, by_column[column], include_aliases=True)
            for table, column in OWNER.items()
        ),
        with_loader_criteria(
            AuditTable,
            lambda table: (table.account_id == own) | ((table.subject == own) & table.action.in_(_LOGINS)),
            include_aliases=True,
        ),
    ]


_WORD: Final = re.compile(r"[\w.*]+")
"""The name of a column, or the star of a count: a text that can ask for nothing."""

_COLUMNS: Final = MappingProxyType({table.__tablename__: column for table, column in OWNER.items()})
_KNOWN: Final = frozenset({*_COLUMNS, AuditTable.__tablename__})


def _narrowed(
    connection: Connection,
    statement: Executable,
    several: Sequence[Mapping[str, Any]],
    one: Mapping[str, Any],
    _options: Mapping[str, Any],
) -> tuple[Executable, Sequence[Mapping[str, Any]], Mapping[str, Any]]:
    scope = _now.get()
    if scope is None or scope.classes is None:
        return statement, several, one
    if not isinstance(statement, Select | UpdateBase):
        raise OutOfScopeError(
            f"A statement of the kind {type(statement).__name__} says nothing of whose rows it touches, so it was not "
            "run: ask whoever has an admin's account."
        )
    if getattr(statement, "_prefixes", ()):
        raise _not_narrowed("a text around a statement")
    _check_tables(statement)
    if isinstance(statement, Insert | Update):
        _check_values(connection, statement, several or [one], scope.classes)
    if isinstance(statement, Insert):
        return statement, several, one
    return statement.options(*_criteria(scope, scope.classes)), several, one


def _check_tables(statement: ClauseElement) -> None:
    """Refuse what would not be narrowed: a table without a rule, or one that no class of the schema stands for."""
    if isinstance(statement, UpdateBase):
        if not _is_mapped(statement):
            raise _not_narrowed(getattr(statement.table, "name", "?"))
        _check_known(getattr(statement.table, "name", "?"))
        for child in statement.get_children():
            _check_parts(child, frozenset({getattr(statement.table, "name", "?")}))
        return
    _check_parts(statement, frozenset())


def _check_parts(part: ClauseElement, around: frozenset[str]) -> None:
    """Check every query in a part of a statement.

    Args:
        part: of a statement.
        around: the tables of the queries around it, to which it may refer.
    """
    if isinstance(part, CompoundSelect | TextualSelect):
        raise _not_narrowed("several queries in one")
    if isinstance(part, TextClause) or (
        isinstance(part, ColumnClause) and part.is_literal and not _WORD.fullmatch(str(part.name))
    ):
        raise _not_narrowed("a text")
    if getattr(part, "_prefixes", ()) or getattr(part, "_suffixes", ()):
        raise _not_narrowed("a text around a query")
    if isinstance(part, Select):
        tables = frozenset(_tables_in(part.get_final_froms()))
        for name in tables:
            _check_known(name)
        mapped = _mapped_in(part) if _is_mapped(part) else frozenset()
        for name in tables - mapped - around:
            raise _not_narrowed(name)
        around |= tables
    elif isinstance(part, AliasedReturnsRows):
        around = frozenset()
    for child in part.get_children():
        _check_parts(child, around)


def _is_mapped(statement: Any) -> bool:
    return bool(statement._propagate_attrs.get("compile_state_plugin") == "orm")


def _tables_in(sources: Iterable[Any]) -> Iterator[str]:
    """The names of the tables of a FROM, those inside a subquery left to itself."""
    for source in sources:
        if isinstance(source, Join):
            yield from _tables_in((source.left, source.right))
        elif isinstance(source, Table):
            yield source.name
        elif isinstance(source, Alias):
            yield from _tables_in((source.element,))
        elif not isinstance(source, AliasedReturnsRows):
            raise _not_narrowed(type(source).__name__)


def _mapped_in(query: Select[Any]) -> frozenset[str]:
    """The tables that stand in a query by their class of the schema: those are narrowed."""
    found: set[str] = set()
    pending: list[Any] = [*query._raw_columns, *query._from_obj, *query._where_criteria]
    pending.extend(join[0] for join in query._setup_joins)
    while pending:
        part = pending.pop()
        entity = part._annotations.get("parententity")
        if entity is not None:
            found.add(entity.mapper.local_table.name)
        if not isinstance(part, Select | AliasedReturnsRows):
            pending.extend(part.get_children())
    return frozenset(found)


def _check_known(table: str) -> None:
    if table not in _KNOWN:
        raise OutOfScopeError(
            f"The table {table} is not for a teacher's account: ask whoever has an admin's."
        )


def _not_narrowed(table: str) -> OutOfScopeError:
    return OutOfScopeError(f"Whose rows of {table} are meant cannot be told, so they were not touched.")


def _check_values(
    connection: Connection,
    statement: Insert | Update,
    given: Iterable[Mapping[str, Any]],
    classes: frozenset[str],
) -> None:
    """Refuse a row that would belong to a class out of scope."""
    table = getattr(statement.table, "name", "")
    if table == AuditTable.__tablename__ and isinstance(statement, Insert):
        return
    column = _COLUMNS.get(table)
    if column is None or (column == "interval_id" and isinstance(statement, Insert)):
        raise OutOfScopeError("Rows of that kind are not written from a page.")
    owners = [owner for row in _rows(statement, given) if (owner := row.get(column)) is not None]
    if isinstance(statement, Insert):
        _check_conflict(statement, column)
    if isinstance(statement, Insert) and not owners:
        raise OutOfScopeError("It is not said whose the new row would be, so it was not kept.")
    if owners and column == "interval_id":
        raise OutOfScopeError("Readings stay with their interval.")
    if column == "session_id":
        if not all(isinstance(owner, Integral) for owner in owners):
            raise OutOfScopeError("It is not said whose the row would be, so it was not written.")
        wanted = {int(owner) for owner in owners}
        query = _own_sessions(classes).where(_SESSIONS.c.id.in_(sorted(wanted)))
        with restricted(None):
            allowed: set[Any] = set(connection.scalars(query))
    else:
        wanted, allowed = set(owners), set(classes)
    if wanted - allowed:
        raise OutOfScopeError("That class is not one of yours: nothing was changed.")


def _check_conflict(statement: Insert, column: str) -> None:
    """Refuse to change a row that stands in the way of a new one, unless it is known to belong where that does."""
    clause: Any = statement._post_values_clause
    if clause is None or isinstance(clause, sqlite.OnConflictDoNothing | postgresql.OnConflictDoNothing):
        return
    if isinstance(clause, sqlite.OnConflictDoUpdate | postgresql.OnConflictDoUpdate):
        values = dict(clause.update_values_to_set)
        same = {getattr(one, "key", one) for one in clause.inferred_target_elements or ()}
        asked = [*values.values(), clause.update_whereclause, clause.inferred_target_whereclause]
        if (
            column in same
            and column not in {getattr(one, "key", one) for one in values}
            and not any(isinstance(one, ClauseElement) and _asks(one) for one in asked)
        ):
            return
    raise OutOfScopeError("Whose the row is that stands there already cannot be told, so it was not changed.")


def _rows(statement: Insert | Update, given: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The plain values of each row, by column."""
    if statement._multi_values or getattr(statement, "select", None) is not None:
        raise OutOfScopeError("Rows are added one by one, so that it can be seen whose they are.")
    own = {
        getattr(column, "key", str(column)): value.value if isinstance(value, BindParameter) else value
        for column, value in (statement._values or {}).items()
    }
    if any(isinstance(value, ClauseElement) and _asks(value) for value in own.values()):
        raise OutOfScopeError("A row is written with what is given, not with what a query finds.")
    for row in given:
        yield {**own, **row}


def _asks(part: ClauseElement) -> bool:
    return isinstance(part, SelectBase) or any(_asks(child) for child in part.get_children())
