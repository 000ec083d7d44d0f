"""The pages of projects: what they show, to whom, and with how many queries."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from orchestration.admin.projects import _spent
from orchestration.core.agent.asking import STAGES as ASKED
from orchestration.core.enums import Verb
from orchestration.models import Run
from orchestration.projects.queries.gates import STAGES, named_for_people
from orchestration.projects.start import start_project
from orchestration.runs import act
from tests.orchestration.admin.projects import building, thinking
from tests.orchestration.admin.visitor import person
from tests.orchestration.agents.endpoints.scenes import added
from tests.orchestration.core.project.specs import given
from tests.system.contract.cast import account
from tests.system.contract.hosts import memory_host, until
from tests.system.contract.sagas import ADA

pytestmark = pytest.mark.django_db(transaction=True)
EVIL = "<script>window.taken = 1</script>{{ 7 * 7 }} \u202e000"


@pytest.fixture
def engine(transactional_db: None, tmp_path: Path, settings: Settings) -> Iterator[str]:
    settings.ZEN_DATA_DIR = tmp_path / "data"
    account("bob")
    with memory_host() as name:
        yield name


def client_of(role: str) -> Client:
    client = Client()
    client.force_login(person(role))
    return client


def page_of(run: Run, more: str = "") -> str:
    return f"/admin/orchestration/project/{run.pk}/{more}"


def shown(client: Client, where: str) -> str:
    answer = client.get(where)
    assert answer.status_code == 200, (where, answer.status_code)
    return answer.content.decode()


def test_it_shows_phases_coverage_tasks_output_and_cost_without_a_script(engine: str) -> None:
    with thinking():
        run = building(engine, 2, success_criteria=[{"text": "It is there", "check": "test -f t1.md"}])
    text = shown(client_of("viewer"), page_of(run))
    phases = re.findall(r"<li( aria-current=\"step\")?><span>(\w+)</span>", text)
    assert [name for _, name in phases][:4] == ["prepare", "analyze", "plan", "build"]
    assert [name for here, name in phases if here] == ["build"]
    row = text[text.index('id="task-t1"') : text.index('id="task-t2"')]
    for word in (
        "working",
        "CLAUDE",
        "claude",
        "1.25",
        "c" * 12,
        "zen/shop/t1",
        "+12 \N{MINUS SIGN}3",
        "0 of 1 checks",
        "lied",
    ):
        assert word in row, word
    matrix = text[text.index('class="matrix"') : text.index('id="criteria"')]
    rows = matrix.split("<tr>")[1:]
    assert [re.findall(r'<td data-label="(t\d)">', row) for row in rows[-2:]] == [["t1"], ["t2"]]
    assert "test -f t1.md" in text and "budget of 100: 2\N{NO-BREAK SPACE}%" in text.replace("2.50", "")
    output = text[text.index('id="output"') :]
    assert output.count("<i>claude#2</i>") == 16 and "Part t1 line 8" in output
    assert f"/api/v1/projects/{run.workflow_id}/output/" in output
    assert "You have read-only access" in text and "/act/" not in text


def test_the_list_the_run_and_its_build_lead_to_it(engine: str) -> None:
    with thinking():
        run = building(engine, 1)
    client = client_of("viewer")
    listed = shown(client, "/admin/orchestration/project/")
    assert f'href="{page_of(run)}">Shop</a>' in listed and "build" in listed and "2" in listed
    for one in (run, Run.objects.get(parent=run)):
        assert f'href="{page_of(run)}"' in shown(client, f"/admin/orchestration/run/{one.pk}/change/")
    assert 'href="/admin/orchestration/project/"' in shown(client, "/admin/monitoring/"), "in the sidebar"


def test_it_is_for_the_roles_of_runs(engine: str) -> None:
    with thinking():
        run = building(engine, 1)
    places = ["/admin/orchestration/project/", page_of(run), page_of(run, "now/"), page_of(run, "diff/t1/")]
    for role, status in (("", 403), ("viewer", 200), ("operator", 200)):
        client = client_of(role)
        assert [client.get(where).status_code for where in places] == [status] * 4, role
        if role == "operator":
            assert f"/run/{run.pk}/act/hold/" in shown(client, page_of(run))
    assert Client().get(page_of(run)).status_code == 302
    viewer = Client()
    viewer.force_login(person("approver"))
    build = Run.objects.get(parent=run)
    for where in (
        page_of(build),
        page_of(run, "diff/t9/"),
        page_of(run, "diff/t1/?attempt=0"),
        page_of(run, "decide/x/"),
    ):
        assert viewer.get(where).status_code == 404, where


def test_hostile_words_are_only_shown(engine: str) -> None:
    with thinking():
        run = building(engine, 2, EVIL, name=EVIL, success_criteria=[EVIL])
    client = client_of("viewer")
    for where in ("/admin/orchestration/project/", page_of(run), page_of(run, "now/"), page_of(run, "diff/t1/")):
        text = shown(client, where)
        assert "<script>window" not in text and "\u202e" not in text and ">49" not in text, where
        assert "&lt;script&gt;window" in text, where


def test_its_queries_do_not_grow_with_its_tasks(transactional_db: None, tmp_path: Path, settings: Settings) -> None:
    settings.ZEN_DATA_DIR = tmp_path
    account("bob")
    client, numbers, seconds = client_of("operator"), [], []
    for tasks in (2, 40):
        with memory_host() as name, thinking():
            run = building(name, tasks)
        shown(client, page_of(run))  # what is learnt once
        with CaptureQueriesContext(connection) as found:
            began = time.thread_time()
            text = shown(client, page_of(run))
            seconds.append(time.thread_time() - began)
        assert text.count('<tr id="task-') == tasks
        numbers.append(len(found))
    print(f"queries {numbers}, seconds of our own {seconds}")
    assert numbers[0] == numbers[1] < 150, numbers


def test_an_open_gate_leads_to_its_request_and_what_is_asked_is_bounded(engine: str) -> None:
    added("claude", agent_type="CLAUDE")
    spec = given(approval_gates=["Architecture Review"])
    run, _ = start_project(spec=spec, actor=ADA, workflow_id="gated", engine=engine)
    until(run, lambda _: run.children.filter(kind="approval").exists())
    client = client_of("approver")
    text = shown(client, page_of(run))
    (link,) = set(re.findall(r'class="act first" href="([^"]*/decide/[^"]*)"', text))
    assert "Architecture Review" in text
    answer = client.get(link)
    assert answer.status_code == 302 and "/admin/approvals/request/" in answer["Location"]
    assert client.get(answer["Location"]).status_code == 200
    act(workflow_id="gated", verb=Verb.ABORT, actor=ADA)
    until(run)
    text = shown(client, page_of(run))
    assert "data-ended" in text and "project.js" not in text and "/decide/" in text


def test_a_diff_is_plain_text_with_tests_apart(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    added("claude", agent_type="CLAUDE")
    run, _ = start_project(spec=given(requirements=["A cart"]), actor=ADA, workflow_id="whole", engine=engine)
    assert until(run).status == "completed"
    client = client_of("viewer")
    page = shown(client, page_of(run))
    (link,) = set(re.findall(r'href="([^"]*/diff/t1/)"', page))
    text = shown(client, link)
    assert "+++ b/t1.md" in text and 'id="part-code"' in text and 'id="part-test"' not in text
    assert "6 of 6" not in page and "1 of 1" in page and "signed as" in page
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install git" in shown(client, link) and "git -C " in shown(client, link)


def test_questions_are_named_in_words() -> None:
    told = {name: named_for_people({"name": name}) for name in ("unproved-criteria", "task-failed about t1", "Release")}
    assert told == {
        "unproved-criteria": "What nothing proves", "task-failed about t1": "What becomes of a task that failed: t1",
        "Release": "Release",
    }  # fmt: skip
    assert set(ASKED.values()) <= set(STAGES)
    assert _spent({"budget": 5, "spent": 1}) == "20\N{NO-BREAK SPACE}%"


def test_what_has_not_changed_is_not_sent_again(engine: str) -> None:
    added("claude", agent_type="CLAUDE")
    run, _ = start_project(spec=given(requirements=["A cart"]), actor=ADA, workflow_id="done", engine=engine)
    until(run)
    client = client_of("viewer")
    answer = client.get(page_of(run, "now/"))
    assert answer.status_code == 200
    again = client.get(page_of(run, "now/"), headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304 and again.content == b""
