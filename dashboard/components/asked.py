"""What both Start and Try it ask before anybody is read: the mode, the agreement, how often."""

import dash_mantine_components as dmc
from dash import html
from dash.development.base_component import Component

from dashboard.components import places
from engagement.records import Mode


def mode_group(mode: str, choices: str, label: str) -> Component:
    """The modes, of which `places.offer_modes` lets those be chosen that the place allows.

    Args:
        mode: id of the group, whose value is a `Mode`.
        choices: id of what holds the radios.
        label: of the group.
    """
    return dmc.RadioGroup(
        html.Div(places.mode_radios((Mode.PARTICIPATION,)), id=choices),
        id=mode,
        label=label,
        value=Mode.PARTICIPATION.value,
    )


def agreement(row: str, box: str, label: str) -> Component:
    """The statement that individual mode needs, hidden until it does.

    Args:
        row: id of what is shown and hidden.
        box: id of the checkbox.
        label: the statement.
    """
    return html.Div(
        dmc.Checkbox(id=box, label=label, checked=False, radius="sm"), id=row, className="cp-hidden"
    )


def interval_field(name: str) -> Component:
    """How many seconds lie between two looks.

    Args:
        name: id of the field.
    """
    return dmc.NumberInput(
        id=name,
        label="One look every",
        suffix=" s",
        min=0.5,
        max=3600,
        step=0.5,
        value=2,
        decimalScale=1,
        className="cp-start-interval",
    )
