"""Clients of three codecs in one room, each with its own: real transports, a server as users start it."""

from __future__ import annotations

import pytest
from support.phone_call import phone_call


@pytest.mark.slow
async def test_opus_g722_and_pcmu_hear_each_other_and_not_themselves() -> None:
    heard = await phone_call()
    for codec, (others, own) in heard.items():
        assert others > -22, (codec, others)
        assert own < others - 40, (codec, own, others)
