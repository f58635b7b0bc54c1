"""Rows of `make show-network`, one subject a module.

A row module has `ROWS: tuple[Row, ...]`; show_network finds it by that, nothing has to be registered:

    async def run(seed: int, seconds: float) -> list[Figure]:
        async with running_server() as server, emulated(["ann"], seed) as net:
            ...
        return [at_most("freezes of the tile, 2 % uplink loss", freezes, 1, "a minute")]

    ROWS = (Row("uplink", run, "uplink video loss 2 %", seconds=30),)

`seconds` is how long to measure; a quick run (`--quick`, and `make test-network`) gives fewer. Each row is run three
times, with seeds 1, 2, 3, and of each figure the worst is shown, the others beside it. A run that raises is a miss with
the reason in its note. Where a figure has a control (the direct call, the clean call, stock aiortc), it comes from the
same run. The network is tests/support/network/emulator.py.
"""
