"""Plays a model provider on a port of its own: takes requests apart strictly, answers by the script, remembers all."""

from __future__ import annotations

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from wires import Cut, Request, Stream, Whole, Wire

SEGMENT = 61  # bytes of a stream that are sent at a time: events and characters are torn


class _CalmServer(ThreadingHTTPServer):
    """A server that is not surprised when a caller hangs up."""

    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class Upstream:
    """One provider's server, on a free port."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.requests: list[Request] = []
        self._server = _CalmServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def take_complaints(self) -> list[str]:
        """What was wrong with the requests since the last time."""
        complaints = list(self.wire.complaints)
        self.wire.complaints.clear()
        return complaints

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()


def _handler(upstream: Upstream) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Notes the request, then answers whole or piece by piece."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # a chunk's size line and its data leave together

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            request = Request(self.command, self.path, headers, body)
            upstream.requests.append(request)
            answer = upstream.wire.respond(request)
            if isinstance(answer, Whole):
                self._whole(answer)
            else:
                self._stream(answer)

        do_GET = do_POST

        def _whole(self, answer: Whole) -> None:
            self.send_response(answer.status)
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)
            self.wfile.flush()

        def _stream(self, answer: Stream) -> None:
            self.send_response(200)
            self.send_header("content-type", answer.content_type)
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            try:
                for event in answer.events:
                    for at in range(0, len(event), SEGMENT):
                        self._chunk(event[at:at + SEGMENT])
                self._chunk(b"")
            except Cut:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
            except OSError:  # the caller has hung up
                self.close_connection = True

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
            self.wfile.flush()

        def log_message(self, *_: object) -> None:
            """Stays silent."""

    return Handler
