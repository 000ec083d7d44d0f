"""Requests of strangers are shown, and do nothing."""

from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.test import Client

from approvals.web.showing import Budget, blocks_of, is_diff, markdown
from approvals.web.showing.marked import host_of
from approvals.web.showing.recognised import is_image
from tests.approvals.admin import scenes
from tests.orchestration.admin.visitor import person

SCRIPT = "<script>window.taken = 1</script><img src=x onerror='window.taken = 1'>{{ 7 * 7 }}{% load x %}"
BACKWARDS = "pay \u202e000,1 \u2066EUR\u200b\ufeff"
EVIL = f"{SCRIPT} {BACKWARDS}"
MARKED = f"""# Hello

[click](javascript:window.taken=1) [ours](/admin/orchestration/run/1/act/abort/) [data](data:text/html,<b>1</b>)
[bank](https://bank.example@evil.example/login) ![pixel](https://evil.example/pixel.png) <https://t.example/>
[![in a link](https://evil.example/2.png)](https://ok.example/) {EVIL}

<iframe src="https://evil.example"></iframe>
"""
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
CONTEXT: dict[str, Any] = {
    EVIL[:100]: EVIL,
    "notes_md": MARKED,
    "link": "javascript:window.taken=1",
    "svg": "data:image/svg+xml;base64,PHN2ZyBvbmxvYWQ9ImFsZXJ0KDEpIi8+",
    "picture": PIXEL,
    "patch": f"--- a\n+++ b\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n",
    "table": [{"a": EVIL, EVIL[:40]: 1}],
    "wide": "w" * 5000,
    "deep": {"a": {"b": [[EVIL]]}},
}


def test_markdown_of_strangers() -> None:
    html = markdown(MARKED)
    assert "<script" not in html and "<img" not in html and "<iframe" not in html and 'href="javascript' not in html
    assert 'href="/admin' not in html and "leads nowhere outside" in html
    assert "(evil.example: https://bank.example@evil.example/login)" in html
    assert "[image: pixel]</a> (evil.example: https://evil.example/pixel.png)" in html
    assert markdown("# One\n## Two").startswith("<h3>One</h3>")
    assert len(markdown("[" * 1_000_000)) < 20_000


def test_where_a_link_leads() -> None:
    assert host_of("https://bank.example@evil.example/x") == "evil.example"
    assert host_of("https://bücher.example/") == "xn--bcher-kva.example"
    assert host_of("javascript:alert(1)") == host_of("/admin/") == host_of("https://[") == host_of("data:x") == ""


def test_which_pictures_are_shown() -> None:
    assert is_image(PIXEL)
    for text in (
        PIXEL.replace("png", "svg+xml"), PIXEL.replace("image/png", "text/html"), PIXEL.replace("iVBOR", "AAAAA"),
        PIXEL + "A" * 400_000, "https://x.example/a.png", PIXEL + "\n",
    ):  # fmt: skip
        assert not is_image(text), text[:40]


def test_what_is_a_diff() -> None:
    assert is_diff(scenes.DIFF) and is_diff("@@ -1 +1 @@\n-a\n+b\n")
    assert not is_diff("--- a title\n- one\n+ two\n") and not is_diff("a @@ b")


def test_a_page_shows_so_much_and_says_that_there_is_more() -> None:
    budget = Budget()
    blocks = blocks_of(
        {str(number): {"text": "x" * 3000, "more": list(range(100))} for number in range(10_000)}, budget
    )
    assert budget.cut and len(blocks) < 50
    small = Budget()
    assert len(blocks_of(scenes.CONTEXT, small)) == len(scenes.CONTEXT) and not small.cut
    deep: Any = "end"
    for _ in range(30):
        deep = {"a": deep}
    blocks_of({"deep": deep}, deeper := Budget())
    assert deeper.cut


def test_five_megabytes_are_cut_and_shown_whole_as_plain_text(transactional_db: None) -> None:
    scenes.cast()
    person("approver")
    lines = "\n".join(f"<b>line {number}</b> \u202e" for number in range(100_000))
    request = scenes.asked(context={"log": lines, "rows": [{"n": number} for number in range(50_000)]})
    client = Client()
    client.force_login(User.objects.get(username="approver"))
    page = client.get(f"/admin/approvals/request/{request.pk}/change/").content.decode()
    assert len(page) < 400_000 and "This is not all of it" in page
    answer = client.get(f"/admin/approvals/request/{request.pk}/plain/content/")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert (
        answer.headers["X-Content-Type-Options"] == "nosniff" and "sandbox" in answer.headers["Content-Security-Policy"]
    )
    text = answer.content.decode()
    assert "<b>line 99999</b>" in text and "\u202e" not in text and json.dumps(49_999) in text
    saved = client.get(f"/admin/approvals/request/{request.pk}/plain/content/?download")
    assert saved.headers["Content-Disposition"].startswith("attachment; filename=")
    assert client.get(f"/admin/approvals/request/{request.pk}/plain/passwords/").status_code == 302
