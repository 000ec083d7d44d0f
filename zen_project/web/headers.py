"""What every answer says to the browser."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.deprecation import MiddlewareMixin

SOURCES = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-eval'",  # the admin's theme evaluates its attributes (Alpine); nothing inline runs
    "style-src": "'self' 'unsafe-inline'",  # the theme's colours
    "img-src": "'self' data:",
    "object-src": "'none'",
    "base-uri": "'none'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
POLICY = "; ".join(f"{what} {whence}" for what, whence in SOURCES.items())


class ContentSecurityPolicy(MiddlewareMixin):
    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault("Content-Security-Policy", POLICY)
        return response
