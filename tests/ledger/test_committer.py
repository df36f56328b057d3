"""Group commit on the event loop."""

from __future__ import annotations

import asyncio
import os
import threading

import pytest

from outrider.errors import RecordError, UnavailableError


async def until(holds) -> None:
    """Give the committer's thread its turns until something holds."""
    async with asyncio.timeout(10):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0)


def test_an_awaited_event_is_durable(open_ledger, plain):
    async def go() -> None:
        ledger = open_ledger()
        n = ledger.append(plain())
        await ledger.durable(n)
        assert ledger.durable_size == 1
        await ledger.durable(n)
        ledger.close()

    asyncio.run(go())


def test_what_waits_while_a_flush_is_under_way_goes_out_in_the_next_one_together(open_ledger, plain, monkeypatch):
    flushes, real = [], os.fdatasync
    entered, leave = threading.Event(), threading.Event()

    def slow(fd: int) -> None:
        flushes.append(fd)
        if len(flushes) == 1:
            entered.set()
            leave.wait()
        real(fd)

    async def go() -> None:
        ledger = open_ledger(clock=lambda: 0)
        ledger.append(plain())
        ledger.flush()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", slow)
            first = asyncio.create_task(ledger.durable(ledger.append(plain())))
            await asyncio.to_thread(entered.wait)
            others = [asyncio.create_task(ledger.durable(ledger.append(plain()))) for _ in range(50)]
            await asyncio.sleep(0)
            leave.set()
            await asyncio.gather(first, *others)
            assert len(flushes) == 2
        ledger.close()

    asyncio.run(go())


def test_waiters_learn_that_the_disk_refused_and_the_next_ones_that_it_takes_again(open_ledger, plain, monkeypatch):
    def full(fd: int, data: object, at: int) -> int:
        raise OSError(28, "No space left on device")

    async def go() -> None:
        ledger = open_ledger()
        await ledger.durable(ledger.append(plain()))
        with monkeypatch.context() as patch:
            patch.setattr(os, "pwrite", full)
            waits = [ledger.durable(ledger.append(plain())) for _ in range(1)]
            for outcome in await asyncio.gather(*waits, return_exceptions=True):
                assert isinstance(outcome, RecordError)
            with pytest.raises(RecordError):
                ledger.append(plain())
        await ledger.durable(ledger.append(plain()))
        assert ledger.durable_size == 3
        ledger.close()

    asyncio.run(go())


def test_a_waiter_that_was_cancelled_disturbs_no_other(open_ledger, plain):
    async def go() -> None:
        ledger = open_ledger()
        tasks = [asyncio.create_task(ledger.durable(ledger.append(plain()))) for _ in range(10)]
        await asyncio.sleep(0)
        tasks[3].cancel()
        outcomes = await asyncio.gather(*tasks, return_exceptions=True)
        assert [type(o) for o in outcomes].count(asyncio.CancelledError) <= 1
        assert outcomes[:3] + outcomes[4:] == [None] * 9
        ledger.close()

    asyncio.run(go())


def test_an_idle_ledger_is_sealed_by_itself(open_ledger, plain):
    async def go() -> None:
        ledger = open_ledger()
        await ledger.durable(ledger.append(plain()))
        await ledger.durable(ledger.append(plain(), seal=True))
        await until(lambda: ledger.checkpoint.size == 2)
        ledger.close()

    asyncio.run(go())


def test_what_nobody_waits_for_is_committed_all_the_same(open_ledger, plain):
    async def go() -> None:
        ledger = open_ledger()
        await ledger.durable(ledger.append(plain()))
        ledger.append(plain())
        await until(lambda: ledger.durable_size == 2)
        ledger.close()

    asyncio.run(go())


def test_thousands_of_waiters_are_all_told_and_the_order_of_the_record_is_theirs(open_ledger, plain):
    async def one(ledger, done: list[int]) -> None:
        for _ in range(50):
            n = ledger.append(plain())
            await ledger.durable(n)
            assert ledger.durable_size > n
            done.append(n)

    async def go() -> None:
        ledger, done = open_ledger(), []
        await asyncio.gather(*(one(ledger, done) for _ in range(64)))
        assert sorted(done) == list(range(3200))
        ledger.close()

    asyncio.run(go())


def test_the_committer_ends_when_its_loop_is_gone_and_the_ledger_can_still_be_closed(open_ledger, plain):
    ledger = open_ledger()

    async def go() -> None:
        await ledger.durable(ledger.append(plain()))

    asyncio.run(go())
    ledger.append(plain())
    ledger.close()
    with pytest.raises(UnavailableError):
        ledger.append(plain())
    assert open_ledger().size == 2
