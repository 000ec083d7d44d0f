"""Ports of the loopback: what is free, and who has what is not."""

from __future__ import annotations

import os
import socket

from foundation.machine import tcp_ports


def test_a_port_that_somebody_has_is_told_with_who() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert tcp_ports.holders_of(port) == [os.getpid()] and tcp_ports.listens(port)
        why = tcp_ports.taken(port)
        assert f"port {port} cannot be had (Address already in use; process {os.getpid()}, " in why
        assert why.endswith(" has it)")
    assert (tcp_ports.taken(port), tcp_ports.holders_of(port), tcp_ports.listens(port)) == ("", [], False)


def test_what_is_offered_can_be_had() -> None:
    offered = list(tcp_ports.free_ports(20))
    assert offered and len(set(offered)) == len(offered) <= 20
    assert all(port in tcp_ports.PORTS for port in offered)
    with socket.create_server(("127.0.0.1", offered[0])):
        assert tcp_ports.taken(offered[0])
