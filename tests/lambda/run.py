"""Drives the three packaged functions on a played Lambda, and checks their books to the last digit."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import upstream as provider
from emulator import Answer, Function, http_event
from secrets import SecretsManager  # the one in this folder
from upstream import Gate, Request, Upstream

EVENTS = Path(__file__).resolve().parents[2] / "events"
SECRET_ARN = "arn:aws:secretsmanager:us-east-1:123456789012:secret:tollhouse"
MODEL = "fake-model"
USD_PER_MILLION_IN, USD_PER_MILLION_OUT = Decimal("1"), Decimal("2")
# What one call costs: the cache has no price of its own, so what was read from it costs what input costs.
CALL_USD = (provider.PROMPT * USD_PER_MILLION_IN + provider.OUTPUT * USD_PER_MILLION_OUT) / 1_000_000
VIEWER = "198.51.100.7"  # the caller's address in events/: what the front reports, not who connected to the function
COLD_STARTS = 15
DATABASE_PATIENCE_S = 300
AIMS = {"file_mb": 9.0, "start_ms": 12.0, "resident_mb": 15.0}  # of the relay
GROSS = {"file_mb": 10.5, "resident_mb": 30.0}  # beyond these the run fails; all dialects together miss the aim


class Wrong(Exception):
    """A check did not hold."""


def check(holds: bool, what: str) -> None:
    """Fails the step unless it holds."""
    if not holds:
        raise Wrong(what)


@dataclass(frozen=True)
class Wallets:
    """What a user has, and what the user and its key spent and hold."""

    balance: Decimal
    held: Decimal
    spent: Decimal
    key_held: Decimal
    key_spent: Decimal


@dataclass
class House:
    """The functions, what they talk to, and what the first step made."""

    upstream: Upstream
    secret: SecretsManager
    functions: dict[str, Function]
    session: str = ""
    admin_password: str = ""
    user_password: str = field(default_factory=lambda: "member-" + os.urandom(12).hex())
    user_id: str = ""
    key_id: str = ""
    key: str = ""
    canaries: dict[str, str] = field(default_factory=dict)  # provider -> the credential of its channel
    channels: dict[str, str] = field(default_factory=dict)  # provider -> channel id
    figures: dict[str, Any] = field(default_factory=dict)

    @property
    def relay(self) -> Function:
        return self.functions["relay"]

    @property
    def admin(self) -> Function:
        return self.functions["admin"]

    @property
    def maintenance(self) -> Function:
        return self.functions["maintenance"]

    def origin(self) -> str:
        """The header value by which the functions know their front."""
        return self.secret.value()["origin_token"]

    def event(self, path: str, **members: Any) -> dict[str, Any]:
        """An event of events/ with this run's secrets in it, and these members of its body changed (None: left out)."""
        event = json.loads((EVENTS / path).read_text().replace("sk-th-EXAMPLE", self.key))
        event["headers"]["x-tollhouse-origin"] = self.origin()
        if path.startswith("admin/") and "authorization" in event["headers"]:
            event["headers"]["authorization"] = f"Bearer {self.session}"
        if members:
            body = json.loads(event["body"]) | members
            event["body"] = json.dumps({name: value for name, value in body.items() if value is not None})
        return event

    def api(self, method: str, target: str, body: Any = None) -> Any:
        """Calls the admin API as the administrator, and gives back what it says."""
        headers = {"x-tollhouse-origin": self.origin(), "authorization": f"Bearer {self.session}"}
        return said(self.admin.call(http_event(method, target, headers, body)), f"{method} {target}")

    def records(self, query: str) -> list[dict[str, Any]]:
        """Usage records by a filter."""
        return self.api("GET", f"/api/usage?limit=100&{query}")["data"]

    def wallets(self) -> Wallets:
        """The books of the user and of its key, now."""
        user, key = self.api("GET", f"/api/users/{self.user_id}"), self.api("GET", f"/api/keys/{self.key_id}")
        return Wallets(*(Decimal(text) for text in (
            user["balance_usd"], user["held_usd"], user["spent_usd"], key["held_usd"], key["spent_usd"])))

    @contextmanager
    def gated(self) -> Iterator[Gate]:
        """Holds the provider's streams back at a gate, which opens at the end whatever happened."""
        gate = self.upstream.gate = Gate()
        try:
            yield gate
        finally:
            self.upstream.gate = None
            gate.open()

    def release_holds(self) -> Answer:
        """Runs the job of that name, on holds of any age."""
        answer = self.maintenance.call(self.event_of_job("maintenance/release-holds.json") | {"older_than_seconds": 0})
        check(answer.error is None, f"release_holds failed: {answer.error}")
        return answer

    def event_of_job(self, path: str) -> dict[str, Any]:
        """An event of the maintenance function; it is no HTTP request."""
        return json.loads((EVENTS / path).read_text())


