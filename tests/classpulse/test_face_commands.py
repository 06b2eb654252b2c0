"""The commands of the two networks that find faces."""

import pytest
from typer.testing import CliRunner

from classpulse.cli import app
from classpulse.errors import UsageError


@pytest.mark.parametrize("network", ["face", "landmarks"])
def test_a_precision_that_is_none_is_refused_before_anything_is_read(network: str) -> None:
    answer = CliRunner().invoke(app, ["models", network, "export", "absent", "--precision", "half"])
    assert isinstance(answer.exception, UsageError)
    assert "auto, int8 or float32, not 'half'" in str(answer.exception)


def test_both_networks_are_trained_and_exported_and_measured_together() -> None:
    told = {
        name: CliRunner().invoke(app, ["models", name, "--help"]).stdout for name in ("face", "landmarks")
    }
    assert all(command in told["face"] for command in ("train", "export", "evaluate"))
    assert all(command in told["landmarks"] for command in ("train", "export"))
