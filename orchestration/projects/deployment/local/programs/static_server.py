"""Serves the files of a folder, and nothing outside of it, on a port of the loopback: GET and HEAD.

    python -I -S static_server.py FOLDER PORT

Links that lead out of the folder, and names that begin with a dot, are not found.
"""

import sys
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class Files(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30
    root = Path()

    def translate_path(self, path: str) -> str:
        found = Path(super().translate_path(path))
        try:
            inside = found.resolve().relative_to(self.root)
            named = found.relative_to(self.root)
        except (ValueError, OSError, RuntimeError):
            return str(self.root / ".nothing")
        if any(part.startswith(".") for part in (*inside.parts, *named.parts)):
            return str(self.root / ".nothing")
        return str(found) + ("/" if path.endswith("/") else "")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the standard library
        print(f"{self.address_string()} {format % args}", flush=True)


class Server(ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


def main(folder: str, port: int) -> None:
    Files.root = Path(folder).resolve()

    def handler(*args: object) -> Files:
        return Files(*args, directory=str(Files.root))  # type: ignore[arg-type]

    Server(("127.0.0.1", port), handler).serve_forever()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
