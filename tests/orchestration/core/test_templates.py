"""Rule 3: plain look-ups, nearest first, and values that stay where they are put."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from pydantic import JsonValue

from orchestration.core.definition.shape import json_bytes
from orchestration.core.templates import (
    AmbiguousName,
    BadValue,
    MissingName,
    MissingOutput,
    OwnMissing,
    Scope,
    TemplateError,
    TooLarge,
    action_placeholders,
    placeholders,
    problems_in,
    render,
    render_action,
    render_text,
    render_url,
    url_problems,
)


def context(**values: Any) -> Scope:
    return Scope(context=values)


# --- reading ---------------------------------------------------------------------------------------------------------


def test_placeholders_are_found_everywhere() -> None:
    value = {"{key}": ["{a}", {"x": "{b.c} and {d-e.0}"}], "n": 1, "lit": "{{no}} {secret:NO}"}
    assert placeholders(value) == {"a", "b.c", "d-e.0", "key"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain",
        "{a}",
        "{a.b.c}",
        "{a.0}",
        "{a-b}",
        "{_a}",
        "{größe}",
        "{{",
        "}}",
        "{{{a}}}",
        "{{a()}}",
        "{secret:A_1}",
    ],
)
def test_what_is_a_template(text: str) -> None:
    assert problems_in(text) == []


@pytest.mark.parametrize(
    "text",
    [
        "{", "}", "{}", "{ a }", "{a b}", "{a()}", "{a[0]}", "{a!r}", "{a:>9}", "{a..b}", "{.a}", "{a.}", "{0}",
        "{0.a}", "{__class__}", "{a.__class__}", "{a.b.__init__.c}", "{a{b}}", "{a}}", "{{a}", "{secret:a}",
        "{secret:}",
        "{secret:A.B}", "{a\n}", "{{secret:A}}", "{a,b}", "{'a'}", "{a.-b}",
    ],
)  # fmt: skip
def test_what_is_refused_and_what_to_do_about_it(text: str) -> None:
    found = problems_in({"deep": [text]})
    assert found
    assert all("; " in problem for problem in found)


# --- looking up ------------------------------------------------------------------------------------------------------

SCOPE = Scope(
    own={"id": "own", "only_own": 1},
    step_id="me",
    upstream=(
        {"near": {"id": "near", "x": 1, "rows": [{"sku": "s1"}]}, "close": {"x": 2, "only_close": 2}, "wait": None},
        {"far": {"id": "far", "only_far": 3, "x": 3}},
    ),
    context={"id": "context", "only_context": 4, "x": 5, "far_too": {"deep": {"k": None}}},
)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", "own"),
        ("me.id", "own"),
        ("near.id", "near"),
        ("far.id", "far"),
        ("only_own", 1),
        ("only_close", 2),
        ("only_far", 3),
        ("only_context", 4),
        ("near.rows.0.sku", "s1"),
        ("rows", [{"sku": "s1"}]),
        ("rows.0.sku", "s1"),
        ("far_too.deep", {"k": None}),
        ("far_too.deep.k", None),
        ("far", {"id": "far", "only_far": 3, "x": 3}),
        ("wait", None),
        ("me", {"id": "own", "only_own": 1}),
    ],
)
def test_names_are_looked_up_nearest_first(name: str, value: object) -> None:
    assert render(f"{{{name}}}", SCOPE) == value


def test_a_step_alone_stands_for_its_output_after_all_else() -> None:
    taken = dataclasses.replace(SCOPE, context={"near": "the context's"})
    assert render("{near}", taken) == "the context's"
    with pytest.raises(OwnMissing):
        render("{far}", dataclasses.replace(SCOPE, own=None, shared=frozenset()))


def test_two_candidates_at_the_same_distance() -> None:
    with pytest.raises(AmbiguousName, match=r"write \{close\.x\} or \{near\.x\}") as caught:
        render("{x}", SCOPE)
    assert caught.value.steps == ("close", "near")


def test_a_missing_name_says_what_there_was() -> None:
    with pytest.raises(MissingName) as caught:
        render("{nope}", SCOPE)
    assert caught.value.name == "nope"
    assert {"id", "near.x", "far.only_far", "only_context"} <= set(caught.value.available)


@pytest.mark.parametrize(
    "name", ["near.nope", "rows.1", "rows.x", "rows.0.sku.y", "far_too.deep.k.z", "me.nope", "id.0"]
)
def test_a_name_that_leads_nowhere(name: str) -> None:
    with pytest.raises(MissingName) as caught:
        render(f"{{{name}}}", SCOPE)
    assert caught.value.name == name


def test_without_an_own_output_the_own_step_has_nothing_to_give() -> None:
    with pytest.raises(MissingName):
        render("{me.id}", Scope(step_id="me", context={"id": 1}))


# --- what is about the step's own effect -----------------------------------------------------------------------------

UPSTREAM: tuple[dict[str, Any], ...] = ({"reserve": {"id": "r-1", "order_id": "o-1", "charge": {"id": "r-2"}}},)


def undo_scope(own: Any, *shared: str) -> Scope:
    return Scope(own=own, step_id="charge", upstream=UPSTREAM, context={"region": "eu"}, shared=frozenset(shared))


@pytest.mark.parametrize(
    ("own", "name", "shared", "value"),
    [
        ({"id": "c-1"}, "id", (), "c-1"),
        ({"id": "c-1"}, "id", ("id",), "c-1"),
        ({"id": "c-1"}, "charge.id", (), "c-1"),
        ({"id": "c-1"}, "order_id", ("order_id",), "o-1"),
        (None, "order_id", ("order_id",), "o-1"),
        (None, "reserve.id", (), "r-1"),
        (None, "region", (), "eu"),
    ],
)
def test_a_compensation_finds(own: Any, name: str, shared: tuple[str, ...], value: str) -> None:
    assert render(f"{{{name}}}", undo_scope(own, *shared)) == value


def test_a_compensation_finds_whole_outputs() -> None:
    assert render("{charge}", undo_scope({"id": "c-1"})) == {"id": "c-1"}
    assert render("{reserve}", undo_scope({"id": "c-1"})) == UPSTREAM[0]["reserve"]
    assert render("{reserve}", undo_scope({"reserve": "own"})) == "own"


@pytest.mark.parametrize(
    ("own", "name", "said"),
    [
        (None, "id", "the id from 'charge' is unknown"),
        (None, "charge.id", "the id from 'charge' is unknown"),
        (None, "order_id", "the order_id from 'charge' is unknown"),
        ({}, "id", "the output of 'charge' has no id; it has nothing"),
        ({"ref": 1}, "id", "it has ref"),
        (None, "charge", "the charge from 'charge' is unknown"),
        (None, "reserve", "the reserve from 'charge' is unknown"),  # it may be meant as a key of the own output
    ],
)
def test_no_other_step_stands_in_for_the_step_itself(own: Any, name: str, said: str) -> None:
    with pytest.raises(OwnMissing) as caught:
        render(f"{{{name}}}", undo_scope(own))
    assert said in str(caught.value)


NAMES = st.sampled_from(["id", "ref", "order_id"])
OUTPUTS = st.dictionaries(NAMES, st.integers(0, 9), max_size=3)


@given(own=st.none() | OUTPUTS, far=OUTPUTS, context=OUTPUTS, shared=st.frozensets(NAMES), name=NAMES)
def test_what_the_forward_action_does_not_name_never_comes_from_another_step(
    own: dict[str, Any] | None, far: dict[str, int], context: dict[str, int], shared: frozenset[str], name: str
) -> None:
    upstream: dict[str, Any] = {"far": {key: ["far", value] for key, value in far.items()}}
    scope = Scope(own=own, step_id="me", upstream=(upstream,), context=context, shared=shared)
    try:
        found = render(f"{{{name}}}", scope)
    except MissingName:
        assert name not in {*(own or {}), *context, *(far if name in shared else {})}
        return
    if name in (own or {}):
        assert own is not None and found == own[name]
    else:
        assert found == (upstream["far"][name] if name in shared and name in far else context[name])


def test_a_missing_output_is_told_from_a_missing_name() -> None:
    scope = Scope(upstream=({"a": {"x": 1}},), context={"y": 2}, missing=frozenset({"b", "c"}))
    with pytest.raises(MissingOutput) as named:
        render("{b.id}", scope)
    assert named.value.step_ids == ("b",)
    with pytest.raises(MissingOutput) as plain:
        render("{id}", scope)
    assert plain.value.step_ids == ("b", "c")
    assert not isinstance(plain.value, MissingName)
    assert render("{x} {y}", scope) == "1 2"
    with pytest.raises(MissingName):
        render("{a.id}", scope)


# --- filling in ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, True, 0, 1.5, "x", [1], {"a": [None]}])
def test_exactly_one_placeholder_keeps_its_type(value: object) -> None:
    assert render({"k": ["{v}"]}, context(v=value)) == {"k": [value]}


def test_inside_a_longer_text_values_are_written_as_json() -> None:
    scope = context(n=None, t=True, i=3, f=1.5, s="é", m={"a": [1]})
    assert render("{n} {t} {i} {f} {s} {m}", scope) == 'null true 3 1.5 é {"a":[1]}'
    assert render_text("{i}", scope) == "3"


def test_literal_braces_and_secrets() -> None:
    assert render("{{a}} {{{a}}} {secret:KEY}", context(a=1)) == "{a} {1} {secret:KEY}"
    assert render("{secret:KEY}", Scope()) == "{secret:KEY}"


@pytest.mark.parametrize(
    "template",
    ["{v}", "x {v}", {"a": "{v}"}, "{open}secret:KEY}}", "{open}secret:KEY{close}", "{{secret:KEY}}", "{m}", "{k}"],
)
def test_data_cannot_make_a_secret_reference(template: Any) -> None:
    scope = context(v="{secret:KEY}", open="{", close="}", m=[{"deep": "{secret:KEY}"}], k={"{secret:KEY}": 1})
    with pytest.raises(BadValue, match="secret"):
        render(template, scope)


def test_what_is_filled_in_is_bounded() -> None:
    big = replace(context(v="x" * 600_000), most=1_000_000)
    assert len(str(render("{v}", big))) == 600_000
    templates: list[Any] = ["{v}{v}", ["{v}", "{v}"], {"a": "{v}", "b": ["{v}"]}]
    for template in templates:
        with pytest.raises(TooLarge):
            render(template, big)
    with pytest.raises(TooLarge):
        render_action({"type": "task", "a": "{v}", "b": "{v}"}, big)
    with pytest.raises(TooLarge):
        render_url("http://h/{v}?{v}", big)


def test_what_is_kept_can_be_used_whatever_is_written_around_it() -> None:
    """Weighed it is never larger than its JSON, by which it was kept."""
    texts: list[Any] = ["x" * 1000, "\u00fc\U0001f600" * 300, ['"\n'] * 99]
    for value in (*texts, [1] * 800, [[], {}] * 300, {f"k{n}": n for n in range(99)}):
        scope = replace(context(v=value), most=json_bytes(value))
        assert render({"long text around it" * 99: ["{v}"]}, scope) == {"long text around it" * 99: [value]}
        with pytest.raises(TooLarge):
            render(["{v}", "{v}"], scope)


def test_keys_of_mappings_are_templates_too() -> None:
    scope = context(sku="A1", n=7, none=None, many=[1])
    assert render({"{sku}": 2, "x-{n}": [{"{n}": 1}], "{{sku}}": 3}, scope) == {
        "A1": 2, "x-7": [{"7": 1}], "{sku}": 3
    }  # fmt: skip
    collisions: list[JsonValue] = [{"{sku}": 1, "A1": 2}, {"{none}": 1}, {"{many}": 1}]
    for wrong in collisions:
        with pytest.raises(BadValue, match="key"):
            render(wrong, scope)
    with pytest.raises(MissingName):
        render({"{suk}": 1}, scope)
    assert render({"{sku}": "{sku}", "{": 1}, replace(scope, fills_keys=False)) == {"{sku}": "A1", "{": 1}
    assert placeholders({"{sku}": 1}) == {"sku"} and problems_in({"{": 1}) and problems_in({"{secret:X}": 1})


ODD: dict[str, Any] = {"@odata.id": "x1", "user.id": 5, "first name": "A", "1st": "f", "$ref": "r", "": "e", "__v": 0}
ODD |= {"id": "i", "{b}": "c"}


@pytest.mark.parametrize("key", ODD)
def test_any_key_can_be_named(key: str) -> None:
    """sagas: the service's /odd."""
    scope = Scope(upstream=({"get": {**ODD, "list": [ODD]}},), context={"all": ODD})
    quoted = json.dumps(key).replace("{", "\\u007b").replace("}", "\\u007d")
    for template in (f"{{get[{quoted}]}}", f"{{[{quoted}]}}", f"{{get.list.0[{quoted}]}}", f"{{all[{quoted}]}}"):
        assert problems_in(template) == [] and render(template, scope) == ODD[key], template
    assert render_url(f"http://h/{{all[{quoted}]}}x", scope).startswith("http://h/")
    if not set(key) & set("{}'"):
        assert render(f"{{all['{key}']}}", scope) == ODD[key]


