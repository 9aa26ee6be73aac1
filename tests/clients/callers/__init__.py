"""What the official clients share: one module each, which says the same things through its own client."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pydantic

from script import Call

PATIENCE_S = 30.0


class Form(pydantic.BaseModel):
    """What a structured answer holds."""

    model_config = pydantic.ConfigDict(extra="forbid")

    city: str
    degrees: int


@dataclass(frozen=True)
class Wish:
    """How a conversation shall be held."""

    model: str
    stream: bool = False
    thinks: bool = False
    tools: bool = False
    form: bool = False
    stop: bool = False


@dataclass(frozen=True)
class Seen:
    """An answer as a client's own types tell it; tokens are counted as in the script."""

    text: str
    finish: str
    prompt: int
    cache_read: int
    output: int
    thought: str = ""
    calls: tuple[Call, ...] = ()
    form: Form | None = None


@dataclass(frozen=True)
class Refusal:
    """An error as a client's own exception tells it."""

    status: int | None  # of a stream that has begun there is none
    message: str
    kind: str  # the exception's class, and the word of the dialect, if it has one
    retry_after: str | None = None


class Broken(Exception):
    """An answer that says of itself that it failed, where a client raises nothing."""


class Talk(ABC):
    """One conversation: it keeps its history in its client's own form, as a program would."""

    wish: Wish

    @abstractmethod
    def say(self, text: str, image: bytes | None = None) -> Seen:
        """A user's turn, and its answer."""

    @abstractmethod
    def give(self, results: dict[str, str], image: bytes | None = None) -> Seen:
        """What tools gave back by the ids of the calls, the first with an image, and the answer to it."""


class Caller(ABC):
    """One official client."""

    name: str
    dialect: str
    words: dict[str, str]  # the script's reasons to finish -> the client's
    unavailable = 503  # the status of an overloaded provider in its dialect
    pictures = True  # whether the results of tools can hold images

    @abstractmethod
    def talk(self, wish: Wish) -> Talk:
        """Begins a conversation."""

    @abstractmethod
    def refusal(self, error: Exception) -> Refusal | None:
        """What an exception tells; nothing of those that are not the client's own."""

    def models(self) -> list[str]:
        """The models that are offered."""
        raise NotImplementedError

    def show_model(self, model: str) -> str:
        """The name of one model."""
        raise NotImplementedError

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        """A vector of each text."""
        raise NotImplementedError

    def count(self, model: str, text: str) -> int:
        """How many tokens a text has."""
        raise NotImplementedError

    def can(self, what: Callable[..., Any]) -> bool:
        """Whether the client has one of the abilities above."""
        return getattr(what, "__func__", what) is not getattr(Caller, what.__name__)
