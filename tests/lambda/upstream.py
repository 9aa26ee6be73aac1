"""Plays a model provider that speaks OpenAI Chat and Anthropic Messages, and remembers all that it was sent."""

from __future__ import annotations

import json
import re
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

PIECES = 6  # of text, in every answer
# The same usage in both dialects: input tokens as a whole, those of them read from a cache, output tokens.
PROMPT, CACHED, OUTPUT = 11, 4, 12
GATE_PATIENCE_S = 20.0
PIECE = re.compile(rb"piece-(\d+)\.")


def piece(number: int) -> str:
    """The text of one piece, from 1."""
    return f"piece-{number}. "


def pieces_in(body: bytes) -> int:
    """How many pieces have arrived in a stream so far."""
    return max((int(number) for number in PIECE.findall(body)), default=0)


class _CalmServer(ThreadingHTTPServer):
    """A server that is not surprised when a caller hangs up: in these tests callers do."""

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


@dataclass(frozen=True)
class Request:
    """One request as the provider got it."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        return json.loads(self.body)


class Gate:
    """Lets a stream send its next piece only after somebody has seen the one before: order without luck."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._seen = 0.0
        self.waited_in_vain = False

    def seen(self, count: float) -> None:
        """So many pieces have been seen."""
        with self._changed:
            self._seen = max(self._seen, count)
            self._changed.notify_all()

    def open(self) -> None:
        """Nobody looks any more: send the rest."""
        self.seen(float("inf"))

    def wait(self, count: int) -> None:
        """Waits until so many pieces have been seen; when nobody comes, notes it and waits no more."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._seen >= count, GATE_PATIENCE_S):
                self.waited_in_vain = True
                self._seen = float("inf")


class Upstream:
    """The provider's server, on a free port."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.gate: Gate | None = None  # holds back the streams that begin from now on
        self._server = _CalmServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()


def _chat_usage() -> dict[str, Any]:
    return {"prompt_tokens": PROMPT, "completion_tokens": OUTPUT, "total_tokens": PROMPT + OUTPUT,
            "prompt_tokens_details": {"cached_tokens": CACHED}}


def _chat_plain(model: str) -> dict[str, Any]:
    text = "".join(piece(number) for number in range(1, PIECES + 1))
    return {"id": "chatcmpl-fake", "object": "chat.completion", "created": int(time.time()), "model": model,
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": _chat_usage()}


def _chat_stream(model: str, wants_usage: bool) -> Iterator[str]:
    head: dict[str, Any] = {"id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": int(time.time()),
                            "model": model}
    if wants_usage:
        head["usage"] = None  # as the real one does on every chunk before the last

    def chunk(delta: dict[str, Any], finish: str | None = None) -> str:
        return _sse(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})

    yield chunk({"role": "assistant", "content": ""})
    for number in range(1, PIECES + 1):
        yield chunk({"content": piece(number)})
    yield chunk({}, "stop")
    if wants_usage:
        yield _sse(head | {"choices": [], "usage": _chat_usage()})
    yield "data: [DONE]\n\n"


def _messages_usage(output: int) -> dict[str, int]:
    return {"input_tokens": PROMPT - CACHED, "cache_creation_input_tokens": 0, "cache_read_input_tokens": CACHED,
            "output_tokens": output}


def _messages_plain(model: str) -> dict[str, Any]:
    text = "".join(piece(number) for number in range(1, PIECES + 1))
    return {"id": "msg_fake", "type": "message", "role": "assistant", "model": model,
            "content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None,
            "usage": _messages_usage(OUTPUT)}


def _messages_stream(model: str) -> Iterator[str]:
    def event(kind: str, **members: Any) -> str:
        return f"event: {kind}\n" + _sse({"type": kind} | members)

    opening = _messages_plain(model) | {"content": [], "stop_reason": None, "usage": _messages_usage(1)}
    yield event("message_start", message=opening)
    yield event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    yield event("ping")
    for number in range(1, PIECES + 1):
        yield event("content_block_delta", index=0, delta={"type": "text_delta", "text": piece(number)})
    yield event("content_block_stop", index=0)
    yield event("message_delta", delta={"stop_reason": "end_turn", "stop_sequence": None},
                usage={"output_tokens": OUTPUT})
    yield event("message_stop")


def _sse(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Notes the request, then answers whole or piece by piece."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # a chunk's size line and its data leave together

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            upstream.requests.append(Request(self.path, headers, body))
            wish = json.loads(body)
            model = wish.get("model", "")
            match self.path.partition("?")[0]:
                case "/v1/chat/completions" if wish.get("stream"):
                    wants_usage = bool((wish.get("stream_options") or {}).get("include_usage"))
                    self._stream(_chat_stream(model, wants_usage))
                case "/v1/chat/completions":
                    self._whole(200, _chat_plain(model))
                case "/v1/messages" if wish.get("stream"):
                    self._stream(_messages_stream(model))
                case "/v1/messages":
                    self._whole(200, _messages_plain(model))
                case _:
                    self._whole(404, {"error": {"message": "no such path", "type": "not_found_error"}})

        def do_GET(self) -> None:
            upstream.requests.append(Request(self.path, dict(self.headers.items()), b""))
            self._whole(200, {"object": "list", "data": []})

        def _whole(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def _stream(self, events: Iterator[str]) -> None:
            gate, sent = upstream.gate, 0
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for event in events:
                    data = event.encode()
                    if gate and sent and pieces_in(data):
                        gate.wait(sent)
                    self._chunk(data)
                    sent = max(sent, pieces_in(data))
                self._chunk(b"")
            except OSError:  # the gateway has died or hung up
                self.close_connection = True

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Stays silent."""

    return Handler
