"""What the running code is about."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_bound: ContextVar[Mapping[str, str]] = ContextVar("zen_telemetry", default=MappingProxyType({}))
_of_process: dict[str, str] = {}


@contextmanager
def bind(**fields: str) -> Iterator[None]:
    """Inside, `bound` has these fields besides those around it; an inner one of the same name covers the outer one.

    Such as `workflow_id`, `step_id`, `attempt`. No secrets, no values of contexts or outputs: they end in logs.
    """
    token = _bound.set(MappingProxyType({**_bound.get(), **fields}))
    try:
        yield
    finally:
        _bound.reset(token)


def note(**fields: str) -> None:
    """The same from here to the end of the `bind` around it: what is learnt under way, such as whose request it is."""
    _bound.set(MappingProxyType({**_bound.get(), **fields}))


def say_of_process(**fields: str) -> None:
    """Fields that hold in all of this process, such as its `worker`."""
    _of_process.update(fields)


def of_process() -> Mapping[str, str]:
    """Those fields, not to be changed."""
    return _of_process


def bound() -> Mapping[str, str]:
    """The fields that hold here, not to be changed."""
    return _bound.get()
