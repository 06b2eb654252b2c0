"""The settings as the page shows and edits them: what stands in the file, what is fixed, and a file written whole.

Comments and order of the file stay as they are. Values are checked by the same models that read the file.
"""

import os
import tempfile
import threading
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import Any, Final, get_args, get_origin

import tomlkit
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import EnvSettingsSource
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError
from tomlkit.exceptions import TOMLKitError

from classpulse.errors import SettingsError
from classpulse.settings import InferenceSettings, SessionSettings, Settings, load, settings_file
from classpulse.wrong_values import demand, own_words
from dashboard.preferences import Kind, Preference, Preferences, PreferencesRefusedError, Value
from engagement.errors import ClasspulseError
from engagement.names import clean_name
from engagement.place import modes_allowed
from engagement.records import Mode

_BY_HAND: Final = {
    "storage.database": "edited in the file only: sessions stay where they were kept",
    "dashboard.host": "edited in the file only: docs/accounts.md says what it takes to serve others",
    "dashboard.hosts": "edited in the file only",
    "dashboard.certificate": "edited in the file only",
    "dashboard.key": "edited in the file only",
    "dashboard.proxy": "edited in the file only",
    "dashboard.link": "edited in the file only: it says who is let in",
    "session.place": "told on the page Start, or with classpulse place",
    "session.institution": "told on the page Start, or with classpulse place",
    "session.agreed": "stated for each class: on the page Start, or with --agreed",
}
_TOLD: Final = frozenset({"session.place", "session.institution"})
"""Not edited here, and followed while the pages run."""
_ORDER: Final = ("session", "capture", "inference", "storage", "dashboard")

_writing: Final = threading.Lock()
"""Held from reading the file until it is written anew."""


class SettingsEditor:
    """Implements `dashboard.preferences.SettingsBook`.

    Args:
        running: the settings with which this program runs.
    """

    def __init__(self, running: Settings) -> None:
        self._running = running
        # what differs from file and variables was given as an option
        try:
            self._found = load()
        except SettingsError:
            self._found = running

    def read(self) -> Preferences:
        """The settings as they stand now."""
        file = settings_file()
        try:
            written = _sections(_document(file))
            problem = None
        except PreferencesRefusedError as error:
            written, problem = {}, str(error)
        variables = _variables()
        return Preferences(
            file=str(file),
            settings=tuple(
                self._preference(section, name, field, written, variables)
                for section in sorted(Settings.model_fields, key=_place)
                for name, field in _model(section).model_fields.items()
            ),
            problem=problem,
        )

    def write(self, changes: Mapping[str, Value]) -> None:
        """Write these settings, all or none; None takes one out of the file.

        Raises:
            PreferencesRefusedError: a value is wrong, a setting is fixed, or the file cannot be read or written.
        """
        with _writing:
            known = {setting.key: setting for setting in self.read().settings}
            problems = {
                key: known[key].fixed or "" if key in known else "There is no such setting."
                for key in changes
                if key not in known or known[key].fixed
            }
            if problems:
                raise PreferencesRefusedError("Nothing was written: these cannot be edited here.", problems)
            _write(changes)

    def _preference(
        self,
        section: str,
        name: str,
        field: FieldInfo,
        written: Mapping[str, Mapping[str, Any]],
        variables: Mapping[str, Any],
    ) -> Preference:
        key = f"{section}.{name}"
        running = getattr(getattr(self._running, section), name)
        default = _plain(key, field.default)
        fixed = _BY_HAND.get(key)
        if name in variables.get(section, {}):
            fixed = f"set by the variable {_variable(section, name)}"
        elif running != getattr(getattr(self._found, section), name):
            fixed = "given as an option when classpulse was started"
        in_file = _plain(key, written.get(section, {}).get(name, field.default))
        now, choices = _plain(key, running), _choices(key, field)
        if key == "storage.database":
            now = _plain(key, self._running.database_url)
        return Preference(
            key=key,
            description=(field.description or "").replace("`", ""),
            kind=_kind(field, choices),
            value=in_file if not fixed or (key in _TOLD and fixed == _BY_HAND[key]) else now,
            default=default,
            choices=choices,
            fixed=fixed,
            in_use=None if fixed or now == in_file else _words(now),
        )


