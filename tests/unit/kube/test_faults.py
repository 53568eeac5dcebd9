"""Each answer of the API server must mean the right thing: what is unknown must never be taken for gone."""

import json
from typing import Any

import pytest

from fairlead.domain.errors import ApiFault, Conflict, Unavailable
from fairlead.kube.faults import ErrorAnswer, Forbidden, NotFound

CAUSES = {"causes": [{"field": "status.run", "message": "must be an object"}]}


def answer(status: int, details: dict[str, Any] | None = None, retry_after: str | None = None) -> ApiFault:
    body = {"kind": "Status", "message": "words of the server", "details": details or {}, "code": status}
    return ErrorAnswer("GET /x", status, retry_after, json.dumps(body).encode()).fault()


@pytest.mark.parametrize(("status", "details", "fault"), [
    pytest.param(404, {"name": "hello", "kind": "jobs"}, NotFound, id="the object is gone"),
    pytest.param(404, {}, Unavailable, id="the path is not served"),
    pytest.param(409, {}, Conflict, id="another version"),
    pytest.param(412, {}, Conflict, id="another uid"),
    pytest.param(422, {}, Conflict, id="a JSON patch test failed"),
    pytest.param(422, CAUSES, ApiFault, id="the schema refuses it"),
    pytest.param(400, {}, ApiFault, id="not understood"),
    pytest.param(413, {}, ApiFault, id="too large"),
    pytest.param(401, {}, Unavailable, id="credentials refused"),
    pytest.param(403, {"name": "key", "kind": "secrets"}, Forbidden, id="not allowed"),
    pytest.param(410, {}, Unavailable, id="a page of a list has expired"),
    pytest.param(429, {}, Unavailable, id="too many requests"),
    pytest.param(500, {}, Unavailable, id="the server failed"),
    pytest.param(504, {}, Unavailable, id="the server's own time-out"),
    pytest.param(302, {}, ApiFault, id="a redirect, which is not followed"),
])
def test_a_status_means(status: int, details: dict[str, Any], fault: type[ApiFault]) -> None:
    found = answer(status, details)
    assert type(found) is fault
    assert str(found) == f"GET /x: {status}: words of the server"


@pytest.mark.parametrize(("header", "details", "seconds"), [
    pytest.param("7", {}, 7.0, id="the header"),
    pytest.param(None, {"retryAfterSeconds": 3}, 3.0, id="the body"),
    pytest.param("7", {"retryAfterSeconds": 3}, 7.0, id="the header before the body"),
    pytest.param("Wed, 21 Oct 2026 07:28:00 GMT", {}, None, id="a date"),
    pytest.param("inf", {}, None, id="for ever"),
    pytest.param("nan", {}, None, id="no number"),
    pytest.param("-5", {}, None, id="the past"),
    pytest.param(None, {}, None, id="no wish"),
])
def test_the_servers_wish_to_wait_is_kept(header: str | None, details: dict[str, Any], seconds: float | None) -> None:
    found = answer(429, details, header)
    assert isinstance(found, Unavailable)
    assert found.retry_after_seconds == seconds


@pytest.mark.parametrize("body", [b"<html>Bad gateway</html>", b"\xff\xfe", b"[]", b"", b'{"kind":"Pod"}'])
def test_a_page_of_some_proxy_is_no_statement_about_the_object(body: bytes) -> None:
    assert type(ErrorAnswer("GET /x", 404, None, body).fault()) is Unavailable


def test_a_huge_message_is_cut() -> None:
    assert len(str(ErrorAnswer("GET /x", 500, None, b"x" * 100_000).fault())) < 1000
