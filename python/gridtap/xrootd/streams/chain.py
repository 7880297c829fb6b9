"""Streams that can be linked: ``stream_packets(file) >> map_streams() >> print``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Generic, TypeVar

__all__ = ["Chain", "Fork"]

_T = TypeVar("_T")
_Out = TypeVar("_Out")


class Fork(Generic[_T, _Out]):
    """A link that makes any number of results from each value"""

    def digest(self, value: _T) -> Iterable[_Out]:
        """The results for one value"""
        raise NotImplementedError

    def __rrshift__(self, source: Iterable[_T]) -> Chain[_Out]:
        return Chain(source) >> self


class Chain(Generic[_T]):
    """An iterator to which further steps can be linked with ``>>``

    A step is a callable that takes a value and returns another, or a :py:class:`Fork`.
    """

    def __init__(self, source: Iterable[_T]) -> None:
        self._source = iter(source)

    def __iter__(self) -> Iterator[_T]:
        return self

    def __next__(self) -> _T:
        return next(self._source)

    def __rshift__(self, link: Fork[_T, Any] | Callable[[_T], Any]) -> Chain[Any]:
        if isinstance(link, Fork):
            return Chain(result for value in self for result in link.digest(value))
        if callable(link):
            return Chain(map(link, self))
        return NotImplemented