def test_a_name_is_the_same_however_it_is_written() -> None:
    assert placeholders(["{a.b}", '{a["b"]}', "{a['b']}", '{["a"].b}']) == {"a.b"}
    assert placeholders('{a["b.c"].d}') == {'a["b.c"].d'}


@pytest.mark.parametrize("text", ['{a["b]}', "{a[b]}", '{a.["b"]}', '{a["\\q"]}', "{[]}", '{a["b"]c}', "{a['b'}"])
def test_what_is_no_name_says_how_to_write_one(text: str) -> None:
    (problem,) = problems_in(text)
    assert '{step["first name"]}' in problem


@pytest.mark.parametrize("text", ["{lines[0].sku}", '{a["lines"][0]}', "{lines[-1]}"])
def test_a_place_in_a_list_says_how_it_is_written(text: str) -> None:
    (problem,) = problems_in(text)
    assert "{lines.0.sku}" in problem


def test_deeply_nested_data_is_no_trouble() -> None:
    deep: object = 1
    for _ in range(5000):
        deep = [deep]
    assert render("{v}", context(v=deep)) is deep


NAMES = st.from_regex(r"\A[a-z_]{1,8}(\.[a-z_0-9]{1,8}){0,3}\Z")


class Trap:
    """Looking at any attribute of it is a failure."""

    def __getattribute__(self, name: str) -> object:
        if name == "__class__":
            return Trap
        raise AssertionError(f"the attribute {name} was looked at")


