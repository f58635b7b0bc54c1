"""Rows of the table that need real clients against `mixdown serve`."""

from __future__ import annotations

import asyncio
import statistics

SETTLE, WATCH = 8.0, 14.0
"Seconds: until the browser's sender reports agree, and of flashes and beeps that count."
CHANGES = 20


def phones(seed: int) -> dict[str, float]:
    """An Opus, a G.722 and a PCMU client: dB of what each hears."""
    from support.phone_call import phone_call

    heard = asyncio.run(phone_call(seed))
    figures = {f"{codec}_others_db": others for codec, (others, _) in heard.items()}
    return figures | {"own_under_others_db": max(own - others for others, own in heard.values())}


def reactions(seed: int) -> dict[str, float]:
    """Milliseconds from a call of the API to the first packet at another client that has its effect."""
    from support.reaction import reactions

    figures: dict[str, float] = {}
    for what, seconds in asyncio.run(reactions(CHANGES)).items():
        figures[f"{what}_p50_ms"] = statistics.median(seconds) * 1000
        figures[f"{what}_worst_ms"] = max(seconds) * 1000
    return figures


def browser_lips(seed: int) -> dict[str, float]:
    """A flash and a beep at once in Chromium: how far apart in what the server sends, and in a call without it."""
    direct, mixed = asyncio.run(_browser_lips())
    usual = statistics.median(direct)
    return {
        "skew_p50_ms": abs(statistics.median(mixed) - usual) * 1000,
        "skew_worst_ms": max(abs(skew - usual) for skew in mixed) * 1000,
        "direct_p50_ms": usual * 1000,
        "direct_worst_off_ms": max(abs(skew - usual) for skew in direct) * 1000,
        "events": float(len(mixed)),
    }


async def _browser_lips() -> tuple[list[float], list[float]]:
    from support.chromium import chromium
    from support.lips import direct_skews, lips_page, mixed_skews
    from support.server import running_server

    async with chromium() as browser, running_server() as server:
        page = await lips_page(browser)
        direct = await direct_skews(page, WATCH, SETTLE)
        await page.close()
        page = await lips_page(browser)
        mixed = await mixed_skews(page, server.url, "lips", WATCH, SETTLE)
        await page.close()
        return direct, mixed
