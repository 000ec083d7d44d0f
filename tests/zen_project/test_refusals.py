"""What is refused or breaks before any view sees it: problem details for programs, a page for people."""

from __future__ import annotations

import pytest
from django.http import HttpRequest
from django.test import Client, RequestFactory, override_settings

from zen_project.urls import server_error

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/api/v1/runs/", {"host": "evil.example.com"}, 400),
        ("/api/v1/runs/", {"host": "a b"}, 400),
        ("/api/v1/runs/?" + "&".join(f"p{n}=1" for n in range(1001)), {}, 400),
        ("/api/v2/", {}, 404),
        ("/api/", {}, 404),
    ],
)
def test_programs_get_problem_details(path: str, headers: dict[str, str], status: int) -> None:
    with override_settings(ALLOWED_HOSTS=["testserver"], DEBUG=False):
        answer = Client(headers=headers, raise_request_exception=False).get(path)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    assert answer.json()["status"] == status and "evil" not in answer.json()["detail"]


@pytest.mark.parametrize(("path", "status"), [("/nowhere/", 404), ("/admin/nowhere/", 302)])
def test_people_get_pages(path: str, status: int) -> None:
    answer = Client(raise_request_exception=False).get(path)
    assert answer.status_code == status and answer["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("prefix", ["", "/zen"])
def test_a_fault_of_ours_is_problem_details_below_a_prefix_too(prefix: str) -> None:
    request: HttpRequest = RequestFactory().get("/api/v1/runs/", SCRIPT_NAME=prefix)
    assert request.path == f"{prefix}/api/v1/runs/"
    assert server_error(request)["Content-Type"] == "application/problem+json"
