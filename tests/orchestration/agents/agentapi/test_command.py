"""`manage.py agentapi`: what it refuses to serve."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command


@pytest.mark.django_db(transaction=True)
def test_what_it_cannot_serve_is_refused_with_the_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    for words, said in (
        ([], "--endpoint NAME"),
        (["--endpoint", "nobody"], "nobody"),
        (["--session", "lost"], "give --endpoint too"),
    ):
        with pytest.raises(CommandError) as refused:
            call_command("agentapi", *words)
        assert refused.value.returncode in (2, 4) and said in capsys.readouterr().err
