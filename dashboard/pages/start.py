"""Start (`/start`): before class. What would be read, whether it can be, and one press that begins."""

import base64
import time
from typing import Annotated, Any, Final

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from flask import request
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard import shell
from dashboard.components import asked, places, polls, running
from dashboard.components.running import PAUSED
from dashboard.controls import Choices, Controls, Findings, Line, Phase, SourceKind, View, ViewTile, Wanted
from dashboard.forwarding import is_from_here
from dashboard.shapes import one_of, shaped
from dashboard.wording import EXPRESSIONS, STATES
from engagement.errors import ClasspulseError
from engagement.phrases import count
from engagement.records import Mode
from engagement.records import State as RowState
from storage.pause import pause
from storage.queries import Condition
from storage.students import class_names

POLL: Final = "start-poll"
LIST: Final = "start-list-poll"
SHOW: Final = "start-show-poll"
SHOW_VIEW: Final = "start-view-poll"
OPENED: Final = "start-opened"
STARTED: Final = "start-started"
SEEN: Final = "start-seen"
FIRST: Final = "start-first"
HEADING: Final = "start-heading"
PANEL: Final = "start-panel"
FORM: Final = "start-form"
NAME: Final = "start-name"
MODE: Final = "start-mode"
MODES: Final = "start-modes"
AGREED: Final = "start-agreed"
AGREED_ROW: Final = "start-agreed-row"
INTERVAL: Final = "start-interval"
SOURCE: Final = "start-source"
PLACE: Final = "start-place"
PLACE_ROW: Final = "start-place-row"
PROBLEM: Final = "start-problem"
START: Final = "start-start"
ANSWER: Final = "start-answer"
FOUND: Final = "start-found"
FOUND_HEADING: Final = "start-found-heading"
PICTURE: Final = "start-picture"
COUNTS: Final = "start-counts"
DOING: Final = "start-doing"
LINES: Final = "start-lines"
AGAIN: Final = "start-again"
BUTTONS: Final = "start-buttons"
PAUSE: Final = "start-pause"
STOP: Final = "start-stop"
PANEL_ANSWER: Final = "start-panel-answer"
VIEW_SECTION: Final = "start-view-section"
VIEW_ON: Final = "start-view-on"
VIEW_BLURRED: Final = "start-view-blurred"
VIEW: Final = "start-view"

REGION: Final = "region:"
PATH: Final = "path:"
DEMO: Final = "demo"

ModeName = Annotated[str, one_of(Mode)]


class _Group(TypedDict):
    group: str
    items: list[Any]


Offered = list[Annotated[dict[str, Any], shaped(_Group)]]
"""The list of sources, as from `source_options`, from the browser."""

_POLL_SECONDS: Final = 1.0
_TICKS_PER_LIST: Final = 3
"""A meeting that is opened appears by itself within so many ticks of the page's clock."""

_GROUPS: Final = {
    SourceKind.MEETING: "Meetings",
    SourceKind.WINDOW: "Other windows",
    SourceKind.MONITOR: "Whole screens",
}
_ELSEWHERE: Final = (
    {"value": REGION, "label": "A part of the screen"},
    {"value": PATH, "label": "A recording or pictures"},
    {"value": "camera:0", "label": "The camera of this computer"},
    {"value": DEMO, "label": "The demo: a made-up class"},
)
_PLACES: Final = {
    REGION: ("Left edge, top edge, width, height, in pixels", "100,50,1280,720"),
    PATH: ("Path of a video, a picture or a folder of pictures", "lesson.mp4"),
}
_SYMBOLS: Final = {"ok": ("✓", "fine"), "warn": ("!", "to look at"), "fail": ("✕", "missing")}