@given(st.sampled_from(["secret", "__class__", "__init__", "real", "append", "upper", "keys", "items"]))
def test_attributes_are_never_looked_at(part: str) -> None:
    values: list[Any] = [Trap(), 1, "x", [1], {}]
    for value in values:
        with pytest.raises(TemplateError):
            render(f"{{v.{part}}}", context(v=value))


@given(st.text("{}ab._:![0] secret:", max_size=12))
def test_any_text_is_either_refused_or_filled_in_plainly(text: str) -> None:
    scope = context(a="1", b={"a": "2"})
    if problems_in(text):
        if "{{secret:" not in text:
            with pytest.raises(TemplateError):
                render(text, scope)
        return
    try:
        filled = render(text, scope)
    except TemplateError:
        return
    known = {"a", "b", "b.a"}
    assert placeholders(text) <= known
    if not placeholders(text) and "secret" not in text:
        assert filled == text.replace("{{", "{").replace("}}", "}")


# --- URLs ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("{base}/orders", "http://h:1/v1/orders"),
        ("{slash}/orders", "http://h/orders"),
        ("{full}", "https://h/cb?x=1#y"),
        ("http://{host}/a", "http://h.example:8080/a"),
        ("http://{name}.example/a", "http://eu.example/a"),
        ("http://h:{port}/a", "http://h:8080/a"),
        ("http://{six}/", "http://[::1]:80/"),
        ("http://h/{id}/x", "http://h/a%2Fb%3Fc%23d%25/x"),
        ("http://h/{up}", "http://h/..%2F..%2Fadmin"),
        ("http://h/v{dots}w", "http://h/v..w"),
        ("http://h/?q={id}&t={yes}", "http://h/?q=a%2Fb%3Fc%23d%25&t=true"),
        ("http://h/?q={amp}", "http://h/?q=1%26admin%3D1"),
        ("http://h/#{id}", "http://h/#a%2Fb%3Fc%23d%25"),
        ("http://h/{{x}}", "http://h/{x}"),
        ("http://h/?k={secret:KEY}", "http://h/?k={secret:KEY}"),
        ("http://h/{n}", "http://h/7"),
        ("http://h/{space}", "http://h/a%20%C3%A9%0D%0A"),
    ],
)
def test_values_are_encoded_for_their_place(template: str, url: str) -> None:
    scope = context(
        base="http://h:1/v1", slash="http://h/", full="https://h/cb?x=1#y", host="h.example:8080", name="eu", port=8080,
        six="[::1]:80", id="a/b?c#d%", up="../../admin", dots="..", yes=True, amp="1&admin=1", n=7,
        space="a é\r\n",
    )  # fmt: skip
    assert url_problems(template) == []
    assert render_url(template, scope) == url


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("{v}/x", "ftp://h"),
        ("{v}/x", "//h"),
        ("{v}/x", "/relative"),
        ("{v}/x", "http://"),
        ("{v}/x", "http://user:pw@h"),
        ("{v}/x", "http://h/?q=1"),
        ("{v}/x", "http://h/#f"),
        ("{v}/x", "http://h/ y"),
        ("{v}/x", "http://h\\@evil"),
        ("{v}/x", "http://h\r\nX: y"),
        ("{v}/x", 3),
        ("{v}/x", None),
        ("http://{v}/x", "h/evil"),
        ("http://{v}/x", "a@b"),
        ("http://{v}/x", "h?x"),
        ("http://{v}/x", "h#x"),
        ("http://{v}/x", "h\\x"),
        ("http://{v}/x", ".."),
        ("http://{v}/x", ""),
        ("http://{v}/x", "h:99999"),
        ("http://{v}.example/x", "evil.com:80"),
        ("http://h{v}", "/x"),
        ("http://h/{v}", ".."),
        ("http://h/{v}/x", "."),
        ("http://h/{v}", ""),
        ("http://h/.{v}/x", "."),
        ("http://h/%2e{v}/x", "."),
        ("http://h/{v}?q", ".."),
        ("http://h/{v}", None),
        ("http://h/{v}", [1]),
        ("http://h/?q={v}", {"a": 1}),
        ("http://h/{v}", "\ud800"),
        ("htt{v}://h/", "p"),
    ],
)
def test_values_that_would_leave_their_place(template: str, value: object) -> None:
    with pytest.raises(BadValue):
        render_url(template, context(v=value))


