"""Time from a fresh clone to the first interval of the demo on its page, with the versions already downloaded or not.

    python benchmarks/first_chart.py [--cold]

It installs as the README says, into an environment of its own. `--cold` downloads every package anew into an empty
cache. Needs git, nothing of the project installed.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
CACHE = Path(tempfile.gettempdir()) / "classpulse-first-chart"
"""Of packages; another run finds there what the one before has downloaded."""
ADDRESS = re.compile(r"http://[\d.:]+")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cold", action="store_true", help="start with an empty cache of packages")
    cold = parser.parse_args().cold
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "classpulse"
        subprocess.run(["git", "clone", "--quiet", str(REPOSITORY), str(clone)], check=True)
        subprocess.run([sys.executable, "-m", "venv", f"{folder}/venv"], check=True)
        python = next(path for path in Path(folder, "venv").glob("*/python*") if path.stem == "python")
        environment = {**os.environ, "HOME": folder, "PIP_CACHE_DIR": str(CACHE)}
        if cold:
            environment["PIP_CACHE_DIR"] = str(Path(folder) / "cache")
        install = [python, "-m", "pip", "install", "--quiet"]
        started = time.perf_counter()
        for what in (["-r", "requirements/run.txt"], ["--no-deps", "--no-build-isolation", "."]):
            subprocess.run([*install, *what], cwd=clone, env=environment, check=True)
        installed = time.perf_counter()
        demo = subprocess.Popen(
            [python.with_name("classpulse"), "demo", "--no-browser", "--port", "0", "--seconds", "120"],
            cwd=clone,
            env=environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            address = next(m.group() for m in map(ADDRESS.search, demo.stderr or ()) if m)
            served = time.perf_counter()
            while not first_interval_is_there(address):
                time.sleep(0.1)
            charted = time.perf_counter()
        finally:
            demo.terminate()
            demo.wait(30)
    print(
        f"install {installed - started:.1f} s, page {served - installed:.1f} s, first interval {charted - served:.1f} s"
    )
    print(f"from install to first chart {charted - started:.1f} s")


def first_interval_is_there(address: str) -> bool:
    try:
        with urllib.request.urlopen(f"{address}/health", timeout=5) as answer:  # noqa: S310 - our own page
            health = json.load(answer)
    except OSError:
        return False
    return bool(health.get("seconds_since_last_interval") is not None)


if __name__ == "__main__":
    main()
