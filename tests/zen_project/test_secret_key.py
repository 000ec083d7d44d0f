import base64
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.config.env import Env
from zen_project.config.secret_key import EXAMPLES, given_secret_key, signing_key, stored_secret_key

pytestmark = pytest.mark.servers  # processes of its own


def test_it_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    key = stored_secret_key(tmp_path / "new")
    assert stored_secret_key(tmp_path / "new") == key
    assert stat.S_IMODE((tmp_path / "new" / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["secret_key"]


def test_processes_that_start_together_agree(tmp_path: Path) -> None:
    together = Barrier(16)

    def start(_: int) -> str:
        together.wait()
        return stored_secret_key(tmp_path / "zen")

    with ThreadPoolExecutor(16) as pool:
        assert len(set(pool.map(start, range(16)))) == 1


def test_a_folder_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ImproperlyConfigured, match="ZEN_DATA_DIR=.*/file"):
        stored_secret_key(tmp_path / "file")


def test_an_emptied_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "secret_key").touch()
    with pytest.raises(ImproperlyConfigured, match="delete it"):
        stored_secret_key(tmp_path)


def test_the_signing_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    key = signing_key("", tmp_path / "new")
    assert signing_key("", tmp_path / "new") == key and len(base64.b64decode(key)) == 32
    assert stat.S_IMODE((tmp_path / "new" / "signing_key").stat().st_mode) == 0o600


def test_the_signing_key_of_the_environment_wins_and_leaves_no_file(tmp_path: Path) -> None:
    given = base64.b64encode(bytes(range(32))).decode()
    assert signing_key(given, tmp_path) == given
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("given", ["short", "x" * 44, base64.b64encode(b"k" * 31).decode()])
def test_a_signing_key_that_is_none_is_refused_and_not_repeated(given: str, tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured, match="ZEN_SIGNING_KEY does not hold 32 bytes") as refusal:
        signing_key(given, tmp_path)
    assert given not in str(refusal.value)


def test_a_signing_key_that_was_spoilt_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "signing_key").write_bytes(b"\xff\xfe")
    with pytest.raises(ImproperlyConfigured, match="signing_key does not hold"):
        signing_key("", tmp_path)


RANDOM = "q7Zk2vX9bT4mW8nR1cY6sD3fG5hJ0pLqAeUi"
WEAK = [
    "short", RANDOM[:31], "x" * 64, "abcabcabc" * 8, "0123456789"[:9] * 8, f"change-me-{RANDOM}", f"{RANDOM}-example",
    "django-insecure-" + RANDOM, "50 random characters, 50 random characters",
    "only-to-collect-static-files-in-the-build",
    *(f"{RANDOM[:20]}{word.upper()}{RANDOM[:20]}" for word in EXAMPLES),
]  # fmt: skip


@pytest.mark.parametrize("key", WEAK)
def test_a_key_that_is_short_or_from_an_example_is_refused(key: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="ZEN_SECRET_KEY .*openssl") as refused:
        given_secret_key(key, debug=False)
    assert key not in str(refused.value)
    assert given_secret_key(key, debug=True) == key


@pytest.mark.parametrize("key", ["", RANDOM, RANDOM[:32], "0123456789abcdef" * 4])
def test_a_long_key_and_none_are_taken(key: str) -> None:
    assert given_secret_key(key, debug=False) == key


@pytest.mark.parametrize("key", WEAK[:4])
@pytest.mark.parametrize("name", ["ZEN_SECRET_KEY", "SECRET_KEY"])
def test_the_site_does_not_start_with_such_a_key(process_env: dict[str, str], name: str, key: str) -> None:
    env = {k: v for k, v in process_env.items() if k != "ZEN_SECRET_KEY"} | {name: key}
    done = subprocess.run([sys.executable, "manage.py", "check"], env=env, capture_output=True, text=True, check=False)
    assert done.returncode and "ZEN_SECRET_KEY" in done.stderr and f"={key}" not in done.stderr


@pytest.mark.parametrize(
    ("name", "value"),
    [("ZEN_SECRET_KEY", "…"), ("ZEN_SLACK_SIGNING_SECRET", "…"), ("DATABASE_URL", "postgres://zen:…@postgres/zen"),
     ("CELERY_BROKER_URL", "redis://:…@valkey:6379/0"), ("EMAIL_URL", "smtp://user:…@mail"), ("ZEN_SECRET_TOKEN", "…")],
)  # fmt: skip
def test_the_placeholder_of_an_example_is_no_secret(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name}=.*placeholder"):
        Env(environ={name: value}).secret(name)


@pytest.mark.parametrize("seed", [bytes(32), b"\1" * 32, b"0123456789a" * 3])
def test_a_seed_that_nobody_threw_is_refused(tmp_path: Path, seed: bytes) -> None:
    with pytest.raises(ImproperlyConfigured, match="random"):
        signing_key(base64.b64encode(seed[:32]).decode(), tmp_path)
