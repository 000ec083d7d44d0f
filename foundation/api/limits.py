"""How much one token and one address may ask for, and how often an address may guess at tokens.

Counted by `limits`: in Redis where the broker is one, so by all processes together and atomically; else by each process
for itself. Redis that is away lets everything pass, to be counted again once it is back.
"""

from __future__ import annotations

import logging
import math
import time
from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from django.http import HttpRequest
from django.utils.module_loading import import_string
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage, Storage, storage_from_string
from limits.strategies import MovingWindowRateLimiter
from rest_framework.exceptions import Throttled
from rest_framework.throttling import BaseThrottle

log = logging.getLogger(__name__)


class PerTokenAndAddress(BaseThrottle):
    """The throttle class of REST framework.

    Counts each call for its token, or its user in a session, and for its address.
    """

    def __init__(self) -> None:
        self.pause = 0.0

    def allow_request(self, request: Any, view: Any) -> bool:
        """Count this call; False once a limit is passed."""
        who = f"token:{request.auth.pk}" if getattr(request.auth, "pk", None) else f"user:{request.user.pk}"
        self.pause = max(
            _taken(settings.ZEN_API_RATE_PER_TOKEN, who) if request.user.is_authenticated else 0.0,
            pause_of_address(request),
        )
        return not self.pause

    def wait(self) -> float:
        """Seconds until the next call would pass; sent as `Retry-After`."""
        return self.pause


def pause_of_token(token_id: int) -> float:
    """Count a call with this token beside those of the API; 0 within the limit, else seconds until the next passes."""
    return _taken(settings.ZEN_API_RATE_PER_TOKEN, f"token:{token_id}")


def pause_of_calls(token_id: int) -> float:
    """Count a call over MCP with this token, of which fewer are allowed; 0, or seconds, as of `pause_of_token`."""
    return _taken(settings.ZEN_MCP_RATE_PER_TOKEN, f"mcp:{token_id}")


def pause_of_address(request: Any) -> float:
    """Count a call from this request's address beside those of the API; 0, or seconds, as of `pause_of_token`."""
    return _taken(settings.ZEN_API_RATE_PER_ADDRESS, f"address:{address_of(request)}")


def refuse_guesses(request: HttpRequest) -> None:
    """Called before a token is looked at.

    Raises:
        Throttled: this address has sent more wrong tokens in a minute than ZEN_API_BAD_TOKENS_PER_ADDRESS.
    """
    item, key = _per_minute(settings.ZEN_API_BAD_TOKENS_PER_ADDRESS), f"guess:{address_of(request)}"
    if not _answered(lambda: _limiter().test(item, key)):
        raise Throttled(wait=_pause(item, key))


def note_guess(request: HttpRequest) -> None:
    """Count a token that was none, for the address that sent it."""
    _taken(settings.ZEN_API_BAD_TOKENS_PER_ADDRESS, f"guess:{address_of(request)}")


def address_of(request: Any) -> str:
    """The client's address, by the rule for proxies that also bounds logins (AXES_CLIENT_IP_CALLABLE)."""
    return str(import_string(settings.AXES_CLIENT_IP_CALLABLE)(request))


def _taken(rate: int, key: str) -> float:
    """0 when it was within the limit, else the seconds until it is again."""
    item = _per_minute(rate)
    return 0.0 if _answered(lambda: _limiter().hit(item, key)) else _pause(item, key)


def _pause(item: RateLimitItem, key: str) -> float:
    reset = _answered(lambda: _limiter().get_window_stats(item, key).reset_time)
    return float(max(1, math.ceil(float(reset) - time.time())))


def _answered(ask: Any) -> Any:
    """True when the storage is away: a limit is no reason for the site to stand still."""
    try:
        return ask()
    except _errors() as error:
        log.warning("the limits of the API are not counted: %s", type(error).__name__)
        return True


@lru_cache(maxsize=64)
def _per_minute(rate: int) -> RateLimitItem:
    return RateLimitItemPerMinute(rate)


@lru_cache(maxsize=1)
def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(_storage(settings.CELERY_BROKER_URL))


def _storage(broker: str) -> Storage:
    if not broker.startswith(("redis://", "rediss://", "unix://", "redis+socket://")):
        return MemoryStorage()
    address = broker.replace("redis+socket://", "unix://", 1) if broker.startswith("redis+socket://") else broker
    scheme = address if address.startswith("redis") else f"redis+{address}"
    return storage_from_string(scheme, socket_connect_timeout=1, socket_timeout=1)  # type: ignore[return-value]


def _errors() -> tuple[type[Exception], ...]:
    return (redis.RedisError,)


def forget() -> None:
    """Count anew; for tests, and for other settings."""
    _limiter.cache_clear()
