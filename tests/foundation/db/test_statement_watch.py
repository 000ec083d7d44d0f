"""Which waits for the database are for nothing."""

from __future__ import annotations

from typing import Any, cast

import pytest
from django.db import connection

from foundation.db import silent_waits
from foundation.db.outages import PATIENCE_SECONDS
from foundation.db.silent_waits import AGAIN_SECONDS, Wait, guilty
from foundation.db.statement_watch import StatementWatch

NONE = cast(Any, None)


def test_one_that_the_server_works_on_is_left_alone_however_long_it_takes() -> None:
    wait = Wait(NONE, 7, 0.0)
    assert guilty([wait], [7], 1e6, is_known=True) == [] and guilty([wait], [7], 2e6, is_known=True) == []


def test_one_that_the_server_knows_nothing_of_is_given_up_at_the_second_look() -> None:
    wait = Wait(NONE, 7, 0.0)
    assert guilty([wait], [8], 31.0, is_known=True) == []
    assert guilty([wait], [8], 31.0 + AGAIN_SECONDS, is_known=True) == [wait]


def test_a_sign_of_work_between_two_looks_clears_it() -> None:
    wait = Wait(NONE, 7, 0.0)
    for busy, at in (([], 31.0), ([7], 37.0), ([], 43.0)):
        assert guilty([wait], busy, at, is_known=True) == []


def test_where_the_server_does_not_say_it_is_given_up_after_minutes() -> None:
    wait = Wait(NONE, 7, 0.0)
    assert guilty([wait], [], PATIENCE_SECONDS, is_known=False) == []
    assert guilty([wait], [], PATIENCE_SECONDS + 1, is_known=False) == [wait]


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_a_watched_connection_notes_each_wait_and_forgets_it() -> None:
    connection.close()
    connection.ensure_connection()
    watch = StatementWatch()
    noted: list[set[Wait]] = []
    watch._opened(connection)
    kind = type(connection.connection)
    waiting = kind.wait

    def look(*args: Any, **options: Any) -> Any:
        noted.append(set(watch._waits))
        return waiting(*args, **options)

    with pytest.MonkeyPatch.context() as patch, connection.cursor() as cursor:
        patch.setattr(kind, "wait", look)
        cursor.execute("SELECT pg_backend_pid()")
        (pid,) = cursor.fetchone()
    assert noted and all({wait.pid for wait in waits} == {pid} for waits in noted)
    assert watch._waits == set()
    connection.close()


@pytest.mark.only_on("postgresql")
@pytest.mark.django_db(transaction=True)
def test_the_look_tells_a_statement_at_work_from_a_connection_at_rest() -> None:
    connection.ensure_connection()
    watch = StatementWatch()
    at_rest = Wait(connection.connection, connection.connection.pgconn.backend_pid, 0.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(silent_waits, "AGAIN_SECONDS", 0.0)
        watch._waits.add(at_rest)
        watch._look_into([at_rest])
        assert watch.shut == 0 and at_rest.accused_at > 0
        watch._look_into([at_rest])
    assert watch.shut == 1 and watch.told()["connections"] == 1
    connection.close()


def test_a_child_of_a_watching_process_watches_its_own() -> None:
    watch = StatementWatch()
    watch._waits.add(Wait(NONE, 7, 0.0))
    watch._lock.acquire()  # by a thread that the child does not have
    watch.forked()
    assert watch._waits == set() and watch._thread is None and watch._lock.acquire(blocking=False)
