"""`approval simulate` and `approval replay` as processes."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from approvals.models import Policy, Request
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import asked, published
from tests.system.contract.cast import account, says

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("people")]
Write = Callable[[str, str], str]
DRAFT = """
policy: deployment
stages:
  - {name: peers, who: {users: [bob, carol]}, how_many: all, expire: 1d, remind: [4h]}
hours: {zone: Asia/Kolkata}
"""
REQUEST = "{stage: deployment, description: Deploy?, requester: ada, context: {size: 3}}"
AT = ("--at", "2026-11-25T09:00:00+01:00")


def test_a_draft_is_simulated_from_files(manage: Manage, write: Write) -> None:
    files = (write("draft.yaml", DRAFT), "--request", write("request.yaml", REQUEST))
    done = manage("approval", "simulate", *files, *AT, "--away", "carol", "--votes", "bob=approve@2h", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [entry["at"]["local"] for entry in found["timeline"]] == [
        "2026-11-25T13:30:00+05:30", "2026-11-25T15:30:00+05:30", "2026-11-25T17:30:00+05:30",
        "2026-11-26T13:30:00+05:30",
    ]  # fmt: skip
    assert found["end"]["status"] == "expired" and not found["can_pass"]["possible"]
    shown = manage("approval", "simulate", *files, *AT).stdout
    assert "2026-11-25 08:00:00 UTC (Wed 25 13:30 +0530)  it is asked for; stage 'peers' opens" in shown
    assert "can it pass: yes, at the soonest at 2026-11-25 08:00:00 UTC" in shown
    assert not Policy.objects.exists() and not Request.objects.exists()


def test_a_published_policy_is_simulated_by_its_name(manage: Manage, write: Write) -> None:
    published({"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["dora"]}}]})
    done = manage("approval", "simulate", "deployment", "--request", write("r.json", '{"stage": "deployment"}'), *AT)
    assert done.returncode == 0 and "stage 's' opens: dora asked" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("no-such-policy", "--request", "r.yaml", *AT), "there is no policy 'no-such-policy'"),
        (("draft.yaml", "--request", "missing.yaml", *AT), "missing.yaml cannot be read"),
        (("draft.yaml", "--request", "r.yaml", "--at", "2026-11-25T09:00:00"), "not a time with its offset"),
        (("draft.yaml", "--request", "r.yaml", *AT, "--away", "zoe"), "--away 'zoe': there is no such user"),
        (("draft.yaml", "--request", "r.yaml", *AT, "--votes", "bob=maybe"), "'bob=maybe' is not WHO=CHOICE@WHEN"),
        (("draft.yaml", "--request", "r.yaml", *AT, "--votes", "bob=approve@soon"), "'soon' is not a time"),
        (("draft.yaml", "--request", "bad.yaml", *AT), "unknown key 'stag'"),
        (("broken.yaml", "--request", "r.yaml", *AT), "how_many"),
    ],
)
def test_bad_input_exits_2_and_says_what(manage: Manage, write: Write, arguments: tuple[str, ...], said: str) -> None:
    files = {
        "draft.yaml": DRAFT, "r.yaml": REQUEST, "bad.yaml": "{stag: x}", "broken.yaml": DRAFT.replace("all", "most"),
    }  # fmt: skip
    paths = {name: write(name, text) for name, text in files.items()}
    done = manage("approval", "simulate", *(paths.get(argument, argument) for argument in arguments))
    assert done.returncode == 2 and said in done.stderr and "Traceback" not in done.stderr


def test_past_requests_are_replayed(manage: Manage, write: Write) -> None:
    account("erin")
    published({"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["bob", "carol"]}}]})
    says("bob", "approve", asked(request_id="one"))
    draft = write("draft.yaml", DRAFT)
    found = json.loads(manage("approval", "replay", draft, "--json").stdout)
    assert (found["count"], found["differing"]) == (1, 1)
    assert found["requests"][0]["would"]["waiting_for"] == ["carol"]
    shown = manage("approval", "replay", draft, "--since", "2026-01-01", "--limit", "5")
    assert shown.returncode == 0 and "≠ one  was approved" in shown.stdout
    assert "1 requests, 1 of them would have ended otherwise" in shown.stdout
    assert json.loads(manage("approval", "replay", draft, "--since", "2999-01-01", "--json").stdout)["count"] == 0
    assert manage("approval", "replay", draft, "--since", "yesterday").returncode == 2
