"""Writers of one process queue for SQLite; a child does not wait for a thread that stayed with its parent."""

from __future__ import annotations

import pytest

from foundation.db import statements
from tests.support.forked import forked


@pytest.mark.servers  # processes of its own
def test_a_child_writes_whatever_another_thread_of_its_parent_was_writing() -> None:
    done = forked(
        "from foundation.db import statements",
        hold="statements._Place()",
        child="statements._Place().leave()",
    )
    assert done.returncode == 0, done.stderr


def test_a_place_that_was_taken_before_a_fork_is_left_once_and_frees_no_other() -> None:
    before = statements._Place()
    statements._after_fork()
    now = statements._Place()
    before.leave()
    assert statements._one_writer.locked()
    now.leave()
    assert not statements._one_writer.locked()
