"""Junk at a steady rate, from wherever it is run: python -m support.flood SECONDS RATE '[["host", port], ...]'

Prints how many datagrams left. Needs nothing but the standard library, so that any namespace can run it.
"""

from __future__ import annotations

import json
import socket
import sys
import time

from support.hostile import datagrams

BATCHES = 200
"A second."


def flood(seconds: float, rate: int, addresses: list[tuple[str, int]]) -> int:
    junk = datagrams()
    sent = 0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        began = time.monotonic()
        for batch in range(round(seconds * BATCHES)):
            time.sleep(max(0.0, began + batch / BATCHES - time.monotonic()))
            for _ in range(rate // BATCHES):
                stranger.sendto(junk[sent % len(junk)], addresses[sent // len(junk) % len(addresses)])
                sent += 1
    return sent


if __name__ == "__main__":
    targets = [(host, port) for host, port in json.loads(sys.argv[3])]
    print(flood(float(sys.argv[1]), int(sys.argv[2]), targets))
