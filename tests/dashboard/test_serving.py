"""The servers themselves: TLS with a certificate, and behind a proxy, over real sockets."""

import errno
import http.client
import json
import shutil
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import Engine
from visiting import ADMIN, PASSWORD, SECRET, make_accounts

from dashboard.app import DashboardSettings, PageServer
from dashboard.door import Access
from dashboard.errors import AccountNeededError, AddressRefusedError, CertificateError
from dashboard.links import new_link
from dashboard.security import listening_at
from dashboard.serving import Network, PlainServer, check_network

EVERYWHERE = "0.0.0.0"  # noqa: S104 - asked for on purpose
NAME = "class.school.example"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for `NAME` and this computer, and its key."""
    if shutil.which("openssl") is None:
        pytest.skip("needs openssl to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    names = f"subjectAltName=DNS:{NAME},DNS:localhost,IP:127.0.0.1"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=class"]
    subprocess.run(
        [*command, "-addext", names, "-keyout", str(key), "-out", str(certificate)],
        check=True,
        capture_output=True,
    )
    return certificate, key


@pytest.fixture
def tls(engine: Engine, pair: tuple[Path, Path]) -> Iterator[PageServer]:
    make_accounts(engine)
    network = Network(frozenset({NAME}), *pair)
    settings = DashboardSettings(access=Access(SECRET), network=network)
    with PageServer(engine, host=EVERYWHERE, settings=settings) as server:
        yield server


def trusting(pair: tuple[Path, Path]) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(pair[0]))


def ask(
    server: PageServer, pair: tuple[Path, Path], method: str, path: str, body: str = "", **headers: str
) -> tuple[int, http.client.HTTPMessage, bytes]:
    with closing(
        http.client.HTTPSConnection("localhost", server.port, context=trusting(pair), timeout=30)
    ) as connection:
        host = headers.pop("Host", f"localhost:{server.port}")
        fixed = {"Host": host, "Origin": f"https://{host}"} if method == "POST" else {"Host": host}
        connection.request(method, path, body, {**fixed, **headers})
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()


def test_pages_are_served_over_tls_to_who_is_logged_in(tls: PageServer, pair: tuple[Path, Path]) -> None:
    assert tls.url.startswith("https://")
    status, _, body = ask(tls, pair, "GET", "/health")
    assert (status, json.loads(body)["status"]) == (200, "idle")
    assert ask(tls, pair, "GET", "/_dash-layout")[0] == 401
    form = f"name={ADMIN}&password={PASSWORD}".replace(" ", "+")
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    status, headers, _ = ask(tls, pair, "POST", "/login", form, **kind)
    assert status == 303
    cookies = headers.get_all("Set-Cookie") or []
    assert len(cookies) == 2
    assert all(
        "Secure" in cookie and "HttpOnly" in cookie and "SameSite=Strict" in cookie for cookie in cookies
    )
    cookie = next(one for one in cookies if one.startswith("__Host-classpulse=")).partition(";")[0]
    status, headers, body = ask(tls, pair, "GET", "/", Cookie=cookie, Accept="text/html")
    assert status == 200
    assert b"<title>classpulse</title>" in body
    assert "server" not in headers
    assert ask(tls, pair, "HEAD", "/", Cookie=cookie, Accept="text/html")[0] == 200
    assert ask(tls, pair, "POST", "/login", "x" * 1_200_000, **kind)[0] in {400, 413}


def test_only_named_hosts_are_served_over_tls(tls: PageServer, pair: tuple[Path, Path]) -> None:
    for host, status in (
        (NAME, 200),
        (f"{NAME}:{tls.port}", 200),
        ("evil.example", 421),
        ("10.1.2.3:1", 200),
    ):
        assert ask(tls, pair, "GET", "/health", Host=host)[0] == status


def test_an_empty_answer_is_an_answer(tls: PageServer, pair: tuple[Path, Path]) -> None:
    status, headers, _ = ask(tls, pair, "GET", new_link(SECRET, ""))
    assert status == 303
    cookie = (headers["Set-Cookie"] or "").partition(";")[0]
    status, headers, body = ask(tls, pair, "GET", "/assets/style.css", Cookie=cookie)
    assert status == 200
    assert body
    again = {"Cookie": cookie, "If-None-Match": headers["ETag"]}
    status, _, body = ask(tls, pair, "GET", "/assets/style.css", **again)
    assert (status, body) == (304, b"")


def test_who_says_nothing_holds_up_nobody(tls: PageServer, pair: tuple[Path, Path]) -> None:
    silent = [socket.create_connection(("127.0.0.1", tls.port)) for _ in range(20)]
    babbling = socket.create_connection(("127.0.0.1", tls.port))
    babbling.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    try:
        start = time.monotonic()
        assert ask(tls, pair, "GET", "/health")[0] == 200
        assert time.monotonic() - start < 8
    finally:
        for one in (*silent, babbling):
            one.close()


def test_a_client_in_the_midst_of_its_request_does_not_spoil_the_end(
    engine: Engine, pair: tuple[Path, Path]
) -> None:
    make_accounts(engine)
    network = Network(frozenset({NAME}), *pair)
    settings = DashboardSettings(access=Access(SECRET), network=network)
    with PageServer(engine, settings=settings) as server:
        asking = trusting(pair).wrap_socket(
            socket.create_connection(("127.0.0.1", server.port)), server_hostname=NAME
        )
        asking.sendall(
            b"POST /login HTTP/1.1\r\nHost: " + NAME.encode() + b"\r\nContent-Length: 99\r\n\r\nname="
        )
        time.sleep(0.3)
    # neither an exception in the server's thread nor a line in the log: both fail a test
    assert not any(thread.name == "pages" for thread in threading.enumerate())
    asking.close()


def test_old_tls_is_refused(tls: PageServer) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    with socket.create_connection(("127.0.0.1", tls.port)) as raw, context.wrap_socket(raw) as good:
        assert good.version() == "TLSv1.2"
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    with (
        pytest.raises((ssl.SSLError, ConnectionError)),
        socket.create_connection(("127.0.0.1", tls.port)) as raw,
    ):
        context.wrap_socket(raw)


def test_the_port_is_free_again_after_closing(engine: Engine, pair: tuple[Path, Path]) -> None:
    make_accounts(engine)
    settings = DashboardSettings(access=Access(SECRET), network=Network(frozenset(), *pair))
    with PageServer(engine, settings=settings) as server:
        port = server.port
        assert ask(server, pair, "GET", "/health")[0] == 200
    server.close()
    with PageServer(engine, port=port) as again:
        assert again.port == port


def test_plain_pages_end_although_nothing_wakes_their_loop(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another part of a program may have closed the handle that wakes it."""

    def gone() -> None:
        raise OSError(errno.EBADF, "Bad file descriptor")

    with PageServer(engine) as server:
        plain = server._server
        assert isinstance(plain, PlainServer)
        assert forwarded(server, "/health")[0] == 200
        time.sleep(0.3)
        monkeypatch.setattr(plain._server.trigger, "_physical_pull", gone)
    assert not any(thread.name == "pages" for thread in threading.enumerate())
    with PageServer(engine, port=server.port) as again:
        assert again.port == server.port


