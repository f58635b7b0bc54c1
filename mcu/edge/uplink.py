"""What a peer may send together, told by REMB: as much as its tiles need, less while packets get lost. Pure.

A browser that gets arrival reports (`arrival_log.py`) finds its line's rate by itself, and takes this as its most.
"""

from __future__ import annotations

STEPS = ((180, 350_000), (270, 550_000), (360, 1_000_000), (540, 1_500_000), (720, 2_000_000))
"(height, bit/s): what a picture of so many lines is worth sending at; a little over what the join page asks for."
MOST = 2_500_000
"bit/s of anything larger, and of every screen: its text is to be read."
HIDDEN = 150_000
"bit/s of a picture that nobody sees: enough to have one at once when it gets a tile."
ENOUGH = 0.92
"Of a tile's height: a picture of a little less is not seen to be smaller."
SOUND = 100_000
SMALLER_AFTER = 4.0
"Seconds for which a tile must have been smaller: who speaks again soon is not throttled in between."
HEAVY_LOSS, LIGHT_LOSS = 0.1, 0.02
DOWN, UP = 0.85, 1.08
LEAST = 150_000


def worth(height: int) -> int:
    """bit/s for a tile of that height, canvas pixels; 0: hidden."""
    if height <= 0:
        return HIDDEN
    return next((rate for step, rate in STEPS if step >= height * ENOUGH), MOST)


class Uplink:
    """Of one peer. now: monotonic seconds."""

    def __init__(self) -> None:
        self._needs: dict[str, int] = {}
        self._smaller: dict[str, tuple[float, int]] = {}
        self._share = 1.0

    def want(self, source: str, need: int, now: float) -> bool:
        """A source's tile is worth so many bit/s. Whether it may send more from now on: worth telling at once."""
        known = self._needs.get(source)
        if known is None or need >= known:
            self._needs[source] = need
            self._smaller.pop(source, None)
            return known is not None and need > known
        since, _ = self._smaller.get(source, (now, need))
        self._smaller[source] = (since, need)
        return False

    def forget(self, source: str) -> None:
        self._needs.pop(source, None)
        self._smaller.pop(source, None)

    def on_loss(self, loss: float) -> None:
        """loss: 0..1, of the worst of its pictures in the last second."""
        if loss > HEAVY_LOSS:
            self._share *= DOWN
        elif loss < LIGHT_LOSS:
            self._share = min(1.0, self._share * UP)

    def limit(self, sources: list[str], now: float) -> int:
        """bit/s for those pictures together; as much as can be for those of which nothing was said yet."""
        for source, (since, need) in list(self._smaller.items()):
            if now - since >= SMALLER_AFTER:
                self._needs[source] = need
                del self._smaller[source]
        wanted = sum(self._needs.get(source, MOST) for source in sources)
        return max(LEAST, int(wanted * self._share)) + SOUND
