"""Try it (`/studio`): what is read on a picture or of a camera, and a recording read through to its report."""

import base64
import binascii
import socket
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Final

import dash_mantine_components as dmc
from dash import ClientsideFunction, Dash, Input, Output, State, dcc, html, no_update
from dash.development.base_component import Component
from dash.exceptions import PreventUpdate
from sqlalchemy import Engine
from typing_extensions import TypedDict

from dashboard.components import asked, empty, places, polls, running, tried
from dashboard.controls import Controls, Phase, Picture, Wanted
from dashboard.pages import studio_calibrate
from dashboard.shapes import Moment, one_of, shaped
from dashboard.visitors import check_may_manage
from dashboard.wording import percent
from engagement.errors import ClasspulseError
from engagement.names import clean_name
from engagement.phrases import count
from engagement.records import Mode
from storage import queries
from storage.errors import UnknownSessionError
from storage.pause import pause
from storage.queries import SessionRow
from storage.students import class_names

ROOM: Final = "studio-room"
NO_CONTROLS: Final = "studio-no-controls"
CLASS: Final = "studio-class"
MODES: Final = "studio-modes"
MODE: Final = "studio-mode"
AGREED: Final = "studio-agreed"
AGREED_ROW: Final = "studio-agreed-row"
OPENED: Final = "studio-opened"

UPLOAD: Final = "studio-upload"
CAMERA: Final = "studio-camera"
PICTURE: Final = "studio-picture"
ANSWER: Final = "studio-answer"
FIGURE: Final = "studio-figure"
IMAGE: Final = "studio-image"
MARKS: Final = "studio-marks"
SAID: Final = "studio-said"
PROBLEM: Final = "studio-problem"
RESULT: Final = "studio-result"

POLL: Final = "studio-poll"
SHOW: Final = "studio-show-poll"
STARTED: Final = "studio-started"
PATH: Final = "studio-path"
INTERVAL: Final = "studio-interval"
ANALYSE: Final = "studio-analyse"
ANALYSE_SAID: Final = "studio-analyse-said"
BUSY: Final = "studio-busy"
PROGRESS: Final = "studio-progress"
BAR: Final = "studio-bar"
DONE: Final = "studio-done"
PAUSE: Final = "studio-pause"
STOP: Final = "studio-stop"
REPORT: Final = "studio-report"

ModeName = Annotated[str, one_of(Mode)]


class _Given(TypedDict):
    number: Moment
    name: str
    data: str
    turn: Moment | None


Given = Annotated[dict[str, Any], shaped(_Given)]
"""A picture as `studio.js` sends it: a data address, and the turn of the camera of which it is."""

_AT_WORK: Final = frozenset({Phase.STARTING, Phase.RUNNING, Phase.STOPPING})


def layout() -> Component:
    """The page before anything was given to it."""
    return html.Div(
        [
            dcc.Store(id=OPENED, data=0),
            html.Div(html.H1("Try it"), className="cp-title"),
            html.Div(id=NO_CONTROLS),
            html.Div(
                [
                    html.Div([_rules(), _picture()], className="cp-try"),
                    html.Div(id=RESULT),
                    _recording(),
                    studio_calibrate.layout(),
                ],
                id=ROOM,
                className="cp-hidden",
            ),
        ]
    )


def _rules() -> Component:
    return html.Section(
        [
            html.Div(html.H2("What may be read"), className="cp-heading"),
            places.layout(),
            dmc.Autocomplete(
                id=CLASS,
                label="Class",
                description="By its list somebody is left out, and a recording is kept under its name. Without one, "
                "whoever refused in any class is left out.",
                data=[],
                value="",
                debounce=True,
                limit=12,
            ),
            asked.mode_group(MODE, MODES, "Mode"),
            asked.agreement(AGREED_ROW, AGREED, "Those on it were told and agreed"),
        ],
        className="cp-paper cp-start-form",
        **{"aria-label": "What may be read"},
    )