def test_without_an_account_nothing_is_served_beyond(engine: Engine, pair: tuple[Path, Path]) -> None:
    for network, host in (
        (Network(frozenset(), *pair), EVERYWHERE),
        (Network(frozenset({NAME}), *pair), "127.0.0.1"),
        (Network(proxy="127.0.0.1"), "127.0.0.1"),
    ):
        for access in (None, Access(SECRET)):
            settings = DashboardSettings(access=access, network=network)
            with pytest.raises(AccountNeededError, match=r"`classpulse accounts add NAME`"):
                PageServer(engine, host=host, settings=settings)


def test_without_tls_nothing_is_served_beyond(engine: Engine) -> None:
    make_accounts(engine)
    with pytest.raises(AddressRefusedError, match=r"dashboard.certificate.*dashboard.proxy"):
        PageServer(engine, host=EVERYWHERE, settings=DashboardSettings(access=Access(SECRET)))


def test_what_is_no_certificate_is_named(pair: tuple[Path, Path], tmp_path: Path) -> None:
    certificate, key = pair
    broken = tmp_path / "broken.pem"
    broken.write_text("-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "rsa", "-aes256", "-passout", "pass:x123456", "-in", str(key), "-out", str(locked)],
        check=True,
        capture_output=True,
    )
    where = listening_at(EVERYWHERE)
    for network, said in (
        (Network(certificate=certificate), "belong together"),
        (Network(key=key), "belong together"),
        (Network(certificate=certificate, key=tmp_path / "absent.pem"), "absent.pem cannot be read"),
        (Network(certificate=tmp_path, key=key), "cannot be read"),
        (Network(certificate=broken, key=key), "do not go together"),
        (Network(certificate=key, key=certificate), "do not go together"),
        (Network(certificate=certificate, key=locked), "without a password"),
        (Network(certificate=certificate, key=key, proxy="127.0.0.1"), "Behind a proxy"),
    ):
        with pytest.raises(CertificateError, match=said):
            check_network(where, network)
    check_network(where, Network(certificate=certificate, key=key))


