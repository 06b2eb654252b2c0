"""Settings (`/settings`): what stands in the settings file, to read and to change."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Annotated, Any, Final

import dash_mantine_components as dmc
from dash import ALL, Dash, Input, Output, State, html
from dash.development.base_component import Component
from typing_extensions import TypedDict

from dashboard.preferences import Kind, Preference, Preferences, PreferencesRefusedError, SettingsBook, Value
from dashboard.shapes import shaped
from dashboard.wording import MODE_MEANINGS
from engagement.phrases import count
from engagement.records import Mode


class _FieldId(TypedDict):
    key: str


FieldId = Annotated[dict[str, Any], shaped(_FieldId)]

FORM: Final = "settings-form"
SAVE: Final = "settings-save"
SAID: Final = "settings-said"
FIELD: Final = "settings-field"

_SECTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "session": "Class",
        "capture": "What is read",
        "inference": "How faces are read",
        "storage": "Where sessions are kept",
        "dashboard": "These pages",
    }
)

_TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "session.name": "Name of the class",
        "session.mode": "Mode",
        "session.place": "Where the class is",
        "session.institution": "Kind of institution",
        "session.agreed": "The class was told and agreed",
        "capture.source": "Source",
        "capture.interval": "Seconds between frames",
        "capture.titles": "Titles of meeting windows",
        "inference.detector": "Face detector",
        "inference.detector_model": "Model file of the detector",
        "storage.database": "Database",
        "storage.keep_days": "Days until a session is erased",
        "dashboard.host": "Address",
        "dashboard.port": "Port",
        "dashboard.link": "One-time link for this computer",
        "dashboard.hosts": "Names for other computers",
        "dashboard.certificate": "Certificate",
        "dashboard.key": "Private key of the certificate",
        "dashboard.proxy": "Address of a proxy",
    }
)

_BEGINS_AT_ONCE: Final = frozenset({"session.name", "capture.source"})
"""Who sets one of these is asked nothing at the next start."""


def layout() -> Component:
    """The page before the settings are read."""
    return html.Div(
        [
            html.Div(html.H1("Settings"), className="cp-title"),
            html.Div(id=FORM, className="cp-settings"),
            html.Div(
                [
                    dmc.Button("Save", id=SAVE, n_clicks=0),
                    html.Div(id=SAID, role="status", className="cp-settings-said"),
                ],
                className="cp-settings-foot",
            ),
        ]
    )


def register(app: Dash, book: SettingsBook | None) -> None:
    """Show the settings, and write what was changed."""

    @app.callback(
        Output(FORM, "children"),
        Output(SAID, "children"),
        Output(SAVE, "disabled"),
        Input(SAVE, "n_clicks"),
        State({"type": FIELD, "key": ALL}, "id"),
        State({"type": FIELD, "key": ALL}, "value"),
    )
    def show(clicks: int, ids: list[FieldId], values: list[Any]) -> Any:
        if book is None:
            return [_notice("These pages were started without the settings.", "")], "", True
        if not clicks:
            known = book.read()
            return form(known), "", known.problem is not None
        typed = {one["key"]: value for one, value in zip(ids, values, strict=True)}
        known = book.read()
        found = changes(known, typed)
        if not found:
            return form(known), "Nothing was changed.", known.problem is not None
        try:
            book.write(found)
        except PreferencesRefusedError as error:
            known = book.read()
            return (
                form(known, typed, error.problems),
                html.Span(str(error), className="cp-settings-wrong"),
                False,
            )
        known = book.read()
        return (
            form(known),
            f"Saved {count(len(found), 'setting')}: in use when classpulse is started next.",
            False,
        )


def changes(known: Preferences, typed: Mapping[str, Any]) -> dict[str, Value]:
    """What differs from what stands in the file, as values of the settings; an empty field takes a setting out.

    Args:
        known: the settings as they stand.
        typed: what the fields hold, by key.
    """
    found: dict[str, Value] = {}
    for setting in known.settings:
        if setting.fixed is not None or setting.key not in typed:
            continue
        value = _value(setting, typed[setting.key])
        if value != setting.value:
            found[setting.key] = value
    return found


def form(
    known: Preferences, typed: Mapping[str, Any] | None = None, problems: Mapping[str, str] | None = None
) -> list[Component]:
    """The fields, section by section.

    Args:
        known: the settings as they stand.
        typed: what the teacher has in the fields, by key; it stays there where it was refused.
        problems: a sentence per key.
    """
    top: list[Component] = [
        html.P(
            [
                "Written to ",
                html.Code(known.file),
                ", which is read when classpulse is started: a class that runs goes on as it is. Light or dark, sounds "
                "and notifications are kept by your browser, not here.",
            ],
            className="cp-muted cp-prose",
        )
    ]
    if known.problem is not None:
        top.append(_notice("The settings cannot be edited", known.problem))
    names = list(dict.fromkeys(setting.key.partition(".")[0] for setting in known.settings))
    return top + [
        html.Section(
            [
                html.Div(html.H2(_SECTIONS.get(section, section)), className="cp-heading"),
                *(
                    _field(
                        setting,
                        setting.value if typed is None else typed.get(setting.key, setting.value),
                        (problems or {}).get(setting.key),
                        off=known.problem is not None,
                    )
                    for setting in known.settings
                    if setting.key.partition(".")[0] == section
                ),
            ],
            className="cp-paper",
        )
        for section in names
    ]


def _field(setting: Preference, value: Any, problem: str | None, *, off: bool) -> Component:
    shared: dict[str, Any] = {
        "id": {"type": FIELD, "key": setting.key},
        "label": _TITLES.get(setting.key, setting.key),
        "description": _description(setting),
        "disabled": off or setting.fixed is not None,
        "error": problem,
        "className": "cp-settings-field",
    }
    match setting.kind:
        case Kind.NUMBER:
            return dmc.NumberInput(value="" if value is None else value, hideControls=True, **shared)
        case Kind.LINES:
            lines = value if isinstance(value, str) else "\n".join(value or ())
            return dmc.Textarea(value=lines, autosize=True, minRows=2, maxRows=10, **shared)
        case Kind.CHOICE:
            return dmc.Select(
                value=value,
                data=list(setting.choices),
                placeholder="not said yet",
                allowDeselect=False,
                **shared,
            )
        case Kind.TEXT:
            return dmc.TextInput(value="" if value is None else str(value), **shared)


def _description(setting: Preference) -> list[Component]:
    notes: list[Component] = [html.Span(setting.description)]
    if setting.key == "session.mode":
        notes = [html.Span("What may be inferred and kept of a class that is started.")]
        notes += [
            html.Span(f"{mode}: {MODE_MEANINGS[Mode(mode)]}", className="cp-settings-meaning")
            for mode in setting.choices
        ]
    if setting.key in _BEGINS_AT_ONCE:
        notes.append(
            html.Span(" Where this is set, classpulse start begins to read at once, without the page Start.")
        )
    if setting.kind is Kind.LINES:
        notes.append(html.Span(" One per line."))
    if setting.fixed is not None:
        notes.append(
            html.Span(f"{setting.fixed[0].upper()}{setting.fixed[1:]}.", className="cp-settings-fixed")
        )
    if setting.in_use is not None:
        notes.append(
            html.Span(f"Until classpulse is started anew: {setting.in_use}.", className="cp-settings-fixed")
        )
    return notes


def _value(setting: Preference, typed: Any) -> Value:
    """What a field holds, as a value of its setting."""
    if typed is None or (isinstance(typed, str) and not typed.strip()):
        return () if setting.kind is Kind.LINES else None if setting.default is None else _emptied(setting)
    if setting.kind is Kind.LINES:
        lines: Sequence[str] = typed.splitlines() if isinstance(typed, str) else typed
        return tuple(line.strip() for line in lines if line.strip())
    if setting.kind is Kind.NUMBER:
        return typed if isinstance(typed, int | float) else str(typed)
    return str(typed).strip()


def _emptied(setting: Preference) -> Value:
    """An empty field gives a setting its default back, where that is not what stands there already."""
    return setting.value if setting.value == setting.default else None


def _notice(title: str, text: str) -> Component:
    return html.Div([html.Strong(title), html.Span(text)], className="cp-notice", role="status")
