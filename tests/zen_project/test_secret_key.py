import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.secret_key import signing_key, stored_secret_key


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
    given = base64.b64encode(b"k" * 32).decode()
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
