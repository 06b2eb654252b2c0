"""Who is let in: links, logins, sessions that end, and what a stranger gets."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from time import perf_counter
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, update
from visiting import ADMIN, HERE, PASSWORD, SECRET, TEACHER, Browser, app_with_a_door, make_accounts
from werkzeug.security import generate_password_hash

from dashboard import attempts, links, passwords
from dashboard.door import AWAY, OPEN, Access
from dashboard.passwords import hash_password
from dashboard.visitors import visitor
from storage.accounts import remove_account, set_password
from storage.audit import AuditAction, audit_entries
from storage.database import writing
from storage.errors import StorageError
from storage.logins import IDLE, LONGEST
from storage.schema import LoginTable


@pytest.fixture
def server(engine: Engine) -> object:
    make_accounts(engine, "Algebra 9b")
    return app_with_a_door(engine)


@pytest.fixture
def browser(server: object) -> Browser:
    return Browser(server)  # type: ignore[arg-type]


@pytest.fixture
def another(server: object) -> Callable[..., Browser]:
    return lambda **more: Browser(server, **more)  # type: ignore[arg-type]


def age(engine: Engine, by: timedelta) -> None:
    """Let that much time pass for every login."""
    with writing(engine) as connection:
        connection.execute(
            update(LoginTable).values(
                made_at=datetime.now(UTC) - by, seen_at=datetime.now(UTC) - min(by, IDLE / 2)
            )
        )


def test_every_route_is_refused_without_a_session(engine: Engine) -> None:
    server = app_with_a_door(engine)
    stranger = Browser(server)
    stranger.get("/health")  # Dash makes its routes with the first request
    tried = 0
    for rule in server.url_map.iter_rules():
        path = re.sub(r"<int[^>]*:\w+>", "1", rule.rule)
        path = re.sub(r"<\w+:package_name>", "dash", path)
        path = re.sub(r"<(\w+:)?\w+>", "html", path)
        for method in sorted((rule.methods or set()) - {"HEAD"}):
            answer = stranger.client.open(
                path, method=method, base_url=HERE, headers={"Origin": HERE, "Accept": "*/*"}
            )
            tried += 1
            body = answer.get_data(as_text=True)
            if rule.endpoint in OPEN:
                assert answer.status_code < 500, path
                continue
            assert answer.status_code == 401, f"{method} {path}: {answer.status_code}"
            assert body == "Log in first." or "Open the pages" in body, path
    assert tried >= 30
    assert {rule.endpoint for rule in server.url_map.iter_rules()} > OPEN


def test_what_is_open_says_nothing_of_a_class(engine: Engine) -> None:
    from seed import Lesson

    lesson = Lesson(engine, datetime.now(UTC), interval=2, name="Secret Class")
    lesson.commit()
    stranger = Browser(app_with_a_door(engine))
    health = stranger.get("/health")
    assert health.get_json()["session"] == {"id": lesson.session_id, "mode": "individual"}
    for path in ("/health", "/login", "/enter?key=x", "/"):
        assert "Secret" not in stranger.get(path).get_data(as_text=True)


def test_a_link_lets_a_browser_in_once(engine: Engine) -> None:
    server = app_with_a_door(engine)
    first, second = Browser(server), Browser(server)
    link = links.new_link(SECRET, "", "/start")
    answer = first.get(link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/start")
    assert first.is_in
    # opened again in the same browser it is no fault
    assert first.get(link).status_code == 303
    late = second.get(link)
    assert late.status_code == 401
    assert "used already" in late.get_data(as_text=True)
    assert not second.is_in
    assert [entry.action for entry in audit_entries(engine)] == [AuditAction.LOGGED_IN]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "x",
        "\x00",
        "a.b.c",
        "é" * 5000,
        str(links.signer(bytes(48), "link").dumps("nonce")),  # another installation's
        str(links.signer(SECRET, "device").dumps("nonce")),  # signed for something else
        str(links.signer(SECRET, "link").dumps(["nonce"])),
    ],
    # a signed one holds the time of day, and is no name of a test
    ids=["nothing", "short", "NUL", "parts", "long", "elsewhere", "device", "list"],
)
def test_a_forged_link_opens_nothing(engine: Engine, key: str) -> None:
    stranger = Browser(app_with_a_door(engine))
    answer = stranger.get(f"/enter?{urlencode({'key': key})}")
    assert answer.status_code == 401
    assert not stranger.is_in


def test_a_link_is_too_old_after_an_hour(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    stranger = Browser(app_with_a_door(engine))
    link = links.new_link(SECRET, "")
    monkeypatch.setattr(links, "LIFETIME", timedelta(seconds=-1))
    assert stranger.get(link).status_code == 401
    monkeypatch.undo()
    assert stranger.get(link).status_code == 303


def test_a_link_opens_on_this_computer_only(engine: Engine) -> None:
    server = app_with_a_door(engine)
    link = links.new_link(SECRET, "")
    for address in ("192.168.1.20", "::ffff:192.168.1.20", "", "fd00::1"):
        assert Browser(server, address=address).get(link).status_code == 403
    assert Browser(server, address="::1").get(link).status_code == 303


def test_a_login_lets_in_and_leads_where_one_wanted_to_go(browser: Browser) -> None:
    refused = browser.get("/sessions/3?x=1")
    assert refused.status_code == 401
    assert 'name="after" value="/sessions/3?x=1"' in refused.get_data(as_text=True)
    answer = browser.log_in(TEACHER.upper(), after="/sessions/3?x=1")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sessions/3?x=1")
    assert browser.is_in
    assert browser.get("/login").headers["Location"] == "/"


@pytest.mark.parametrize(
    "after",
    ["//evil.example", "https://evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "",
     "/\t/evil.example", "/ok\r\nSet-Cookie: x=1", "evil.example", "/logout", "/login"],
)  # fmt: skip
def test_a_login_leads_to_no_other_site(browser: Browser, after: str) -> None:
    assert browser.log_in(TEACHER, after=after).headers["Location"] == "/"


def test_the_cookie_is_for_this_server_alone(browser: Browser, another: Callable[..., Browser]) -> None:
    plain = browser.log_in(TEACHER).headers.getlist("Set-Cookie")
    session = next(cookie for cookie in plain if cookie.startswith("classpulse-8050="))
    assert "HttpOnly" in session
    assert "SameSite=Strict" in session
    assert "Secure" not in session
    assert "Max-Age" not in session, "the browser forgets it when it is closed"
    assert all("HttpOnly" in cookie and "SameSite=Strict" in cookie for cookie in plain)
    secure = another(base="https://localhost:8050").log_in(TEACHER).headers.getlist("Set-Cookie")
    assert all("Secure" in cookie for cookie in secure)
    assert any(cookie.startswith("__Host-classpulse=") and "Domain" not in cookie for cookie in secure)


def test_a_changed_or_foreign_cookie_is_nothing(browser: Browser, another: Callable[..., Browser]) -> None:
    browser.log_in(TEACHER)
    cookie = browser.client.get_cookie("classpulse-8050", domain="localhost")
    assert cookie is not None
    payload, _, rest = cookie.value.partition(".")
    forged = [
        "",
        "x",
        cookie.value[:-2],
        f"{payload[:-1]}A.{rest}",
        payload,
        "e30.e30.e30",
        str(links.signer(bytes(48), "x").dumps({"login": "y"})),
        str(links.signer(SECRET, "x").dumps({"login": "y"})),
    ]
    for value in forged:
        stranger = another()
        stranger.client.set_cookie("classpulse-8050", value, domain="localhost")
        assert not stranger.is_in, value
    thief = another()
    thief.client.set_cookie("classpulse-8050", cookie.value, domain="localhost")
    assert thief.is_in
    browser.post("/logout")
    assert not thief.is_in, "logging out ends it on the server too"


def test_a_session_ends_by_itself(engine: Engine, browser: Browser) -> None:
    browser.log_in(TEACHER)
    age(engine, LONGEST - timedelta(minutes=1))
    assert browser.is_in
    age(engine, LONGEST)
    assert not browser.is_in


def test_logging_in_begins_a_session_of_its_own(browser: Browser) -> None:
    browser.come_by_link()
    before = browser.client.get_cookie("classpulse-8050", domain="localhost")
    browser.log_in(TEACHER)
    after = browser.client.get_cookie("classpulse-8050", domain="localhost")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_logging_out(browser: Browser, another: Callable[..., Browser]) -> None:
    second, admin = another(), another()
    for one, name in ((browser, TEACHER), (second, TEACHER), (admin, ADMIN)):
        one.log_in(name)
    browser.get("/logout")
    assert browser.is_in, "a link or a picture logs nobody out"
    assert browser.post("/logout").headers["Location"] == "/login"
    assert [browser.is_in, second.is_in] == [False, True]
    browser.log_in(TEACHER)
    browser.post("/logout", {"everywhere": "1"})
    assert [browser.is_in, second.is_in, admin.is_in] == [False, False, True]


def test_an_account_that_is_gone_or_has_another_password_is_out_at_once(
    engine: Engine, browser: Browser, another: Callable[..., Browser]
) -> None:
    browser.log_in(TEACHER)
    admin = another()
    admin.log_in(ADMIN)
    set_password(engine, TEACHER, "another hash", actor="test")
    assert not browser.is_in
    remove_account(engine, ADMIN, actor="test")
    assert not admin.is_in


def test_one_changes_ones_own_password(
    engine: Engine, browser: Browser, another: Callable[..., Browser]
) -> None:
    second = another()
    browser.log_in(TEACHER)
    second.log_in(TEACHER)
    wanted = "another horse battery"

    def change(password: str, new: str, again: str) -> tuple[int, str]:
        answer = browser.post("/account", {"password": password, "new-password": new, "again": again})
        return answer.status_code, answer.get_data(as_text=True)

    for form, said in (
        ((PASSWORD, wanted, "otherwise"), "not typed the same"),
        (("wrong", wanted, wanted), "present password is another"),
        ((PASSWORD, "short", "short"), "at least 12"),
        ((PASSWORD, "Password12345", "Password12345"), "Take three or four words"),
        ((PASSWORD, "aaaaaaaaaaaaaa", "aaaaaaaaaaaaaa"), "easily guessed"),
        ((PASSWORD, f"{TEACHER} 12345", f"{TEACHER} 12345"), "easily guessed"),
    ):
        status, text = change(*form)
        assert (status, said in text) == (400, True), text
    assert change(PASSWORD, wanted, wanted)[0] == 200
    assert [browser.is_in, second.is_in] == [True, False]
    assert second.log_in(TEACHER).status_code == 401
    assert second.log_in(TEACHER, wanted).status_code == 303
    assert AuditAction.ACCOUNT_CHANGED in {entry.action for entry in audit_entries(engine)}
    assert "horse" not in str(audit_entries(engine))


def test_the_present_password_is_not_guessed_by_who_finds_a_browser_open(browser: Browser) -> None:
    browser.log_in(TEACHER)
    form = {"new-password": "another horse battery", "again": "another horse battery"}
    said = [
        browser.post("/account", {"password": f"guess number {n}", **form}).get_data(as_text=True)
        for n in range(attempts.PER_DEVICE + attempts.PER_NAME + 1)
    ]
    assert "Too many tries" in said[-1]
    assert "Too many tries" not in said[-2]


def test_a_wrong_name_and_a_wrong_password_look_and_take_the_same(
    engine: Engine, another: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_password(engine, TEACHER, hash_password(PASSWORD, "nobody in particular"), actor="test")
    monkeypatch.setattr(attempts, "PER_NAME", 99)
    monkeypatch.setattr(attempts, "PER_ADDRESS", 99)

    def took(name: str) -> tuple[float, str]:
        visitor = another()
        start = perf_counter()
        answer = visitor.log_in(name, "not the password")
        assert answer.status_code == 401
        return perf_counter() - start, answer.get_data(as_text=True).replace(name, "")

    # by turns, and the quickest of each: what else this computer does comes on top
    known, unknown = zip(*((took(TEACHER), took("Nobody Here")) for _ in range(3)), strict=True)
    assert known[0][1] == unknown[0][1]
    # scrypt is nearly all of it; both are hashed
    ratio = min(time for time, _ in unknown) / min(time for time, _ in known)
    assert 0.4 < ratio < 2.5


def test_a_name_that_is_tried_too_often_is_locked_for_strangers_only(
    engine: Engine, browser: Browser, another: Callable[..., Browser]
) -> None:
    browser.log_in(TEACHER)
    browser.post("/logout")
    stranger = another(address="10.9.9.9")
    statuses = [stranger.log_in(TEACHER, f"guess number {n}").status_code for n in range(8)]
    assert statuses == [401] * attempts.PER_NAME + [429] * 3
    # also with the right password: who guesses it at last does not learn it
    locked = stranger.log_in(TEACHER)
    assert locked.status_code == 429
    assert 0 < int(locked.headers["Retry-After"]) <= attempts.WINDOW
    assert "Too many tries" in locked.get_data(as_text=True)
    assert another(address="10.8.8.8").log_in(TEACHER).status_code == 429
    # the teacher's own browser is known and gets in
    assert browser.log_in(TEACHER).status_code == 303
    # and so does another account
    assert another(address="10.8.8.8").log_in(ADMIN).status_code == 303
    log = [(entry.action, entry.actor) for entry in audit_entries(engine)]
    assert log.count((AuditAction.LOGIN_FAILED, TEACHER)) == attempts.PER_NAME
    assert log.count((AuditAction.LOCKED_OUT, TEACHER)) == 1


def test_an_address_that_tries_many_names_is_locked(
    another: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "_NOBODYS", generate_password_hash("nobody's", "scrypt:1024:8:1"))
    stranger = another(address="10.9.9.9")
    statuses = [stranger.log_in(f"name {n}", "guess").status_code for n in range(attempts.PER_ADDRESS + 2)]
    assert statuses == [401] * attempts.PER_ADDRESS + [429] * 2
    assert another(address="10.9.9.10").log_in(TEACHER).status_code == 303


def test_the_log_keeps_no_name_that_nobody_has(engine: Engine, browser: Browser) -> None:
    # somebody types the password into the wrong field
    browser.log_in(PASSWORD, "x")
    newest = audit_entries(engine)[0]
    assert (newest.action, newest.actor, newest.subject) == (
        AuditAction.LOGIN_FAILED,
        "unknown account",
        None,
    )
    assert PASSWORD not in str(audit_entries(engine))


@pytest.mark.parametrize(
    "name", ["", " ", "\x00", "\ud800", "x" * 100_000, "<script>alert(1)</script>", "' OR 1=1 --"]
)
def test_hostile_names_are_wrong_names(browser: Browser, name: str) -> None:
    answer = browser.log_in(name.encode("utf-8", "replace").decode(), "\x00\ufffe" * 9)
    assert answer.status_code == 401
    assert "<script" not in answer.get_data(as_text=True)


def test_forms_of_other_sites_are_refused(browser: Browser) -> None:
    browser.log_in(TEACHER)
    for path in ("/login", "/logout", "/account"):
        for headers in (
            {},
            {"Origin": "http://evil.example"},
            {"Origin": "null"},
            {"Sec-Fetch-Site": "cross-site"},
            {"Origin": HERE, "Sec-Fetch-Site": "cross-site"},
            {"Origin": "http://localhost:9999"},
        ):
            answer = browser.client.post(path, base_url=HERE, data={}, headers=headers)
            assert answer.status_code == 403, (path, headers)
    assert browser.is_in


def test_plain_http_from_elsewhere_is_refused(engine: Engine) -> None:
    from dashboard.app import DashboardSettings, create_app

    make_accounts(engine)
    settings = DashboardSettings(access=Access(SECRET, loopback_only=False))
    server = create_app(engine, settings, addresses=frozenset({"*"})).server
    far = Browser(server, address="192.168.1.20", base="http://192.168.1.7:8050")
    assert far.log_in(ADMIN).status_code == 403
    assert far.get("/login").status_code == 403
    assert (
        Browser(server, address="192.168.1.20", base="https://192.168.1.7:8050").log_in(ADMIN).status_code
        == 303
    )
    assert Browser(server).log_in(ADMIN).status_code == 303


def test_the_pages_of_the_door_carry_the_protecting_headers_and_labels(browser: Browser) -> None:
    pages = [browser.get("/login")]
    browser.log_in(TEACHER)
    pages.append(browser.get("/account"))
    for page in pages:
        text = page.get_data(as_text=True)
        assert page.headers["Cache-Control"] == "no-store"
        assert "frame-ancestors 'none'" in page.headers["Content-Security-Policy"]
        assert "<script" not in text
        assert "http://" not in text.replace("http://www.w3.org", "")
        visible = re.findall(r'<input id="([\w-]+)"', text)
        assert visible
        assert all(f'for="{field}"' in text for field in visible)
        assert text.count("autocomplete=") >= len(visible)


def test_while_the_database_is_away_nobody_manages_and_every_address_says_so(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_accounts(engine, "Algebra 9b")
    server = app_with_a_door(engine)
    admin, stranger = Browser(server), Browser(server)
    who: list[bool] = []
    server.add_url_rule("/who", "who", lambda: (who.append(visitor().is_admin), "")[1])  # type: ignore[union-attr]

    def ask() -> str:
        raise StorageError("The database cannot be reached: mount its disk.")

    server.add_url_rule("/ask", "ask", ask)
    now = [1000.0]
    monkeypatch.setattr("dashboard.door.time.monotonic", lambda: now[0])
    admin.log_in(ADMIN)
    assert admin.get("/who").status_code == 200

    def away(*_args: object, **_named: object) -> None:
        raise StorageError("The database cannot be reached: mount its disk.")

    for place in ("logins.find_login", "accounts.has_accounts", "accounts.password_hash"):
        monkeypatch.setattr(f"dashboard.door.{place}", away)
    monkeypatch.setattr("dashboard.health.take_pulse", away)
    health = stranger.get("/health")
    assert (health.status_code, health.get_json()) == (503, {"status": "no database", "session": None})
    # where it lies, and under whose name it is asked, is nobody's business who is not in
    for path in ("/", "/login", "/settings", "/enter?key=x"):
        answer = stranger.get(path)
        assert (answer.status_code, answer.get_data(as_text=True)) == (503, AWAY), path
    answer = stranger.log_in(ADMIN)
    assert (answer.status_code, answer.get_data(as_text=True)) == (503, AWAY)
    # who was in may see what is wrong for a minute, but is no admin of what cannot be asked
    assert admin.get("/who").status_code == 200
    assert who == [True, False]
    assert "mount its disk" in admin.get("/ask").get_data(as_text=True)
    now[0] += 61
    answer = admin.get("/who")
    assert (answer.status_code, answer.get_data(as_text=True)) == (503, AWAY)


def test_a_secret_is_long() -> None:
    with pytest.raises(ValueError, match="32"):
        Access(b"short")
