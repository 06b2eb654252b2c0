"""onnxruntime as classpulse runs it: no trace of it is left in the user's home."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path


def test_the_networks_leave_nothing_in_the_home_of_the_user(tmp_path: Path) -> None:
    script = textwrap.dedent(
        """
        import numpy as np
        from inference.mtcnn_networks import load_networks
        from inference.label_text import find_text
        from inference.recognition import TextRecognizer

        load_networks(threads=1).rnet.run(None, {"image": np.zeros((1, 24, 24, 3), np.uint8)})
        strip = np.full((30, 100, 3), 20, np.uint8)
        strip[8:20, 10:60:8] = strip[8:20, 11:60:8] = 240
        TextRecognizer(threads=1).read(find_text(strip))
        """
    )
    # the places where a library may keep files of its own all lie below this home
    elsewhere = ("XDG_", "ORT_", "PYTHONPYCACHEPREFIX")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(elsewhere)}
    environ |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    # what the user or the system had set does not switch it on again
    environ["ORT_DISABLE_TELEMETRY"] = "0"
    result = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=False, timeout=100
    )
    assert result.returncode == 0, result.stderr
    assert list(tmp_path.rglob("*")) == []
