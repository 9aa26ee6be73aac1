"""Plays AWS Secrets Manager with one secret, over the JSON 1.1 protocol on loopback."""

# Beside run.py this file hides the standard library's module of the same name: take randomness from os.urandom here.

from __future__ import annotations

import json
import os
import threading
import time
import uuid
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Refusal(Exception):
    """An error answer: its type, and a sentence."""


class SecretsManager:
    """Keeps every version of one secret, as Secrets Manager does."""

    def __init__(self, arn: str) -> None:
        self.arn = arn
        self.calls: list[str] = []  # the operations that were asked for, in order
        self._lock = threading.Lock()
        first = str(uuid.uuid4())
        self._versions = {first: json.dumps({"origin_token": os.urandom(24).hex()})}
        self._stages = {"AWSCURRENT": first}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def value(self) -> dict[str, Any]:
        """The current value, read as JSON."""
        with self._lock:
            return json.loads(self._versions[self._stages["AWSCURRENT"]])

    def answer(self, operation: str, wish: dict[str, Any]) -> dict[str, Any]:
        """Carries out one operation."""
        with self._lock:
            self.calls.append(operation)
            if wish.get("SecretId") not in (self.arn, self._name()):
                raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
            match operation:
                case "GetSecretValue":
                    return self._get(wish)
                case "PutSecretValue":
                    return self._put(wish)
            raise Refusal("InvalidRequestException", f"{operation} is not played here.")

    def close(self) -> None:
        """Ends the server."""
        self._server.shutdown()
        self._server.server_close()

    def _name(self) -> str:
        return self.arn.rpartition(":")[2]

    def _get(self, wish: dict[str, Any]) -> dict[str, Any]:
        version = wish.get("VersionId") or self._stages.get(wish.get("VersionStage", "AWSCURRENT"))
        if version not in self._versions:
            raise Refusal("ResourceNotFoundException", "Secrets Manager can't find the specified secret value.")
        return self._shape(version) | {"SecretString": self._versions[version], "CreatedDate": time.time()}

    def _put(self, wish: dict[str, Any]) -> dict[str, Any]:
        version, value = wish.get("ClientRequestToken") or str(uuid.uuid4()), wish.get("SecretString")
        if value is None:
            raise Refusal("InvalidParameterException", "You must provide SecretString.")
        known = self._versions.get(version)
        if known not in (None, value):
            raise Refusal("ResourceExistsException", "The token is taken by a version with another value.")
        if known is None:  # the same again changes nothing, not even which version is current
            self._versions[version] = value
            self._stages |= {"AWSPREVIOUS": self._stages["AWSCURRENT"], "AWSCURRENT": version}
        return self._shape(version)

    def _shape(self, version: str) -> dict[str, Any]:
        stages = [stage for stage, held in self._stages.items() if held == version]
        return {"ARN": self.arn, "Name": self._name(), "VersionId": version, "VersionStages": stages}


def _handler(manager: SecretsManager) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Reads the operation from its header and the wish from the body."""

        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1  # head and body leave together

        def do_POST(self) -> None:
            wish = json.loads(self.rfile.read(int(self.headers.get("content-length", 0))) or b"{}")
            service, _, operation = self.headers.get("x-amz-target", "").partition(".")
            try:
                if service != "secretsmanager":
                    raise Refusal("UnknownOperationException", service)
                self._reply(200, manager.answer(operation, wish))
            except Refusal as refusal:
                kind, message = refusal.args
                self._reply(400, {"__type": kind, "Message": message})

        def _reply(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("content-type", "application/x-amz-json-1.1")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            self.wfile.flush()

        def log_message(self, *_: Any) -> None:
            """Stays silent."""

    return Handler
