import socket
import sys
from collections.abc import Iterator
from urllib.request import urlopen

import pytest
from flask import Flask, Response
from sqlalchemy import Engine
from werkzeug.test import Client

from dashboard.app import DashboardSettings, PageServer, create_app
from dashboard.errors import AccountNeededError, AddressRefusedError, PortInUseError
from dashboard.security import Hosts, Listening, content_security_policy, listening_at, protect, refusal
from dashboard.serving import Network

EVERYWHERE = "0.0.0.0"  # noqa: S104 - asked for to see it refused

OURS = {"Host": "localhost:8050", "Origin": "http://localhost:8050"}


@pytest.fixture
def client(engine: Engine) -> Client:
    return Client(create_app(engine).server)


@pytest.mark.parametrize(
    "host", ["example.org", "", "127.0.0.1.evil.example", "::ffff:127.0.0.1", "::1%lo", "0"]
)
def test_what_is_no_address_is_not_listened_on(host: str) -> None:
    with pytest.raises(AddressRefusedError, match=r"cannot listen on .*numeric address"):
        listening_at(host)


@pytest.mark.parametrize("host", [EVERYWHERE, "::", "192.168.1.7", "[fd00::7]"])
def test_what_others_can_reach_is_known(host: str) -> None:
    assert listening_at(host).beyond


def test_loopback_addresses_are_for_this_computer() -> None:
    for host, family, address in (
        ("localhost", socket.AF_INET, "127.0.0.1"),
        ("127.0.0.1", socket.AF_INET, "127.0.0.1"),
        ("127.0.0.2", socket.AF_INET, "127.0.0.2"),
        ("[::1]", socket.AF_INET6, "::1"),
    ):
        assert listening_at(host) == Listening(family, address, beyond=False)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:8050",
        "127.0.0.1.evil.example",
        "localhost.evil.example:8050",
        "localhost:8050@evil.example",
        "evil.example#localhost",
        "192.168.1.7:8050",
        "localhost.",
        "127.0.0.1:999999",
        "127.0.0",
        "127.0.0.1.2",
        "127.0.0.1234",
        "127.0.0.evil.example",
        "",
        None,
    ],
)
def test_a_foreign_host_is_turned_away(host: str | None) -> None:
    refused = refusal(host, None, None, "GET")
    assert refused is not None
    assert refused[1] == 421


@pytest.mark.parametrize(
    ("origin", "site", "method", "status"),
    [
        ("http://127.0.0.1:8050", "same-origin", "POST", None),
        (None, None, "GET", None),
        (None, "cross-site", "GET", None),  # a link from elsewhere
        ("http://evil.example", "cross-site", "POST", 403),
        ("http://127.0.0.1:3000", "same-site", "POST", 403),
        ("https://127.0.0.1:8050", None, "POST", 403),
        ("null", None, "POST", 403),
        ("http://localhost:8050", None, "POST", 403),
        (None, "cross-site", "POST", 403),
        (None, "same-site", "DELETE", 403),
        (None, None, "POST", 403),  # no browser leaves both away
        (None, "same-origin", "POST", None),
        (None, "none", "POST", 403),
        ("http://127.0.0.1:8050", "cross-site", "POST", 403),
        ("http://127.0.0.1:8050@evil.example", None, "POST", 403),
        ("http://127.0.0.1:8050.evil.example", None, "POST", 403),
        ("", None, "POST", 403),
    ],
)
def test_only_our_own_pages_may_ask(
    origin: str | None, site: str | None, method: str, status: int | None
) -> None:
    refused = refusal("127.0.0.1:8050", origin, site, method)
    assert (refused and refused[1]) == status


@pytest.mark.parametrize(
    "path", ["/", "/health", "/sessions/1/report.csv", "/_dash-layout", "/assets/style.css", "/nope"]
)
def test_rebound_names_get_nothing_from_any_path(client: Client, path: str) -> None:
    answer = client.get(path, headers={"Host": "rebound.example:8050"})
    assert answer.status_code == 421
    assert b"classpulse" not in answer.data
    assert (
        client.get(path, headers={"Host": "127.0.0.1:8050", "Origin": "http://evil.example"}).status_code
        == 403
    )


def test_callbacks_refuse_other_sites(client: Client) -> None:
    body = {"output": "shell-content.children", "inputs": [], "changedPropIds": []}
    headers = {"Host": "127.0.0.1:8050", "Origin": "http://evil.example", "Sec-Fetch-Site": "cross-site"}
    assert client.post("/_dash-update-component", json=body, headers=headers).status_code == 403