def layout() -> Component:
    """The page before it knows what is there."""
    return html.Div(
        [
            dcc.Interval(id=POLL, interval=round(_POLL_SECONDS * 1000)),
            *polls.stores(LIST, SHOW, SHOW_VIEW),
            dcc.Store(id=OPENED, data=0),
            dcc.Store(id=STARTED),
            dcc.Store(id=SEEN),
            dcc.Store(id=FIRST),
            html.Div(html.H1("Start a class", id=HEADING), className="cp-title"),
            html.Section(
                [
                    html.Div(id=PANEL, role="status"),
                    html.Div(
                        [
                            dmc.Button("Pause", id=PAUSE, variant="default"),
                            dmc.Button("Stop", id=STOP, variant="default"),
                            dcc.Link("See the class", href="/", className="cp-link"),
                            html.Span(id=PANEL_ANSWER, className="cp-small", role="alert"),
                        ],
                        id=BUTTONS,
                        className="cp-hidden",
                    ),
                ],
                className="cp-start-panel",
                **{"aria-label": "State of the class"},
            ),
            _view(),
            html.Div([_form(), _found()], className="cp-start"),
        ]
    )


def _form() -> Component:
    return html.Section(
        [
            html.Div(html.H2("The class"), className="cp-heading"),
            places.layout(),
            dmc.Autocomplete(
                id=NAME,
                label="Name",
                description="Sessions of one name belong together, in Trends and Students.",
                data=[],
                value="",
                limit=12,
            ),
            dmc.Select(
                id=SOURCE,
                label="What is read",
                data=[{"group": "Elsewhere", "items": list(_ELSEWHERE)}],
                allowDeselect=False,
                searchable=True,
                nothingFoundMessage="No such window",
                maxDropdownHeight=320,
            ),
            html.Div(
                dmc.TextInput(id=PLACE, value="", label=" ", debounce=False),
                id=PLACE_ROW,
                className="cp-hidden",
            ),
            html.P(id=PROBLEM, className="cp-start-problem cp-small"),
            asked.mode_group(MODE, MODES, "What may be read and kept"),
            asked.agreement(AGREED_ROW, AGREED, "The class was told and agreed"),
            asked.interval_field(INTERVAL),
            html.Div(
                [
                    dmc.Button("Start", id=START, size="md", className="cp-start-button"),
                    html.Div(id=ANSWER, className="cp-start-answer", role="alert"),
                ],
                className="cp-start-go",
            ),
        ],
        id=FORM,
        className="cp-paper cp-start-form",
        **{"aria-label": "The class"},
    )


def _found() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("What would be read", id=FOUND_HEADING),
                    dmc.Button("Look again", id=AGAIN, variant="default", size="compact-sm"),
                ],
                className="cp-heading",
            ),
            html.P(id=COUNTS, className="cp-start-counts"),
            html.Div(id=PICTURE, className="cp-start-picture"),
            html.P(id=DOING, className="cp-muted cp-small", role="status"),
            html.Div(id=LINES),
        ],
        id=FOUND,
        className="cp-paper cp-start-found",
        **{"aria-labelledby": FOUND_HEADING},
    )


def _view() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("What is being read"),
                    html.Div(
                        [
                            dmc.Switch(id=VIEW_ON, label="Show it", checked=False),
                            dmc.Switch(id=VIEW_BLURRED, label="Blur faces", checked=True),
                        ],
                        className="cp-view-switches",
                    ),
                ],
                className="cp-heading",
            ),
            html.P(
                "Off, nothing is made of the pictures but figures. On, the last frame stands here, from memory only: "
                "it is kept nowhere, and who opted out is not on it.",
                className="cp-muted cp-small",
            ),
            html.Div(id=VIEW, className="cp-view"),
        ],
        id=VIEW_SECTION,
        className="cp-hidden",
        **{"aria-label": "What is being read"},
    )


def register(app: Dash, engine: Engine, controls: Controls | None, start_command: str) -> None:
    """The callbacks; without controls the page shows the state and says what starts a class."""
    running.ask_before_stop(app, STOP)
    _register_panel(app, engine, controls, start_command)
    if controls is not None:
        _register_form(app, engine, controls)
        places.register(app, controls)
        places.offer_modes(app, controls, choices=MODES, mode=MODE, source=SOURCE, synthetic=DEMO)
        _register_look(app, controls)
        _register_view(app, controls)