def _picture() -> Component:
    return html.Section(
        [
            html.Div(
                [
                    html.H2("A picture, or your camera"),
                    dmc.Button("Use the camera", id=CAMERA, variant="default", size="compact-sm"),
                ],
                className="cp-heading",
            ),
            dcc.Store(id=PICTURE),
            dcc.Store(id=ANSWER),
            dcc.Upload(
                html.Div(
                    [
                        html.B("Drop a photo or a screenshot of a gallery here"),
                        html.Span("or press to choose one, or paste it"),
                    ],
                    className="cp-try-drop-words",
                ),
                id=UPLOAD,
                accept="image/*",
                className="cp-try-drop",
                className_active="cp-try-drop cp-try-drop-over",
                style={},
                style_active={},
            ),
            html.P(id=PROBLEM, className="cp-start-problem cp-small", role="alert"),
            html.Div(
                [html.Img(id=IMAGE, alt="The picture that was given"), html.Div(id=MARKS)],
                id=FIGURE,
                className="cp-hidden",
            ),
            html.P(id=SAID, className="cp-start-counts", role="status"),
            html.P(
                "It goes from the browser to classpulse on this computer, is read in memory, and is kept nowhere.",
                className="cp-muted cp-small",
            ),
        ],
        className="cp-paper",
        **{"aria-label": "A picture, or your camera"},
    )


def _recording() -> Component:
    return html.Section(
        [
            html.Div(html.H2("A recording"), className="cp-heading"),
            html.P(
                "It is read as fast as this computer can, in the mode above, and kept as a session of its class with a "
                "report.",
                className="cp-muted cp-small",
            ),
            dcc.Interval(id=POLL, interval=1000),
            *polls.stores(SHOW),
            dcc.Store(id=STARTED),
            html.Div(
                [
                    dmc.TextInput(
                        id=PATH,
                        label="Path of a video, or of a folder of pictures",
                        placeholder="lesson.mp4",
                        value="",
                        className="cp-try-path",
                    ),
                    asked.interval_field(INTERVAL),
                    dmc.Button("Analyse", id=ANALYSE),
                ],
                className="cp-try-recording",
            ),
            html.P(id=ANALYSE_SAID, className="cp-start-problem cp-small", role="alert"),
            html.P(id=BUSY, className="cp-muted cp-small"),
            html.Div(
                [
                    html.Div(id=BAR),
                    html.P(id=DONE, className="cp-small", role="status"),
                    html.Div(
                        [
                            dmc.Button("Pause", id=PAUSE, variant="default", size="compact-sm"),
                            dmc.Button("Stop", id=STOP, variant="default", size="compact-sm"),
                        ],
                        className="cp-try-buttons",
                    ),
                ],
                id=PROGRESS,
                className="cp-hidden",
            ),
            html.P(id=REPORT),
        ],
        className="cp-paper cp-try-section",
        **{"aria-label": "A recording"},
    )


def register(
    app: Dash,
    engine: Engine,
    controls: Controls | None,
    start_command: str,
    figures: Mapping[str, Any] | None,
) -> None:
    """The callbacks; without controls the page says what to run instead.

    Args:
        app: the app.
        engine: on the migrated database.
        controls: with which pictures and recordings are read.
        start_command: what starts pages that have some.
        figures: what was measured of the classifier (see `dashboard.accuracy`), None where nothing was.
    """
    studio_calibrate.register(app, engine, figures)

    @app.callback(
        Output(ROOM, "className"),
        Output(NO_CONTROLS, "children"),
        Output(CLASS, "data"),
        Input(OPENED, "data"),
    )
    def open_room(_opened: int) -> Any:
        if controls is None:
            told = empty.nothing_here(
                "These pages only show",
                f"Run {start_command} in a terminal: its pages read pictures and recordings.",
            )
            return "cp-hidden", told, []
        try:
            return "", None, class_names(engine)
        except ClasspulseError:
            # a picture can be tried all the same; what is wrong with the database is said when it is read
            return "", None, []

    if controls is None:
        return
    places.offer_modes(app, controls, choices=MODES, mode=MODE)
    _register_picture(app, controls)
    _register_recording(app, engine, controls)