def said(answer: Answer, what: str) -> Any:
    """The JSON of a good answer."""
    check(answer.error is None, f"{what}: {answer.error}")
    check(200 <= answer.status < 300, f"{what}: {answer.status} {answer.body[:300]!r}")
    return answer.json() if answer.body else None


# Step 1.

def open_the_books(house: House) -> str:
    """Signs in with the password that the first start made, and sets up price, channels, user and key."""
    sign_in(house)
    if all(group["name"] != "default" for group in house.api("GET", "/api/groups")["data"]):
        house.api("POST", "/api/groups", {"name": "default", "ratio": "1"})
    house.api("POST", "/api/prices", {
        "model": MODEL, "input": str(USD_PER_MILLION_IN), "output": str(USD_PER_MILLION_OUT)})
    for name, base_url in (("openai-compatible", house.upstream.url + "/v1"), ("anthropic", house.upstream.url)):
        house.canaries[name] = f"canary-credential-{name}-{os.urandom(8).hex()}"
        house.channels[name] = house.api("POST", "/api/channels", {
            "name": name, "provider": name, "base_url": base_url, "credential": house.canaries[name],
            "models": [MODEL]})["id"]
    house.user_id = house.api("POST", "/api/users", {"username": "mia", "password": house.user_password})["id"]
    house.api("POST", f"/api/users/{house.user_id}/credits", {"amount_usd": "1", "note": "to begin with"})
    made = said(house.admin.call(house.event("admin/create-key.json", user_id=house.user_id, models=["fake-*"])), "key")
    house.key_id, house.key = made["id"], made["key"]
    check(house.key.startswith("sk-th-"), "the key does not begin with sk-th-")
    check(house.wallets() == Wallets(Decimal(1), *[Decimal(0)] * 4), f"the books begin wrong: {house.wallets()}")
    return f"first request for an event after {house.admin.sandboxes[0].start_ms:.1f} ms"


def sign_in(house: House) -> None:
    """The admin function's first call fills the secret; then its password signs in."""
    house.admin.call(http_event("GET", "/healthz", {"x-tollhouse-origin": house.origin()}))
    if "admin_password" not in house.secret.value():
        house.admin.call(house.event("admin/sign-in.json"))
    house.admin_password = house.secret.value().get("admin_password", "")
    check(bool(house.admin_password), "the secret has no admin_password after the first call")
    check("origin_token" in house.secret.value(), "filling the secret lost its origin token")
    signed_in = said(house.admin.call(house.event("admin/sign-in.json", password=house.admin_password)), "sign-in")
    house.session = signed_in["token"]
    check(signed_in["user"]["username"] == "root", f"signed in as {signed_in['user']}")


# Step 2.

def refuse_strangers(house: House) -> str:
    """Who does not come through the front is sent away before anything else is done."""
    times: list[float] = []
    for token in (None, None, "wrong", house.origin()[:-1], ""):
        event = house.event("relay/chat.json", model=MODEL)
        event["headers"].pop("x-tollhouse-origin")
        if token is not None:
            event["headers"]["x-tollhouse-origin"] = token
        answer = house.relay.call(event)
        check(answer.error is None and answer.status == 403, f"origin {token!r}: {answer.status} {answer.error}")
        times.append(answer.total_ms)
    check(not house.upstream.requests, "the provider was asked all the same")
    house.figures["refusal_ms"] = {"first": round(times[0], 2), "later": round(min(times[1:]), 2)}
    return f"403 after {times[0]:.1f} ms in a new sandbox, {min(times[1:]):.2f} ms in a warm one"