@pytest.mark.parametrize(
    "url",
    ["", "/x", "h/x", "ftp://h", "http://", "http:///x", "https://?q", "{s}://h/", "http://h:port/", "http://a b/",
     "http://h/\n", "http://{secret:A}/", "http://[::1/", "file:///etc", "javascript:{x}", "{secret:BASE}/x"],
)  # fmt: skip
def test_urls_that_cannot_work_are_known_beforehand(url: str) -> None:
    assert url_problems(url)


PLACES = [
    "http://h/{v}",
    "http://h/a/{v}/b",
    "http://h/a-{v}.json",
    "http://h/a?x={v}&y=1",
    "http://h/a/{v}?x={v}",
    "{b}/{v}/z",
]


@given(st.sampled_from(PLACES), st.text(max_size=30) | st.text("./%?#&;\\@: \r\n{}2eEfF", max_size=12))
@example("http://h/{v}", "%2e%2e")
@example("http://h/{v}", "..%2f..")
def test_an_encoded_value_never_changes_the_shape_of_a_url(template: str, value: str) -> None:
    assume("{secret:" not in value)
    plain = urlsplit(template.replace("{v}", "v").replace("{b}", "http://h"))
    try:
        url = render_url(template, context(v=value, b="http://h"))
    except BadValue:
        assert value in ("", ".", "..") or any("\ud800" <= char <= "\udfff" for char in value)
        return
    found = urlsplit(url)
    assert (found.scheme, found.netloc, found.fragment) == ("http", "h", "")
    assert found.path.count("/") == plain.path.count("/")
    assert bool(found.query) == bool(plain.query)
    assert found.query.count("&") == plain.query.count("&")
    assert not {".", ".."} & set(map(unquote, found.path.split("/")))
    assert url.isascii()
    assert value in unquote(url)


