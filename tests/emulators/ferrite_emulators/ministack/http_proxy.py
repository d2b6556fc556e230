"""Sends a request to the backend of an HTTP proxy integration, and returns its response, as API Gateway does.

The headers are those of the table in "Amazon API Gateway important notes" (API Gateway Developer Guide), column
`http_proxy`.
"""

from __future__ import annotations

import http.client
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

DROPPED_FROM_REQUESTS = frozenset(
    {
        "content-encoding",
        "content-length",
        "content-md5",
        "expect",
        "host",
        "max-forwards",
        "proxy-authenticate",
        "server",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
        "www-authenticate",
    }
)
"""Headers that the backend does not receive. The client of this module writes `Host` and `Content-Length` itself."""

DROPPED_FROM_RESPONSES = frozenset(
    {
        "expect",
        "host",
        "proxy-authenticate",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "via",
    }
)

RENAMED_IN_RESPONSES = frozenset(
    {
        "authorization",
        "connection",
        "content-md5",
        "date",
        "max-forwards",
        "server",
        "user-agent",
        "www-authenticate",
    }
)
"""Headers that the client receives as `x-amzn-Remapped-<name>`."""

DEFAULT_TIMEOUT_MS = 29_000

REQUEST_ID = "x-amzn-requestid"
"""Response header with the request id of API Gateway."""


class BackendError(Exception):
    """The backend cannot be reached, or its response is not valid HTTP."""


class BackendTimeout(BackendError):
    """The backend did not respond in time."""


@dataclass(frozen=True)
class Exchange:
    """A request that API Gateway received, with the settings of its API."""

    method: str
    headers: dict[str, str]
    query: dict[str, list[str]]
    path_parameters: dict[str, str]
    body: bytes
    context: dict[str, str]
    """The variables `context.NAME` that a mapping can use."""
    binary_types: list[str]

    def header(self, name: str) -> str | None:
        """Returns the value of a header, whatever the case of its name."""
        values = (value for each, value in self.headers.items() if each.lower() == name.lower())
        return next(values, None)

    def mapped(self, source: str) -> str | None:
        """Returns the value of a mapping expression, or `None` if the request does not have it."""
        if source.startswith("'") and source.endswith("'"):
            return source[1:-1]
        kind, _, name = source.rpartition(".")
        if kind == "context":
            return self.context[name]
        if kind == "method.request.header":
            return self.header(name)
        if kind == "method.request.path":
            return self.path_parameters.get(name)
        raise ValueError(f"mapping expression {source} is not supported")

    def payload(self, media_type: str | None, body: bytes) -> bytes:
        """Returns a body as API Gateway passes it on: as UTF-8 text unless its type is binary."""
        essence = (media_type or "").split(";")[0].split(",")[0].strip().lower()
        if "*/*" in self.binary_types or essence in self.binary_types:
            return body
        return body.decode("utf-8", errors="replace").encode()


def send(exchange: Exchange, integration: dict[str, Any]) -> tuple[int, dict[str, Any], bytes]:
    """Sends the request. Returns the status, the headers and the body for the client.

    A header that the backend sends several times has a list as its value.
    Raises `BackendTimeout` or `BackendError` if there is no response.
    """
    uri: str = integration["uri"]
    headers = {
        name: value
        for name, value in exchange.headers.items()
        if name.lower() not in DROPPED_FROM_REQUESTS
    }
    for target, source in integration["requestParameters"].items():
        value = exchange.mapped(source)
        kind, _, name = target.rpartition(".")
        if kind == "integration.request.path":
            # API Gateway decodes path parameters. Characters that a path cannot contain are encoded again.
            uri = uri.replace("{" + name + "}", quote(value or "", safe="/:@!$&'()*+,;=~"))
        elif kind == "integration.request.header" and value is not None:
            headers = {each: old for each, old in headers.items() if each.lower() != name.lower()}
            headers[name] = value
    if exchange.query:
        uri += "?" + urlencode(exchange.query, doseq=True, quote_via=quote)

    parts = urlsplit(uri)
    secure = parts.scheme == "https"
    timeout = (integration.get("timeoutInMillis") or DEFAULT_TIMEOUT_MS) / 1000
    connect = http.client.HTTPSConnection if secure else http.client.HTTPConnection
    connection = connect(parts.netloc, timeout=timeout)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    try:
        connection.putrequest(exchange.method, target, skip_accept_encoding=True)
        body = exchange.payload(exchange.header("content-type"), exchange.body)
        if body or exchange.header("content-length") is not None:
            headers["Content-Length"] = str(len(body))
        for name, value in headers.items():
            connection.putheader(name, value.encode("utf-8"))
        connection.endheaders(body or None)
        response = connection.getresponse()
        content = response.read()
        received = response.getheaders()
    except TimeoutError as error:
        raise BackendTimeout from error
    except (OSError, http.client.HTTPException) as error:
        raise BackendError from error
    finally:
        connection.close()
    returned = response_headers(received) | {REQUEST_ID: exchange.context["requestId"]}
    if exchange.method == "HEAD":
        return response.status, returned, b""
    payload = exchange.payload(exchange.header("accept"), content)
    returned = {name: value for name, value in returned.items() if name.lower() != "content-length"}
    return response.status, returned, payload


def response_headers(received: list[tuple[str, str]]) -> dict[str, Any]:
    """Returns the headers that the client receives."""
    headers: dict[str, Any] = {}
    for name, value in received:
        if name.lower() in DROPPED_FROM_RESPONSES:
            continue
        renamed = name.lower() in RENAMED_IN_RESPONSES
        headers.setdefault(f"x-amzn-Remapped-{name}" if renamed else name, []).append(value)
    # API Gateway adds a missing type.
    if not any(name.lower() == "content-type" for name in headers):
        headers["Content-Type"] = ["application/json"]
    return {name: values[0] if len(values) == 1 else values for name, values in headers.items()}
