"""What a yes is to is shown, by every page that offers one; or it leads to where it is."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from approvals.models import Request
from approvals.web.showing import Budget, action_of, blocks_of, described, diff_lines
from tests.approvals.admin import scenes
from tests.approvals.admin.test_doors import INBOX, client_of, page_of
from tests.approvals.admin.test_hostile import PIXEL
from tests.system.contract.cast import account

pytestmark = pytest.mark.django_db(transaction=True)
HIDDEN = [
    "Buy chairs.\n\n[//]: # (and SECRETPART too)",
    '#!/bin/bash\necho on\n\n[a]: b "$(echo SECRETPART)"\n\necho off',
    "| a |\n|---|\n| x | SECRETPART |",
    "~~~ sh SECRETPART\necho\n~~~",
    "```SECRETPART\n```",
    "[see](https://example.com/ 'SECRETPART')",
    "[see](https://example.com/SECRETPART)",
    "![see](https://example.com/SECRETPART)",
    "[see](javascript:SECRETPART)",
    "[see](/SECRETPART)",
    "[see](<data:text/plain,SECRETPART>)",
    "[see][it]\n\n[it]: https://example.com/SECRETPART",
    "[![x](https://a.example/SECRETPART)](https://b.example)",
    "- one\n\n  [x]: y (SECRETPART)",
    "> [x]: y (SECRETPART)",
]


@pytest.fixture(autouse=True)
def everybody() -> None:
    for role in ("viewer", "operator", "approver"):
        account(role, role)
    scenes.cast()


def to_review(*rows: Request, who: str = "approver") -> str:
    form = {"pick": [row.pk for row in rows], "choice": "approve"}
    return unescape(client_of(who).post(f"{INBOX}bulk/", form).content.decode())


def approvable(row: Request, shown: str) -> bool:
    return f'name="seen:{row.pk}"' in shown


def full(row: Request) -> str:
    return unescape(client_of("approver").get(page_of(row)).content.decode())


@pytest.mark.parametrize("text", HIDDEN)
@pytest.mark.parametrize("where", ["description", "context", "note_md", "action", "action_md"])
def test_nothing_that_markdown_swallows_is_hidden(text: str, where: str) -> None:
    content: dict[str, dict[str, Any]] = {
        "description": {"description": text},
        "context": {"context": {"note": text}},
        "note_md": {"context": {"deep": {"note_md": text}}},
        "action": {"action": {"type": "script", "script": text}},
        "action_md": {"action": {"type": "script", "script_md": text}},
    }
    row = scenes.asked("Deploy", **{"context": {}, **content[where]})
    shown = to_review(row)
    assert approvable(row, shown) and "SECRETPART" in shown and "SECRETPART" in full(row)


def test_lists_are_numbered_as_they_were_written() -> None:
    assert 'start="7"' in described("7. seven\n8. eight") and "<li>" in described("1. one\n2. two")
    assert described("7. seven\n7. again").startswith("<pre>")
    assert described("2*3*4").startswith("<pre>") and described("&#8238;x").startswith("<pre>")


def test_usual_markdown_is_still_shown_as_such() -> None:
    for text in (
        "See [the plan](https://wiki.example.com/plan).", "**Bold** _it_ `code`", "```sh\nls\n```",
        "# One\n\n> two\n\n- x", "| a | b |\n|---|---|\n| 1 | 2 |", "<https://a.example/x> <bob@x.example>",
        "这是**重要**的", "",
    ):  # fmt: skip
        assert "<pre>\n" not in described(text), text
    assert "(wiki.example.com: https://wiki.example.com/plan)" in described("[x](https://wiki.example.com/plan)")


def test_an_action_is_shown_letter_by_letter() -> None:
    content = {"action": {"script": "a *b* \\c\n# d\u202e", "body": PIXEL, "note_md": "**x**"}}
    blocks = action_of(content, Budget())
    assert [(block.kind, block.text) for block in blocks] == [
        ("long", "a *b* \\c\n# d\\u202e"), ("text" if len(PIXEL) <= 200 else "long", PIXEL), ("text", "**x**"),
    ]  # fmt: skip
    assert action_of({"action": None}, Budget()) == [] == action_of({}, Budget())
    after = Budget()
    action_of(content, after)
    assert [block.kind for block in blocks_of({"note_md": "**x**", "picture": PIXEL}, after)] == ["markdown", "image"]


def test_text_reads_as_no_other_value() -> None:
    blocks = blocks_of({"a": "false", "b": False, "c": "null", "d": None, "rows": [{"e": "1"}, {"e": None}]}, Budget())
    assert [block.text for block in blocks[:4]] == ['"false"', "false", '"null"', "null"]
    assert blocks[4].table is not None and blocks[4].table.rows == [['"1"'], ["null"]]


def test_what_ends_no_line_is_spelled_out_in_a_diff() -> None:
    lines, cut = diff_lines("@@ -1 +1 @@\n-a\n+# b\x0crm\u2028c\r\n\n")
    assert [text for _, text in lines] == ["@@ -1 +1 @@", "-a", "+# b\\u000crm\\u2028c\\u000d", ""] and not cut


@pytest.mark.parametrize(
    "content",
    [
        {"k" * 121: True},
        {"k" * 121: {"a": 1}},
        {"rows": [{"k" * 61: 1}, {"k" * 61: 2}]},
        {"rows": [{"k": "v" * 201}, {"k": 2}]},
        {"text": "x" * 2001},
        {"text": "x\n" * 5001},
        {"text_md": "x\n" * 5001},
    ],
)
def test_what_is_clipped_counts_as_cut(content: dict[str, Any]) -> None:
    budget = Budget()
    blocks_of(content, budget)
    assert budget.cut
    row = scenes.asked("Clipped", context=content)
    assert not approvable(row, to_review(row)) and "This is not all of it" in full(row)


@pytest.mark.parametrize(
    "content",
    [{"k" * 120: 1}, {"rows": [{"k" * 60: 1}, {"k" * 60: 2}]}, {"text": "x\n" * 5000}, {"text": "x" * 2000}],
)
def test_what_just_fits_is_shown(content: dict[str, Any]) -> None:
    row = scenes.asked("Fits", context=content)
    assert approvable(row, to_review(row)) and "This is not all of it" not in full(row)


def test_a_changed_value_that_is_cut_on_the_requests_page_leads_to_all_of_it() -> None:
    row = scenes.asked("Edited", context={"n": "x"})
    assert "This is not all of it" not in full(row)
    Request.objects.filter(pk=row.pk).update(edits={"context.n": "y" * 600 + "THEEND"})
    shown = full(row)
    assert "THEEND" not in shown and "This is not all of it" in shown
