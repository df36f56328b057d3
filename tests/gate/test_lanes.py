"""Lanes: one after another within one, side by side in two, and nothing stays of one that nobody is in."""

from __future__ import annotations

import asyncio

from outrider.gate.lanes import Lanes


def test_calls_of_one_agent_take_turns_in_order_and_the_lane_goes_with_the_last():
    lanes, seen = Lanes(), []

    async def call(agent: str, number: int) -> None:
        async with lanes.of(agent):
            seen.append((agent, number, "in"))
            await asyncio.sleep(0)
            seen.append((agent, number, "out"))

    async def go() -> None:
        await asyncio.gather(*(call(agent, number) for number in range(5) for agent in "ab"))

    asyncio.run(go())
    for agent in "ab":
        mine = [(number, what) for whose, number, what in seen if whose == agent]
        assert mine == [(number, what) for number in range(5) for what in ("in", "out")]
    assert seen[1][0] == "b"  # Which did not wait for the other agent's call to end.
    assert len(lanes) == 0


def test_a_call_that_is_given_up_while_it_waits_leaves_its_lane():
    lanes = Lanes()

    async def call(going: asyncio.Event, end: asyncio.Event) -> None:
        async with lanes.of("a"):
            going.set()
            await end.wait()

    async def go() -> None:
        going, end = asyncio.Event(), asyncio.Event()
        first = asyncio.create_task(call(going, end))
        await going.wait()
        second = asyncio.create_task(call(going, end))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        assert len(lanes) == 1
        end.set()
        await first
        assert len(lanes) == 0

    asyncio.run(go())
