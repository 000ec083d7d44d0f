"""Django's SMTP with one time for all of a mail: its own limit is one for each read, which a trickling server keeps."""

from __future__ import annotations

import os
import smtplib
import socket
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Any

from django.core.mail import EmailMessage
from django.core.mail.backends import smtp

SECONDS = 60.0


class EmailBackend(smtp.EmailBackend):
    """For one mail: connecting has EMAIL_TIMEOUT for each address, and all that follows SECONDS.

    Raises:
        TimeoutError: the time was over. The server may have taken the mail.
    """

    def send_messages(self, email_messages: Sequence[EmailMessage]) -> int:
        self._end = _End()
        try:
            return super().send_messages(email_messages)
        except OSError as error:
            if self._end.has_come:
                raise TimeoutError(f"it took longer than {SECONDS:g} s") from error
            raise
        finally:
            self._end.forget()

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]
        return partial(_SecureConnection if self.use_ssl else _Connection, end=self._end)


class _End:
    """Cuts the connection when the time is over, whatever it is waiting for."""

    def __init__(self) -> None:
        self.has_come = False
        self._own: socket.socket | None = None
        self._timer = threading.Timer(SECONDS, self._cut)
        self._timer.daemon = True

    def of(self, connected: socket.socket) -> None:
        """`connected` may be wrapped for TLS later: what is cut is below that."""
        self._own = socket.socket(fileno=os.dup(connected.fileno()))
        self._timer.start()

    def forget(self) -> None:
        self._timer.cancel()
        if self._own is not None:
            self._timer.join()  # it cuts no other connection that gets this one's number
            self._own.close()

    def _cut(self) -> None:
        self.has_come = True
        with suppress(OSError):  # it has ended by itself
            if self._own is not None:
                self._own.shutdown(socket.SHUT_RDWR)


class _Cut:
    """Beside smtplib's classes: where they have connected, what ends them knows the connection."""

    def __init__(self, *args: Any, end: _End, **options: Any) -> None:
        self._end = end
        super().__init__(*args, **options)

    def _get_socket(self, *args: Any) -> socket.socket:
        connected: socket.socket = super()._get_socket(*args)  # type: ignore[misc]
        self._end.of(connected)
        return connected


class _Connection(_Cut, smtplib.SMTP):
    pass


class _SecureConnection(_Cut, smtplib.SMTP_SSL):
    pass
