"""An app that asks visitors who they are, and browsers of theirs."""

from typing import Any

from flask import Flask
from sqlalchemy import Engine
from werkzeug.security import generate_password_hash
from werkzeug.test import Client, TestResponse

from dashboard.app import DashboardSettings, create_app
from dashboard.door import Access
from dashboard.links import new_link
from storage.accounts import Role, add_account

HOST = "localhost:8050"
HERE = f"http://{HOST}"
SECRET = bytes(range(48))
PASSWORD = "correct horse battery"  # noqa: S105 - a test's own
ADMIN, TEACHER = "Head Office", "Ms Berg"


def app_with_a_door(engine: Engine, **settings: Any) -> Flask:
    server: Flask = create_app(engine, DashboardSettings(access=Access(SECRET), **settings)).server
    return server


def make_accounts(engine: Engine, *classes: str) -> None:
    """An admin and a teacher of these classes, both with `PASSWORD`."""
    # at little cost: what the right cost is has a test of its own
    kept = generate_password_hash(PASSWORD, "scrypt:1024:8:1")
    add_account(engine, ADMIN, Role.ADMIN, kept, (), actor="test")
    add_account(engine, TEACHER, Role.TEACHER, kept, classes, actor="test")


class Browser:
    """Keeps its cookies and sends what a browser sends."""

    def __init__(self, server: Flask, *, address: str = "127.0.0.1", base: str = HERE) -> None:
        self.client = Client(server)
        self.base = base
        self.address = address

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.client.get(
            path,
            base_url=self.base,
            headers={"Accept": "text/html", **headers},
            environ_base={"REMOTE_ADDR": self.address},
        )

    def post(self, path: str, form: dict[str, str] | None = None, **more: Any) -> TestResponse:
        return self.client.post(
            path,
            base_url=self.base,
            data=form,
            headers={"Origin": self.base, "Sec-Fetch-Site": "same-origin"},
            environ_base={"REMOTE_ADDR": self.address},
            **more,
        )

    def log_in(self, name: str, password: str = PASSWORD, **form: str) -> TestResponse:
        return self.post("/login", {"name": name, "password": password, **form})

    def come_by_link(self) -> TestResponse:
        return self.get(new_link(SECRET, ""))

    @property
    def is_in(self) -> bool:
        return self.get("/_dash-layout").status_code == 200
