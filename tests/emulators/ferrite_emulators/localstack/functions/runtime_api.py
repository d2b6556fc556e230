"""The Lambda Runtime API, served on loopback to one function process.

"Using the Lambda runtime API" (AWS Lambda Developer Guide): the process asks for the next invocation, which
waits until there is one, and posts a response or an error for it; while it starts it may post an
initialization error instead. Extensions, streamed responses and the 6 MB limit of a response are not here.
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
    """What a process is asked to do. `deadline_ms` is since 1970, `trace_id` an X-Ray trace header."""

    request_id: str
    payload: bytes
    function_arn: str
    trace_id: str
    deadline_ms: int


@dataclass(frozen=True)
class Ready:
    """The process has asked for its next invocation: it has started, or is done with the last one."""


@dataclass(frozen=True)
class Answered:
    """The process has answered its invocation, with an error that it has reported if `is_error`."""

    body: bytes
    is_error: bool


@dataclass(frozen=True)
class InitFailed:
    """The process has said that it cannot start."""

    body: bytes


@dataclass(frozen=True)
class Ended:
    """The process has ended, by itself or because it was ended; `how` says it in Lambda's words."""

    how: str


Event = Ready | Answered | InitFailed | Ended


class RuntimeApi:
    """Serves one process until `close`. What the process does comes out of `events`, in order."""

    def __init__(self) -> None:
        self.events: queue.SimpleQueue[Event] = queue.SimpleQueue()
        self._next: queue.SimpleQueue[Invocation | None] = queue.SimpleQueue()
        self._current = ""
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.api = self
        threading.Thread(target=self._serve, name="runtime-api", daemon=True).start()

    @property
    def address(self) -> str:
        """Host and port, as AWS_LAMBDA_RUNTIME_API has them."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def hand_out(self, invocation: Invocation) -> None:
        """Gives the process its next invocation; only one is under way at a time."""
        self._current = invocation.request_id
        self._next.put(invocation)

    def take_next(self) -> Invocation | None:
        """Waits for the next invocation, as the process does; `None` once there will be none."""
        self.events.put(Ready())
        return self._next.get()

    def take_answer(self, request_id: str, body: bytes, is_error: bool) -> bool:
        """Whether the answer is for the invocation that is under way."""
        if request_id != self._current:
            return False
        self._current = ""
        self.events.put(Answered(body, is_error))
        return True

    def close(self) -> None:
        """Lets the process wait no longer, and stops serving."""
        self._next.put(None)
        self._server.shutdown()

    def _serve(self) -> None:
        self._server.serve_forever(poll_interval=0.1)
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    api: RuntimeApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A process that was killed resets its connection: nothing to report."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    # One write, and without waiting for the acknowledgement of an earlier one.
    wbufsize = -1
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        if self.path != f"{PATH}/invocation/next":
            self._refuse(404, "InvalidRequest")
            return
        invocation = self.server.api.take_next()
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
        self._answer(200, invocation.payload, headers)

    def do_POST(self) -> None:
        body = self._body()
        if self.path == f"{PATH}/init/error":
            self.server.api.events.put(InitFailed(body))
            self._accept()
            return
        request_id, _, kind = self.path.removeprefix(f"{PATH}/invocation/").partition("/")
        if kind not in ("response", "error"):
            self._refuse(404, "InvalidRequest")
        elif self.server.api.take_answer(request_id, body, is_error=kind == "error"):
            self._accept()
        else:
            self._refuse(400, "InvalidRequestID")

    def log_message(self, format: str, *args: Any) -> None:
        """Not a line for each request."""

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

    def _accept(self) -> None:
        self._answer(202, b'{"status":"OK"}', {"Content-Type": "application/json"})

    def _refuse(self, status: int, error_type: str) -> None:
        body = json.dumps({"errorType": error_type}).encode()
        self._answer(status, body, {"Content-Type": "application/json"})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
