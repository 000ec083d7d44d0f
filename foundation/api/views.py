"""What every view of the API has in common."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework.request import Request
from rest_framework.views import APIView

from foundation import telemetry
from foundation.errors import BadInput
from foundation.identity.authentication import MayView

LONGEST_NAME = 80


class Door(APIView):
    """For those in some role; a query parameter that the document does not name is refused."""

    permission_classes = [MayView]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """REST framework's hook before the method. Raises BadInput for an unknown query parameter."""
        super().initial(request, *args, **kwargs)
        telemetry.note(user=request.user.get_username())
        known = _documented(self, request)
        if known is not None:
            refuse_unknown(request.query_params, known)


def refuse_unknown(given: Iterable[str], known: list[str]) -> None:
    """Refuse unknown query parameters.

    Most are misspelt filters, and without the filter the answer would hold everything.

    Raises:
        BadInput: with one problem for each of the first 20 unknown names.
    """
    unknown = sorted(set(given) - set(known))
    if not unknown:
        return
    remedy = f"the parameters here are: {', '.join(known)}" if known else "there are no parameters here"
    names = [name.encode("utf-8", "replace").decode()[:LONGEST_NAME].replace("\x00", "?") for name in unknown[:20]]
    problems: list[dict[str, object]] = [
        {"field": name, "problem": f"is not a known parameter; {remedy}"} for name in names
    ]
    raise BadInput(f"'{names[0]}' is not a known parameter", field=names[0], remedy=remedy, problems=problems)


def _documented(view: Door, request: Request) -> list[str] | None:
    """The query parameters in the OpenAPI document; None for a method that is not in it."""
    handler = getattr(view, (request.method or "").lower(), None)
    described = getattr(handler, "kwargs", {}).get("schema")
    if described is None:
        return None
    schema = described()
    schema.view, schema.method = view, request.method
    found = schema.get_override_parameters()
    return [one.name for one in found if one.location == OpenApiParameter.QUERY]