# --- actions ---------------------------------------------------------------------------------------------------------


def test_an_api_call() -> None:
    action: dict[str, Any] = {
        "type": "api_call",
        "url": "{base}/users/{id}",
        "method": "POST",
        "headers": {"X-Id": "{id}", "X-N": "{n}", "Authorization": "Bearer {secret:KEY}", "X-B": True},
        "payload": {"n": "{n}"},
        "expected_status": [200, 201],
        "extra": "{id}",
    }
    assert render_action(action, context(base="http://h", id="a/b", n=7)) == {
        "type": "api_call",
        "url": "http://h/users/a%2Fb",
        "method": "POST",
        "headers": {"X-Id": "a/b", "X-N": "7", "Authorization": "Bearer {secret:KEY}", "X-B": "true"},
        "payload": {"n": 7},
        "expected_status": [200, 201],
        "extra": "a/b",
    }


@pytest.mark.parametrize("value", ["a\r\nX-Admin: 1", "a\nb", "a\x00", None, [1], {"a": 1}])
def test_a_header_holds_one_line_of_text(value: object) -> None:
    with pytest.raises(BadValue, match="X-Id"):
        render_action({"type": "api_call", "headers": {"X-Id": "{v}"}}, context(v=value))


@pytest.mark.parametrize(
    "url", ["http://h/?q={v}", "http://h/?q=a{v}", "http://h/#{v}", "http://h/{v}", "http://h/a{v}"]
)
def test_null_is_no_part_of_a_url(url: str) -> None:
    with pytest.raises(BadValue, match="is null"):
        render_url(url, context(v=None))