# Steps 3 and 4.

def streamed_chat(house: House) -> str:
    """An OpenAI stream, whose caller asks for usage."""
    answer, summary = streamed(house, "relay/chat-stream.json", max_tokens=64)
    check(answer.body.endswith(b"data: [DONE]\n\n"), f"the stream ends with {answer.body[-80:]!r}")
    usage = [chunk["usage"] for chunk in sse(answer) if chunk.get("usage")]
    check(len(usage) == 1 and usage[0]["prompt_tokens"] == provider.PROMPT, f"the caller got usage {usage}")
    return summary


def streamed_chat_without_usage(house: House) -> str:
    """The same, when the caller does not ask for usage: it is billed the same, and sees none."""
    answer, summary = streamed(house, "relay/chat-stream.json", max_tokens=64, stream_options=None)
    check(answer.body.endswith(b"data: [DONE]\n\n"), f"the stream ends with {answer.body[-80:]!r}")
    check(all(chunk["choices"] and not chunk.get("usage") for chunk in sse(answer)), "the caller got usage unasked")
    return summary


def streamed_messages(house: House) -> str:
    """An Anthropic stream."""
    answer, summary = streamed(house, "relay/messages-stream.json")
    check(sse(answer)[-1].get("type") == "message_stop", f"the stream ends with {answer.body[-80:]!r}")
    return summary


def streamed(house: House, path: str, **members: Any) -> tuple[Answer, str]:
    """One stream, piece by piece: the provider sends the next one when this one has come through."""
    before, event = house.wallets(), house.event(path, model=MODEL, **members)
    with house.gated() as gate:
        answer = house.relay.call(event, on_chunk=lambda answer: gate.seen(provider.pieces_in(answer.body)))
    check(answer.error is None and answer.status == 200, f"{answer.status} {answer.error} {answer.body[:300]!r}")
    check(answer.streamed, "the answer was buffered")
    check(not gate.waited_in_vain, "a piece was held back until a later one was there")
    arrivals = {moment for moment, data in answer.chunks if provider.pieces_in(data)}
    check(len(arrivals) >= 3, f"the pieces came at {len(arrivals)} moments")
    check(b"Lambda-Runtime-Function-Error-Type" not in answer.body, "the body stream failed inside the runtime")
    check(house.relay.sandboxes[-1].frozen(), "the sandbox is not frozen after the call")
    record = billed(house, answer, before, stream=True)
    return answer, f"{len(arrivals)} arrivals, first byte {answer.chunks[0][0]:.1f} ms, {record['lane']} lane"


def plain_chat(house: House) -> str:
    """An answer in one piece, and the list of models."""
    before = house.wallets()
    answer = house.relay.call(house.event("relay/chat.json", model=MODEL, max_tokens=64))
    usage = said(answer, "chat")["usage"]
    check(usage["prompt_tokens"] == provider.PROMPT and usage["completion_tokens"] == provider.OUTPUT, f"{usage}")
    record = billed(house, answer, before, stream=False)
    models = said(house.relay.call(house.event("relay/models.json")), "models")["data"]
    check(MODEL in [model["id"] for model in models], f"the models are {models}")
    return f"{answer.total_ms:.1f} ms, {record['lane']} lane"


def sse(answer: Answer) -> list[dict[str, Any]]:
    """The JSON values in a stream."""
    lines = [line.partition(b":")[2].strip() for line in answer.body.splitlines() if line.startswith(b"data:")]
    return [json.loads(line) for line in lines if line != b"[DONE]"]


