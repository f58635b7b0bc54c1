"""VP8 through libvpx, for live composites. The options' reasons stand beside them; figures: 720p, one core."""

from __future__ import annotations

from mixdown.codecs.encoded import Tier, TierName
from mixdown.codecs.payload.vp8 import is_key
from mixdown.codecs.video import EncodedPicture, LibavEncoder
from mixdown.mixer.media import I420Frame

BUFFER_SECONDS = 0.5
"""Rate control's memory. A whole second lets the picture after a forced key frame grow to 1.5 times the key frame;
a quarter costs 0.15 dB all the time."""
INTRA, THIN_INTRA = 450, 200
"""% of a frame's share that a key frame may take: some 4.5 frame times on the wire, not 10. At the lowest step,
which is for lines that carry no more, 160 to 190 ms at its own rate, in place of 370 to 400."""
BASE_LAYER_SHARE = 0.6
"Of the bit rate, for the lower of two temporal layers (as libwebrtc does)."
_NEVER = 1 << 30


def _options(tier: Tier, layers: int) -> dict[str, str]:
    rate = tier.kbps * 1000
    options = {
        "deadline": "realtime",
        "cpu-used": "-10",  # 3.1 ms a frame against 3.7 at -6, for 0.03 dB less
        "lag-in-frames": "0",
        "auto-alt-ref": "0",
        "g": str(_NEVER),  # key frames on demand only, also not at a change of scene: the governor decides
        "keyint_min": str(_NEVER),
        "minrate": str(rate),  # minrate = maxrate = bit rate is what makes libvpx's rate control constant
        "maxrate": str(rate),
        "bufsize": str(int(rate * BUFFER_SECONDS)),
        "rc_init_occupancy": str(int(rate * BUFFER_SECONDS * 0.6)),
        "undershoot-pct": "100",
        "overshoot-pct": "15",
        "max-intra-rate": str(THIN_INTRA if tier.name is TierName.LOW else INTRA),
        "drop-threshold": "0",  # a dropped frame is a freeze for all watchers at once
        "qmin": "2",
        "qmax": "63",  # coarse before too large: no frame is dropped here, so the quantiser alone keeps the rate
        "static-thresh": "1",  # lets libvpx skip blocks that did not change at all: empty tiles, cards
        "noise-sensitivity": "0",  # the sources were denoised by their own encoders
    }
    if layers == 2:
        # Without error resilience the upper layer's probabilities leak into the lower one.
        options["error-resilient"] = "default"
        options["ts-parameters"] = (
            f"ts_number_layers=2:ts_target_bitrate={int(tier.kbps * BASE_LAYER_SHARE)},{tier.kbps}"
            ":ts_rate_decimator=2,1:ts_periodicity=2:ts_layer_id=0,1:ts_layering_mode=2"
        )
    return options


class Vp8Encoder(LibavEncoder):
    """layers: 1, or 2 temporal layers (0 1 0 1 ..., beginning anew at each key frame). Layer 1 refers to layer 0 only
    and nothing refers to it, so each of its pictures may be dropped and each is a sync point. Two layers cost 1.3 dB at
    the same rate, so a rendition has them only where somebody drops the upper one."""

    def __init__(self, tier: Tier, layers: int = 1) -> None:
        super().__init__("libvpx", tier, _options(tier, layers))
        self._layers = layers
        self._since_key = 0

    def encode(self, frame: I420Frame, n: int, key: bool) -> EncodedPicture | None:
        """See VideoEncoder."""
        data = self._encode(frame, n, key)
        if not data:
            return None
        made_key = is_key(data)
        self._since_key = 0 if made_key else self._since_key + 1
        layer = self._since_key % self._layers
        return EncodedPicture(data, made_key, layer, made_key or layer > 0)
