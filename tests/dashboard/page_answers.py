"""What a page shows, and what its callbacks answer, without a browser."""

from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component
from sqlalchemy import Engine

from dashboard.app import create_app


def texts(component: Any) -> Iterator[str]:
    """Every string that a component shows, in order."""
    if isinstance(component, str):
        yield component
    elif isinstance(component, list | tuple):
        for part in component:
            yield from texts(part)
    elif isinstance(component, Component):
        yield from texts(getattr(component, "children", None))


def shown(component: Any) -> str:
    return " ".join(texts(component))


def ask(engine: Engine, outputs: list[str], inputs: dict[str, Any], state: dict[str, Any]) -> Any:
    """What the page gets from one callback."""

    def props(values: dict[str, Any]) -> list[dict[str, Any]]:
        return [
            dict(zip(("id", "property"), key.split("."), strict=True), value=values[key]) for key in values
        ]

    answer = (
        create_app(engine)
        .server.test_client()
        .post(
            "/_dash-update-component",
            headers={"Host": "localhost", "Origin": "http://localhost"},
            json={
                "output": f"..{'...'.join(outputs)}..",
                "outputs": [{"id": one.split(".")[0], "property": one.split(".")[1]} for one in outputs],
                "inputs": props(inputs),
                "state": props(state),
                "changedPropIds": list(inputs)[:1],
            },
        )
    )
    assert answer.status_code == 200
    return answer.get_json()["response"]
