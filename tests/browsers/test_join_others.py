"""What others decide, and what devices do, in the middle of a call: held by the page, said, and seen elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from playwright.async_api import Browser
from support.devices import several_devices
from support.meeting import COLOUR_TOLERANCE
from support.scene import PATIENCE, SCREEN, SCREEN_TOLERANCE, Scene, scene, until
from support.server import Server
from support.sources import source

OTHER = source(8, "the other camera")
HEARD, SILENT = -40.0, -60.0
CAPTURED = "__shared.some(({ readyState }) => readyState === 'live')"
OFFER = "mixdown.pc.localDescription.sdp.match(/o=.*/)[0]"


@pytest.mark.parametrize("name", ["chromium", "firefox"])
async def test_what_others_decide_and_devices_do(name: str, server: Server, browser: Browser) -> None:
    async with scene(name, server, browser, "others") as here:
        await _make_moderator(here)
        await _camera_taken_off(here)
        await _share_ended(here)
        await _renamed_and_shown_another_view(here)
        await _laid_out_anew(here)
        await _devices(here, tones=name == "chromium")
        await _only_watching(here)
        await _ended_while_sharing(here)


async def _make_moderator(here: Scene) -> None:
    """Of the watcher."""
    watcher = await here.watcher.participant()
    await here.server.api.call("PATCH", f"/v1/rooms/{here.room}/participants/{watcher}", {"role": "moderator"})
    toast = "document.querySelector('mx-stage [data-part=toast]').textContent"
    await here.watcher.until(f"{toast} === 'You are a moderator now.'", PATIENCE)


async def _by_moderator(here: Scene, **change: Any) -> None:
    token = await here.watcher.evaluate("JSON.parse(sessionStorage.getItem('mixdown.session')).token")
    headers = {"Authorization": f"Bearer {token}"}
    answer = await here.server.api.raw("PATCH", here.path, json=change, headers=headers)
    assert answer.status_code == 200, answer.text


async def _camera_taken_off(here: Scene) -> None:
    await _by_moderator(here, video_muted=True)
    await here.told("Your camera was turned off by a moderator.")
    await here.actor.until("mixdown.pc.getSenders()[1].track === null", PATIENCE)
    await here.says(video__muted=True, video__muted_by="moderator")
    await here.click("camera")
    await here.says(video__muted=False, video__muted_by=None)
    await here.until_seen("camera", here.actor.source, COLOUR_TOLERANCE)


async def _share_ended(here: Scene) -> None:
    actor = here.actor
    await here.click("screen", twice=True)  # asked once, shared once
    await here.until_seen("screen", SCREEN, SCREEN_TOLERANCE)
    await _by_moderator(here, screen=False)
    await here.told("Your screen share was ended by a moderator.")
    assert not await actor.evaluate(CAPTURED), "it is captured still"
    assert await actor.evaluate("mixdown.pc.getSenders()[2].track === null")
    assert await actor.evaluate("document.querySelector('mx-stage [data-part=screen]').ariaPressed") == "false"
    assert await actor.evaluate("document.querySelector('[data-part=sharing]').hidden")
    await here.until_no_tile("screen")


async def _renamed_and_shown_another_view(here: Scene) -> None:
    await here.server.api.call("PATCH", here.path, {"name": "Ada <b>", "view": "auto-grid"})
    await here.told("Ada <b>\u2069 now.")
    checked = "document.querySelector('[data-view][aria-checked=true]').dataset.view"
    await here.actor.until(f"{checked} === 'auto-grid'", PATIENCE)
    assert await here.actor.evaluate("JSON.parse(sessionStorage.getItem('mixdown.session')).name") == "Ada <b>"
    await here.actor.evaluate("document.querySelector('[data-view=main]').click()")
    await here.says(view="main", name="Ada <b>")


async def _laid_out_anew(here: Scene) -> None:
    """One's own picture lies in its tile as the server draws it."""
    whole = "document.querySelector('mx-stage [data-part=self]').classList.contains('whole')"
    for fit, holds in (("letterbox", whole), ("crop", f"!{whole}")):
        await here.server.api.call("PUT", f"/v1/rooms/{here.room}/layout", {"layout": "grid", "fit": fit})
        await here.actor.until(holds, PATIENCE)


