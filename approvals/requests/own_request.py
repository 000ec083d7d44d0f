"""Requests that Zen itself asks, under handles that others could guess, and so could take before."""

from __future__ import annotations

from collections.abc import Callable

from django.utils.crypto import salted_hmac

from approvals.core.content import Ask
from approvals.models import Request
from approvals.requests.open_request import LONGEST_HANDLE, ask
from foundation.errors import BadInput
from foundation.identity.actor import Actor

SALT = "monitoring.performing.approval"
"""A stored word: open requests have handles that were made with it."""

LONGEST_STEM = LONGEST_HANDLE - 33


def ask_as_own(
    *, given: Ask, actor: Actor, request_id: str, is_own: Callable[[Request], bool], engine: str = ""
) -> Request:
    """The request under this handle. Anybody who may ask could have taken it before, to have others decide, or none:
    then one under a handle that nobody can guess. `is_own`: whether a request that was there already is ours.

    Raises:
        BadInput, NotAllowed, Unreachable: as of `ask`.
    """
    try:
        request, is_new = ask(given=given, actor=actor, request_id=request_id, engine=engine)
    except BadInput as error:
        if error.field != "request_id":
            raise
    else:
        if is_new or is_own(request):
            return request
    return ask(
        given=given, actor=actor, request_id=f"{request_id[:LONGEST_STEM]}~{_secret(request_id)}", engine=engine
    )[0]


def _secret(request_id: str) -> str:
    """What nobody can guess, the same at every call."""
    return salted_hmac(SALT, request_id).hexdigest()[:32]
