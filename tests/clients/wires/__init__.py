"""What the wires of the played providers share: one module each, which reads requests and writes answers."""

from __future__ import annotations

import base64
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from script import Answer, Asked, Image, Kind, Refuse, Say, Unfit, answer, fit

CREATED = 1_760_000_000  # when every answer was made, in seconds since 1970


@dataclass(frozen=True)
class Request:
    """One request as the provider got it, byte for byte."""

    method: str
    path: str  # with the query, nothing decoded
    headers: dict[str, str]  # names in lower case
    body: bytes

    def json(self) -> Any:
        """The body, read as JSON."""
        try:
            return json.loads(self.body)
        except ValueError as error:
            raise Unfit(f"the body is no JSON: {error}") from None

    def route(self) -> str:
        """The path without its query."""
        return self.path.partition("?")[0]


@dataclass(frozen=True)
class Whole:
    """An answer in one piece."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


@dataclass(frozen=True)
class Stream:
    """An answer event by event."""

    events: Iterator[bytes]
    content_type: str = "text/event-stream"


class Cut(Exception):
    """Raised by the events of a stream where the connection ends without a word."""


class Wire(ABC):
    """How one kind of provider is spoken to."""

    DIALECTS: ClassVar[tuple[str, ...]]  # as Tollhouse calls them
    THINKS: ClassVar[bool]  # whether it tells its thoughts

    def __init__(self) -> None:
        self.complaints: list[str] = []  # what was wrong with requests, in the order they came

    def respond(self, request: Request) -> Whole | Stream:
        """The answer to a request; to one that is not right a refusal that says what is wrong."""
        try:
            fit(b"sk-th-" not in request.body and "sk-th-" not in str(request.headers) + request.path,
                "the caller's own key has come through")
            self.check_credential(request)
            return self.route(request)
        except Unfit as unfit:
            self.complaints.append(f"{request.route()}: {unfit}")
            return self.refusal("bad-request", f"unfit: {unfit}")

    @abstractmethod
    def check_credential(self, request: Request) -> None:
        """Refuses a request without the provider's credential in its place."""

    @abstractmethod
    def route(self, request: Request) -> Whole | Stream:
        """Answers one of the provider's paths."""

    @abstractmethod
    def refusal(self, kind: Kind, message: str) -> Whole:
        """A refusal by status."""

    def play(self, asked: Asked) -> Say | Whole:
        """What the script says to a request; its refusals are said here."""
        said: Answer = answer(asked)
        if not isinstance(said, Refuse):
            return said if self.THINKS else replace(said, thought="")
        if said.kind == "broken":
            page = f"<html><head><title>502 Bad Gateway</title></head><body>{said.message}</body></html>"
            return Whole(502, page.encode(), {"content-type": "text/html"})
        return self.refusal(said.kind, said.message)


def body_of(value: Any) -> bytes:
    """JSON as providers write it: not only in ASCII."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def whole(value: Any, status: int = 200, **headers: str) -> Whole:
    """A JSON answer."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Whole(status, body_of(value), {"content-type": "application/json"} | named)


def arguments_of(call_arguments: Any) -> str:
    """A call's arguments as a text, with a blank after each colon and comma, as OpenAI writes them."""
    return json.dumps(call_arguments, ensure_ascii=False)


def parsed_arguments(text: Any) -> dict[str, Any]:
    """Arguments that are written as a text."""
    fit(isinstance(text, str), f"arguments that are no text: {text!r}")
    try:
        value = json.loads(text)
    except ValueError:
        raise Unfit(f"arguments that are no JSON: {text!r}") from None
    fit(isinstance(value, dict), f"arguments that are no object: {text!r}")
    return value


def image_of_url(url: str) -> Image:
    """An image in a `data:` URL."""
    found = re.fullmatch(r"data:([\w/+.-]+);base64,(.+)", url, re.DOTALL)
    fit(found is not None, f"no data URL: {url[:60]}")
    return Image(found[1], base64.b64decode(found[2], validate=True)) if found else Image("", b"")