def _register_panel(app: Dash, engine: Engine, controls: Controls | None, start_command: str) -> None:
    @app.callback(
        Output(HEADING, "children"),
        Output(PANEL, "children"),
        Output(BUTTONS, "className"),
        Output(PAUSE, "children"),
        Output(PAUSE, "style"),
        Output(STOP, "style"),
        Output(FORM, "className"),
        Output(FOUND, "className"),
        Output(FOUND_HEADING, "children"),
        Output(AGAIN, "children"),
        Input(running.STATE, "data"),
        Input(STARTED, "data"),
    )
    def show_state(state: running.Kept | None, _started: Any) -> Any:
        if ctx.triggered_id == STARTED:
            try:
                state = running.state_of(engine, controls, state)
            except ClasspulseError as error:
                return no_update, _words("The database cannot be read", str(error)), *[no_update] * 8
        known = state or running.IDLE
        phase = known["phase"]
        busy = phase not in {Phase.IDLE, Phase.FAILED, Condition.STOPPED}
        hidden = {"display": "none"}
        return (
            known.get("name", "") if busy else "Start a class",
            panel(known, None if controls else start_command),
            "cp-start-buttons" if busy or phase == Condition.STOPPED else "cp-hidden",
            "Go on" if phase == PAUSED else "Pause",
            {}
            if known["session"] is not None and phase not in {Condition.STOPPED, Phase.STOPPING}
            else hidden,
            hidden if phase == Phase.STOPPING else {},
            "cp-paper cp-start-form" if controls is not None and not busy else "cp-hidden",
            "cp-paper cp-start-found" if controls is not None else "cp-hidden",
            "This computer" if busy else "What would be read",
            "Look at it" if busy else "Look again",
        )

    @app.callback(
        Output(PANEL_ANSWER, "children"),
        Input(PAUSE, "n_clicks"),
        State(running.STATE, "data"),
        prevent_initial_call=True,
    )
    def pause_or_go_on(_clicks: int, state: running.Kept | None) -> Any:
        if not state or state["session"] is None:
            raise PreventUpdate
        try:
            pause(engine, state["session"], paused=state["phase"] != PAUSED)
        except ClasspulseError as error:
            return str(error)
        return ""

    app.clientside_callback(
        ClientsideFunction("classpulse_start", "show_the_class"),
        Output(shell.URL, "pathname", allow_duplicate=True),
        Input(POLL, "n_intervals"),
        State(running.STATE, "data"),
        State(STARTED, "data"),
        prevent_initial_call=True,
    )


def _register_form(app: Dash, engine: Engine, controls: Controls) -> None:
    @app.callback(
        Output(NAME, "data"),
        Output(NAME, "value"),
        Output(MODE, "value"),
        Output(INTERVAL, "value"),
        Output(PLACE, "value"),
        Input(OPENED, "data"),
    )
    def suggest(_opened: int) -> Any:
        wanted = controls.suggestion()
        try:
            known = class_names(engine)
        except ClasspulseError:
            # a class can be named all the same; what is wrong with the database stands among the lines
            known = []
        return known, wanted.name, wanted.mode.value, wanted.interval, _parts(wanted.source)[1]

    @app.callback(
        Output(SOURCE, "data"),
        Output(FIRST, "data"),
        Output(PROBLEM, "children"),
        polls.question(app, LIST, POLL),
        Input(AGAIN, "n_clicks"),
        State(SOURCE, "data"),
        State(SOURCE, "value"),
        running=polls.at_work(LIST),
    )
    def list_sources(
        tick: int | None, _clicks: int | None, before: Offered | None, chosen: str | None
    ) -> Any:
        # a meeting that is opened appears by itself; where there is one nobody looks further unasked
        by_hand = ctx.triggered_id != LIST
        if not by_hand and (_has_meeting(before or []) or (tick or 0) % _TICKS_PER_LIST):
            raise PreventUpdate
        if controls.status().phase not in {Phase.IDLE, Phase.FAILED}:
            raise PreventUpdate
        choices = controls.choices()
        data = source_options(choices)
        first = first_source(choices, controls.suggestion().source) if chosen is None else no_update
        # who has chosen something that can be read needs no meeting
        problem = problem_of(choices) if chosen is None and first is None else ""
        return no_update if data == before else data, first, problem

    # what the teacher chose while the screen was looked at stays chosen
    app.clientside_callback(
        ClientsideFunction("classpulse_start", "first"),
        Output(SOURCE, "value"),
        Input(FIRST, "data"),
        State(SOURCE, "value"),
        prevent_initial_call=True,
    )

    @app.callback(Output(AGREED_ROW, "className"), Input(MODE, "value"), Input(SOURCE, "value"))
    def ask_for_agreement(mode: ModeName, source: str | None) -> str:
        return "cp-start-agreed" if mode == Mode.INDIVIDUAL.value and source != DEMO else "cp-hidden"

    @app.callback(
        Output(PLACE_ROW, "className"),
        Output(PLACE, "label"),
        Output(PLACE, "placeholder"),
        Input(SOURCE, "value"),
    )
    def ask_for_place(source: str | None) -> Any:
        if source not in _PLACES:
            return "cp-hidden", no_update, no_update
        return "cp-start-place", *_PLACES[source]

    @app.callback(
        Output(ANSWER, "children"),
        Output(STARTED, "data"),
        Input(START, "n_clicks"),
        State(NAME, "value"),
        State(MODE, "value"),
        State(INTERVAL, "value"),
        State(SOURCE, "value"),
        State(PLACE, "value"),
        State(AGREED, "checked"),
        prevent_initial_call=True,
        running=[(Output(START, "loading"), True, False)],
    )
    def start(
        clicks: int,
        name: str | None,
        mode: ModeName,
        interval: Any,
        source: str | None,
        place: str | None,
        agreed: bool | None,
    ) -> Any:
        spec = source_of(source, place or "")
        if spec is None:
            return "Choose what is read: a window, a screen, a recording or the demo.", no_update
        if not isinstance(interval, int | float):
            return "Say how many seconds lie between two looks, such as 2.", no_update
        try:
            controls.start(Wanted(name or "", Mode(mode), float(interval), spec, bool(agreed)))
        except ClasspulseError as error:
            return str(error), no_update
        return "", clicks


