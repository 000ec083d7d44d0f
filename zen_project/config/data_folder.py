"""Where a site keeps its own files: keys, the SQLite database, what a running `up` tells others."""

import os
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

BY_OTHERS = 0o022


def data_folder(home: Path, given: str, *, is_checkout: bool) -> Path:
    """The folder that ZEN_DATA_DIR names, else `.zen` in `home`.

    An installed Zen starts in any folder, and takes keys and addresses from the `.zen` there. One that nobody named
    has to belong to who starts it, and only they may write there.

    Raises:
        ImproperlyConfigured: it belongs to another account, or others may write in it.
    """
    folder = home / (given or ".zen")
    if not given and not is_checkout and folder.exists():
        found = folder.stat()
        if found.st_uid != os.geteuid():
            raise _not_ours(folder, f"belongs to another account (uid {found.st_uid})")
        if found.st_mode & BY_OTHERS:
            raise _not_ours(folder, "can be written by others")
    return folder


def _not_ours(folder: Path, why: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(
        f"{folder} {why}, and keys and addresses would be taken from it; if it is yours, name it: ZEN_DATA_DIR={folder}"
    )
