"""The Lambda Runtime API, served on loopback to one function process.

Source: "Using the Lambda runtime API" (AWS Lambda Developer Guide). The process requests the next
invocation; the request blocks until there is one. The process then posts a response or an error for the
invocation. During initialization it can post an initialization error instead. Not implemented: extensions,
response streaming, and the 6 MB limit of a response.
"""

from __future__ import annotations

import json
import queue
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PATH = "/2018-06-01/runtime"


@dataclass(frozen=True)
class Invocation:
    """One invocation. `deadline_ms` is a Unix time in milliseconds; `trace_id` is an X-Ray tracing header."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int


@dataclass(frozen=True)
class Ready:
    """The process requested its next invocation: it has initialized or has finished the previous one."""


@dataclass(frozen=True)
class InvocationResponse:
    """The process responded to its invocation. If `is_error`, `body` is an error object."""

    body: bytes
    is_error: bool


@dataclass(frozen=True)
class InitFailed:
    """The process reported an initialization error."""

    body: bytes


@dataclass(frozen=True)
class Exited:
    """The process exited or was killed. `reason` is worded as in Lambda's error messages."""

    reason: str


Event = Ready | InvocationResponse | InitFailed | Exited


class RuntimeApi:
    """Serves one process until `close`. `events` receives the actions of the process, in order."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._next: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current = ""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        threading.Thread(target=self._serve, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, in the format of AWS_LAMBDA_RUNTIME_API."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def submit(self, invocation: Invocation) -> None:
        """Queues the next invocation. The caller must wait for its response before submitting another."""
        self._current = invocation.request_id
        self._next.put(invocation)

    def wait_for_next(self) -> Invocation | None:
        """Waits for the next invocation. Returns `None` after `close`."""
        self.events.put(Ready())
        return self._next.get()

    def accept_response(self, request_id: str, body: bytes, is_error: bool) -> bool:
        """Records the response. Returns `False` if `request_id` is not that of the current invocation."""
        if request_id != self._current:
            return False
        self._current = ""
        self.events.put(InvocationResponse(body, is_error))
        return True

    def close(self) -> None:
        """Releases a waiting process and stops the server."""
        self._next.put(None)
        self._server.shutdown()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignores the connection reset that a killed process causes."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # Send a response in one write, without waiting for the acknowledgement of an earlier one.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path != f"{PATH}/invocation/next":
            self._send_error(404, "InvalidRequest")
            return
        invocation = self.server.api.wait_for_next()
        if invocation is None:
            self.close_connection = True
            return
        headers = {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": invocation.request_id,
            "Lambda-Runtime-Deadline-Ms": str(invocation.deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": invocation.function_arn,
            "Lambda-Runtime-Trace-Id": invocation.trace_id,
        }
        self._send(200, invocation.payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        if self.path == f"{PATH}/init/error":
            self.server.api.events.put(InitFailed(body))
            self._send_accepted()
            return
        request_id, _, kind = self.path.removeprefix(f"{PATH}/invocation/").partition("/")
        if kind not in ("response", "error"):
            self._send_error(404, "InvalidRequest")
        elif self.server.api.accept_response(request_id, body, is_error=kind == "error"):
            self._send_accepted()
        else:
            self._send_error(400, "InvalidRequestID")

    def log_message(self, format: str, *args: Any) -> None:
        """Does not log requests."""

    def _body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return body

    def _send_accepted(self) -> None:
        self._send(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

    def _send_error(self, status: int, error_type: str) -> None:
        body = json.dumps({"errorType": error_type}).encode()
        self._send(status, body, {"Content-Type": "application/json"})

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
