"""The one place through which onnxruntime is reached: how its sessions run, and that it keeps its telemetry off."""

import os
from pathlib import Path
from typing import Any


def new_session(model: bytes | Path, threads: int) -> Any:
    """An `onnxruntime.InferenceSession` on the CPU; it writes no file and sends nothing.

    Args:
        model: ONNX, as bytes or as the path of a file.
        threads: for one run, 1 or more.
    """
    # Since 1.31 each process would keep a device id and a database of events under the user's home. The variable is
    # read when the library is loaded, and whatever it said before: nothing of a class leaves this computer.
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    # Windows has a telemetry of its own, which the variable does not reach
    onnxruntime.disable_telemetry_events()
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # threads that wait by spinning take the cores that the meeting itself runs on
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # the arena keeps the peak of every batch size seen; a gallery changes size all the time
    options.enable_cpu_mem_arena = False
    source = model if isinstance(model, bytes) else str(model)
    return onnxruntime.InferenceSession(source, sess_options=options, providers=["CPUExecutionProvider"])
