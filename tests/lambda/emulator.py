"""Plays AWS Lambda for one bootstrap binary: hands it events, takes its streamed answers, freezes it in between."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

REGION = "us-east-1"
PATIENCE_S = 60.0  # no wait in here is longer; the function's own limit is longer, and is not reached
LIMIT_S = 900.0  # what the function is told about its deadline
PRELUDE_END = bytes(8)  # parts the JSON prelude of a streamed answer from its body
TEXT_TYPES = ("text/", "json", "xml", "javascript", "x-www-form-urlencoded")


class Stuck(Exception):
    """Something that had to happen did not happen in time."""


class Wire:
    """One connection of the function's runtime, read by line and by length."""

    def __init__(self, peer: socket.socket) -> None:
        self._peer = peer
        self._held = bytearray()
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _acknowledge(self) -> None:
        """The runtime's client writes in small pieces and waits for our ACK between them; the kernel would delay it."""
        self._peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _fill(self) -> None:
        self._acknowledge()  # again at each read: the kernel forgets the option
        data = self._peer.recv(65536)
        if not data:
            raise ConnectionError("the connection ended")
        self._acknowledge()
        self._held += data

    def line(self) -> bytes:
        """The next line without its CRLF."""
        while (end := self._held.find(b"\r\n")) < 0:
            self._fill()
        text = bytes(self._held[:end])
        del self._held[: end + 2]
        return text

    def exactly(self, size: int) -> bytes:
        """The next `size` bytes."""
        while len(self._held) < size:
            self._fill()
        data = bytes(self._held[:size])
        del self._held[:size]
        return data

    def head(self) -> tuple[str, dict[str, str]]:
        """The target and the headers of the next request."""
        target = self.line().decode("latin-1").split(" ")[1]
        headers: dict[str, str] = {}
        while line := self.line():
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return target, headers

    def body(self, headers: dict[str, str]) -> Iterator[bytes]:
        """The request's body, one piece for each HTTP chunk, at the moment it is here."""
        if "chunked" not in headers.get("transfer-encoding", "").lower():
            yield self.exactly(int(headers.get("content-length", 0)))
            return
        while size := int(self.line().split(b";")[0], 16):
            yield self.exactly(size)
            self.exactly(2)
        while self.line():
            pass  # trailers

    def reply(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        """Answers the request that was just read, in one write."""
        lines = [f"HTTP/1.1 {status} Tollbooth", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        self._peer.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def reset(self) -> None:
        """Ends the connection the hard way, so that the other side's next write fails."""
        self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._peer.close()

    def close(self) -> None:
        self._peer.close()


class Answer:
    """What a function said to one event, as its client saw it come."""

    def __init__(self, on_chunk: Callable[[Answer], None] | None = None, cut_after: bytes | None = None) -> None:
        self.id = str(uuid.uuid4())
        self.status = 0
        self.headers: dict[str, str] = {}
        self.cookies: list[str] = []
        self.chunks: list[tuple[float, bytes]] = []  # when it came, in ms since the event was sent
        self.error: dict[str, Any] | None = None
        self.streamed = False
        self.unread = 0  # bytes that came after the client had left
        self.total_ms = 0.0
        self.sent_at = 0.0
        self.cut_after = cut_after
        self._on_chunk = on_chunk
        self._present = True
        self._prelude: bytes | None = b""
        self._complete = threading.Event()

    @property
    def body(self) -> bytes:
        """Everything the client got."""
        return b"".join(data for _, data in self.chunks)

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)

    def leave(self) -> None:
        """The client goes away. The function is not told, and Lambda goes on taking its chunks."""
        self._present = False

    def wait(self) -> Answer:
        """Waits for the end."""
        if not self._complete.wait(PATIENCE_S):
            raise Stuck(f"no end of the answer after {PATIENCE_S:.0f} s; so far: {self.body[-300:]!r}")
        return self

    def feed(self, data: bytes) -> None:
        """Takes a piece of a streamed answer."""
        if self._prelude is not None:
            head, end, data = (self._prelude + data).partition(PRELUDE_END)
            self._prelude = None if end else head
            if not end:
                return
            self._open(json.loads(head))
        self._deliver(data)

    def whole(self, data: bytes) -> None:
        """Takes a buffered answer: an HTTP one if it has a status, else any JSON value."""
        value = json.loads(data or b"null")
        if isinstance(value, dict) and "statusCode" in value:
            self._open(value)
            text = value.get("body") or ""
            data = base64.b64decode(text) if value.get("isBase64Encoded") else text.encode()
        self._deliver(data)

    def end(self, error: dict[str, Any] | None = None) -> None:
        """The answer is over; the first end counts."""
        if not self._complete.is_set():
            self.error = error
            self.total_ms = self._now()
            self._complete.set()

    def _open(self, head: dict[str, Any]) -> None:
        self.status = int(head["statusCode"])
        self.headers = {name.lower(): str(value) for name, value in (head.get("headers") or {}).items()}
        self.cookies = list(head.get("cookies") or [])

    def _deliver(self, data: bytes) -> None:
        if not data:
            return
        if not self._present:
            self.unread += len(data)
            return
        self.chunks.append((self._now(), data))
        if self._on_chunk:
            self._on_chunk(self)

    def _now(self) -> float:
        return (time.monotonic() - self.sent_at) * 1000


class Sandbox:
    """One execution environment: a process, and the Runtime API that it asks for work."""

    def __init__(self, bootstrap: Path, name: str, variables: dict[str, str], memory_mb: int = 256) -> None:
        self.arn = f"arn:aws:lambda:{REGION}:123456789012:function:{name}"
        self.start_ms = 0.0  # from the spawn to the first request for an event
        self.init_error: dict[str, Any] | None = None
        self._state = threading.Condition()
        self._event: tuple[bytes, Answer] | None = None  # not fetched yet
        self._answer: Answer | None = None  # owed by the function
        self._parked = False  # the runtime waits for an event
        self._closed = False
        self._log = tempfile.TemporaryFile()
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()
        with self._state:  # the first request may come before Popen returns: it waits here until the process is known
            self._spawned = time.monotonic()
            self.process = subprocess.Popen(
                [bootstrap], env=self._environment(bootstrap, name, memory_mb) | variables, stdin=subprocess.DEVNULL,
                stdout=self._log, stderr=self._log)
        threading.Thread(target=self._watch, daemon=True).start()
        self._begin(name)

    def send(self, event: Any, answer: Answer) -> Answer:
        """Thaws the process and hands it an event; returns at once."""
        with self._state:
            if not self._state.wait_for(lambda: self._parked or not self.alive(), PATIENCE_S) or not self.alive():
                raise Stuck("the function does not ask for an event")
            self.process.send_signal(signal.SIGCONT)
            self._event, self._answer, self._parked = (json.dumps(event).encode(), answer), answer, False
            self._state.notify_all()
        return answer

    def rest(self) -> bool:
        """Waits until the process asks for the next event (true) or has ended (false)."""
        with self._state:
            if not self._state.wait_for(lambda: self._parked or not self.alive(), PATIENCE_S):
                raise Stuck(f"the function neither asks for an event nor ends: {self._said()[-800:]!r}")
            return self.alive()

    def alive(self) -> bool:
        """Is the process there?"""
        return self.process.poll() is None

    def frozen(self) -> bool:
        """Does the kernel hold the process stopped? The signal takes effect a moment after it was sent."""
        end = time.monotonic() + 2
        while time.monotonic() < end:
            if Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T":
                return True
            os.sched_yield()
        return False

    def resident_mb(self) -> float:
        """The memory that the process holds now."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024 / 1e6
        return 0.0

    def output(self) -> bytes:
        """All that the process wrote to stdout and stderr."""
        with self._state:
            return self._said()

    def close(self) -> None:
        """Ends the process and the API."""
        with self._state:
            if self._closed:
                return
            self._closed = True
            self._state.notify_all()
        self.process.kill()
        self.process.wait()
        self._listener.shutdown(socket.SHUT_RDWR)  # a plain close would leave accept() waiting
        self._listener.close()

    def _begin(self, name: str) -> None:
        """Waits for the first request for an event."""
        try:
            if not self.rest():
                raise Stuck(f"{name} ended before it asked for an event: {self.init_error} {self._said()[-800:]!r}")
        except Stuck:
            self.close()
            raise

    def _said(self) -> bytes:
        # By absolute position: the process shares this file's offset.
        return os.pread(self._log.fileno(), os.fstat(self._log.fileno()).st_size, 0)

    def _environment(self, bootstrap: Path, name: str, memory_mb: int) -> dict[str, str]:
        return {
            "_HANDLER": "bootstrap", "TZ": ":UTC", "LANG": "en_US.UTF-8", "PATH": os.defpath,
            "LAMBDA_TASK_ROOT": str(bootstrap.parent), "LAMBDA_RUNTIME_DIR": str(bootstrap.parent),
            "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._listener.getsockname()[1]}",
            "AWS_LAMBDA_FUNCTION_NAME": name, "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory_mb), "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}", "AWS_LAMBDA_LOG_STREAM_NAME": uuid.uuid4().hex,
            "AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION, "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "example", "AWS_SESSION_TOKEN": "example",
        }

    def _watch(self) -> None:
        """Notices when the process ends, and ends the answer that it owed."""
        code = self.process.wait()
        with self._state:
            self._finish({"errorType": "Runtime.ExitError", "errorMessage": f"the process ended with {code}"})
            self._state.notify_all()

    def _finish(self, error: dict[str, Any]) -> None:
        if self._answer:
            self._answer.end(error)  # an answer that has ended well stays so
            self._answer = None

    def _accept(self) -> None:
        while True:
            try:
                peer, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(Wire(peer),), daemon=True).start()

    def _serve(self, wire: Wire) -> None:
        try:
            while True:
                target, headers = wire.head()
                self._route(wire, target.split("/")[2:], headers)
        except OSError:
            wire.close()

    def _route(self, wire: Wire, path: list[str], headers: dict[str, str]) -> None:
        match path:
            case ["runtime", "invocation", "next"]:
                self._next(wire)
            case ["runtime", "invocation", call, "response"]:
                self._response(wire, self._owed(call), headers)
            case ["runtime", "invocation", call, "error"]:
                report = json.loads(b"".join(wire.body(headers)) or b"{}")
                if answer := self._owed(call):
                    answer.end(report)
                wire.reply(202)
            case ["runtime", "init", "error"]:
                self.init_error = json.loads(b"".join(wire.body(headers)) or b"{}")
                wire.reply(202)
            case ["extension", "register"]:  # how a runtime asks for a SIGTERM before its end
                for _ in wire.body(headers):
                    pass
                wire.reply(200, b"{}", {"lambda-extension-identifier": str(uuid.uuid4())})
            case ["extension", "event", "next"]:
                with self._state:
                    self._state.wait_for(lambda: self._closed)
                raise ConnectionError("closed")
            case _:
                for _ in wire.body(headers):
                    pass
                wire.reply(404)

    def _owed(self, call: str) -> Answer | None:
        with self._state:
            return self._answer if self._answer and self._answer.id == call else None

    def _next(self, wire: Wire) -> None:
        arrived = time.monotonic()
        with self._state:
            self.start_ms = self.start_ms or (arrived - self._spawned) * 1000
            self._finish({"errorType": "Runtime.NoResponse", "errorMessage": "asked for the next event instead"})
            self._parked = True
            self.process.send_signal(signal.SIGSTOP)
            self._state.notify_all()
            self._state.wait_for(lambda: self._event is not None or self._closed)
            if self._event is None or self._closed:
                raise ConnectionError("closed")
            (event, answer), self._event = self._event, None
        answer.sent_at = time.monotonic()
        wire.reply(200, event, {
            "content-type": "application/json",
            "lambda-runtime-aws-request-id": answer.id,
            "lambda-runtime-deadline-ms": str(int((time.time() + LIMIT_S) * 1000)),
            "lambda-runtime-invoked-function-arn": self.arn,
            "lambda-runtime-trace-id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0"})

    def _response(self, wire: Wire, answer: Answer | None, headers: dict[str, str]) -> None:
        pieces = wire.body(headers)
        if answer is None:
            for _ in pieces:
                pass
            wire.reply(400)
            return
        answer.streamed = headers.get("lambda-runtime-function-response-mode", "").lower() == "streaming"
        try:
            if answer.streamed:
                for piece in pieces:
                    answer.feed(piece)
                    if answer.cut_after and answer.cut_after in answer.body:
                        wire.reset()
                        raise ConnectionError("cut as ordered")
            else:
                answer.whole(b"".join(pieces))
        except OSError as cause:
            answer.end({"errorType": "Runtime.TruncatedResponse", "errorMessage": str(cause)})
            raise
        answer.end()
        wire.reply(202)


class Function:
    """A deployed function: a sandbox when an event needs one, a new one when the old one has died."""

    def __init__(self, bootstrap: Path, name: str, variables: dict[str, str], memory_mb: int = 256) -> None:
        self.bootstrap, self.name, self.variables, self.memory_mb = bootstrap.resolve(), name, variables, memory_mb
        self.answers: list[Answer] = []
        self.sandboxes: list[Sandbox] = []
        self.resident_mb = 0.0  # the most that was seen after a call

    def sandbox(self) -> Sandbox:
        """The sandbox that takes the next event."""
        if not self.sandboxes or not self.sandboxes[-1].alive():
            self.sandboxes.append(self.fresh())
        return self.sandboxes[-1]

    def fresh(self) -> Sandbox:
        """A sandbox of its own, to look at a cold start; the caller closes it."""
        return Sandbox(self.bootstrap, self.name, self.variables, self.memory_mb)

    def send(self, event: Any, on_chunk: Callable[[Answer], None] | None = None,
             cut_after: bytes | None = None) -> Answer:
        """Sends an event; the answer grows while the caller looks on."""
        answer = Answer(on_chunk, cut_after)
        self.answers.append(answer)
        return self.sandbox().send(event, answer)

    def call(self, event: Any, on_chunk: Callable[[Answer], None] | None = None,
             cut_after: bytes | None = None) -> Answer:
        """Sends an event, waits for the end of the answer and until the sandbox rests or is gone."""
        answer = self.send(event, on_chunk, cut_after).wait()
        self.rest()
        return answer

    def rest(self) -> bool:
        """Waits until the sandbox asks for the next event (true) or has ended (false)."""
        lives = self.sandboxes[-1].rest()
        if lives:
            self.resident_mb = max(self.resident_mb, self.sandboxes[-1].resident_mb())
        return lives

    def output(self) -> bytes:
        """All that any of its processes wrote."""
        return b"".join(sandbox.output() for sandbox in self.sandboxes)

    def close(self) -> None:
        """Ends every sandbox."""
        for sandbox in self.sandboxes:
            sandbox.close()


def http_event(method: str, target: str, headers: dict[str, str] | None = None, body: Any = None) -> dict[str, Any]:
    """The event that a function URL makes of a request (payload format 2.0); a dict or list as body becomes JSON."""
    parts, lowered = urlsplit(target), {name.lower(): value for name, value in (headers or {}).items()}
    if isinstance(body, (dict, list)):
        lowered.setdefault("content-type", "application/json")
        body = json.dumps(body)
    raw = body.encode() if isinstance(body, str) else body or b""
    cookies = [pair.strip() for pair in lowered.pop("cookie", "").split(";") if pair.strip()]
    fields = {"host": "function.example.com", "user-agent": "tests", "x-forwarded-for": "198.51.100.7",
              "x-forwarded-proto": "https", "x-forwarded-port": "443"} | lowered
    now = time.time()
    event: dict[str, Any] = {
        "version": "2.0", "routeKey": "$default", "rawPath": parts.path, "rawQueryString": parts.query,
        "headers": fields, "isBase64Encoded": False,
        "requestContext": {
            "accountId": "anonymous", "apiId": "function", "domainName": fields["host"], "domainPrefix": "function",
            "http": {"method": method, "path": parts.path, "protocol": "HTTP/1.1", "sourceIp": "203.0.113.9",
                     "userAgent": fields["user-agent"]},
            "requestId": str(uuid.uuid4()), "routeKey": "$default", "stage": "$default",
            "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)), "timeEpoch": int(now * 1000)}}
    if cookies:
        event["cookies"] = cookies
    if parts.query:
        event["queryStringParameters"] = _query(parts.query)
    if raw:
        is_text = any(kind in fields.get("content-type", "") for kind in TEXT_TYPES)
        event["isBase64Encoded"] = not is_text
        event["body"] = raw.decode() if is_text else base64.b64encode(raw).decode()
    return event


def _query(text: str) -> dict[str, str]:
    """Values of a repeated name are joined by a comma, as Lambda does."""
    pairs: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        pairs[name] = f"{pairs[name]},{value}" if name in pairs else value
    return pairs
