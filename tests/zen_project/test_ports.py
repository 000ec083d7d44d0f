"""An embedded server comes back on the port that it had, so that workers in other terminals find it again."""

import socket
from pathlib import Path

import pytest

from zen_project.embedded.ports import same_port


def test_a_server_gets_the_port_that_it_had_the_last_time(tmp_path: Path) -> None:
    first, other = same_port(tmp_path, "temporal"), same_port(tmp_path, "page")
    assert first != other
    assert (same_port(tmp_path, "temporal"), same_port(tmp_path, "page")) == (first, other)


def test_a_port_that_somebody_else_has_by_now_is_replaced_for_good(tmp_path: Path) -> None:
    first = same_port(tmp_path, "temporal")
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", first))
        holder.listen()
        second = same_port(tmp_path, "temporal")
    assert second != first
    assert same_port(tmp_path, "temporal") == second


@pytest.mark.parametrize(
    "content", ["", "[]", "no json", '{"temporal": "x"}', '{"temporal": 0}', '{"temporal": 99999}']
)
def test_a_file_that_says_nothing_of_use_is_written_anew(tmp_path: Path, content: str) -> None:
    (tmp_path / "ports.json").write_text(content)
    assert same_port(tmp_path, "temporal") == same_port(tmp_path, "temporal")