def keep(values: Mapping[str, Value]) -> None:
    """Write settings that the pages tell in another way than in the form of all settings.

    Raises:
        PreferencesRefusedError: a value is wrong, or the file cannot be read or written.
    """
    with _writing:
        _write(values)


def fixed_by(section: str, name: str) -> str | None:
    """The variable that sets a setting, and goes before the file; None where there is none."""
    return _variable(section, name) if name in _variables().get(section, {}) else None


def _write(changes: Mapping[str, Value]) -> None:
    file = settings_file()
    document = _document(file)
    for key, value in _checked(_sections(document), changes).items():
        section, _, name = key.partition(".")
        _put(document, key, value, _plain(key, _model(section).model_fields[name].default))
    _replace(file, tomlkit.dumps(document))


def _variable(section: str, name: str) -> str:
    return f"CLASSPULSE_{section.upper()}__{name.upper()}"


def _place(section: str) -> int:
    return _ORDER.index(section) if section in _ORDER else len(_ORDER)


def _model(section: str) -> type[BaseModel]:
    model = Settings.model_fields[section].annotation
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise TypeError(f"Settings.{section} must be a section, got {model!r}.")
    return model


def _document(file: Path) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return tomlkit.document()
    except (OSError, UnicodeDecodeError, TOMLKitError) as error:
        raise PreferencesRefusedError(
            f"The settings file {file} cannot be read: {error}. Correct it in an editor, then open this page again."
        ) from error


def _sections(document: tomlkit.TOMLDocument) -> dict[str, dict[str, Any]]:
    """The file as plain types."""
    return {key: value for key, value in document.unwrap().items() if isinstance(value, dict)}


def _variables() -> Mapping[str, Any]:
    """What CLASSPULSE_* variables set, by section and field."""
    return EnvSettingsSource(Settings)()


def _checked(written: Mapping[str, Mapping[str, Any]], changes: Mapping[str, Value]) -> dict[str, Value]:
    """The changes as the models take them.

    Raises:
        PreferencesRefusedError: a value is wrong.
    """
    problems: dict[str, str] = {}
    taken: dict[str, Value] = {}
    for section in {key.partition(".")[0] for key in changes}:
        values = dict(written.get(section, {}))
        for key, value in changes.items():
            owner, _, name = key.partition(".")
            if owner == section:
                values.pop(name, None)
                if value is not None:
                    values[name] = value
        try:
            model = _model(section).model_validate(values)
        except ValidationError as error:
            for one in error.errors():
                name = str(one["loc"][0]) if one["loc"] else ""
                problems.setdefault(f"{section}.{name}", _sentence(one))
            continue
        for key, value in changes.items():
            owner, _, name = key.partition(".")
            if owner == section:
                taken[key] = None if value is None else _plain(key, getattr(model, name))
        problems |= _mode_problems(model, changes) | _detector_problems(model, changes)
    for key, value in taken.items():
        problem = _deeper(key, value)
        if problem:
            problems[key] = problem
    if problems:
        elsewhere = {key: text for key, text in problems.items() if key not in changes}
        hint = "".join(f" {key} in the file: {text}" for key, text in elsewhere.items())
        raise PreferencesRefusedError(f"Nothing was written: correct what is marked.{hint}", problems)
    if "session.name" in taken and taken["session.name"] is not None:
        taken["session.name"] = clean_name(str(taken["session.name"]))
    return taken


def _mode_problems(session: BaseModel, changes: Mapping[str, Value]) -> dict[str, str]:
    """Why the mode may not stand in the file beside the place that stands there; nothing where it may."""
    if not isinstance(session, SessionSettings) or "session.mode" not in changes:
        return {}
    variables = _variables().get("session", {})
    told = session.model_validate(
        session.model_dump()
        | {name: variables[name] for name in ("place", "institution") if name in variables}
    )
    if told.mode in modes_allowed(told.place, told.institution):
        return {}
    why = f"Where the class is, only {Mode.PARTICIPATION} may be chosen; the page Start asks for the place."
    return {"session.mode": why}


