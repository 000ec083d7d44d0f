"""An installed Zen takes no keys from a folder of somebody else that happens to be where it was started."""

import os
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.config.data_folder import data_folder
from zen_project.config.databases import database


def test_its_own_is_taken_and_a_new_one_is_named(tmp_path: Path) -> None:
    assert data_folder(tmp_path, "", is_checkout=False) == tmp_path / ".zen"
    (tmp_path / ".zen").mkdir(mode=0o700)
    assert data_folder(tmp_path, "", is_checkout=False) == tmp_path / ".zen"


def test_one_that_others_may_write_is_refused_unless_it_is_named(tmp_path: Path) -> None:
    (tmp_path / ".zen").mkdir()
    (tmp_path / ".zen").chmod(0o777)
    with pytest.raises(ImproperlyConfigured, match=r"\.zen can be written by others.*ZEN_DATA_DIR="):
        data_folder(tmp_path, "", is_checkout=False)
    assert data_folder(tmp_path, ".zen", is_checkout=False) == data_folder(tmp_path, "", is_checkout=True)


def test_one_of_another_account_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".zen").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ImproperlyConfigured, match="belongs to another account"):
        data_folder(tmp_path, "", is_checkout=False)


def test_the_folder_of_a_database_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    database("sqlite:///own/zen.sqlite3", base_dir=tmp_path)
    assert (tmp_path / "own").stat().st_mode & 0o777 == 0o700


def test_a_password_with_a_slash_is_not_shown(tmp_path: Path) -> None:
    with pytest.raises(ImproperlyConfigured) as refused:
        database("postgres://zen:half/word@db:5432/zen", base_dir=tmp_path)
    assert "word" not in str(refused.value).partition("; for example")[0]
