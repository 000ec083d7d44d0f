"""What every driver promises (`orchestration.agents.base.Driver`), held against each of them with a real program."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace

import pytest

from orchestration.agents.base import Answer, EndReason, Question, SessionSpec
from orchestration.agents.drivers import session
from orchestration.agents.drivers.transcript import LONGEST_TEXT, MOST_EVENTS
from orchestration.core.agent.events import (
    Event,
    Message,
    PermissionNeeded,
    QuestionAsked,
    SessionStarted,
    ToolDone,
    ToolStarted,
    TurnEnded,
    to_json,
)
from tests.orchestration.agents.holding import Agent
from tests.orchestration.agents.kinds import KINDS
from tests.support.waiting import wait_until

SECRET = "tops3cret-value-0451"


@pytest.fixture(params=KINDS)
def agent(request: pytest.FixtureRequest, worktree: Path) -> Iterator[Agent]:
    made: Agent = KINDS[request.param](worktree)
    ability = request.node.get_closest_marker("needs")
    if ability is not None and ability.args[0] not in made.abilities:
        pytest.skip(f"{request.param} has no {ability.args[0]}")
    yield made
    made.close()


def choose(option: str) -> Answer:
    return Answer(option=option)


def text_of(agent: Agent) -> str:
    return "".join(str(to_json(event)) for event in agent.events)


def test_a_session_tells_its_course_from_its_start_to_its_end(agent: Agent) -> None:
    ended = agent.hold("write")
    assert ended.reason is EndReason.END_TURN and ended.error == ""
    first, *_, last = agent.events
    assert isinstance(first, SessionStarted) and first.session_id == ended.session_id != ""
    assert last == TurnEnded(reason=EndReason.END_TURN) and len(agent.heard(TurnEnded)) == 1
    assert "greets the moon" in "".join(agent.written().values())
    assert ended.text and ended.text in "".join(one.text for one in agent.heard(Message))


@pytest.mark.needs("tools")
def test_tools_are_told_with_their_end(agent: Agent) -> None:
    ended = agent.hold("write")
    begun, done = agent.heard(ToolStarted), agent.heard(ToolDone)
    assert begun and {one.tool_id for one in begun} == {one.tool_id for one in done}
    assert all(one.succeeded for one in done) and ended.turns >= 2


@pytest.mark.needs("usage")
def test_tokens_are_counted(agent: Agent) -> None:
    usage = agent.hold("write").usage
    assert usage.input > 0 and usage.output > 0 and usage.cached <= usage.input


def test_an_agent_that_changed_nothing_has_only_ended_its_turn(agent: Agent) -> None:
    ended = agent.hold("empty")
    assert ended.reason is EndReason.END_TURN and agent.written() == {}


def test_a_silent_agent_is_stalled_and_its_processes_are_gone(agent: Agent) -> None:
    ended = agent.hold("hangs", stall_seconds=2.0)
    assert ended.reason is EndReason.STALLED and "2 s" in ended.error
    assert agent.processes() == []


def test_one_that_only_tries_its_model_again_is_stalled_too(agent: Agent) -> None:
    if "retries" not in agent.abilities:
        pytest.skip("this agent never says that it tries again")
    ended = agent.hold("retries", stall_seconds=3.0)
    assert ended.reason is EndReason.STALLED and "again" in ended.error


def test_a_deadline_ends_an_agent_that_goes_on_and_on(agent: Agent) -> None:
    began = time.monotonic()
    ended = agent.hold("works_slowly", deadline_seconds=4.0, env={"ZEN_SCRIPTED_SECONDS": "1000"})
    assert ended.reason is EndReason.TIMED_OUT and "4 s" in ended.error
    assert agent.processes() == [] and time.monotonic() - began < 100


@pytest.mark.parametrize("behaviour", ["hangs", "deaf", "works_slowly"])
def test_a_cancellation_ends_it_whatever_it_does(agent: Agent, behaviour: str) -> None:
    cancelled = threading.Event()

    def heard(event: Event) -> None:
        if not isinstance(event, SessionStarted | TurnEnded):
            cancelled.set()

    ended = agent.hold(behaviour, cancelled=cancelled, heard=heard, env={"ZEN_SCRIPTED_SECONDS": "1000"})
    assert ended.reason is EndReason.CANCELLED and agent.processes() == []


def test_one_that_is_cancelled_before_it_begins_starts_nothing(agent: Agent) -> None:
    cancelled = threading.Event()
    cancelled.set()
    assert agent.hold("write", cancelled=cancelled).reason is EndReason.CANCELLED
    assert agent.written() == {} and agent.events == [TurnEnded(reason=EndReason.CANCELLED, error=last_error(agent))]


def last_error(agent: Agent) -> str:
    (ended,) = agent.heard(TurnEnded)
    return ended.error


def test_a_program_that_dies_has_crashed_and_its_last_words_are_told(agent: Agent) -> None:
    ended = agent.hold("crashes")
    assert ended.reason is EndReason.CRASHED and agent.processes() == []
    if "stderr" in agent.abilities:
        assert "told to crash" in ended.error and "exit code 3" in ended.error


@pytest.mark.needs("garbage")
def test_one_that_prints_what_is_no_event_has_crashed_or_stalled(agent: Agent) -> None:
    ended = agent.hold("garbage", stall_seconds=5.0)
    assert ended.reason in {EndReason.CRASHED, EndReason.STALLED} and agent.processes() == []


def test_a_flood_is_bounded_and_the_session_goes_on(agent: Agent) -> None:
    ended = agent.hold("floods")
    assert ended.reason is EndReason.END_TURN
    assert len(agent.events) <= MOST_EVENTS + 100 and max(len(one.text) for one in agent.heard(Message)) <= LONGEST_TEXT
    assert len(text_of(agent)) < 8 * 1024 * 1024
    assert "greets the moon" in "".join(agent.written().values())


@pytest.mark.needs("auth")
def test_one_that_is_not_signed_in_says_so_in_both_doors(agent: Agent) -> None:
    assert agent.hold("auth").reason is EndReason.AUTH
    if "check_auth" in agent.abilities:
        health = agent.driver.check(agent.spec("auth"))
        assert health.installed and health.signed_in is False and not health.usable and health.detail


@pytest.mark.needs("auth")
def test_a_key_that_is_refused_in_the_middle_of_a_turn_is_the_same(agent: Agent) -> None:
    assert agent.hold("unauthorized").reason is EndReason.AUTH


@pytest.mark.needs("rate")
@pytest.mark.django_db
def test_a_rate_limit_says_when_it_ends(agent: Agent) -> None:
    from foundation import clock

    ended = agent.hold("rate_limited")
    assert ended.reason is EndReason.RATE_LIMITED and ended.retry_at is not None
    assert 30 < (ended.retry_at - clock.now()).total_seconds() <= 90


@pytest.mark.needs("cost")
def test_one_that_spends_too_much_is_ended_in_the_middle(agent: Agent) -> None:
    ended = agent.hold("over_budget", max_cost_usd=Decimal(5))
    assert ended.reason is EndReason.OVER_BUDGET and agent.processes() == []
    assert ended.cost_usd is not None and Decimal(5) <= ended.cost_usd < Decimal(50)


@pytest.mark.needs("tools")
def test_rounds_are_bounded(agent: Agent) -> None:
    ended = agent.hold("many_rounds", max_turns=4)
    assert ended.reason is EndReason.MAX_TURNS and 4 <= ended.turns <= 5 and agent.processes() == []


def test_what_it_left_behind_is_ended(agent: Agent) -> None:
    assert agent.hold("leaves_processes").reason is EndReason.END_TURN
    assert agent.processes() == []


def test_secrets_are_in_no_event_and_in_no_result(agent: Agent) -> None:
    ended = agent.hold("tells_secrets", env={"MY_SECRET": SECRET}, secrets=(SECRET,))
    assert ended.reason is EndReason.END_TURN
    told = text_of(agent)
    assert "MY_SECRET is" in told and "[redacted]" in told and SECRET not in told + str(ended)


@pytest.mark.usefixtures("bubblewrap")
def test_outside_of_its_folder_and_in_git_it_writes_nothing(agent: Agent, worktree: Path) -> None:
    assert agent.hold("trespasses").reason is EndReason.END_TURN
    assert not (worktree.parent / "trespass").exists() and not (worktree / ".git" / "trespass").exists()
    assert not (Path.home() / ".zen-trespass").exists()
    assert "greets the moon" in "".join(agent.written().values())


@pytest.mark.needs("permission")
def test_a_permission_is_asked_for_and_its_answer_decides(agent: Agent) -> None:
    ended = agent.hold("permission", answer=lambda _: choose("allow"))
    (question,) = agent.questions
    assert question.kind == "permission" and {one.allows for one in question.options} == {True, False}
    assert [one.question for one in agent.heard(PermissionNeeded)] == [question]
    assert ended.reason is EndReason.END_TURN and ended.denied == () and agent.written()


@pytest.mark.needs("permission")
def test_a_tool_that_was_refused_is_in_the_result(agent: Agent) -> None:
    ended = agent.hold("permission", answer=lambda _: choose("reject"))
    assert ended.reason is EndReason.END_TURN and ended.denied == (agent.questions[0].tool,) and agent.written() == {}


@pytest.mark.needs("permission")
def test_an_answer_that_was_not_offered_comes_out_as_an_error(agent: Agent) -> None:
    with pytest.raises(ValueError, match="allow, reject"):
        agent.hold("permission", answer=lambda _: choose("perhaps"))
    assert agent.processes() == []


@pytest.mark.needs("question")
def test_an_answer_goes_back_into_the_session(agent: Agent) -> None:
    ended = agent.hold("question", answer=lambda question: choose(question.options[1].id))
    assert ended.reason is EndReason.END_TURN and "Answer: omega" in "".join(agent.written().values())
    assert [one.question for one in agent.heard(QuestionAsked)] == agent.questions


@pytest.mark.needs("resume")
@pytest.mark.parametrize("behaviour", ["permission", "question"])
def test_a_question_nobody_can_answer_now_suspends_and_its_answer_resumes(agent: Agent, behaviour: str) -> None:
    ended = agent.hold(behaviour)
    assert ended.reason is EndReason.SUSPENDED and ended.question == agent.questions[0] and ended.resumable
    assert agent.processes() == [] and agent.written() == {}

    agent.events.clear()
    spec = agent.spec(behaviour, session_id=ended.session_id)
    again = agent.driver.run(
        SessionSpec(**{**{name: getattr(spec, name) for name in spec.__dataclass_fields__}, "prompt": "omega"}),
        on_event=agent.events.append,
        ask=lambda _: None,
        cancelled=threading.Event(),
    )
    assert again.reason is EndReason.END_TURN and again.session_id == ended.session_id
    assert agent.heard(SessionStarted)[0].resumed and "said before" not in text_of(agent)
    assert "greets the moon" in "".join(agent.written().values())


@pytest.mark.needs("resume")
def test_a_session_that_is_lost_begins_anew_and_says_so(agent: Agent) -> None:
    ended = agent.hold("write", session_id="0" * 32)
    assert ended.reason is EndReason.END_TURN and not agent.heard(SessionStarted)[0].resumed


def test_while_somebody_thinks_about_an_answer_nothing_stalls(agent: Agent, monkeypatch: pytest.MonkeyPatch) -> None:
    if "question" not in agent.abilities:
        pytest.skip("this agent asks nothing")
    hours = [0.0]
    monkeypatch.setattr(session, "time", SimpleNamespace(monotonic=lambda: time.monotonic() + hours[0] * 3600))

    def slow(_: Question) -> Answer:
        hours[0] = 5.0
        return choose("alpha")

    ended = agent.hold("question", answer=slow, deadline_seconds=24 * 3600.0)
    assert ended.reason is EndReason.END_TURN


def test_an_error_of_whoever_hears_comes_out_and_nothing_is_left(agent: Agent) -> None:
    def heard(event: Event) -> None:
        if isinstance(event, Message):
            raise LookupError("the database is gone")

    with pytest.raises(LookupError, match="the database is gone"):
        agent.hold("hangs", heard=heard)
    assert agent.processes() == []


def test_one_that_refuses_is_told_apart(agent: Agent) -> None:
    if "refusal" not in agent.abilities:
        pytest.skip("this agent has no word for it")
    assert agent.hold("refuses").reason is EndReason.REFUSAL


def test_check_says_the_version_and_leaves_nothing(agent: Agent) -> None:
    health = agent.driver.check(agent.spec())
    assert health.installed and health.version and health.signed_in is not False and health.usable
    wait_until(lambda: agent.processes() == [], "its processes to be gone")


@pytest.mark.needs("command")
def test_a_program_that_is_not_there_is_named_with_the_remedy(agent: Agent) -> None:
    spec = agent.spec(command=("no-such-agent-anywhere",))
    health = agent.driver.check(spec)
    assert not health.installed and "no-such-agent-anywhere" in health.detail
    ended = agent.driver.run(spec, on_event=agent.events.append, ask=lambda _: None, cancelled=threading.Event())
    assert ended.reason is EndReason.CRASHED and "not installed" in ended.error
