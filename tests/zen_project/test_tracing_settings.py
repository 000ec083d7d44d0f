"""Where traces go is refused at the start if it is none, and ZEN_TRACING=off wins."""

from __future__ import annotations

import pytest
from django.core.exceptions import ImproperlyConfigured

from zen_project.config.env import Env
from zen_project.config.tracing import Tracing, tracing

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def test_they_are_on_where_there_is_an_endpoint_and_nobody_says_off() -> None:
    assert tracing(Env(environ={})) == Tracing(endpoint="", share=1, page="")
    given = {ENDPOINT: "http://c:4318", "OTEL_TRACES_SAMPLER_ARG": "0.25", "ZEN_TRACE_URL": "https://t/{trace_id}"}
    assert tracing(Env(environ=given)) == Tracing(endpoint="http://c:4318", share=0.25, page="https://t/{trace_id}")
    assert tracing(Env(environ=given | {"ZEN_TRACING": "off"})).endpoint == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        (ENDPOINT, "collector:4318"), (ENDPOINT, "ftp://c"), (ENDPOINT, "http://"), ("OTEL_TRACES_SAMPLER_ARG", "1.5"),
        ("OTEL_TRACES_SAMPLER_ARG", "-1"), ("OTEL_TRACES_SAMPLER_ARG", "nan"), ("ZEN_TRACE_URL", "https://t/"),
        ("ZEN_TRACE_URL", "javascript:alert({trace_id})"), ("ZEN_TRACING", "on"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_with_an_example(name: str, value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"{name}=.* for example {name}="):
        tracing(Env(environ={name: value}))
