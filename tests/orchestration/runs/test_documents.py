"""YAML and JSON texts become plain JSON values, or an error with line and column."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from foundation.errors import BadInput
from orchestration.core.definition import validate_definition
from orchestration.runs.documents import load_text
from tests.orchestration.core.seed_sagas import DEPLOYMENT, ONBOARDING


def refused(text: str, name: str = "saga.yaml") -> str:
    with pytest.raises(BadInput) as caught:
        load_text(text, name=name)
    assert caught.value.field == "definition"
    assert caught.value.remedy
    return caught.value.message


@pytest.mark.parametrize("saga", [ONBOARDING, DEPLOYMENT], ids=["onboarding", "deployment"])
def test_the_seeds_sagas_as_json_and_as_yaml(saga: dict[str, Any]) -> None:
    assert load_text(json.dumps(saga), name="saga.json") == saga
    assert load_text(json.dumps(saga, indent=2), name="-") == saga
    assert load_text(yaml.safe_dump(saga), name="saga.yaml") == saga
    validate_definition(load_text(yaml.safe_dump(saga), name="saga.yml"))


def test_a_saga_as_people_write_it() -> None:
    text = """\
# a comment
saga_id: order
steps:
  - step_id: pay
    critical: true
    forward_action: {type: api_call, method: POST, url: "{base}/pay"}
  - step_id: note
    dependencies: []
    forward_action:
      type: script
      script: |
        #!/bin/sh
        echo "{hello}"
