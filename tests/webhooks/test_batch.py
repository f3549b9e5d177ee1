"""Group ingest: who waits for whom, and what one bad item does to the others."""

import asyncio
from collections.abc import Sequence

import pytest

from webhooks.batch import Batcher, Committing, QueueFullError


async def test_what_arrives_together_is_handled_together() -> None:
    sizes: list[int] = []

    async def handle(items: Sequence[int], committing: Committing) -> list[int]:
        sizes.append(len(items))
        return [item * 2 for item in items]

    batcher = Batcher(handle, key=lambda item: item)
    answers = await asyncio.gather(*(batcher.submit(item) for item in range(100)))
    assert answers == [item * 2 for item in range(100)]
    assert len(sizes) < 10


async def test_a_lone_item_waits_for_nobody() -> None:
    async def handle(items: Sequence[str], committing: Committing) -> list[str]:
        return list(items)

    assert await asyncio.wait_for(Batcher(handle, key=len).submit("alone"), 1) == "alone"


async def test_one_bad_item_harms_nobody_else() -> None:
    async def handle(items: Sequence[str], committing: Committing) -> list[str]:
        if "poison" in items:
            raise ValueError("cannot be stored")
        return list(items)

    batcher = Batcher(handle, key=lambda item: item)
    items = ["a", "poison", "b"]
    answers = await asyncio.gather(
        *(batcher.submit(item) for item in items), return_exceptions=True
    )
    assert answers[0] == "a"
    assert answers[2] == "b"
    assert isinstance(answers[1], ValueError)


async def test_items_of_one_key_never_run_at_once_and_keep_their_order() -> None:
    running: set[str] = set()
    order: list[tuple[str, int]] = []
    gate = asyncio.Event()

    async def handle(items: Sequence[tuple[str, int]], committing: Committing) -> list[None]:
        names = {name for name, _ in items}
        assert not names & running
        running.update(names)
        await gate.wait()
        order.extend(items)
        running.difference_update(names)
        return [None] * len(items)

    batcher = Batcher(handle, key=lambda item: item[0], lanes=3, largest_batch=3)
    waiting = [
        asyncio.create_task(batcher.submit((name, index)))
        for index in range(10)
        for name in ("ana", "ben")
    ]
    await asyncio.sleep(0)
    gate.set()
    await asyncio.gather(*waiting)
    assert [index for name, index in order if name == "ana"] == list(range(10))
    assert [index for name, index in order if name == "ben"] == list(range(10))


async def test_free_lanes_share_what_waits() -> None:
    """One lane with everything would leave the other nothing to do, and then the database."""
    running: list[int] = []
    both, gate = asyncio.Event(), asyncio.Event()

    async def handle(items: Sequence[int], committing: Committing) -> list[int]:
        running.append(len(items))
        if len(running) == 2:
            both.set()
        await gate.wait()
        return list(items)

    batcher = Batcher(handle, key=lambda item: item)
    waiting = [asyncio.create_task(batcher.submit(item)) for item in range(32)]
    await asyncio.wait_for(both.wait(), 5)
    assert running == [16, 16]
    gate.set()
    assert await asyncio.gather(*waiting) == list(range(32))


async def test_a_few_wait_for_the_batch_that_runs_and_are_then_done_together() -> None:
    begun: list[list[int]] = []
    started, gate = asyncio.Event(), asyncio.Event()

    async def handle(items: Sequence[int], committing: Committing) -> list[int]:
        begun.append(list(items))
        started.set()
        await gate.wait()
        return list(items)

    batcher = Batcher(handle, key=lambda item: item)
    waiting = [asyncio.create_task(batcher.submit(0))]
    await started.wait()
    waiting += [asyncio.create_task(batcher.submit(item)) for item in range(1, 6)]
    for _ in range(10):
        await asyncio.sleep(0)
    assert begun == [[0]]
    gate.set()
    assert await asyncio.gather(*waiting) == list(range(6))
    assert begun == [[0], [1, 2, 3, 4, 5]]


async def test_nobody_waits_for_a_batch_that_takes_long() -> None:
    started, lock = asyncio.Event(), asyncio.Event()

    async def handle(items: Sequence[str], committing: Committing) -> list[str]:
        if "locked" in items:
            started.set()
            await lock.wait()
        return list(items)

    batcher = Batcher(handle, key=lambda item: item)
    locked = asyncio.create_task(batcher.submit("locked"))
    await started.wait()
    assert await asyncio.wait_for(batcher.submit("first"), 5) == "first"
    assert await asyncio.wait_for(batcher.submit("second"), 5) == "second"
    lock.set()
    assert await locked == "locked"


