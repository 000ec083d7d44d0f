"""`manage.py policy`, and that the guide's own policy is one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from approvals.models import Policy
from approvals.requests import publish_policy
from foundation.models import AuditEvent
from tests.approvals.console.conftest import Manage
from tests.approvals.scenes import ADA, asked, published
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)
Write = Callable[[str, str], str]
GOOD = "policy: docs\nstages:\n  - {name: s, who: {groups: [approver]}}\n"


def test_versions_are_published_and_seen(manage: Manage, write: Write) -> None:
    first, second = write("one.yaml", GOOD), write("two.yaml", GOOD + "cooling_off: 1h\n")
    assert manage("policy", "publish", first).stdout == "docs v1 published\n"
    assert manage("policy", "publish", first).stdout == "docs v1 is there already\n"
    made = json.loads(manage("policy", "publish", second, "--json").stdout)
    assert (made["policy"], made["version"], made["body"]["cooling_off"]) == ("docs", 2, "1h")
    (row,) = json.loads(manage("policy", "list", "--json").stdout)
    assert (row["policy"], row["version"], row["stages"]) == ("docs", 2, ["s"])
    assert json.loads(manage("policy", "show", "docs", "--json").stdout) == made
    old = json.loads(manage("policy", "show", "docs", "--version", "1", "--json").stdout)
    assert old["body"] == {"policy": "docs", "stages": [{"name": "s", "who": {"groups": ["approver"]}}]}
    assert manage("policy", "publish", first).stdout == "docs v3 published\n", "what v1 says counts again"
    assert manage("policy", "publish", first).stdout == "docs v3 is there already\n"
    assert "docs v3, published by" in manage("policy", "show", "docs").stdout
    for wrong, said in (
        (("show", "doc"), "did you mean 'docs'?"),
        (("show", "docs", "--version", "9"), "version is 3"),
    ):
        done = manage("policy", *wrong)
        assert done.returncode == 2 and said in done.stderr


def test_what_a_request_asked_for_in_other_words_can_still_be_published() -> None:
    account("bob")
    published({"policy": "docs", "stages": [{"name": "s", "who": {"users": ["bob"]}, "expire": "1d"}]})
    narrowed = asked("docs", timeout_seconds=60).policy
    assert (narrowed.version, narrowed.published) == (2, False)
    stored, new = publish_policy(data=narrowed.body, actor=ADA)
    assert new and stored.pk == narrowed.pk and asked("docs").policy == narrowed


def test_an_older_content_counts_again_under_a_new_number() -> None:
    account("bob"), account("carol")

    def body(name: str) -> dict[str, Any]:
        return {"policy": "docs", "stages": [{"name": "s", "who": {"users": [name]}, "expire": "1d"}]}

    published(body("bob"))
    old, narrowed = asked("docs"), asked("docs", timeout_seconds=60).policy
    published(body("carol"))
    back, new = publish_policy(data=body("bob"), actor=ADA)
    assert new and back.version == 4 and asked("docs").policy == back
    assert publish_policy(data=body("bob"), actor=ADA) == (back, False)
    old.refresh_from_db()
    assert old.policy.version == 1 and back.hash == old.policy.hash, "what is open keeps the version it has"
    again, new = publish_policy(data=narrowed.body, actor=ADA)
    assert new and again.version == 5, "also what a request said in other words before the latest version"
    assert asked("docs", timeout_seconds=60).policy == again
    made = AuditEvent.objects.filter(action="policy.publish").order_by("pk").values_list("data__policy", flat=True)
    assert list(made) == ["docs v1", "docs v3", "docs v4", "docs v5"]


def test_every_problem_is_named_and_nothing_is_stored(manage: Manage, write: Write) -> None:
    bad = write("bad.yaml", "policy: docs\nstages:\n  - {name: s, who: {}, expire: soon}\ncolour: red\n")
    for verb in ("validate", "publish"):
        done = manage("policy", verb, bad)
        assert done.returncode == 2 and done.stdout == ""
        for said in ("stages[0].who", "names nobody", "'soon' is not a length of time", "colour: is not a known key"):
            assert said in done.stderr
    one = manage("policy", "validate", write("one.yaml", GOOD + "auto_approve: 'request.'\n"))
    assert one.returncode == 2 and "CEL" in one.stderr
    assert not Policy.objects.exists()


def test_the_schema_takes_what_the_product_takes(manage: Manage, write: Write) -> None:
    schema = json.loads(manage("policy", "schema").stdout)
    jsonschema.validate({"policy": "docs", "stages": [{"name": "s", "who": {"groups": ["approver"]}}]}, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"policy": "docs", "stages": []}, schema)
    assert manage("policy", "validate", write("good.yaml", GOOD)).stdout.endswith("valid, 1 stage\n")
