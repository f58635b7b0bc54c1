"""Which listeners lose packets and are to hear the encode with FEC. Pure, but for one reference that is swapped."""

from __future__ import annotations

PROTECT = 0.02
"Share of packets lost from which a listener is protected, at his first report of it."
RELEASE = 0.01
CALM_REPORTS = 10
"Reports in a row, one a second, at or below RELEASE before a listener goes back: each change costs a hand-over."


class LossWatch:
    """protected: subscribers; replaced, not changed, so any thread may read it."""

    def __init__(self) -> None:
        self.protected: frozenset[str] = frozenset()
        self._calm: dict[str, int] = {}

    def report(self, subscriber: str, loss: float) -> None:
        """loss: 0..1 of what was sent to the subscriber since the last report."""
        if subscriber in self.protected:
            self._calm[subscriber] = self._calm[subscriber] + 1 if loss <= RELEASE else 0
            if self._calm[subscriber] >= CALM_REPORTS:
                self.forget(subscriber)
        elif loss >= PROTECT:
            self._calm[subscriber] = 0
            self.protected |= {subscriber}

    def forget(self, subscriber: str) -> None:
        self._calm.pop(subscriber, None)
        self.protected -= {subscriber}