def _register_look(app: Dash, controls: Controls) -> None:
    @app.callback(
        Output(DOING, "children"),
        Input(SOURCE, "value"),
        # once it is typed, not with every letter
        Input(PLACE, "n_blur"),
        Input(PLACE, "n_submit"),
        Input(AGAIN, "n_clicks"),
        State(PLACE, "value"),
        State(NAME, "value"),
        State(MODE, "value"),
        State(INTERVAL, "value"),
    )
    def look(
        source: str | None,
        _left: int | None,
        _entered: int | None,
        _again: int | None,
        place: str | None,
        name: str | None,
        mode: ModeName,
        interval: Any,
    ) -> Any:
        if controls.status().phase not in {Phase.IDLE, Phase.FAILED}:
            # beside a class that is read only where it is asked for: it takes time from that
            if ctx.triggered_id != AGAIN:
                raise PreventUpdate
            return looked_at(controls, controls.suggestion())
        # where nothing can be chosen the doctor says why
        spec = source_of(source, place or "") if source is not None else "window"
        if spec is None:
            raise PreventUpdate
        seconds = float(interval) if isinstance(interval, int | float) else 2.0
        # the name says by whose list somebody is left out
        return looked_at(controls, Wanted(name or controls.suggestion().name, Mode(mode), seconds, spec))

    @app.callback(
        Output(PICTURE, "children"),
        Output(COUNTS, "children"),
        Output(DOING, "children", allow_duplicate=True),
        Output(LINES, "children"),
        Output(SEEN, "data"),
        polls.question(app, SHOW, POLL),
        State(SEEN, "data"),
        running=polls.at_work(SHOW),
        prevent_initial_call="initial_duplicate",
    )
    def show(_count: int | None, seen: Any) -> Any:
        found = controls.findings()
        mark = mark_of(found)
        if mark == seen:
            raise PreventUpdate
        if found is None:
            blank = _no_picture() if controls.status().phase in {Phase.IDLE, Phase.FAILED} else None
            return blank, "", "", [], mark
        doing = "" if found.doing is None else f"Looking at {found.doing} ..."
        return picture(found), counts(found), doing, lines(found), mark


