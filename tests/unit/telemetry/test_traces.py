"""Traces are off unless they are asked for; what is asked for and not there is told at the start."""

import sys

import pytest

from fairlead.domain.errors import UserFault
from fairlead.telemetry.traces import exporting, is_wanted

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
TABLE = {
    "nothing": ({}, False),
    "an empty endpoint": ({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}, False),
    "an endpoint for all signals": (ENDPOINT, True),
    "one for traces": ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://127.0.0.1:1/v1/traces"}, True),
    "only a service's name": ({"OTEL_SERVICE_NAME": "x"}, False),
    "the SDK is off": (ENDPOINT | {"OTEL_SDK_DISABLED": "true"}, False),
    "no exporter": (ENDPOINT | {"OTEL_TRACES_EXPORTER": "none"}, False),
    "the protocol that there is": (ENDPOINT | {"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, True),
}


@pytest.mark.parametrize(("environment", "wanted"), TABLE.values(), ids=TABLE)
def test_traces_are_made_only_when_an_endpoint_is_named(environment, wanted) -> None:
    """A controller would send to a collector that nobody has, or be silent where one waits."""
    assert is_wanted(environment) is wanted


def test_without_an_endpoint_nobody_is_given_anything() -> None:
    """Steps would be kept for each Job, for nobody."""
    with exporting({}) as sink:
        assert sink is None


@pytest.mark.parametrize(("variable", "value", "said"), [
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc", "only http/protobuf"),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json", "only http/protobuf"),
    ("OTEL_TRACES_EXPORTER", "zipkin", "there is otlp, and none"),
])
def test_what_there_is_not_is_told_at_the_start(variable, value, said) -> None:
    """A collector would wait for ever, and nobody would know why."""
    with pytest.raises(UserFault, match=said), exporting(ENDPOINT | {variable: value}):
        pass


def test_without_the_extra_a_sentence_says_what_to_install(monkeypatch) -> None:
    """A traceback of imports would be all that a person gets."""
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(UserFault, match=r"pip install 'fairlead\[traces\]'"), exporting(ENDPOINT):
        pass
