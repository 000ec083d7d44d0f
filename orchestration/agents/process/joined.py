"""A program of its own, in a sandbox without network: hands its proxy's sockets out, and becomes the command.

    python -I -S joined.py PLACES COMMAND [ARGUMENT …]

Descriptor 3 is a socket to the proxy in the worker (proxy.py). A socket stays in the network in which it was made,
whoever holds it: so this one opens them in here, on the loopback that the command will have, and the worker accepts
what connects to them. Nothing else leads out, nothing is left to run beside the command, and no file lies anywhere.
PLACES: address/port,… of the worker's loopback that the command may reach, '' for none. It imports the standard
library only, and nothing of ours.
"""

from __future__ import annotations

import os
import socket
import sys

CHANNEL = 3
OURS = "localhost,127.0.0.1,::1"
"""What clients reach without the proxy: the loopback in here."""
BACKLOG = 128
NOT_STARTED = 127


def main() -> None:
    """Never returns."""
    places, *command = sys.argv[1:]
    opened: list[socket.socket] = []
    words: list[str] = []
    for number, place in enumerate(places.split(",") if places else ()):
        address, port = place.split("/")
        try:
            opened.append(_listening(address, int(port)))
            words.append(str(number))
        except OSError:  # the machine has no IPv6
            continue
    proxy = _listening("127.0.0.1", 0)
    with socket.socket(fileno=CHANNEL) as channel:
        message = ",".join(["proxy", *words]).encode()
        socket.send_fds(channel, [message], [one.fileno() for one in (proxy, *opened)])
    _point_to(f"http://127.0.0.1:{proxy.getsockname()[1]}")
    try:
        os.execvp(command[0], command)  # noqa: S606 - this is what it is for
    except OSError as error:
        print(f"{command[0]}: {error.strerror}", file=sys.stderr)
        sys.exit(NOT_STARTED)


def _listening(address: str, port: int) -> socket.socket:
    """Not inherited by the command, as every socket of Python."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    return socket.create_server((address, port), family=family, backlog=BACKLOG)


def _point_to(url: str) -> None:
    """Node asks for the last one before it heeds the others."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        os.environ[name] = os.environ[name.lower()] = url
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = OURS
    os.environ["NODE_USE_ENV_PROXY"] = "1"


if __name__ == "__main__":
    main()
