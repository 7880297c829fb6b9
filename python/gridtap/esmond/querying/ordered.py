"""Work done by several threads at once, its results in the order of the work."""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

__all__ = ["ordered_map"]

T = TypeVar("T")
R = TypeVar("R")


class _Task(Generic[T, R]):
    def __init__(self, item: T) -> None:
        self.item = item
        self.done = threading.Event()
        self.result: R | None = None
        self.error: BaseException | None = None


def ordered_map(work: Callable[[T], R], items: Iterable[T], jobs: int) -> Iterator[R]:
    """``map`` with up to ``jobs`` calls under way at a time.

    Items are taken as results are asked for, at most ``2 * jobs`` ahead. Threads are daemons, so
    that an interrupt ends the program without waiting for answers that nobody wants any more;
    closing the iterator stops them after the call they are in.

    :raises Exception: whatever ``work`` raised, in the place of its result
    """
    waiting: queue.SimpleQueue[_Task[T, R] | None] = queue.SimpleQueue()
    is_over = threading.Event()

    def run() -> None:
        while (task := waiting.get()) is not None and not is_over.is_set():
            try:
                task.result = work(task.item)
            except BaseException as error:
                task.error = error
            task.done.set()

    threads = [threading.Thread(target=run, daemon=True) for _ in range(jobs)]
    for thread in threads:
        thread.start()
    ahead: deque[_Task[T, R]] = deque()
    try:
        for item in items:
            task: _Task[T, R] = _Task(item)
            waiting.put(task)
            ahead.append(task)
            if len(ahead) >= 2 * jobs:
                yield _result(ahead.popleft())
        while ahead:
            yield _result(ahead.popleft())
    finally:
        is_over.set()
        for _ in threads:
            waiting.put(None)


def _result(task: _Task[T, R]) -> R:
    task.done.wait()
    if task.error is not None:
        raise task.error
    return task.result  # type: ignore[return-value]