def forwarded(server: PageServer, path: str, **headers: str) -> tuple[int, str]:
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.mark.parametrize("host", ["127.0.0.1", NAME])
def test_a_proxy_that_says_not_for_whom_it_asks_lets_nobody_in(engine: Engine, host: str) -> None:
    """Else every visitor would be this computer, with its one-time links, its picture and its share of tries."""
    make_accounts(engine)
    behind = DashboardSettings(access=Access(SECRET), network=Network(frozenset({NAME}), proxy="127.0.0.1"))
    with PageServer(engine, settings=behind) as server:
        assert not server.local
        for path in ("/", "/login", "/_dash-layout", "/_dash-dependencies", new_link(SECRET, "")):
            for headers in (
                {},
                {"X-Forwarded-Proto": "https"},
                {"X-Forwarded-Proto": "https", "X-Forwarded-Host": NAME},
                {"X-Real-IP": "203.0.113.9"},
            ):
                status, text = forwarded(server, path, Host=host, **headers)
                assert status == 403, (path, headers)
                assert "X-Forwarded-For" in text
        assert forwarded(server, "/health", Host=host)[0] == 200


def test_a_proxy_that_nobody_named_is_turned_away(engine: Engine) -> None:
    for access in (None, Access(SECRET)):
        with PageServer(engine, settings=DashboardSettings(access=access)) as server:
            for header in (
                "Forwarded",
                "X-Forwarded-For",
                "X-Forwarded-Host",
                "X-Forwarded-Proto",
                "X-Real-IP",
                "Via",
            ):
                for path in ("/", "/login", "/health", "/_dash-layout", new_link(SECRET, "")):
                    status, text = forwarded(server, path, **{header: "127.0.0.1"})
                    assert status == 403
                    assert "dashboard.proxy" in text
            assert forwarded(server, "/health")[0] == 200


@pytest.mark.parametrize("proxy", ["*", "proxy.school.example", "127.0.0.1:80", "", "127.0.0.0/8", "::0001"])
def test_a_proxy_is_one_address(proxy: str) -> None:
    with pytest.raises(AddressRefusedError, match="is no address"):
        check_network(listening_at("127.0.0.1"), Network(proxy=proxy))


def test_a_proxy_is_believed_and_nobody_else(engine: Engine) -> None:
    make_accounts(engine)
    told = {
        "Host": "127.0.0.1",
        "X-Forwarded-For": "203.0.113.9",
        "X-Forwarded-Proto": "https",
        "X-Forwarded-Host": NAME,
    }
    link = new_link(SECRET, "")
    behind = DashboardSettings(access=Access(SECRET), network=Network(frozenset({NAME}), proxy="127.0.0.1"))
    with PageServer(engine, settings=behind) as server:
        assert forwarded(server, "/login", **told)[0] == 200
        assert forwarded(server, "/login", **{**told, "X-Forwarded-Proto": "http"})[0] == 403
        assert forwarded(server, "/login", **{**told, "X-Forwarded-Host": "evil.example"})[0] == 421
        # whoever comes through the proxy is far away, whatever they say of themselves
        assert forwarded(server, link, **told)[0] == 403
        assert forwarded(server, link, **{**told, "X-Forwarded-For": "127.0.0.1, 203.0.113.9"})[0] == 403
        # nor is it this computer where the proxy hands on what a visitor says, or is asked from here
        assert forwarded(server, link, **{**told, "X-Forwarded-For": "127.0.0.1"})[0] == 403
        plain = {**told, "X-Forwarded-For": "127.0.0.1", "X-Forwarded-Proto": "http"}
        assert forwarded(server, "/login", **plain)[0] == 403
    elsewhere = DashboardSettings(
        access=Access(SECRET), network=Network(frozenset({NAME}), proxy="203.0.113.1")
    )
    with PageServer(engine, settings=elsewhere) as server:
        # nobody else's word is taken, and who comes through another proxy on this computer is not this computer
        assert forwarded(server, "/login", **told)[0] == 403
        assert forwarded(server, link, **told)[0] == 403
        assert forwarded(server, link, Host="127.0.0.1")[0] == 303
