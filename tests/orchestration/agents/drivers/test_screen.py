"""What a terminal shows when it waits: a menu is a question, a list is none."""

from __future__ import annotations

from orchestration.agents.drivers.agentapi.screen import LIMITED, SIGNED_OUT, menu

ASKS = """\
● I will write the file.

╭──────────────────────────────────────────────╮
│ Create file                                  │
│ hello.py                                     │
│                                              │
│ Do you want to create hello.py?              │
│ \u276f 1. Yes                                     │
│   2. Yes, and don't ask again this session   │
│   3. No, and tell the agent what to do       │
╰──────────────────────────────────────────────╯
"""


def test_a_menu_is_a_question_with_its_options() -> None:
    question = menu(ASKS)
    assert question is not None and question.kind == "permission" and "create hello.py?" in question.text
    assert [(one.id, one.allows, one.for_good) for one in question.options] == [
        ("1", True, False),
        ("2", True, True),
        ("3", False, False),
    ]


def test_a_list_that_is_only_told_is_no_question() -> None:
    assert menu("I did two things:\n1. Wrote hello.py\n2. Ran the tests\nAll is done.") is None
    assert menu("Done.") is None and menu("") is None


def test_screens_of_a_login_and_of_a_limit_are_known() -> None:
    assert SIGNED_OUT.search("Invalid API key · Please run /login") and not SIGNED_OUT.search("I added a login page")
    assert LIMITED.search("Claude usage limit reached. Your limit will reset at 3pm.")
