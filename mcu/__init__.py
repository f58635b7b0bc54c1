"""Rooms, participants, transport, HTTP, engines: the only layer with asyncio, aiortc, FastAPI and real clocks."""