def test_every_answer_carries_the_protecting_headers(client: Client) -> None:
    for path in ("/", "/health", "/assets/style.css", "/assets/../app.py"):
        answer = client.get(path, headers={"Host": "localhost:8050"})
        answer.close()
        headers = answer.headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "Access-Control-Allow-Origin" not in headers
    assert client.get("/", headers={"Host": "localhost"}).headers["Cache-Control"] == "no-store"


def test_the_policy_allows_no_inline_script_without_a_hash() -> None:
    policy = content_security_policy(["'sha256-abc='"])
    script = next(part for part in policy.split("; ") if part.startswith("script-src"))
    assert script == "script-src 'self' 'sha256-abc='"
    assert "unsafe-eval" not in policy
    assert "http" not in policy


def test_nothing_on_the_page_comes_from_elsewhere(client: Client) -> None:
    page = client.get("/", headers={"Host": "localhost"}).get_data(as_text=True)
    assert 'src="http' not in page
    assert 'href="http' not in page
    assert "//unpkg" not in page
    assert "//cdn" not in page


def test_debug_tools_stay_off(engine: Engine) -> None:
    app = create_app(engine)
    assert not app.server.debug
    answer = Client(app.server).get("/_mcp", headers={"Host": "localhost"})
    assert b"jsonrpc" not in answer.data


def test_a_request_that_is_too_large_is_refused(client: Client) -> None:
    answer = client.post(
        "/_dash-update-component",
        data=b"x" * 1_500_000,
        headers={**OURS, "Content-Type": "application/json"},
    )
    assert answer.status_code == 413


def test_protect_answers_before_any_view() -> None:
    server = Flask("test")
    called = []

    @server.get("/")
    def view() -> Response:
        called.append(True)
        return Response("secret")

    protect(server, list)
    assert Client(server).get("/", headers={"Host": "evil.example"}).status_code == 421
    assert not called
    assert Client(server).get("/", headers={"Host": "[::1]:8050"}).data == b"secret"


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def test_a_port_in_use_is_named(engine: Engine, taken_port: int) -> None:
    with pytest.raises(PortInUseError, match=rf"port {taken_port} .*--port"):
        PageServer(engine, port=taken_port)


def test_the_port_is_free_again_after_closing(engine: Engine) -> None:
    with PageServer(engine, port=0) as server:
        port = server.port
        assert server.url == f"http://127.0.0.1:{port}"
        with socket.create_connection(("127.0.0.1", port), timeout=5):
            pass
    server.close()
    with PageServer(engine, port=port) as again:
        assert again.port == port


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8 without being told")
def test_an_address_that_is_listened_on_is_answered(engine: Engine) -> None:
    with PageServer(engine, host="127.0.0.2") as server:
        assert server.url.startswith("http://127.0.0.2:")
        with urlopen(f"{server.url}/health", timeout=10) as answer:  # noqa: S310 - our own
            assert answer.status == 200


@pytest.mark.parametrize(
    ("host", "served"),
    [
        ("class.school.example", True),
        ("CLASS.school.example:8443", True),
        ("192.168.1.7:8443", True),
        ("localhost:8443", True),
        ("[fd00::7]:8443", True),
        ("[FD00:0::7]", True),
        ("192.168.1.8:8443", False),
        ("school.example", False),
        ("x.class.school.example", False),
        ("class.school.example.evil.example", False),
        ("class.school.example:8443:1", False),
        ("class.school.example/", False),
        ("class.school.example\n", False),
        ("192.168.1.7.evil.example", False),
        ("3232235783", False),
        ("0xc0a80107", False),
        ("[fd00::8]", False),
    ],
)
def test_further_hosts_are_served_where_they_are_named(host: str, served: bool) -> None:
    hosts = Hosts(frozenset({"class.school.example"}), frozenset({"192.168.1.7", "fd00::7"}))
    assert (refusal(host, None, None, "GET", hosts=hosts) is None) == served
    everywhere = Hosts(addresses=frozenset({"*"}))
    # a number is never rebound, a name may be
    assert (refusal("10.1.2.3:8050", None, None, "GET", hosts=everywhere)) is None
    assert refusal("evil.example:8050", None, None, "GET", hosts=everywhere) is not None


def test_behind_tls_a_page_comes_from_tls() -> None:
    assert refusal("localhost:1", "https://localhost:1", None, "POST", scheme="https") is None
    assert refusal("localhost:1", "http://localhost:1", None, "POST", scheme="https") is not None


@pytest.mark.parametrize("host", [EVERYWHERE, "::"])
def test_the_server_never_leaves_loopback_unasked(engine: Engine, host: str) -> None:
    with pytest.raises(AddressRefusedError, match="certificate"):
        PageServer(engine, host=host)
    reached = DashboardSettings(network=Network(hosts=frozenset({"class.example"})))
    with pytest.raises(AccountNeededError, match=r"classpulse accounts add"):
        PageServer(engine, settings=reached)