async def _devices(here: Scene, *, tones: bool) -> None:
    """Chosen in the dialogue, unplugged, refused. tones: each microphone has its own."""
    actor, colours = here.actor, here.actor.source
    await several_devices(actor, replace(OTHER, fake_microphone=not tones))
    offer = await actor.evaluate(OFFER)
    sent = "mixdown.pc.getSenders()[0].track.label"

    await _choose(here, "cameras", "cam-b")
    await here.until_seen("camera", OTHER, COLOUR_TOLERANCE)
    await _choose(here, "microphones", "mic-b")
    await actor.until(f"{sent} === 'Microphone B'", PATIENCE)
    if tones:
        await here.until_heard(OTHER.tone, over=HEARD)
        await here.until_heard(colours.tone, under=SILENT)

    await actor.evaluate("__unplug('cam-b')")
    await here.told("The camera went away. “Camera A” is used now.")
    await here.until_seen("camera", colours, COLOUR_TOLERANCE)
    await actor.evaluate("__unplug('mic-b')")
    await here.told("The microphone went away. “Microphone A” is used now.")
    await actor.until(f"{sent} === 'Microphone A'", PATIENCE)
    if tones:
        await here.until_heard(colours.tone, over=HEARD)
        await here.until_heard(OTHER.tone, under=SILENT)

    await actor.evaluate("__refuse(true), __unplug('cam-a'), __plug('cam-a')")
    await here.told("The camera went away.")
    await here.says(video__muted=True)
    await here.click("camera")
    await here.told("The camera was not allowed.")
    await actor.evaluate("__refuse(false)")
    await here.click("camera", twice=True)
    await here.says(video__muted=False)
    await here.until_seen("camera", colours, COLOUR_TOLERANCE)
    assert await actor.evaluate(OFFER) == offer, "another device took another offer"


async def _choose(here: Scene, part: str, device: str) -> None:
    actor = here.actor
    await here.click("devices")
    await actor.until("document.querySelector('[data-part=devices-dialog]').open", PATIENCE)
    select = f"document.querySelector('[data-part=devices-dialog] [data-part={part}]')"
    await actor.until(f"{select}.checkVisibility() && {select}.options.length === 2", PATIENCE)
    await actor.evaluate(f"{select}.value = '{device}', {select}.dispatchEvent(new Event('change'))")
    await actor.evaluate("document.querySelector('[data-part=devices-dialog]').close()")


async def _only_watching(here: Scene) -> None:
    actor = here.actor
    disabled = (
        "['mic', 'camera', 'screen', 'hand'].map("
        "(part) => document.querySelector(`mx-stage [data-part=${part}]`).disabled)"
    )
    await here.click("screen")
    await here.until_seen("screen", SCREEN, SCREEN_TOLERANCE)
    await here.server.api.call("PATCH", here.path, {"role": "viewer"})
    await here.told("You only watch now: nobody sees or hears you.")
    assert await actor.evaluate(disabled) == [True] * 4
    assert not await actor.evaluate(CAPTURED)
    await actor.until(
        "mixdown.pc.getSenders()[1].track === null && !mixdown.pc.getSenders()[0].track.enabled", PATIENCE
    )
    await here.until_no_tile("camera")
    await here.until_no_tile("screen")
    await here.says(audio__muted=True, video__muted=True)

    await here.server.api.call("PATCH", here.path, {"role": "participant"})
    await here.told("You take part again.")
    assert await actor.evaluate(disabled) == [False] * 4
    await here.click("mic")
    await here.click("camera")
    await here.says(audio__muted=False, video__muted=False)
    await here.until_seen("camera", actor.source, COLOUR_TOLERANCE)
    await here.until_heard(actor.source.tone, over=HEARD)


async def _ended_while_sharing(here: Scene) -> None:
    actor = here.actor
    await actor.evaluate("window.__camera = mixdown.pc.getSenders()[1].track, window.__offered = mixdown.pc")
    await here.click("screen")
    await here.until_seen("screen", SCREEN, SCREEN_TOLERANCE)
    await here.server.api.call("DELETE", f"/v1/rooms/{here.room}")
    await actor.until("!document.querySelector('mx-lobby').hidden", PATIENCE)
    notice = await actor.evaluate("document.querySelector('mx-lobby [data-part=notice]').textContent")
    assert notice == "The meeting was ended for everybody."
    assert not await actor.evaluate(CAPTURED)
    assert await actor.evaluate("__camera.readyState === 'ended' && __offered.connectionState === 'closed'")

    async def watcher_out() -> bool:
        return bool(await here.watcher.evaluate("mixdown.state === 'ended'"))

    await until("the watcher is out, too", watcher_out)
