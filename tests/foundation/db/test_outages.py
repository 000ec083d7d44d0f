"""Whether a connection is gone with an error, or the error was of the statement alone."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection, transaction

from foundation.db.outages import lost

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.both_databases]

AWAY = OperationalError("server closed the connection unexpectedly")


def test_a_connection_that_answers_is_not_lost() -> None:
    with transaction.atomic():
        assert not lost(AWAY)
    assert not lost(ValueError("no error of the database"))


def test_a_connection_that_was_closed_is_lost() -> None:
    connection.close()
    assert lost(AWAY)


@pytest.mark.only_on("postgresql")
def test_a_connection_that_the_server_has_ended_is_lost() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    connection.connection.close()
    assert lost(AWAY)
    connection.close()
