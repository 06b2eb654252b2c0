"""Questions that a page asks again and again, each once the one before is answered.

The browser drops an answer whose question was put again meanwhile: where answers take longer than the clock of a page,
on a computer that has much to do, none would ever arrive and the page stand still.
"""

from collections.abc import Sequence

from dash import ClientsideFunction, Dash, Input, Output, State, dcc

Waiting = list[tuple[Output, bool, bool]]
"""For the `running` of a callback."""


def stores(*names: str) -> list[dcc.Store]:
    """What the page keeps of each of its questions; to be part of its layout."""
    return [dcc.Store(id=one) for name in names for one in (name, _waiting(name))]


def question(app: Dash, name: str, clock: str, *, after: Sequence[str] = ()) -> Input:
    """What a callback takes to be asked with each tick of a clock, but not while it is at work.

    It is given the tick, None at first. Its `running` must be that of `at_work`.

    Args:
        app: the app.
        name: id of the question, which ends in "-poll".
        clock: id of a `dcc.Interval` of the page.
        after: callbacks that are waited for too, by the names that they give `at_work`.
    """
    app.clientside_callback(
        ClientsideFunction("classpulse_polls", "next"),
        Output(name, "data"),
        Input(clock, "n_intervals"),
        *[State(_waiting(one), "data") for one in (name, *after)],
        prevent_initial_call=True,
    )
    return Input(name, "data")


def at_work(name: str) -> Waiting:
    """Tells the page that the callback of this name is at work, and when it has answered."""
    return [(Output(_waiting(name), "data"), True, False)]


def _waiting(name: str) -> str:
    return f"{name}-waiting"
