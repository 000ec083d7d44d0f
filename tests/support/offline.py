"""A command in a namespace of its own with no network but loopback. `command(…)` gives the words; Linux alone.

unshare --net python tests/support/offline.py COMMAND…
"""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import struct
import sys

SIOCGIFFLAGS, SIOCSIFFLAGS = 0x8913, 0x8914
IFF_UP = 1


def command(*words: str) -> list[str]:
    """The same command, without a network. Who is not root becomes it in a namespace of users."""
    unshare = shutil.which("unshare") or "unshare"
    return [unshare, "--net", *([] if os.geteuid() == 0 else ["--map-root-user"]), sys.executable, __file__, *words]


def loopback_up() -> None:
    """A new namespace has it, and it is down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked))
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


if __name__ == "__main__":
    loopback_up()
    os.execvp(sys.argv[1], sys.argv[1:])