def billed(house: House, answer: Answer, before: Wallets, *, stream: bool) -> dict[str, Any]:
    """The call's record is right in every member that matters, and the wallets moved by exactly its cost."""
    record = the_record(house, answer)
    tokens, cost = record["tokens"], Decimal(record["cost_usd"])
    counted = (tokens["input"] + tokens["cache_read"], tokens["cache_read"], tokens["output"])
    check(counted == (provider.PROMPT, provider.CACHED, provider.OUTPUT), f"tokens are {tokens}")
    check(cost == CALL_USD, f"cost is {cost}, by hand it is {CALL_USD}")
    check(record["status"] == "ok" and not record["estimated"], f"the record says {record['status']}, estimated "
                                                                f"{record['estimated']}")
    check(record["stream"] is stream, f"stream is {record['stream']}")
    first = 0 if record["ttfb_ms"] is None and not stream else record["ttfb_ms"]
    check(0 <= first <= record["total_ms"], f"times are {record['ttfb_ms']}, {record['total_ms']}")
    check(record["source_ip"] == VIEWER, f"source_ip is {record['source_ip']}")
    check(record["channel_id"] == house.channels[asked_provider(house, house.upstream.requests[-1])],
          f"channel is {record['channel_id']}")
    expected = Wallets(before.balance - cost, Decimal(0), before.spent + cost, Decimal(0), before.key_spent + cost)
    check(house.wallets() == expected, f"wallets are {house.wallets()}, should be {expected}")
    return record


def the_record(house: House, answer: Answer) -> dict[str, Any]:
    """The one usage record of a call."""
    records = house.records(f"request_id={answer.headers.get('x-request-id')}")
    check(len(records) == 1, f"{len(records)} records of request {answer.headers.get('x-request-id')}")
    return records[0]


def asked_provider(house: House, request: Request) -> str:
    """Which channel's credential a request carried: it says which channel was taken."""
    carried = {request.headers.get("x-api-key", ""), request.headers.get("authorization", "").removeprefix("Bearer ")}
    names = [name for name, canary in house.canaries.items() if canary in carried]
    check(len(names) == 1, f"the provider got no known credential at {request.path}")
    return names[0]


# Step 5.

def client_gone(house: House) -> str:
    """The client leaves in the middle. Lambda does not tell the function; the bill is the whole one."""
    before, event = house.wallets(), house.event("relay/chat-stream.json", model=MODEL, max_tokens=64)
    with house.gated() as gate:
        def look(answer: Answer) -> None:
            gate.seen(provider.pieces_in(answer.body))
            if provider.pieces_in(answer.body) == 2:
                answer.leave()
                gate.open()

        answer = house.relay.call(event, on_chunk=look)
    check(answer.error is None, f"{answer.error}")
    check(b"[DONE]" not in answer.body and answer.unread > 0, "the client had not left in the middle")
    billed(house, answer, before, stream=True)
    return f"left after 2 pieces, {answer.unread} bytes unread, billed in full"


def answer_cut(house: House) -> str:
    """The pipe between runtime and Lambda breaks in the middle: the call is billed once, and holds nothing for ever."""
    before, event = house.wallets(), house.event("relay/chat-stream.json", model=MODEL, max_tokens=64)
    with house.gated() as gate:  # the provider has more to say when the cut happens
        cut = house.relay.send(event, cut_after=provider.piece(2).strip().encode(),
                               on_chunk=lambda answer: gate.seen(min(provider.pieces_in(answer.body), 1))).wait()
    survived = house.relay.rest()
    check(cut.error is not None and b"[DONE]" not in cut.body, "the answer was not cut")
    follower = house.relay.call(house.event("relay/chat.json", model=MODEL, max_tokens=64))
    said(follower, "the next call")
    healed_by = "by the next call"
    if house.wallets().held or house.wallets().key_held:
        house.release_holds()
        healed_by = "by release_holds"
    after, record = house.wallets(), the_record(house, cut)
    spent = Decimal(record["cost_usd"]) + Decimal(the_record(house, follower)["cost_usd"])
    check(after.held == 0 and after.key_held == 0, f"a hold stays: {after}")
    check(before.balance - after.balance == spent, f"the balance fell by {before.balance - after.balance}, not {spent}")
    check(after.spent - before.spent == spent and after.key_spent - before.key_spent == spent, f"spent: {after}")
    return (f"the process {'lived on' if survived else 'ended'}, no hold left {healed_by}, "
            f"record {record['status']} of {record['cost_usd']} USD")


# Step 6.

