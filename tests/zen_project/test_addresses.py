"""DATABASE_URL and CELERY_BROKER_URL."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.config.broker import broker_url, transport_options
from zen_project.config.databases import POSTGRES_OPTIONS, database
from zen_project.config.env import Env


def test_sqlite_is_relative_to_the_project_with_three_slashes(tmp_path: Path) -> None:
    entry = database("sqlite:///data/zen.sqlite3", base_dir=tmp_path)
    assert entry["NAME"] == str(tmp_path / "data" / "zen.sqlite3")
    assert (tmp_path / "data").is_dir()
    assert "journal_mode=WAL" in entry["OPTIONS"]["init_command"]
    assert entry["OPTIONS"]["transaction_mode"] == "IMMEDIATE"


def test_sqlite_is_absolute_with_four_slashes(tmp_path: Path) -> None:
    assert database(f"sqlite:///{tmp_path}/a%20b.db", base_dir=Path("/x"))["NAME"] == f"{tmp_path}/a b.db"


def test_postgres_is_taken_apart() -> None:
    entry = database("postgres://zen:p%40ss@db:5433/orders?sslmode=require", base_dir=Path())
    wanted = {"NAME": "orders", "USER": "zen", "PASSWORD": "p@ss", "HOST": "db", "PORT": "5433"}
    assert entry | wanted == entry
    assert entry["OPTIONS"] == POSTGRES_OPTIONS | {"sslmode": "require"}


def test_postgres_may_be_a_socket() -> None:
    assert database("postgresql:///zen?host=/run/postgresql", base_dir=Path())["HOST"] == "/run/postgresql"


@pytest.mark.parametrize(
    "url",
    [
        "mysql://a:pw@b/c",
        "sqlite://",
        "sqlite:///:memory:",
        "postgres://zen:pw@db",
        "postgres://a:pw@b:port/c",
        "zen.db",
    ],
)
def test_a_wrong_database_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL=.* for example DATABASE_URL=") as refused:
        database(url, base_dir=Path())
    assert "pw@" not in str(refused.value)


@pytest.mark.parametrize(
    ("environ", "url"),
    [
        ({}, "memory://"),
        ({"REDIS_HOST": "cache"}, "redis://cache:6379/0"),
        ({"REDIS_HOST": "cache", "REDIS_PORT": "6380"}, "redis://cache:6380/0"),
        ({"REDIS_HOST": "cache", "CELERY_BROKER_URL": "amqp://mq"}, "amqp://mq"),
    ],
)
def test_the_broker_is_the_nearest_one_named(environ: dict[str, str], url: str) -> None:
    assert broker_url(Env(environ=environ)) == url


def test_the_broker_of_a_running_up_counts_before_memory() -> None:
    assert broker_url(Env(environ={}), "redis://:x@127.0.0.1:5/0") == "redis://:x@127.0.0.1:5/0"


@pytest.mark.parametrize("url", ["redis+cluster://a", "filesystem://", "sqla+sqlite:///a.db", "redis"])
def test_a_broker_that_loses_messages_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="CELERY_BROKER_URL="):
        broker_url(Env(environ={"CELERY_BROKER_URL": url}))


def test_memory_polls_fast_and_redis_keeps_no_bell_that_was_taken() -> None:
    assert transport_options("memory://") == {"polling_interval": 0.01}
    assert transport_options("redis://a/0")["ack_emulation"] is False
