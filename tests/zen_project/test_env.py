from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.config.env import Env


def env(**environ: str) -> Env:
    return Env(environ=environ)


@pytest.mark.parametrize(
    ("read", "value", "meant"),
    [
        (lambda e: e.boolean("X", False), "On", True),
        (lambda e: e.boolean("X", True), "0", False),
        (lambda e: e.integer("X", 5), " 7 ", 7),
        (lambda e: e.integer("X", 5, least=0), "0", 0),
        (lambda e: e.seconds("X", 1), "0.25", 0.25),
        (lambda e: e.choice("X", "auto", ("auto", "celery")), "Celery", "celery"),
        (lambda e: e.words("X"), "a, b,,c", ("a", "b", "c")),
        (lambda e: e.address("X"), "[::1]:7233", "[::1]:7233"),
        (lambda e: e.address("X"), "temporal.internal:7233", "temporal.internal:7233"),
        (lambda e: e.outbound("X"), "127.0.0.1:8080,10.1.0.0/16,fd00::/8,stock", None),
    ],
)
def test_a_right_value_is_read(read: Callable[[Env], object], value: str, meant: object) -> None:
    assert read(env(X=value)) == (meant or tuple(value.split(",")) if meant is None else meant)


@pytest.mark.parametrize(
    ("read", "value"),
    [
        (lambda e: e.boolean("X", False), "perhaps"),
        (lambda e: e.integer("X", 5), "many"),
        (lambda e: e.integer("X", 5), "-1"),
        (lambda e: e.integer("X", 5, most=10), "11"),
        (lambda e: e.seconds("X", 1), "nan"),
        (lambda e: e.seconds("X", 1), "0"),
        (lambda e: e.choice("X", "auto", ("auto", "celery")), "beam"),
        (lambda e: e.address("X"), "localhost"),
        (lambda e: e.address("X"), "localhost:0"),
        (lambda e: e.address("X"), "localhost:99999"),
        (lambda e: e.address("X"), "http://localhost:7233"),
        (lambda e: e.outbound("X"), "10.0.0.256"),
        (lambda e: e.outbound("X"), "10.0.0.1/16"),
        (lambda e: e.outbound("X"), "http://stock/"),
        (lambda e: e.outbound("X"), "stock:port"),
        (lambda e: e.outbound("X"), "two words"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_an_example(read: Callable[[Env], object], value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=r"^X='.*' .*; for example X=.+") as refused:
        read(env(X=value))
    assert value in str(refused.value)


def test_an_empty_value_is_no_value() -> None:
    assert env(X=" ").integer("X", 5) == 5
    assert env().address("X") == ""


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("s3cret\n")
    assert env(X_FILE=str(tmp_path / "key")).secret("X") == "s3cret"


def test_a_secret_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="X_FILE=.* cannot be read"):
        env(X_FILE=str(tmp_path / "nowhere")).secret("X")


def test_a_secret_given_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="keep one") as refused:
        env(X="s3cret", X_FILE=str(tmp_path)).secret("X")
    assert "s3cret" not in str(refused.value)


def test_the_secrets_of_actions_leave_out_the_key_of_the_site(tmp_path: Path) -> None:
    (tmp_path / "card").write_text("4242\n")
    found = env(ZEN_SECRET_KEY="site", ZEN_SECRET_TOKEN="abc", ZEN_SECRET_CARD_FILE=str(tmp_path / "card"))
    assert found.action_secrets() == {"TOKEN": "abc", "CARD": "4242"}