def _register_view(app: Dash, controls: Controls) -> None:
    @app.callback(
        Output(VIEW, "children"),
        Output(VIEW_SECTION, "className"),
        polls.question(app, SHOW_VIEW, POLL),
        Input(VIEW_ON, "checked"),
        Input(VIEW_BLURRED, "checked"),
        State(running.STATE, "data"),
        State(VIEW, "children"),
        running=polls.at_work(SHOW_VIEW),
    )
    def show_view(
        _count: int | None, on: bool | None, blurred: bool | None, state: running.Kept | None, before: Any
    ) -> Any:
        known = state or running.IDLE
        if known["session"] is None or controls.status().phase is not Phase.RUNNING:
            return (None if before else no_update), "cp-hidden"
        if not on:
            return (None if before else no_update), "cp-paper"
        if not is_from_here(request.remote_addr, request.headers):
            return "The picture is shown on this computer only.", "cp-paper"
        seen = controls.view(blurred=bool(blurred))
        if seen is None:
            return "The next frame is being waited for.", "cp-paper"
        if time.time() - seen.at > known["stale_after"]:
            return "The last frame is too old to stand for now.", "cp-paper"
        return view(seen), "cp-paper"


def panel(state: dict[str, Any], start_command: str | None) -> Component | None:
    """What is going on, in words.

    Args:
        state: as from `components.running.state_of`.
        start_command: what starts a class where these pages cannot; None where they can.
    """
    name, reason = state.get("name") or "The class", state.get("reason") or ""
    stage = state.get("stage") or "reading the first picture"
    told: dict[str, tuple[str, Any, bool]] = {
        Phase.STARTING: (f"{name} is starting", f"Now: {stage}.", True),
        Phase.RUNNING: (f"{name} is being read", "How old its last data are stands in the bar above.", False),
        Phase.STOPPING: (f"{name} is ending", "What was read is kept.", True),
        Phase.FAILED: (f"{name} could not be read", reason, False),
        Condition.STOPPED: (f"The reading of {name} was given up", f"{reason} What was read is kept.", False),
        Condition.RESTARTING: (f"{name} is being started again", reason, True),
        PAUSED: (f"{name} is paused", "Nothing is looked at and nothing is kept until it goes on.", False),
    }
    if state["phase"] in told:
        title, text, busy = told[state["phase"]]
        return _words(title, text, busy=busy)
    if state["ended"] is not None:
        link = dcc.Link("Read its report", href=f"/sessions/{state['ended']}", className="cp-link")
        return _words(f"{name} has ended", link)
    if start_command is not None:
        how = ["To start a class, run ", html.Code(start_command), " in a terminal."]
        return _words("These pages only show", how)
    return None


def _words(title: str, text: Any, *, busy: bool = False) -> Component:
    parts = [html.Strong(title), html.Span(text)]
    mark = dmc.Loader(size="sm", type="dots") if busy else None
    return html.Div([html.Div(parts), mark], className="cp-start-words")


def source_options(choices: Choices) -> list[dict[str, Any]]:
    """The groups of the list of sources; each source stands in it once."""
    groups = []
    for kind, title in _GROUPS.items():
        items = [
            {"value": one.source, "label": f"{one.title} ({one.detail})"}
            for one in choices.found
            if one.kind is kind
        ]
        if items:
            groups.append({"group": title, "items": items})
    return [*groups, {"group": "Elsewhere", "items": list(_ELSEWHERE)}]


def _has_meeting(options: list[dict[str, Any]]) -> bool:
    return any(one["group"] == _GROUPS[SourceKind.MEETING] for one in options)


def looked_at(controls: Controls, wanted: Wanted) -> str:
    """Begin to look at a source, and what is said of it; why not, where nothing is looked at now."""
    try:
        controls.look(wanted)
    except ClasspulseError as error:
        return str(error)
    return "Looking ..."


def first_source(choices: Choices, wanted: str) -> str | None:
    """What is chosen before the teacher chooses: what the settings name, if it is there, else the meeting."""
    value, _place = _parts(wanted)
    there = {one.source for one in choices.found} | {one["value"] for one in _ELSEWHERE}
    if value in there:
        return value
    meeting = next((one for one in choices.found if one.kind is SourceKind.MEETING), None)
    return None if meeting is None else meeting.source


def problem_of(choices: Choices) -> str:
    """Why there is no meeting to choose, and what to do."""
    if choices.problem is not None:
        return choices.problem
    if any(one.kind is SourceKind.MEETING for one in choices.found):
        return ""
    return (
        "No meeting window was found. Open the meeting and switch it to gallery view: it appears here by itself. Or "
        "choose another window."
    )


