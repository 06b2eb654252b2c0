"""How long the report of a one-hour class of 49 seats takes: to open, and to export in each format.

python -m benchmarks.report_speed [--database FILE] [--formats csv html ...]

Times on the wall and of the processor (children included). `page` is what the server does to open the report;
`command` is `classpulse report` as a teacher types it, from its start to its file, all modules compiled (one is run
before, untimed).
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Engine

from benchmarks.as_installed import environment
from dashboard import shell
from dashboard.exports import FORMATS
from dashboard.material import read_material
from dashboard.pages import report
from storage.database import default_url, open_database
from storage.migrate import migrate

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "dashboard"))

SEATS, MINUTES = 49, 60


def fill(engine: Engine) -> None:
    from seed import NAMES, seed

    names = [f"{NAMES[seat % len(NAMES)]} {seat}" for seat in range(SEATS)]
    seed(engine, minutes=MINUTES, names=names).close()


def timed(what: str, work: Callable[[], object], most: float) -> None:
    before, wall = processor(), time.perf_counter()
    work()
    took, used = time.perf_counter() - wall, processor() - before
    print(f"{what:<16} {took:6.2f} s wall {used:6.2f} s processor   (at most {most:g} s)")


def processor() -> float:
    own, children = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    return own.ru_utime + own.ru_stime + children.ru_utime + children.ru_stime


def open_page(engine: Engine) -> str:
    viewer = shell.viewer_of({"scheme": "light", "zone": "Europe/Berlin"})
    parts = report.body(read_material(engine, 1, viewer.zone), viewer)
    return json.dumps([part.to_plotly_json() for part in parts], default=lambda one: one.to_plotly_json())


def command(url: str, suffix: str, folder: Path) -> None:
    out = folder / f"report.{suffix}"
    subprocess.run(
        [
            sys.executable,
            "-m",
            "classpulse",
            "report",
            "1",
            "--database",
            url,
            "--format",
            suffix,
            "--out",
            str(out),
        ],
        check=True,
        capture_output=True,
        env=environment(folder),
    )
    assert out.stat().st_size > 1000


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", type=Path, help="a file that is kept and used again")
    parser.add_argument("--formats", nargs="*", default=list(FORMATS))
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        url = f"sqlite:///{given.database}" if given.database else default_url(folder)
        filled = given.database is not None and given.database.exists()
        engine = open_database(url)
        migrate(engine)
        if not filled:
            fill(engine)
        for turn in ("first", "again"):
            timed(f"page, {turn}", lambda: open_page(engine), 2)
        for suffix in given.formats:
            command(url, suffix, folder)
            most = 15 if suffix == "pdf" else 5
            timed(f"export {suffix}", lambda suffix=suffix: FORMATS[suffix].make(engine, 1), most)
            timed(f"command {suffix}", lambda suffix=suffix: command(url, suffix, folder), most)
        engine.dispose()


if __name__ == "__main__":
    main()
