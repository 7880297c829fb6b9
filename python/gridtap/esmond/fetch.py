"""Many requests at once, but not more than an archive likes."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar, overload

from gridtap.esmond.errors import EsmondError
from gridtap.esmond.paging import RawPoint
from gridtap.esmond.payload import DataPayload
from gridtap.esmond.series import DataNode

if TYPE_CHECKING:
    from concurrent.futures import Future

__all__ = ["CONCURRENCY", "Fetched", "fetch_many"]

#: Requests at once: what browsers and package managers think polite, and enough to hide latency.
CONCURRENCY = 4

N = TypeVar("N", bound=DataNode)
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Fetched(Generic[N, R]):
    """What became of one of many.

    :param node: the event type or summary
    :param result: its payload, or whatever ``read`` returned; None after an error
    :param error: why there is no result
    """

    node: N
    result: R | None
    error: EsmondError | None


@overload
def fetch_many(
    nodes: Iterable[N], read: None = None, *, concurrency: int = CONCURRENCY
) -> Iterator[Fetched[N, DataPayload]]: ...
@overload
def fetch_many(
    nodes: Iterable[N], read: Callable[[N], R], *, concurrency: int = CONCURRENCY
) -> Iterator[Fetched[N, R]]: ...
def fetch_many(
    nodes: Iterable[N],
    read: Callable[[N], R] | None = None,
    *,
    concurrency: int = CONCURRENCY,
) -> Iterator[Fetched[N, R]] | Iterator[Fetched[N, DataPayload]]:
    """Fetch the data of event types and summaries in parallel; results come in their order.

    One that fails does not stop the others: its :py:class:`Fetched` has the error. Nodes are taken
    from their iterable as they are needed, at most ``2 * concurrency`` ahead of the results, so
    that neither a long list nor its results are ever in memory as a whole. Closing the iterator
    cancels what has not begun, and what has begun after its present page.

    :param read: what to do with each, in one of several threads, and closing waits for it; by
        default all of its data is fetched. Give a function that uses ``iter_pages`` for data too
        large for memory
    :param concurrency: how many at once
    :raises ValueError: ``concurrency`` is less than 1
    """
    if concurrency < 1:
        raise ValueError(f"concurrency has to be at least 1, not {concurrency}")
    stop = threading.Event()
    if read is not None:
        return _run(nodes, read, concurrency, stop)
    return _run(nodes, lambda node: _payload(node, stop), concurrency, stop)


def _run(
    nodes: Iterable[N], read: Callable[[N], R], concurrency: int, stop: threading.Event
) -> Iterator[Fetched[N, R]]:
    from concurrent.futures import ThreadPoolExecutor

    pool = ThreadPoolExecutor(concurrency, thread_name_prefix="gridtap-fetch")
    waiting: deque[tuple[N, Future[R]]] = deque()
    try:
        for node in nodes:
            waiting.append((node, pool.submit(read, node)))
            if len(waiting) >= 2 * concurrency:
                yield _take(waiting)
        while waiting:
            yield _take(waiting)
    finally:
        stop.set()
        pool.shutdown(wait=True, cancel_futures=True)


def _take(waiting: deque[tuple[N, Future[R]]]) -> Fetched[N, R]:
    node, future = waiting.popleft()
    try:
        return Fetched(node, future.result(), None)
    except EsmondError as error:
        return Fetched(node, None, error)


def _payload(node: DataNode, stop: threading.Event) -> DataPayload:
    points: list[RawPoint] = []
    for page in node.iter_pages():
        points += page.raw
        if stop.is_set():
            break
    return DataPayload(points, node.data_type, event_type=node.event_type)