def source_of(value: str | None, place: str | None) -> str | None:
    """The source as after `--source`; None where it is not named in full."""
    if value not in _PLACES:
        return value
    text = (place or "").strip()
    if not text:
        return None
    return f"{REGION}{text}" if value == REGION else text


def _parts(source: str) -> tuple[str, str]:
    """How the form shows a source: the entry of the list, and the text beside it."""
    kind, _colon, rest = source.partition(":")
    if kind == "region":
        return REGION, rest
    if kind in {"window", "monitor", "camera"}:
        return source, ""
    return (DEMO, "") if kind == "demo" else (PATH, source)


def mark_of(found: Findings | None) -> list[Any]:
    """What tells one state of a look from another."""
    if found is None:
        return []
    return [found.number, len(found.lines), found.doing, found.picture is not None]


def counts(found: Findings) -> str:
    """The sentence that a teacher wants to see before class, such as "27 tiles, 24 faces"."""
    if found.tiles is None or found.faces is None:
        return ""
    faces = count(found.faces, "face") if found.faces else "no face"
    return f"{count(found.tiles, 'tile')}, {faces}" if found.tiles else f"No gallery, {faces}"


def picture(found: Findings) -> Component:
    """What would be read, so coarse that nobody is known."""
    if found.picture is None:
        return _no_picture()
    data = base64.b64encode(found.picture).decode("ascii")
    return html.Figure(
        [
            html.Img(
                src=f"data:image/png;base64,{data}",
                alt=f"What would be read, without detail: {counts(found) or 'not read yet'}",
            ),
            html.Figcaption(
                "Made coarse on purpose: no face can be known. It is shown here and kept nowhere."
            ),
        ]
    )


def _no_picture() -> Component:
    return html.Div("No picture yet", className="cp-start-blank")


def lines(found: Findings) -> list[Component]:
    """The lines of the doctor: what is to be mended first, what is fine folded away."""
    open_ones = [line(one) for one in found.lines if one.state != "ok"]
    fine = [line(one) for one in found.lines if one.state == "ok"]
    parts: list[Component] = []
    if open_ones:
        parts.append(html.Ul(open_ones, className="cp-start-lines"))
    if fine:
        everything = (
            "All that was looked at is fine" if not open_ones and found.doing is None else "What is fine"
        )
        summary = html.Summary(f"{everything} ({len(fine)})")
        parts.append(html.Details([summary, html.Ul(fine, className="cp-start-lines")]))
    return parts


def line(one: Line) -> Component:
    """One line of the doctor."""
    symbol, word = _SYMBOLS[one.state]
    return html.Li(
        [
            html.Span(symbol, className=f"cp-start-{one.state}", **{"aria-hidden": "true"}),
            html.Div(
                [
                    html.Span(
                        [html.B(one.name), html.Span(f" ({word}) ", className="cp-unseen"), " ", one.found]
                    ),
                    html.Span(one.advice, className="cp-start-advice") if one.advice else None,
                ]
            ),
        ]
    )


def view(seen: View) -> Component:
    """The last frame with what was read on it; names and words as text, which the browser escapes."""
    data = base64.b64encode(seen.picture).decode("ascii")
    read = sum(tile.face is not None for tile in seen.tiles)
    image = html.Img(
        src=f"data:image/jpeg;base64,{data}",
        alt=f"The last frame: {count(len(seen.tiles), 'tile')}, {count(read, 'face')}",
        width=seen.width,
        height=seen.height,
    )
    marks = [mark for tile in seen.tiles for mark in _marks(tile)]
    return html.Div([image, *marks], className="cp-view-picture")


def _marks(tile: ViewTile) -> list[Component]:
    state = STATES[RowState(tile.state)]
    words = [html.B(tile.name)] if tile.name else []
    words.append(html.Span(state if tile.expression is None else EXPRESSIONS[tile.expression]))
    marks = [html.Div(html.Span(words), className="cp-view-tile", style=_placed(tile.place))]
    if tile.face is not None:
        marks.append(html.Div(className="cp-view-face", style=_placed(tile.face)))
    return marks


def _placed(place: tuple[float, float, float, float]) -> dict[str, str]:
    return dict(
        zip(("left", "top", "width", "height"), (f"{100 * share:.2f}%" for share in place), strict=True)
    )