context: {base: http://localhost:8000, day: 2026-01-02, at: 12:30:00, flag: no, "quoted": "1", zip: 01234, none: ~}
"""
    value: Any = load_text(text)
    assert value["steps"][0]["critical"] is True
    assert value["steps"][1]["forward_action"]["script"] == '#!/bin/sh\necho "{hello}"\n'
    assert value["context"] == {
        "base": "http://localhost:8000", "day": "2026-01-02", "at": "12:30:00", "flag": "no", "quoted": "1",
        "zip": 1234, "none": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1", 1), ("-3", -3), ("0x1F", 31), ("0o17", 15), ("1.5", 1.5), (".5", 0.5), ("1e3", 1000.0),
        ("1_000", "1_000"),
        ("true", True), ("False", False), ("yes", "yes"), ("on", "on"), ("null", None), ("", None), ("~", None),
        ("'true'", "true"), ('"1"', "1"), ("!!str 1", "1"), ("! 1", "1"), ("2026-01-02", "2026-01-02"),
        ("1.2.3", "1.2.3"),        ("<<", "<<"), ("=", "="),
    ],
)  # fmt: skip
def test_scalars_by_the_core_schema(text: str, value: object) -> None:
    found: Any = load_text(f"a: {text}")
    assert found == {"a": value}
    assert type(found["a"]) is type(value)


def test_keys_are_text() -> None:
    assert load_text("200: ok\ntrue: yes\n") == {"200": "ok", "true": "yes"}


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ("a: &x 1\n", "line 1, column 4", "anchor"),
        ("a: 1\nb: *x\n", "line 2, column 4", "alias"),
        ("a: 1\nb: 2\na: 3\n", "line 3, column 1", "'a' is given twice"),
        ("a: {b: 1, b: 2}\n", "line 1, column 11", "'b' is given twice"),
        ("a: !!python/object:os.system x\n", "line 1, column 4", "tag"),
        ("a: !!timestamp 2026-01-01\n", "line 1, column 4", "tag"),
        ("a: !mine x\n", "line 1, column 4", "tag"),
        ("a: .nan\n", "line 1, column 4", "not a number"),
        ("a: -.inf\n", "line 1, column 4", "not a number"),
        ("a: 1e999\n", "line 1, column 4", "not a number"),
        ("a: 1\n---\nb: 2\n", "line 2, column 1", "second document"),
        ("? [a]\n: 1\n", "line 1, column 3", "key"),
        ("a: b: c\n", "line 1, column 5", "not allowed"),
        ("a:\n\tb: 1\n", "line 2, column 1", "token"),
        ("a: [1, 2\n", "line 2, column 1", "expected"),
        ("a: " + "[" * 60, "line 1, column 53", "50 levels"),
        ("- " * 60, "line 1, column 101", "50 levels"),
    ],
)
def test_yaml_is_refused_with_its_place(text: str, place: str, what: str) -> None:
    message = refused(text)
    assert message.startswith(f"saga.yaml, {place}: ")
    assert what in message


@pytest.mark.parametrize(
    ("text", "place", "what"),
    [
        ('{"a": 1,\n "a": 2}', "line 2, column 2", "'a' is given twice"),
        ('{"a": 1, "\\u0061": 2}', "line 1, column 10", "'a' is given twice"),
        ('{"a": NaN}', "line 1, column 7", "NaN"),
        ('{"a": -Infinity}', "line 1, column 7", "Infinity"),
        ('{"a": 1,}', "line 1, column 9", ""),
        ('{"a":\n 1', "line 2, column 3", ""),
        ("[" * 60, "line 1, column 51", "50 levels"),
        ('{"a": ' * 60, "line 1, column 301", "50 levels"),
    ],
)
def test_json_is_refused_with_its_place(text: str, place: str, what: str) -> None:
    message = refused(text, "saga.json")
    assert message.startswith(f"saga.json, {place}: ")
    assert what in message


def test_what_stands_inside_json_texts_is_no_structure() -> None:
    value = {"a": 'NaN "a": 1 {[[', "b": [{"a": 1}, {"a": 2}], "c": "\\"}
    assert load_text(json.dumps(value)) == value


def test_50_levels_are_read() -> None:
    for text in ("[" * 50 + "]" * 50, "- " * 50 + "x"):
        load_text(text)


def test_size_is_looked_at_before_parsing() -> None:
    assert "1 MiB" in refused("&" * 1_048_577)
    assert "1 MiB" in refused("ü" * 600_000)


def test_characters_that_cannot_be() -> None:
    assert "UTF-8" in refused("\ud800")
    assert "control characters" in refused("a: \x07")
    assert load_text("\ufeffa: 1") == {"a": 1}


def test_an_empty_text_is_nothing() -> None:
    assert load_text("") is None
    assert load_text("# only a comment\n") is None


@pytest.mark.parametrize("text", ['{"' + '\\"' * 500_000, '"' * 1_000_000, "a: >\n" + " \n" * 500_000, "{" * 1_000_000])
@pytest.mark.timeout(20)
def test_hostile_texts_cost_little(text: str) -> None:
    try:
        load_text(text)
    except BadInput:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@given(JSON)
def test_any_json_is_read_as_json_loads_reads_it(value: object) -> None:
    assert load_text(json.dumps(value), name="x.json") == value


@given(
    st.dictionaries(
        st.text("ab", min_size=1, max_size=4), JSON.filter(lambda v: "\\ud" not in json.dumps(v)), max_size=4
    )
)
def test_what_yaml_writes_is_read_back(value: dict[str, object]) -> None:
    text = yaml.dump(value, Dumper=NoAliases, default_style='"')
    assert load_text(text, name="x.yaml") == value


class NoAliases(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True


def test_a_number_that_json_does_not_know_is_told_by_step_and_field_too() -> None:
    text = "steps:\n- forward_action: {p: [1, {q: .inf}]}\n  step_id: later\n"
    assert "line 2, column 31: step 'later', forward_action.p[1].q: .inf is not a number" in refused(text)
    assert "context.x: -.inf is not a number" in refused("context: {x: -.inf}\n")


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 5000, "0o" + "7" * 6000])
def test_a_number_of_thousands_of_digits_is_refused_however_it_is_written(number: str) -> None:
    with pytest.raises(BadInput, match="too many digits"):
        load_text(f"saga_id: a\nsteps: []\ncontext: {{n: {number}}}\n")
    assert load_text("n: 0xff\nm: 0o17\n") == {"n": 255, "m": 15}