def sweep(house: House) -> str:
    """Maintenance twice: nothing is held, and the second time changes nothing."""
    first = house.maintenance.call(house.event_of_job("maintenance/release-holds.json"))
    check(first.error is None, f"{first.error}")
    reply = first.json()
    house.release_holds()
    books, records = house.wallets(), house.records(f"user_id={house.user_id}")
    check(books.held == 0 and books.key_held == 0, f"a hold stays: {books}")
    house.release_holds()
    check(house.wallets() == books, f"the second sweep moved the books: {books} to {house.wallets()}")
    check(house.records(f"user_id={house.user_id}") == records, "the second sweep changed the records")
    total = sum((Decimal(record["cost_usd"]) for record in records), Decimal(0))
    check(1 - books.balance == total == books.spent == books.key_spent, f"{len(records)} records of {total}: {books}")
    return f"answers {json.dumps(reply)[:80]}; {len(records)} records add up to the {total} USD that are gone"


# Step 7.

def keep_secrets(house: House) -> str:
    """No secret in a log, in an answer or, but for its own credential, at the provider."""
    secrets = {name: house.secret.value()[name] for name in house.secret.value()} | {"key": house.key}
    secrets |= {f"{name} credential": canary for name, canary in house.canaries.items()}
    logs = {name: function.output() for name, function in house.functions.items()}
    for label, text in (secrets | {"user's password": house.user_password, "session": house.session}).items():
        for name, log in logs.items():
            check(text.encode() not in log, f"the {label} is in the log of {name}")
    answers = [answer for function in house.functions.values() for answer in function.answers]
    for label, text in secrets.items():
        tellers = [answer for answer in answers if text in told(answer)]
        check(len(tellers) == (label == "key"), f"the {label} is in {len(tellers)} answers")
    for request in house.upstream.requests:
        sent = request.body.decode() + json.dumps(request.headers)
        check(house.key not in sent and house.origin() not in sent, "the provider was told the caller's secrets")
        check(sum(canary in sent for canary in house.canaries.values()) == 1, "the provider was told two credentials")
    check(any(logs.values()), "the functions logged nothing, which proves nothing")
    return f"{sum(map(len, logs.values()))} bytes of logs and {len(answers)} answers are clean"


def told(answer: Answer) -> str:
    """All that an answer says, headers and cookies too."""
    return answer.body.decode(errors="replace") + json.dumps([answer.headers, answer.cookies, answer.error])


# Step 8.

def measure(house: House) -> str:
    """How big the functions are, how fast they start and what they hold."""
    table = [f"{'':12}{'file MB':>9}{'start ms: median':>18}{'min':>7}{'resident MB: start':>20}{'after calls':>13}"]
    for name, function in house.functions.items():
        figures = house.figures[name] = figures_of(function)
        table.append(f"{name:12}{figures['file_mb']:9.2f}{figures['start_ms']['median']:18.1f}"
                     f"{figures['start_ms']['min']:7.1f}{figures['resident_mb']['start']:20.1f}"
                     f"{figures['resident_mb']['after_calls']:13.1f}")
    table.append(f"{'aim (relay)':12}{AIMS['file_mb']:9.2f}{AIMS['start_ms']:18.1f}{'':7}{AIMS['resident_mb']:20.1f}")
    print("\n".join(table), flush=True)
    relay = house.figures["relay"]
    check(relay["file_mb"] <= GROSS["file_mb"], f"the relay's file has {relay['file_mb']} MB")
    check(relay["resident_mb"]["start"] <= GROSS["resident_mb"], f"the relay holds {relay['resident_mb']['start']} MB")
    missed = [name for name, got in (("file", relay["file_mb"] <= AIMS["file_mb"]),
                                     ("start", relay["start_ms"]["median"] <= AIMS["start_ms"]),
                                     ("memory", relay["resident_mb"]["start"] <= AIMS["resident_mb"])) if not got]
    return "the relay misses its aim for " + ", ".join(missed) if missed else "the relay meets its aims"


def figures_of(function: Function) -> dict[str, Any]:
    """The figures of one function, over several cold starts."""
    starts, resident = [], []
    for _ in range(COLD_STARTS):
        sandbox = function.fresh()
        starts.append(sandbox.start_ms)
        resident.append(sandbox.resident_mb())
        sandbox.close()
    return {"file_mb": round(function.bootstrap.stat().st_size / 1e6, 2),
            "start_ms": {"median": round(statistics.median(starts), 2), "min": round(min(starts), 2)},
            "resident_mb": {"start": round(statistics.median(resident), 2),
                            "after_calls": round(function.resident_mb, 2)}}


