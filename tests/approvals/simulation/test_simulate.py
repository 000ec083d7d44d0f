"""What the simulator foretells, and that a real request then does the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from approvals.core.approval.events import ClockReached
from approvals.core.content import Ask
from approvals.core.enums import Choice
from approvals.models import Policy, Request, Vote
from approvals.policies.principals import person_of
from approvals.policies.publish import check_policy
from approvals.queries.requests import state_of
from approvals.requests import delegate_while_away, publish_policy
from approvals.simulation.report import view
from approvals.simulation.simulate import Say, Simulated, simulated
from foundation.errors import BadInput
from foundation.models import AuditEvent
from notifications.models import Channel, Contact
from orchestration.models import Run
from tests.approvals.scenes import ADA, TWO_STAGES, asked, published, rung
from tests.system.contract.cast import account, says

pytestmark = pytest.mark.django_db(transaction=True)
START = datetime(2026, 11, 25, 9, tzinfo=UTC)


@pytest.fixture(autouse=True)
def cast() -> dict[str, Any]:
    names = {name: account(name) for name in ("bob", "carol", "dora")}
    return names | {"erin": account("erin", "leads")}


def foretold(body: dict[str, Any] = TWO_STAGES, *, requester: str = "ada", **more: Any) -> dict[str, Any]:
    return view(_simulated(body, requester=requester, **more), START)


def _simulated(body: dict[str, Any], *, requester: str = "ada", **more: Any) -> Simulated:
    given = Ask(stage="deployment", description="Deploy?", context={"size": 3})
    return simulated(policy=check_policy(body), given=given, requester=requester, at=START, **more)


def lines(found: dict[str, Any]) -> list[str]:
    return [f"{entry['at']['utc'][5:16]} {'; '.join(entry['what'])}" for entry in found["timeline"]]


def test_nobody_answers() -> None:
    found = foretold()
    assert lines(found) == [
        "11-25T09:00 it is asked for; stage 'peers' opens: bob, carol asked",
        "11-25T13:00 bob, carol are reminded",
        "11-26T09:00 it is escalated to dora, who may decide as well",
        "11-28T09:00 it ends expired: nobody decided in time",
    ]
    assert found["at"] == {"utc": "2026-11-25T09:00:00+00:00", "local": "2026-11-25T10:00:00+01:00"}
    assert found["timeline"][2]["told"] == [{"why": "escalated", "people": ["dora"]}]
    assert found["end"]["status"] == "expired" and found["end"]["at"]["local"] == "2026-11-28T10:00:00+01:00"
    assert found["can_pass"]["possible"] and [one["name"] for one in found["can_pass"]["by"]] == ["bob", "erin"]


def test_votes_are_heard_when_they_are_said(cast: dict[str, Any]) -> None:
    later = [
        Say(person=person_of(cast[name]), choice=Choice(choice), at=START + timedelta(hours=hours))
        for name, choice, hours in (("erin", "reject", 2), ("carol", "approve", 1), ("dora", "approve", 30))
    ]
    found = foretold(says=later)
    assert lines(found)[1:] == [
        "11-25T10:00 carol says approve; stage 'leads' opens: erin asked",
        "11-25T11:00 erin says reject; it ends rejected: rejected",
    ]
    assert found["not_counted"] == [
        {
            "name": "dora",
            "decision": "approve",
            "at": {"utc": "2026-11-26T15:00:00+00:00", "local": "2026-11-26T16:00:00+01:00"},
            "why": "the request is rejected already",
        }
    ]


@time_machine.travel(START, tick=False)
def test_a_real_request_does_what_was_foretold(cast: dict[str, Any]) -> None:
    """The same votes and times, through the services and the rows; what is foretold is the state itself."""
    votes = [("bob", "abstain", 2), ("dora", "approve", 26), ("erin", "approve", 27)]
    says_them = [
        Say(person=person_of(cast[name]), choice=Choice(choice), at=START + timedelta(hours=hours))
        for name, choice, hours in votes
    ]
    foretold_course = _simulated(TWO_STAGES, says=says_them).course
    published(TWO_STAGES)
    request = asked(description="Deploy?", context={"size": 3})
    with time_machine.travel(START, tick=False) as clock:
        for moment in foretold_course.moments[1:]:
            clock.move_to(moment.at)
            if isinstance(moment.event, ClockReached):
                rung(request.run_id, moment.at)
            else:
                name = next(name for name, user in cast.items() if f"user:{user.pk}" == moment.event.person)  # type: ignore[union-attr]
                says(name, moment.event.choice, request)  # type: ignore[union-attr]
            request.refresh_from_db()
            assert state_of(request).seats == moment.after.seats
            assert (request.status, request.words) == (moment.after.status, moment.after.last_words)
    assert request.status == "approved" and state_of(request).votes == foretold_course.state.votes


def test_people_are_named_in_the_order_in_which_their_accounts_were_made() -> None:
    for pk, name in ((9_999, "zoe"), (10_000, "ann")):
        User.objects.create_user(name, f"{name}@example.com", pk=pk)
        account(name)
    stage = {"name": "one", "who": {"users": ["ann", "zoe"]}, "how_many": "all", "remind": ["4h"]}
    found = foretold({"policy": "p", "stages": [stage]})
    assert [one["name"] for one in found["can_pass"]["by"]] == ["zoe", "ann"] == found["stages"][0]["people"]
    assert lines(found)[1] == "11-25T13:00 zoe, ann are reminded"


def test_who_is_away_is_asked_and_does_not_answer(cast: dict[str, Any]) -> None:
    body = {**TWO_STAGES, "stages": [{**TWO_STAGES["stages"][0], "how_many": "all"}]}
    found = foretold(body, away=[person_of(cast["bob"])])
    assert found["away"] == [{"name": "bob", "deputies": []}]
    assert found["can_pass"]["possible"] and found["can_pass"]["at"]["utc"].startswith("2026-11-26T09:00")
    assert [one["name"] for one in found["can_pass"]["by"]] == ["carol", "dora"]
    alone = {**body, "stages": [{**body["stages"][0], "escalate": []}]}
    found = foretold(alone, away=[person_of(cast["bob"])])
    assert not found["can_pass"]["possible"] and found["can_pass"]["words"] == "nobody decided in time"


def test_a_deputy_decides_for_who_is_away(cast: dict[str, Any]) -> None:
    publish_policy(data={"policy": "deployment", "stages": [{"name": "s", "who": {"users": ["bob"]}}]}, actor=ADA)
    delegate_while_away(
        actor=ADA, owner=cast["bob"], to=cast["dora"], starts_at=START, ends_at=START + timedelta(days=4000),
        policies=["deployment"],
    )  # fmt: skip
    stage = {"name": "peers", "who": {"users": ["bob", "carol"]}, "how_many": "all"}
    body = {"policy": "deployment", "stages": [stage]}
    found = foretold(body, away=[person_of(cast["bob"])])
    assert found["away"] == [{"name": "bob", "deputies": ["dora"]}]
    assert found["can_pass"]["possible"] and {one["name"] for one in found["can_pass"]["by"]} == {"carol", "dora"}
    other = foretold({**body, "policy": "other"}, away=[person_of(cast["bob"])])
    assert other["away"] == [{"name": "bob", "deputies": []}] and not other["can_pass"]["possible"]
    assert not foretold(body, away=[person_of(cast["bob"])], requester="dora")["can_pass"]["possible"]
    say = Say(person=person_of(cast["dora"]), choice=Choice.APPROVE, at=START + timedelta(hours=1))
    assert lines(foretold(body, says=[say]))[1:3] == [
        "11-25T10:00 dora sits in for bob",
        "11-25T10:00 dora says approve",
    ]


def test_who_is_gone_is_not_asked(cast: dict[str, Any]) -> None:
    found = foretold(gone=[person_of(cast["bob"])])
    assert found["stages"][0]["people"] == ["carol"] and "bob is assumed to be unavailable" in found["left_out"]
    everybody = [person_of(cast[name]) for name in ("bob", "carol", "dora")]
    found = foretold(gone=everybody)
    assert found["end"]["status"] == "refused" and "stage 'peers'" in found["can_pass"]["words"]
    assert found["timeline"] == [] and not found["can_pass"]["possible"]
    assert foretold(gone=everybody[:2])["timeline"][0]["what"][1:] == [
        "it is escalated to dora, who may decide as well", "stage 'peers' opens: nobody asked",
    ]  # fmt: skip


def test_who_asks_and_who_may_not_decide_is_left_out_with_the_reason(cast: dict[str, Any]) -> None:
    account("vera", "viewer", "leads")
    found = foretold(requester="carol")
    assert found["stages"][0]["people"] == ["bob"]
    assert found["left_out"] == [
        "the account vera has none of the roles that decide",
        "carol asks for it, wrote it or owns the agent that does",
    ]


def test_the_policys_own_rule(cast: dict[str, Any]) -> None:
    small = {**TWO_STAGES, "auto_approve": "request.context.size < 5"}
    found = foretold(small)
    assert found["auto_approve"] == {"condition": "request.context.size < 5", "holds": True}
    assert lines(found) == [
        "11-25T09:00 it is asked for; the policy's own rule holds; it ends approved: by the policy's rule"
    ]
    assert foretold({**small, "auto_approve": "request.context.size > 5"})["auto_approve"]["holds"] is False


def test_working_hours_cooling_off_and_clocks_that_wait_for_a_delivery(cast: dict[str, Any]) -> None:
    stage = {
        "name": "s", "who": {"users": ["bob"]}, "remind": ["8h business"], "expire": "2d business",
        "clock_starts": "delivered",
    }  # fmt: skip
    hours = {"zone": "America/New_York", "holidays": "US"}
    body = {"policy": "p", "stages": [stage], "hours": hours, "cooling_off": "1h"}
    found = foretold(body)
    assert [entry["at"]["local"] for entry in found["timeline"]] == [
        "2026-11-25T04:00:00-05:00",
        "2026-11-25T04:15:00-05:00",  # nobody is known to have been reached
        "2026-11-25T17:00:00-05:00",
        "2026-11-27T17:00:00-05:00",  # over Thanksgiving
    ]
    assert found["timeline"][1]["what"] == ["its clocks begin, at the latest"]
    say = Say(person=person_of(cast["bob"]), choice=Choice.APPROVE, at=START + timedelta(hours=1))
    assert lines(foretold(body, says=[say]))[-2:] == [
        "11-25T10:00 bob says approve; it is approved, and can be objected to until 2026-11-25 11:00:00 UTC",
        "11-25T11:00 it ends approved",
    ]


def test_nothing_is_written(cast: dict[str, Any]) -> None:
    published(TWO_STAGES)
    tables = (Policy, Request, Run, Vote, AuditEvent)
    before = [table.objects.count() for table in tables]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        foretold(away=[person_of(cast["bob"])])
    assert len(queries) > 0
    assert [query["sql"] for query in queries if not query["sql"].lstrip("( ").upper().startswith("SELECT")] == []
    assert [table.objects.count() for table in tables] == before


def test_a_policy_that_names_what_is_not_there_is_refused() -> None:
    with pytest.raises(BadInput, match="no user 'zoe'"):
        foretold({"policy": "p", "stages": [{"name": "s", "who": {"users": ["zoe"]}}]})
    hours = {"zone": "UTC", "days": ["mon"], "opens": "09:00", "closes": "09:01"}
    stage = {"name": "s", "who": {"users": ["bob"]}, "expire": "900h business"}
    with pytest.raises(BadInput, match="more than 5 years of these hours"):
        foretold({"policy": "p", "stages": [stage], "hours": hours})


def test_silence_is_simulated_as_it_is_decided(cast: dict[str, Any]) -> None:
    """Whom a message reaches is taken to have heard at once; of the others silence is no yes."""
    stage = {"name": "one", "who": {"users": ["bob"]}, "expire": "1d", "at_the_end": "approve"}
    found = foretold({"policy": "quiet", "stages": [stage]})
    assert lines(found) == [
        "11-25T09:00 it is asked for; stage 'one' opens: bob asked",
        "11-26T09:00 it ends approved: by silence, as the policy says",
    ]
    Contact.objects.create(user=cast["bob"], muted=True)
    found = foretold({"policy": "quiet", "stages": [stage]})
    assert lines(found)[1:] == ["11-26T09:00 an administrator must name others: nobody was reached"]
    assert (found["end"]["status"], Channel.objects.count()) == ("rescue", 0), "and nothing was stored"
