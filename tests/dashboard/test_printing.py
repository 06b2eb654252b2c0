import os
import re
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from sqlalchemy import Engine
from werkzeug.test import Client

from dashboard import printing
from dashboard.app import PageServer, create_app
from dashboard.errors import ExportError
from dashboard.exports import report_html
from dashboard.printing import find_browser, print_pdf


@pytest.fixture
def browser() -> Path:
    found = find_browser()
    if found is None:
        pytest.skip("no Chrome, Chromium or Edge on this machine")
    return found


def program(folder: Path, script: str) -> Path:
    """A stand-in for a browser."""
    file = folder / "browser"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def drawn(pdf: bytes) -> int:
    """Path operators on all pages: what charts are made of."""
    total = 0
    for stream in re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL):
        try:
            total += len(re.findall(rb"\b[lc]\n", zlib.decompress(stream)))
        except zlib.error:
            continue
    return total


def test_the_report_is_printed_with_its_charts(lesson_engine: Engine, browser: Path) -> None:
    page = report_html(lesson_engine, 1)
    pdf = print_pdf(page, browser)
    assert pdf.startswith(b"%PDF")
    assert 2 <= pages(pdf) <= 8
    without_charts = print_pdf(page.replace('id="chart-', 'id="none-'), browser)
    assert drawn(pdf) > drawn(without_charts) + 500


def test_nothing_is_left_in_the_temporary_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    seen = tmp_path.parent / f"{tmp_path.name}-seen"
    listing = f'ls -ld "$(dirname "$(echo "$*" | sed -n "s/.*--print-to-pdf=\\([^ ]*\\).*/\\1/p")")" > {seen}'
    with pytest.raises(ExportError, match="printed nothing"):
        print_pdf("<p>Ada</p>", program(tmp_path, listing))
    assert seen.read_text().startswith("drwx------")
    assert [file.name for file in tmp_path.iterdir()] == ["browser"]


def test_what_one_left_that_was_killed_while_it_printed_is_removed(
    tmp_path: Path, lesson_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, hanging = tmp_path / "tmp", program(tmp_path, f'echo > "{tmp_path}/printing"; exec sleep 60')
    temporary.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(temporary))
    (temporary / "classpulse-other").mkdir()
    printer = (
        "import sys\nfrom pathlib import Path\nfrom dashboard.printing import print_pdf\n"
        "print_pdf('<p>Ada</p>', Path(sys.argv[1]))"
    )

    def left() -> list[str]:
        return [page.parent.name for page in temporary.glob("*/report.html")]

    def kill_one() -> None:
        (tmp_path / "printing").unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", printer, str(hanging)],
            env={**os.environ, "TMPDIR": str(temporary)},
            process_group=0,
        ) as killed:
            deadline = time.monotonic() + 60
            while not (tmp_path / "printing").exists():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            # one that prints is left alone
            printing.remove_orphans()
            assert len(left()) == 1
            os.killpg(killed.pid, signal.SIGKILL)
        assert len(left()) == 1

    kill_one()
    with pytest.raises(ExportError, match="printed nothing"):
        print_pdf("<p>Ben</p>", program(tmp_path, "exit 3"))
    assert left() == []
    hanging = program(tmp_path, f'echo > "{tmp_path}/printing"; exec sleep 60')
    kill_one()
    with PageServer(lesson_engine):
        assert left() == []
    assert [one.name for one in temporary.iterdir()] == ["classpulse-other"]


def test_a_browser_that_hangs_is_given_up(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="did not print the report within 1 s"):
        print_pdf("<p>Ada</p>", program(tmp_path, "exec sleep 30"), seconds=1)


def test_without_a_browser_page_and_message_say_what_to_do(
    lesson_engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(printing, "find_browser", lambda: None)
    answer = Client(create_app(lesson_engine).server).get(
        "/sessions/1/report.pdf", headers={"Host": "127.0.0.1"}
    )
    assert answer.status_code == 503
    assert "Install one, or save the report as HTML" in answer.text


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="browser cannot be started"):
        print_pdf("<p>Ada</p>", tmp_path / "browser")
