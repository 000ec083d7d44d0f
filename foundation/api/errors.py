"""Every error as problem details (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from rest_framework import serializers as s
from rest_framework.exceptions import APIException, ValidationError
from rest_framework.response import Response
from rest_framework.views import exception_handler

from foundation.errors import BadInput, Gone, NotAllowed, NotFound, TooSoon, Unreachable, WrongState, ZenError

CONTENT_TYPE = "application/problem+json"
STATUS: dict[type[ZenError], int] = {
    BadInput: 422,
    NotFound: 404,
    NotAllowed: 403,
    WrongState: 409,
    Gone: 410,
    TooSoon: 429,
    Unreachable: 503,
}
RETRY_AFTER = "5"


class Problem(s.Serializer[Any]):  # noqa: D101 - a docstring would be part of the OpenAPI document
    type = s.CharField()
    title = s.CharField()
    status = s.IntegerField()
    detail = s.CharField()
    field = s.CharField(required=False)
    remedy = s.CharField(required=False)
    problems = s.ListField(child=s.DictField(), required=False)
    instance = s.CharField()


def problem(status: int, detail: str, *, instance: str = "", **more: Any) -> dict[str, Any]:
    """The body of a problem (RFC 9457). `more`: field, remedy, problems; what is empty is left out."""
    body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    filled = {key: value for key, value in more.items() if value}
    return {**body, **filled, "instance": instance}


def of_zen(error: ZenError, instance: str) -> dict[str, Any]:
    """The problem that a refusal of a service becomes; `instance` is the path that was called."""
    status = STATUS.get(type(error), 400)
    return problem(
        status, error.message, instance=instance, field=error.field, remedy=error.remedy, problems=error.problems
    )


def handle(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's EXCEPTION_HANDLER: the answer to an exception of a view.

    None for a fault, which becomes a 500 elsewhere.
    """
    instance = context["request"].path
    if isinstance(error, ZenError):
        body = of_zen(error, instance)
        return Response(body, status=body["status"], headers=headers_of(error), content_type=CONTENT_TYPE)
    if isinstance(error, RequestDataTooBig):  # Django's own answer is a page of HTML
        return Response(too_large_body(instance), status=HTTPStatus.REQUEST_ENTITY_TOO_LARGE, content_type=CONTENT_TYPE)
    answer = exception_handler(error, context)
    if answer is None:
        return None
    answer.data = _of_drf(error, answer, instance)
    answer.status_code = answer.data["status"]
    answer.content_type = CONTENT_TYPE
    return answer


def too_large_body(instance: str) -> dict[str, Any]:
    """Problem details for a body that is larger than the site reads."""
    detail = f"the body has more than {settings.DATA_UPLOAD_MAX_MEMORY_SIZE} bytes"
    remedy = "send less, and a link to what is large"
    return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail, instance=instance, field="body", remedy=remedy)


def headers_of(error: ZenError) -> dict[str, str] | None:
    """`Retry-After` in seconds for what will be legal or reachable later; None for other errors."""
    if isinstance(error, TooSoon):
        return {"Retry-After": str(error.retry_after)}
    return {"Retry-After": RETRY_AFTER} if isinstance(error, Unreachable) else None


def _of_drf(error: Exception, answer: Response, instance: str) -> dict[str, Any]:
    if isinstance(error, ValidationError):
        problems = [{"field": key, "problem": text} for key, text in _flat("", error.detail)]
        first = problems[0] if problems else {"field": "", "problem": "the request is not valid"}
        detail = f"{first['field']}: {first['problem']}".removeprefix(": ")
        return problem(422, detail, instance=instance, field=first["field"], problems=problems)
    detail = str(error.detail) if isinstance(error, APIException) else HTTPStatus(answer.status_code).phrase
    return problem(answer.status_code, detail, instance=instance)


def _flat(path: str, detail: Any) -> list[tuple[str, str]]:
    if isinstance(detail, dict):
        return [found for key, value in detail.items() for found in _flat(f"{path}.{key}".lstrip("."), value)]
    if isinstance(detail, list):
        return [found for value in detail for found in _flat(path, value)]
    return [(path.removeprefix("non_field_errors"), str(detail))]