def _detector_problems(inference: BaseModel, changes: Mapping[str, Value]) -> dict[str, str]:
    """Why no class could be read with this detector; nothing where its weights are there, or it carries its own."""
    changed = [key for key in ("inference.detector_model", "inference.detector") if key in changes]
    if not isinstance(inference, InferenceSettings) or inference.detector != "yunet" or not changed:
        return {}
    if inference.detector_model is None:
        return {changed[0]: "The detector yunet carries no weights: give its model file, or choose another."}
    if not inference.detector_model.is_file():
        return {
            changed[0]: f"There is no file {inference.detector_model}: give the whole path of yunet's model."
        }
    return {}


def _deeper(key: str, value: Value) -> str | None:
    """What is wrong with a value that has the right type; None where nothing is."""
    if key == "session.name" and value is not None and clean_name(str(value)) is None:
        return "A name needs something that can be seen."
    if key == "capture.titles" and not value:
        return "Without a title no meeting window is found: give at least one."
    if key == "inference.detector" and value is not None:
        known = _detectors()
        return None if value in known else f"There is no such detector; there is {', '.join(known)}."
    if key == "capture.source" and value is not None:
        from capture.sources import open_source

        try:
            open_source(str(value))
        except ClasspulseError as error:
            return str(error).removeprefix("--source ").replace("--source takes", "a source is")
    return None


def _detectors() -> tuple[str, ...]:
    from inference.faces import DETECTORS

    return DETECTORS


def _put(document: tomlkit.TOMLDocument, key: str, value: Value, default: Value) -> None:
    section, _, name = key.partition(".")
    table = document.get(section)
    if value is None or (value == default and (table is None or name not in table)):
        if table is not None and name in table:
            del table[name]
        return
    if table is None:
        if document.as_string().strip():
            document.add(tomlkit.nl())
        table = document[section] = tomlkit.table()
        table = document[section]
    table[name] = list(value) if isinstance(value, tuple) else value


def _replace(file: Path, text: str) -> None:
    """Write the file whole or not at all; a link stays a link, and its rights stay as they are."""
    target = Path(os.path.realpath(file))
    temporary: Path | None = None
    try:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}-")
        temporary = Path(name)
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
            out.flush()
            os.fsync(out.fileno())
        with suppress(FileNotFoundError):
            temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    except OSError as error:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        raise PreferencesRefusedError(
            f"{file} cannot be written ({error.strerror or error}): nothing has changed. Check who may write there."
        ) from error


def _kind(field: FieldInfo, choices: tuple[str, ...]) -> Kind:
    kinds = _types(field.annotation)
    if choices:
        return Kind.CHOICE
    if tuple in kinds:
        return Kind.LINES
    return Kind.NUMBER if int in kinds or float in kinds else Kind.TEXT


def _types(annotation: Any) -> tuple[Any, ...]:
    """The types that an annotation allows, tuples as `tuple`."""
    if get_origin(annotation) is tuple:
        return (tuple,)
    return get_args(annotation) or (annotation,)


def _choices(key: str, field: FieldInfo) -> tuple[str, ...]:
    if key == "inference.detector":
        return _detectors()
    for one in _types(field.annotation):
        if isinstance(one, type) and issubclass(one, Enum):
            return tuple(str(choice.value) for choice in one)
    return ()


def _plain(key: str, value: Any) -> Value:
    """A value as TOML and the page have it; a database's password is never among it."""
    if isinstance(value, bool):  # none of them is edited on the page
        return "yes" if value else "no"
    if value is None or isinstance(value, int | float):
        return value
    if key == "storage.database":
        return _without_password(str(value))
    if isinstance(value, list | tuple):
        return tuple(str(one) for one in value)
    return str(value.value if isinstance(value, Enum) else value)


def _without_password(url: str) -> str:
    try:
        return make_url(url).render_as_string(hide_password=True)
    except (ArgumentError, ValueError):
        return "(cannot be read)"


def _words(value: Value) -> str:
    if value is None:
        return "nothing"
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def _sentence(problem: Mapping[str, Any]) -> str:
    wanted = demand(problem)
    text = f"it should be {wanted}" if wanted else own_words(problem)
    return f"{text[0].upper()}{text[1:]}."
