"""Where the class is: asked once on the page Start, shown and changeable there, and which modes that leaves."""

from collections.abc import Sequence
from typing import Any, Final

import dash_mantine_components as dmc
from dash import Dash, Input, Output, State, ctx, dcc, html, no_update
from dash.development.base_component import Component

from dashboard.controls import Controls, Told
from dashboard.wording import INSTITUTIONS, MODE_MEANINGS, MODES, PLACES
from engagement.errors import ClasspulseError
from engagement.place import Institution, Place, modes_allowed
from engagement.records import Mode

TOLD: Final = "place-told"
WHERE: Final = "place-where"
INSTITUTION: Final = "place-institution"
QUESTIONS: Final = "place-questions"
KEEP: Final = "place-keep"
ANSWER: Final = "place-answer"
LINE: Final = "place-line"
LINE_ROW: Final = "place-line-row"
CHANGE: Final = "place-change"

_WHY: Final = (
    "It decides what may be read. In the EU and the EEA reading expressions in education and at work is prohibited (AI "
    "Act, Article 5(1)(f)), whoever agrees: there, classpulse reads participation only. Kept on this computer."
)


def layout() -> Component:
    """The questions, or the answers with a button that asks anew; `register` fills it."""
    return html.Div(
        [
            dcc.Store(id=TOLD),
            html.Div(
                [
                    dmc.RadioGroup(
                        html.Div(
                            [dmc.Radio(value=one.value, label=words) for one, words in PLACES.items()],
                            className="cp-start-modes",
                        ),
                        id=WHERE,
                        label="Where is the class?",
                        description=_WHY,
                    ),
                    dmc.Select(
                        id=INSTITUTION,
                        label="What kind of institution is it?",
                        data=[{"value": one.value, "label": words} for one, words in INSTITUTIONS.items()],
                        placeholder="Choose one",
                        allowDeselect=False,
                    ),
                    dmc.Button("Keep this answer", id=KEEP, variant="default"),
                    html.Div(id=ANSWER, className="cp-small", role="alert"),
                ],
                id=QUESTIONS,
                className="cp-hidden",
            ),
            html.Div(
                [
                    html.Span(id=LINE),
                    dmc.Button("Change", id=CHANGE, variant="default", size="compact-sm"),
                ],
                id=LINE_ROW,
                className="cp-hidden",
            ),
        ]
    )


def mode_radios(allowed: Sequence[Mode]) -> Component:
    """One radio per mode; those that may not be chosen where the class is can be read and not pressed."""
    return html.Div(
        [
            dmc.Radio(
                value=mode.value,
                label=word.capitalize(),
                description=MODE_MEANINGS[mode],
                disabled=mode not in allowed,
            )
            for mode, word in MODES.items()
        ],
        className="cp-start-modes",
    )


def register(app: Dash, controls: Controls) -> None:
    """Ask, keep and show, on whichever page has the `layout`.

    Args:
        app: of the pages.
        controls: which keep the answer.
    """

    @app.callback(
        Output(QUESTIONS, "className"),
        Output(LINE_ROW, "className"),
        Output(LINE, "children"),
        Output(WHERE, "value"),
        Output(INSTITUTION, "value"),
        Output(ANSWER, "children"),
        Output(TOLD, "data"),
        Input(KEEP, "n_clicks"),
        Input(CHANGE, "n_clicks"),
        State(WHERE, "value"),
        State(INSTITUTION, "value"),
    )
    def answer(_keep: int | None, _change: int | None, where: str | None, institution: str | None) -> Any:
        if ctx.triggered_id == CHANGE:
            return "cp-place", "cp-hidden", *[no_update] * 5
        problem = ""
        if ctx.triggered_id == KEEP:
            problem = _keep_answer(controls, where, institution)
        if problem:
            return *[no_update] * 5, problem, no_update
        told = controls.told()
        if told is None:
            return "cp-place", "cp-hidden", *[no_update] * 4, None
        return (
            "cp-hidden",
            "cp-place-line",
            in_words(told),
            told.place.value,
            told.institution.value,
            "",
            [told.place.value, told.institution.value],
        )


def offer_modes(
    app: Dash, controls: Controls, *, choices: str, mode: str, source: str | None = None, synthetic: str = ""
) -> None:
    """Let only those modes be chosen that the place allows.

    Args:
        app: of the pages.
        controls: which know the place.
        choices: id of what holds the radios.
        mode: id of the group of modes, whose value falls back to participation.
        source: id of the list of sources, where there is one.
        synthetic: its value of which every mode may be chosen, for its people are made up.
    """

    @app.callback(
        Output(choices, "children"),
        Output(mode, "value", allow_duplicate=True),
        Input(TOLD, "data"),
        *([] if source is None else [Input(source, "value")]),
        State(mode, "value"),
        prevent_initial_call="initial_duplicate",
    )
    def offer(_told: Any, *chosen: str | None) -> Any:
        *sources, now = chosen
        told = controls.told()
        if synthetic and sources == [synthetic]:
            allowed = tuple(Mode)
        else:
            allowed = (Mode.PARTICIPATION,) if told is None else modes_allowed(told.place, told.institution)
        return mode_radios(allowed), no_update if now in allowed else Mode.PARTICIPATION.value


def in_words(told: Told) -> str:
    """The answers as a line."""
    modes = modes_allowed(told.place, told.institution)
    meaning = "every mode may be chosen" if len(modes) == len(Mode) else "participation only"
    institution = INSTITUTIONS[told.institution]
    return f"{PLACES[told.place]}, {institution[0].lower()}{institution[1:]}: {meaning}."


def _keep_answer(controls: Controls, where: str | None, institution: str | None) -> str:
    """What is missing or went wrong; "" where the answer was kept."""
    if where is None or institution is None:
        return "Answer both questions; each may be answered with: rather not say."
    try:
        controls.tell(Told(Place(where), Institution(institution)))
    except (ClasspulseError, ValueError) as error:
        return str(error)
    return ""
