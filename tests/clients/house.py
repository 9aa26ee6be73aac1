"""Starts the local server with a channel to each played provider, and gives a key for it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START_PATIENCE_S = 60.0
SPREAD_PATIENCE_S = 20.0  # a change of the configuration reaches every instance within ten seconds
PRICE = {"input": "1", "output": "2"}


class Wrong(Exception):
    """The stage could not be set."""


@dataclass(frozen=True)
class Channel:
    """A channel to be made: what callers call its models, and what the provider does."""

    name: str
    provider: str
    base_url: str
    credential: Any
    models: dict[str, str]  # the caller's name -> the provider's
    more: dict[str, Any] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """The channel as the admin API takes it."""
        return {"name": self.name, "provider": self.provider, "base_url": self.base_url, "credential": self.credential,
                "models": list(self.models), "model_mapping": self.models} | self.more


class House:
    """The local server."""

    def __init__(self, stack: ExitStack, binary: Path) -> None:
        self.url = f"http://127.0.0.1:{_free_port()}"
        self._session = ""
        self._log = stack.enter_context(tempfile.TemporaryFile())
        password = os.urandom(16).hex()
        process = subprocess.Popen(
            [binary.resolve(), "--in-memory", "--no-demo", "--listen", self.url.removeprefix("http://")],
            # Only these: with a provider's key in its environment it would make channels of its own.
            env={"PATH": os.environ["PATH"], "HOME": stack.enter_context(tempfile.TemporaryDirectory()),
                 "TOLLHOUSE_ADMIN_PASSWORD": password}, stdin=subprocess.DEVNULL, stdout=self._log, stderr=self._log)
        stack.callback(_end, process)
        self._wait_for(process)
        self._session = self.api("POST", "/api/session", {"username": "root", "password": password})["token"]

    def open(self, channels: list[Channel]) -> str:
        """Makes the channels and prices, and a user with a key, once the relay offers all models."""
        models = [model for channel in channels for model in channel.models]
        for model in models:
            self.api("POST", "/api/prices", {"model": model} | PRICE)
        for channel in channels:
            self.api("POST", "/api/channels", channel.body())
        user = self.api("POST", "/api/users", {"username": "mia", "password": os.urandom(16).hex(), "unlimited": True})
        key = self.api("POST", "/api/keys", {"name": "clients", "user_id": user["id"]})["key"]

        def offered() -> bool:
            return set(models) <= {model["id"] for model in self.api("GET", "/v1/models", bearer=key)["data"]}

        _poll(offered, SPREAD_PATIENCE_S, "the relay does not offer all models")
        return key

    def api(self, method: str, path: str, body: Any = None, bearer: str = "") -> Any:
        """One call; anything but a good answer fails the run."""
        request = urllib.request.Request(self.url + path, method=method, headers={
            "authorization": f"Bearer {bearer or self._session}", "content-type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            raise Wrong(f"{method} {path} {body}: {refusal.code} {refusal.read()[:300]!r}") from None

    def log(self) -> str:
        """What the server has printed."""
        self._log.seek(0)
        return self._log.read().decode(errors="replace")

    def _wait_for(self, process: subprocess.Popen[bytes]) -> None:
        def healthy() -> bool:
            if process.poll() is not None:
                raise Wrong(f"tollhouse ended with {process.returncode}: {self.log()[-800:]}")
            try:
                return urllib.request.urlopen(self.url + "/healthz", timeout=5).status == 200
            except OSError:
                return False

        _poll(healthy, START_PATIENCE_S, "tollhouse does not get healthy")


def lonely() -> None:
    """Takes out of the environment what would lead clients elsewhere: proxies, addresses, credentials, settings."""
    prefixes = ("OPENAI_", "AZURE_", "ANTHROPIC_", "GEMINI_", "GOOGLE_", "AWS_", "CLAUDE_", "CODEX_")
    for name in list(os.environ):
        if name.upper().startswith(prefixes) or name.upper().endswith("_PROXY"):
            del os.environ[name]
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    os.environ["NO_PROXY"] = "*"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def _poll(happened: Callable[[], bool], patience_s: float, complaint: str) -> None:
    deadline = time.monotonic() + patience_s
    while not happened():
        if time.monotonic() > deadline:
            raise Wrong(complaint)
        time.sleep(0.05)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