def _register_picture(app: Dash, controls: Controls) -> None:
    @app.callback(Output(AGREED_ROW, "className"), Input(MODE, "value"))
    def ask_for_agreement(mode: ModeName) -> str:
        return "cp-start-agreed" if mode == Mode.INDIVIDUAL.value else "cp-hidden"

    app.clientside_callback(
        ClientsideFunction("classpulseStudio", "file"),
        Output(PICTURE, "data"),
        Output(PROBLEM, "children"),
        Output(UPLOAD, "contents"),
        Output(AGREED, "checked"),
        Input(UPLOAD, "contents"),
        State(UPLOAD, "filename"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("classpulseStudio", "camera"),
        Output(CAMERA, "children"),
        Output(PROBLEM, "children", allow_duplicate=True),
        Output(AGREED, "checked", allow_duplicate=True),
        Input(CAMERA, "n_clicks"),
        prevent_initial_call=True,
    )
    app.clientside_callback(
        ClientsideFunction("classpulseStudio", "show"),
        Output(IMAGE, "src"),
        Output(FIGURE, "className"),
        Input(ANSWER, "data"),
        State(PICTURE, "data"),
        prevent_initial_call=True,
    )

    @app.callback(
        Output(MARKS, "children"),
        Output(RESULT, "children"),
        Output(SAID, "children"),
        Output(PROBLEM, "children", allow_duplicate=True),
        Output(ANSWER, "data"),
        Input(PICTURE, "data"),
        Input(MODE, "value"),
        Input(AGREED, "checked"),
        Input(CLASS, "value"),
        prevent_initial_call=True,
    )
    def read(given: Given | None, mode: ModeName, agreed: bool | None, name: str | None) -> Any:
        if given is None:
            raise PreventUpdate
        chosen = Mode(mode)
        if chosen is Mode.INDIVIDUAL and not agreed:
            waits = "Tick that those on it were told and agreed, or choose another mode."
            return [], None, "", waits, _answer(given)
        try:
            found = controls.read_picture(
                Picture(
                    bytes_of(given["data"]),
                    clean_name(given["name"]) or "picture",
                    name or "",
                    chosen,
                    chosen is Mode.INDIVIDUAL,
                    None if given["turn"] is None else round(given["turn"]),
                )
            )
        except ClasspulseError as error:
            return [], None, "", str(error), _answer(given)
        return (
            tried.marks(found),
            tried.result(found),
            tried.headline(found),
            "",
            _answer(given, read=True, agreed=chosen is Mode.INDIVIDUAL),
        )


def _answer(given: Given, *, read: bool = False, agreed: bool = False) -> dict[str, Any]:
    """What the page is told of its picture: whether it was read, and under the tick of agreement."""
    return {"number": given["number"], "read": read, "agreed": agreed}


def bytes_of(address: str) -> bytes:
    """What a data address holds; b"" where it is none, which is no picture either."""
    _kind, _comma, text = address.partition(";base64,")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return b""


def _register_recording(app: Dash, engine: Engine, controls: Controls) -> None:
    running.ask_before_stop(app, STOP)

    @app.callback(
        Output(ANALYSE_SAID, "children"),
        Output(STARTED, "data"),
        Input(ANALYSE, "n_clicks"),
        State(PATH, "value"),
        State(INTERVAL, "value"),
        State(CLASS, "value"),
        State(MODE, "value"),
        State(AGREED, "checked"),
        prevent_initial_call=True,
        running=[(Output(ANALYSE, "loading"), True, False)],
    )
    def analyse(
        _clicks: int, path: str | None, interval: Any, name: str | None, mode: ModeName, agreed: bool | None
    ) -> Any:
        text = (path or "").strip()
        if not text:
            return "Write where the recording lies, such as lesson.mp4.", no_update
        if not isinstance(interval, int | float):
            return "Say how many seconds lie between two looks, such as 2.", no_update
        if not is_there(text):
            return (
                f"There is no file or folder {text} on the computer that runs classpulse: write its whole path.",
                no_update,
            )
        wanted = Wanted(
            name or _named_after(text), Mode(mode), float(interval), as_path(text), bool(agreed), tried=True
        )
        try:
            before = newest(engine)
            controls.start(wanted)
        except ClasspulseError as error:
            return str(error), no_update
        return "", 0 if before is None else _opened(before)

    @app.callback(
        Output(PROGRESS, "className"),
        Output(BAR, "children"),
        Output(DONE, "children"),
        Output(PAUSE, "children"),
        Output(ANALYSE, "disabled"),
        Output(REPORT, "children"),
        Output(ANALYSE_SAID, "children", allow_duplicate=True),
        Output(BUSY, "children"),
        polls.question(app, SHOW, POLL),
        State(STARTED, "data"),
        running=polls.at_work(SHOW),
        prevent_initial_call=True,
    )
    def show(_count: int | None, started: Any) -> Any:
        status = controls.status()
        if status.phase in _AT_WORK:
            if status.looks is None:
                busy = f"{status.name} is being read, and one class is read at a time: stop it first."
                return "cp-hidden", None, "", "Pause", True, None, no_update, busy
            session = queries.live_session(engine, host=socket.gethostname())
            done = 0 if session is None else looks_done(engine, session)
            paused = session is not None and session.paused_at is not None
            words = _STARTING if not done else f"{done} of {count(status.looks, 'look')}"
            if paused:
                words += ", paused"
            return "", bar(done, status.looks), words, "Go on" if paused else "Pause", True, None, "", ""
        ended = None if not isinstance(started, int) else newest(engine)
        hidden = "cp-hidden", None, "", "Pause", False
        own = ended is not None and ended.agent_host == socket.gethostname()
        if ended is not None and own and _opened(ended) > started and ended.ended_at is not None:
            link = dcc.Link(f"The report of {ended.name}", href=f"/sessions/{ended.id}", className="cp-link")
            return *hidden, link, "", ""
        failed = status.phase is Phase.FAILED and isinstance(started, int)
        return *hidden, None, (status.reason or "") if failed else no_update, ""

    @app.callback(
        Output(ANALYSE_SAID, "children", allow_duplicate=True),
        Input(PAUSE, "n_clicks"),
        prevent_initial_call=True,
    )
    def pause_or_go_on(_clicks: int) -> Any:
        check_may_manage()
        try:
            # what the bar on top knows is some seconds old, in which a short recording is over
            session = queries.live_session(engine, host=socket.gethostname())
            if session is None:
                raise PreventUpdate
            pause(engine, session.id, paused=session.paused_at is None)
        except ClasspulseError as error:
            return str(error)
        return ""


_STARTING: Final = "The first look takes some seconds: the models are loaded."


def bar(done: int, looks: int) -> Component:
    """How far a recording was read."""
    share = 100 * min(1.0, done / max(1, looks))
    return dmc.ProgressRoot(
        dmc.ProgressSection(
            value=share, **{"aria-label": f"Read so far: {percent(share / 100)} of the recording"}
        ),
        size="lg",
    )


def looks_done(engine: Engine, session: SessionRow) -> int:
    """How many looks of a recording are kept: it has one each interval from its beginning."""
    last = queries.last_interval(engine, session.id)
    return (
        0
        if last is None
        else round((last.started_at - session.started_at).total_seconds() / session.interval) + 1
    )


def newest(engine: Engine) -> SessionRow | None:
    """The session that was opened last; None before the first."""
    try:
        return queries.find_session(engine, "last")
    except UnknownSessionError:
        return None


def _opened(session: SessionRow) -> int:
    """When, in milliseconds since 1970: a recording that is read on keeps its number, and is opened again."""
    return round(session.opened_at.timestamp() * 1000)


def as_path(text: str) -> str:
    """The source for a path, also where it looks like the name of another source, such as a file called demo."""
    return text if PurePath(text).is_absolute() or text.startswith("~") else f"./{text}"


def is_there(text: str) -> bool:
    """Whether a path names something; also where it may not be looked at, of which whoever opens it says more."""
    try:
        Path(text).expanduser().stat()
    except PermissionError:
        return True
    except (OSError, ValueError, RuntimeError):
        return False
    return True


def _named_after(path: str) -> str:
    """A class for a recording whose class was not named."""
    return clean_name(PurePath(path).stem) or "Recording"
