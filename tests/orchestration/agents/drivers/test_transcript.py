"""What leaves a session: joined, bounded and without secrets."""

from __future__ import annotations

import pytest

from orchestration.agents.base import EndReason
from orchestration.agents.drivers import transcript as transcripts
from orchestration.agents.drivers.transcript import LONGEST_QUESTION, LONGEST_TEXT, MOST_EVENTS, Transcript
from orchestration.core.agent.events import Event, Message, Thought, ToolDone, ToolStarted, TurnEnded, to_json
from orchestration.core.agent.session import Option, Question

SECRET = "s3cret-of-the-site"


def told(*events: Event) -> tuple[list[Event], Transcript]:
    found: list[Event] = []
    transcript = Transcript([SECRET], found.append)
    for event in events:
        transcript.add(event)
    transcript.flush()
    return found, transcript


def test_pieces_of_a_message_are_joined_and_keep_their_order() -> None:
    found, transcript = told(Message(text="a "), Message(text="b"), Thought(text="hm"), Message(text="c"))
    assert found == [Message(text="a b"), Thought(text="hm"), Message(text="c")]
    assert transcript.last_text == "c"


def test_messages_with_names_of_their_own_stay_apart() -> None:
    found, transcript = told(Message(text="a", message_id="1"), Message(text="b", message_id="2"))
    assert found == [Message(text="a", message_id="1"), Message(text="b", message_id="2")]
    assert transcript.last_text == "b"


def test_a_secret_is_known_wherever_a_message_is_cut() -> None:
    for cut in range(1, len(SECRET)):
        found, transcript = told(Message(text=f"it is {SECRET[:cut]}"), Message(text=f"{SECRET[cut:]} indeed"))
        assert SECRET not in str(found) and "[redacted]" in str(found) and SECRET not in transcript.last_text


def test_a_secret_at_the_bound_of_a_text_leaves_no_half() -> None:
    for shift in range(0, len(SECRET) + 2, 3):
        text = "x" * (LONGEST_TEXT - shift) + SECRET
        (event,), _ = told(ToolDone(tool_id="1", name="t", succeeded=True, output=text))
        assert isinstance(event, ToolDone) and len(event.output) <= LONGEST_TEXT and SECRET[:4] not in event.output


def test_too_many_events_are_counted_and_the_end_is_told_all_the_same() -> None:
    many = [ToolStarted(tool_id=str(number), name="t") for number in range(MOST_EVENTS + 7)]
    found, transcript = told(*many, TurnEnded(reason=EndReason.END_TURN))
    assert len(found) == MOST_EVENTS + 1 and transcript.dropped == 7 and isinstance(found[-1], TurnEnded)


def test_lists_are_bounded_too() -> None:
    (event,), _ = told(ToolStarted(tool_id="1", name="t", paths=tuple(str(number) for number in range(1000))))
    assert isinstance(event, ToolStarted) and len(event.paths) == 50


def test_what_no_database_keeps_is_shown_as_such() -> None:
    hostile = "a\0b\ud800c\x1b[2J"
    found, transcript = told(
        Message(text=hostile), ToolDone(tool_id=hostile, name=hostile, succeeded=True, output=hostile)
    )
    texts = [str(to_json(event)) for event in found] + [transcript.last_text, transcript.clean(hostile)]
    assert all("\\x00" not in text and "\0" not in text and text.encode() for text in texts)


def test_a_question_is_as_clean_as_what_is_told() -> None:
    asked = Question(
        id=f"1\0{SECRET}", kind="permission", text=f"May I send {SECRET}\ud800?", tool=SECRET * 100,
        options=(*(Option(id=str(n), label=f"{SECRET}\0") for n in range(500)),),
    )  # fmt: skip
    found = told()[1].question(asked)
    assert SECRET[:8] not in str(found) and "\0" not in str(found) and len(found.options) == 50 and found.digest
    assert told()[1].question(found) == found, "asked again it is the same"


def heard_at_once(monkeypatch: pytest.MonkeyPatch, *pieces: str) -> list[Event]:
    """What is handed on of these pieces while the agent's turn goes on."""
    monkeypatch.setattr(transcripts, "HELD_SECONDS", -1.0)
    monkeypatch.setattr(transcripts, "QUIET_SECONDS", -1.0)
    found: list[Event] = []
    transcript = Transcript([SECRET], found.append)
    for piece in pieces:
        transcript.add(Message(text=piece))
    transcript.breathe()
    return found


def test_an_agents_last_word_is_told_while_its_turn_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    found = heard_at_once(monkeypatch, "I wait for ", "the tests.")
    assert "".join(str(to_json(event)["text"]) for event in found) == "I wait for the tests."


@pytest.mark.parametrize("word", ["s3cr", "s", "key=s", "sk-ant-abc", "ghp_abcdef", "aGVsbG8x", "x" * 41])
def test_a_last_word_that_may_be_half_a_secret_waits_for_its_rest(monkeypatch: pytest.MonkeyPatch, word: str) -> None:
    found = heard_at_once(monkeypatch, f"the key is {word}")
    assert [to_json(event)["text"] for event in found] == ["the key is "]


def test_a_question_that_is_cut_says_so_and_is_another_one_with_another_end() -> None:
    """Otherwise a yes to what can be read would be one to whatever follows it."""
    transcript = Transcript([SECRET], lambda _: None)
    begins = "run: " + "a" * LONGEST_TEXT
    one, other = (
        transcript.question(Question(id="1", kind="permission", text=f"{begins}{end}"))
        for end in ("; ls", "; rm -rf x")
    )
    assert one.digest != other.digest and "cut: it has" in one.text and len(one.text) <= LONGEST_QUESTION
    assert transcript.question(one) == one, "asked again, it is the same"
