"""What a page shows, and what its callbacks answer, without a browser."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard.app import create_app
from dashboard.health import take_pulse
from dashboard.live import attention
from dashboard.live.pulse import PULSE, pulse_data
from dashboard.pages import now


def texts(component: Any) -> Iterator[str]:
    """Every string that a component shows, in order."""
    if isinstance(component, str):
        yield component
    elif isinstance(component, list | tuple):
        for part in component:
            yield from texts(part)
    elif isinstance(component, Component):
        yield from texts(getattr(component, "children", None) or getattr(component, "parts", None))


def shown(component: Any) -> str:
    return " ".join(texts(component))


def ask(engine: Engine, outputs: list[str], inputs: dict[str, Any], state: dict[str, Any]) -> Any:
    """What the page gets from one callback that has a list of outputs."""
    told = ask_whole(engine, f"..{'...'.join(outputs)}..", [_parted(one) for one in outputs], inputs, state)
    return told["response"]


LOOK: Final = (
    f"{now.GLANCE}.parts",
    f"{now.SPOKEN}.children",
    f"{attention.LOOKS_HEADING}.children",
    *(
        f"{part}.parts"
        for part in (attention.LOOKS_SAID, attention.LOOKS, attention.ASIDE, attention.CAMERAS)
    ),
    f"{attention.ASKING}.data",
    f"{attention.SEATS}.parts",
    f"{now.DRAWN}.data",
)
"""What the page Now asks for after each interval, but for the chart."""


def look(engine: Engine, drawn: Any = None) -> Any:
    """What the page Now gets for it, by id and property; without what looks as it did when `drawn` was told."""
    return ask(
        engine,
        list(LOOK),
        {
            f"{PULSE}.data": pulse_data(take_pulse(engine), datetime.now(UTC)),
            "shell-viewer.data": {"scheme": "light", "zone": "UTC"},
            f"{attention.ANSWERED}.data": 0,
        },
        {f"{now.DRAWN}.data": drawn},
    )


def _parted(key: str) -> dict[str, str]:
    return dict(zip(("id", "property"), key.split("."), strict=True))


def ask_whole(
    engine: Engine, output: str, outputs: Any, inputs: dict[str, Any], state: dict[str, Any]
) -> Any:
    """All that the page gets with the answer of one callback."""

    def props(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [{**_parted(key), "value": values[key]} for key in values]

    answer = (
        create_app(engine)
        .server.test_client()
        .post(
            "/_dash-update-component",
            headers={"Host": "localhost", "Origin": "http://localhost"},
            json={
                "output": output,
                "outputs": outputs,
                "inputs": props(inputs),
                "state": props(state),
                "changedPropIds": list(inputs)[:1],
            },
        )
    )
    assert answer.status_code == 200
    return answer.get_json()
