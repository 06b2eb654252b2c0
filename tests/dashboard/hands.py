"""Controls for tests of the pages: they stand as a test says, and note what they are asked for."""

from dashboard.controls import Choices, Findings, Phase, RunStatus, Told, View, Wanted
from engagement.records import Mode


class Hands:
    """Implements `dashboard.controls.Controls` without a screen or an agent.

    Args:
        status: how it stands with the class.
        own: whether the class is one that these controls started.
        told: where the class is.
        choices: what is on the screen.
        findings: of the look that the page asks for.
        view: the last frame.
    """

    def __init__(
        self,
        status: RunStatus | None = None,
        *,
        own: bool = True,
        told: Told | None = None,
        choices: Choices | None = None,
        findings: Findings | None = None,
        view: View | None = None,
    ) -> None:
        self._status, self._own, self._told = status or RunStatus(Phase.IDLE), own, told
        self._choices, self._findings, self._view = choices or Choices(()), findings, view
        self.stopped = 0

    def suggestion(self) -> Wanted:
        return Wanted("Class", Mode.AGGREGATE, 2.0, "window")

    def told(self) -> Told | None:
        return self._told

    def tell(self, told: Told) -> None:
        raise NotImplementedError

    def choices(self) -> Choices:
        return self._choices

    def look(self, wanted: Wanted) -> int:
        return 1

    def findings(self) -> Findings | None:
        return self._findings

    def start(self, wanted: Wanted) -> None:
        raise NotImplementedError

    def stop(self) -> bool:
        self.stopped += 1
        return self._own

    def status(self) -> RunStatus:
        return self._status

    def view(self, *, blurred: bool) -> View | None:
        return self._view
