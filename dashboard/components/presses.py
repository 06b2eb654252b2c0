"""What is pressed or chosen in a list that is drawn anew now and then.

A list that is drawn anew asks the callback of its fields, whether something was chosen or not, and the browser drops
the answer to the question before: to a choice that was just made. So the browser itself keeps what was pressed or
chosen in a store, and the callback takes it from there.
"""

from typing import Any

from dash import ClientsideFunction, Dash, Input, Output

Press = dict[str, Any]
"""The parts of the id of what was pressed, with `value`, that of its property; a callback says with
`dashboard.shapes.shaped` what it needs of them."""


def told(app: Dash, store: str, *inputs: Input) -> Input:
    """What a callback takes to be asked once for each press.

    It is given a `Press`, None at first.

    Args:
        app: the app.
        store: id of a store of the page.
        inputs: the buttons or fields, by `dash.ALL`.
    """
    app.clientside_callback(
        ClientsideFunction("classpulse", "press"), Output(store, "data"), *inputs, prevent_initial_call=True
    )
    return Input(store, "data")
