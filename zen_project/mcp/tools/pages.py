"""Pages of lists, with the cursors of REST."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.db.models import QuerySet
from rest_framework import exceptions
from rest_framework.pagination import CursorPagination

from foundation.errors import NotFound
from zen_project.mcp.bounds import fitting


def page(
    rows: QuerySet[Any],
    view: Callable[[Any], dict[str, Any]],
    pages: type[CursorPagination],
    *,
    cursor: str,
    limit: int,
) -> dict[str, Any]:
    """A page of the rows behind `cursor`, `limit` of them or as many as an answer takes. `pages`: their order.

    Raises:
        NotFound: no such cursor.
    """

    def of(number: int) -> dict[str, Any]:
        asked = SimpleNamespace(
            query_params={"limit": str(number), **({"cursor": cursor} if cursor else {})},
            build_absolute_uri=lambda: "",
        )
        one = pages()
        try:
            found = one.paginate_queryset(rows, asked) or []  # type: ignore[arg-type]
        except exceptions.NotFound as error:
            raise NotFound(str(error.detail), field="cursor", remedy="give the next_cursor of an answer") from None
        link = one.get_next_link()
        onward = parse_qs(urlsplit(link).query)["cursor"][0] if link else None
        return {"results": [view(row) for row in found], "next_cursor": onward}

    return fitting(of, limit)