# The run.

STEPS: list[tuple[str, Callable[[House], str]]] = [
    ("1 admin: cold start, sign-in, books", open_the_books),
    ("2 relay: closed to strangers", refuse_strangers),
    ("3 chat, streamed", streamed_chat),
    ("3 chat, streamed, usage not asked for", streamed_chat_without_usage),
    ("4 messages, streamed", streamed_messages),
    ("4 chat, plain", plain_chat),
    ("5 client gone", client_gone),
    ("5 answer cut", answer_cut),
    ("6 maintenance", sweep),
    ("7 secrets kept", keep_secrets),
    ("8 figures", measure),
]


def run_steps(house: House) -> int:
    """Runs the steps in order and gives back how many failed; without the first there is no second."""
    failed = 0
    for number, (name, step) in enumerate(STEPS):
        try:
            print(f"ok      {name}: {step(house)}", flush=True)
        except Exception as cause:  # whatever it is, the other steps still have something to tell
            failed += 1
            kind = "" if isinstance(cause, Wrong) else f"{type(cause).__name__}: "
            print(f"FAILED  {name}: {kind}{cause}", flush=True)
            show_logs(house)
            if number == 0:
                break
    print(f"{number + 1 - failed} passed, {failed} failed", flush=True)
    return failed


def show_logs(house: House) -> None:
    """The last words of each function, to find out why."""
    for name, function in house.functions.items():
        for line in function.output().decode(errors="replace").splitlines()[-8:]:
            print(f"        {name} | {line[:400]}", file=sys.stderr, flush=True)


def start_database(command: str) -> tuple[subprocess.Popen[str], str]:
    """Starts the engine and reads the address that it prints."""
    # A session of its own, because the command may be one that starts the engine as its child.
    process = subprocess.Popen(shlex.split(command), stdout=subprocess.PIPE, text=True, start_new_session=True)
    alarm = threading.Timer(DATABASE_PATIENCE_S, end_database, [process])
    alarm.start()
    url = process.stdout.readline().strip() if process.stdout else ""
    alarm.cancel()
    if not url.startswith("http://"):
        end_database(process)
        sys.exit(f"the database printed {url!r} instead of its address")
    return process, url


def end_database(process: subprocess.Popen[str]) -> None:
    """Ends the command and whatever it started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def functions_of(folder: Path, database: str, secret: SecretsManager) -> dict[str, Function]:
    """The three functions with the environments that the template gives them."""
    common = {"TABLE_NAME": "tollhouse", "SECRET_ARN": secret.arn, "FRONT": "function-url", "LOG_LEVEL": "info",
              "AWS_ENDPOINT_URL_DYNAMODB": database, "AWS_ENDPOINT_URL_SECRETS_MANAGER": secret.url}
    own = {"admin": {"MAINTENANCE_FUNCTION": "maintenance", "RELAY_URL": "http://127.0.0.1:9"}}
    return {name: Function(folder / name / "bootstrap", name, common | own.get(name, {}))
            for name in ("relay", "admin", "maintenance")}


def main() -> int:
    """Parses the arguments, sets the stage, runs the steps, clears up."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bootstraps", type=Path, required=True, help="folder with NAME/bootstrap for each function")
    parser.add_argument("--dynamodb", required=True, help="command that starts an engine and prints its address")
    parser.add_argument("--emit", type=Path, help="file for the figures, as JSON")
    arguments = parser.parse_args()
    database, url = start_database(arguments.dynamodb)
    secret, upstream = SecretsManager(SECRET_ARN), Upstream()
    house = House(upstream, secret, functions_of(arguments.bootstraps, url, secret))
    try:
        failed = run_steps(house)
        if arguments.emit:
            arguments.emit.write_text(json.dumps(house.figures | {"aims": AIMS}, indent=2) + "\n")
    finally:
        for function in house.functions.values():
            function.close()
        upstream.close()
        secret.close()
        end_database(database)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