@pytest.mark.parametrize(
    "part",
    [{"headers": {"Authorization": "Bearer {v}"}}, {"headers": {"X-A": "{w}-{v}"}}, {"auth": {"bearer": "t-{v}"}},
     {"auth": {"basic": ["{v}@h", "{secret:PASSWORD}"]}}, {"query": {"q": "a:{v}"}}, {"query": {"q": ["x", "a:{v}"]}}],
)  # fmt: skip
def test_null_is_no_word_in_what_goes_out_as_words(part: dict[str, Any]) -> None:
    with pytest.raises(BadValue, match=f"{{v}} stands in {next(iter(part))} and is null"):
        render_action({"type": "api_call", **part}, context(v=None, w="w"))
    render_action({"type": "api_call", **part}, context(v="t", w="w"))
    assert render_action({"type": "api_call", "payload": {"a": "x-{v}"}}, context(v=None))["payload"] == {"a": "x-null"}
    assert render_action({"type": "task", **part}, context(v=None, w="w"))  # what a handler makes of it is its own


def test_a_script_gets_values_by_its_environment_only() -> None:
    action: dict[str, Any] = {"type": "script", "script": "echo {v} ${V} {", "env": {"V": "{v}", "J": "{j}", "N": 1}}
    filled = render_action(action, context(v="; rm -rf /", j={"a": [None]}))
    assert filled["script"] == action["script"]
    assert filled["env"] == {"V": "; rm -rf /", "J": '{"a":[null]}', "N": "1"}
    assert action_placeholders(action) == {"v", "j"}
    with pytest.raises(BadValue):
        render_action(action, context(v="a\x00b", j=1))


def test_a_child_keeps_its_definition_and_gets_its_context() -> None:
    action: dict[str, Any] = {"type": "saga", "definition": {"steps": ["{not_ours}"]}, "context": {"a": "{v}"}}
    assert render_action(action, context(v=[1])) == {**action, "context": {"a": [1]}}
    assert action_placeholders(action) == {"v"}


def test_a_key_called_script_elsewhere_is_a_template() -> None:
    assert render_action({"type": "task", "script": "{v}"}, context(v=1))["script"] == 1


def test_the_action_given_is_left_as_it_was() -> None:
    action: dict[str, Any] = {"type": "task", "x": {"y": ["{v}"]}}
    render_action(action, context(v=1))
    assert action == {"type": "task", "x": {"y": ["{v}"]}}


def test_a_template_that_was_never_validated_fails_cleanly() -> None:
    for bad in ("{a b}", "{", "{a.__class__}"):
        with pytest.raises(TemplateError):
            render_action({"type": "task", "x": bad}, context(a=1))
