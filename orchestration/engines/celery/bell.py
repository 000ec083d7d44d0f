"""The doorbell: a message without content that makes an idle worker look. Lost, it costs a sweep's second at most."""

from __future__ import annotations

import logging
import threading
import time

log = logging.getLogger(__name__)

QUIET_SECONDS = 0.02
"""A burst of starts is one ring at its beginning and one every so often while it lasts, not one for each."""

_lock = threading.Lock()
_last = 0.0
_again: threading.Timer | None = None


def ring() -> None:
    """Ring now, or shortly when it has just rung. Never fails."""
    global _again, _last
    with _lock:
        wait = _last + QUIET_SECONDS - time.monotonic()
        if wait > 0:
            if _again is None:
                _again = threading.Timer(wait, _ring_again)
                _again.daemon = True
                _again.start()
            return
        _last = time.monotonic()
    _send()


def _ring_again() -> None:
    global _again, _last
    with _lock:
        _again, _last = None, time.monotonic()
    _send()


def _send() -> None:
    """A broker that is away costs nothing: the sweep finds what is ready."""
    from orchestration.tasks import work

    try:
        work.apply_async(retry=False, ignore_result=True)
    except (OSError, ConnectionError) as error:
        log.info("no doorbell (%s); the sweep will find the work", error)
    except Exception as error:  # kombu raises its transport's own errors
        if type(error).__module__.split(".")[0] not in {"kombu", "redis", "amqp"}:
            raise
        log.info("no doorbell (%s); the sweep will find the work", error)
