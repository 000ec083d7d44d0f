"""When a window is healthy, and when that is out of reach."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.deployment.window import MOST_FAILURES, Answer, Window


def answer(error: str = "") -> Answer:
    return Answer(at="2026-01-01T00:00:00+00:00", target="p", status=500 if error else 200, seconds=0.1, error=error)


def window(share: float, answers: list[bool]) -> Window:
    found = Window(share=share)
    for good in answers:
        found = found.with_answer(answer("" if good else "broken"))
    return found


def test_without_an_answer_nothing_is_healthy() -> None:
    assert not Window(share=0.1).is_healthy() and Window(share=1).in_words() == "no answer was counted"


@given(st.floats(0.01, 1), st.lists(st.booleans(), min_size=1, max_size=200))
def test_what_is_lost_early_is_lost_at_the_end(share: float, answers: list[bool]) -> None:
    for count in range(1, len(answers) + 1):
        if window(share, answers[:count]).is_lost(len(answers)):
            assert not window(share, answers).is_healthy()
            return
    assert window(share, answers).is_healthy()


def test_every_answer_is_counted_and_the_first_bad_one_is_told() -> None:
    found = window(0.5, [True, False, *[False] * 30])
    told = found.evidence()
    assert (told["answers"], told["bad"], told["statuses"]) == (32, 31, {"200": 1, "500": 31})
    assert len(found.failures) == MOST_FAILURES and "31 of 32 answers were bad; the first at 2026" in found.in_words()
