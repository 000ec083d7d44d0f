"""Policies as text: read by the same strict reader as sagas, with words of their own."""

from __future__ import annotations

import pytest

from approvals.policies import documents
from approvals.policies.documents import load_text
from foundation.errors import BadInput


def test_what_is_refused_is_told_with_its_place_and_a_remedy_for_policies(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BadInput, match=r"policy, line 2, column 1: the key 'policy' is given twice"):
        load_text("policy: a\npolicy: b\n")
    with pytest.raises(BadInput, match=r"line 2, column 9: stages\[0\].time: \.inf is not a number"):
        load_text("stages:\n- time: .inf\n")
    with pytest.raises(BadInput, match="is larger than 1 MiB") as caught:
        load_text("a" * (documents.MOST_BYTES + 1))
    assert caught.value.remedy == "make it shorter"
    monkeypatch.setattr(documents, "MOST_LEVELS", 2)
    for text in ("[[1]]", "- - 1"):
        assert load_text(text) == [[1]]
    for text in ("[[[1]]]", "- - - 1"):
        with pytest.raises(BadInput, match="nested more than 2 levels"):
            load_text(text)