async def test_what_a_lane_leaves_does_not_wait_for_its_lock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two dozen whose earlier items were all in one batch wait when that ends; no more arrive."""
    monkeypatch.setattr("webhooks.batch._PATIENCE_SECONDS", 0)
    begun = {word: asyncio.Event() for word in ("lone", "early")}
    gates = {word: asyncio.Event() for word in ("lone", "early")}
    lock = asyncio.Event()

    async def handle(items: Sequence[tuple[int, str]], committing: Committing) -> list[None]:
        word = items[0][1]
        if word in begun:
            begun[word].set()
            await gates[word].wait()
        elif (0, "late") in items:
            await lock.wait()
        return [None] * len(items)

    batcher = Batcher(handle, key=lambda item: item[0])
    lone = asyncio.create_task(batcher.submit((99, "lone")))
    await begun["lone"].wait()
    early = [asyncio.create_task(batcher.submit((one, "early"))) for one in range(24)]
    await begun["early"].wait()
    gates["lone"].set()
    await lone
    late = [asyncio.create_task(batcher.submit((one, "late"))) for one in range(24)]
    for _ in range(20):
        await asyncio.sleep(0)  # patience is lost while nobody's turn has come
    gates["early"].set()
    await asyncio.gather(*early)
    done, _ = await asyncio.wait(late, timeout=5, return_when=asyncio.FIRST_COMPLETED)
    assert done
    lock.set()
    await asyncio.gather(*late)


async def test_while_a_batch_commits_its_lane_takes_the_next_and_no_third() -> None:
    begun: list[list[int]] = []
    disk = asyncio.Event()
    second = asyncio.Event()

    async def handle(items: Sequence[int], committing: Committing) -> list[int]:
        begun.append(list(items))
        if len(begun) == 2:
            second.set()
        committing()
        committing()  # said twice, as when a transaction is tried again
        await disk.wait()
        return list(items)

    batcher = Batcher(handle, key=lambda item: item, lanes=1, largest_batch=1)
    waiting = [asyncio.create_task(batcher.submit(item)) for item in range(4)]
    await asyncio.wait_for(second.wait(), 5)
    for _ in range(10):
        await asyncio.sleep(0)
    assert begun == [[0], [1]]
    disk.set()
    assert await asyncio.gather(*waiting) == [0, 1, 2, 3]
    await batcher.drain()


async def test_a_key_that_is_being_committed_is_not_taken_again() -> None:
    begun: list[tuple[str, int]] = []
    disk = asyncio.Event()
    other = asyncio.Event()

    async def handle(items: Sequence[tuple[str, int]], committing: Committing) -> list[None]:
        begun.extend(items)
        if ("ben", 2) in items:
            other.set()
        committing()
        await disk.wait()
        return [None] * len(items)

    batcher = Batcher(handle, key=lambda item: item[0], lanes=1, largest_batch=1)
    texts = [("ana", 0), ("ana", 1), ("ben", 2)]
    waiting = [asyncio.create_task(batcher.submit(one)) for one in texts]
    await asyncio.wait_for(other.wait(), 5)
    assert begun == [("ana", 0), ("ben", 2)]
    disk.set()
    await asyncio.gather(*waiting)
    assert begun == [("ana", 0), ("ben", 2), ("ana", 1)]


async def test_a_full_queue_is_said_at_once() -> None:
    started, gate = asyncio.Event(), asyncio.Event()

    async def handle(items: Sequence[int], committing: Committing) -> list[int]:
        started.set()
        await gate.wait()
        return list(items)

    batcher = Batcher(handle, key=lambda item: item, lanes=1, largest_batch=1, largest_queue=2)
    waiting = [asyncio.create_task(batcher.submit(0))]
    await started.wait()
    waiting += [asyncio.create_task(batcher.submit(item)) for item in (1, 2)]
    await asyncio.sleep(0)  # both have run up to where they wait
    assert len(batcher) == 2
    with pytest.raises(QueueFullError):
        await batcher.submit(99)
    gate.set()
    assert await asyncio.gather(*waiting) == [0, 1, 2]
    await batcher.drain()
    assert await batcher.submit(4) == 4


async def test_a_caller_who_gave_up_stops_nothing() -> None:
    gate = asyncio.Event()
    handled: list[int] = []

    async def handle(items: Sequence[int], committing: Committing) -> list[int]:
        await gate.wait()
        handled.extend(items)
        return list(items)

    batcher = Batcher(handle, key=lambda item: item, lanes=1)
    first, second = (asyncio.create_task(batcher.submit(item)) for item in (1, 2))
    await asyncio.sleep(0)
    first.cancel()
    gate.set()
    assert await second == 2
    assert 2 in handled


async def test_a_failure_that_all_would_meet_fails_all_at_once() -> None:
    handled: list[list[str]] = []

    async def handle(items: Sequence[str], committing: Committing) -> list[str]:
        handled.append(list(items))
        raise ConnectionRefusedError

    batcher = Batcher(
        handle,
        key=lambda item: item,
        hopeless=lambda error: isinstance(error, ConnectionRefusedError),
    )
    answers = await asyncio.gather(*map(batcher.submit, "abc"), return_exceptions=True)
    assert [type(answer) for answer in answers] == [ConnectionRefusedError] * 3
    assert handled == [["a", "b", "c"]]


async def test_what_fails_hopelessly_while_tried_alone_ends_the_trying() -> None:
    handled: list[list[str]] = []

    async def handle(items: Sequence[str], committing: Committing) -> list[str]:
        handled.append(list(items))
        if items == ["b"]:
            raise ConnectionRefusedError
        if len(items) > 1:
            raise ValueError("cannot be stored")
        return list(items)

    batcher = Batcher(
        handle,
        key=lambda item: item,
        hopeless=lambda error: isinstance(error, ConnectionRefusedError),
    )
    answers = await asyncio.gather(*map(batcher.submit, "abc"), return_exceptions=True)
    assert answers[0] == "a"
    assert [type(answer) for answer in answers[1:]] == [ConnectionRefusedError] * 2
    assert handled == [["a", "b", "c"], ["a"], ["b"]]
