"""What the played provider answers, whatever its wire: each scene is named by a word in the user's text."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, Literal

SYSTEM = "You are a thermometer. Be brief."
MAX_OUTPUT = 2345  # the limit that every client gives
GREETING = "Grüße, 你好, and a wave 👋🏽 from upstream."
THOUGHT = "The user wants weather; I shall ask the tool, twice if need be. 考え中"
SAW = "I see one red pixel."
CUT_AFTER = "This sentence will never "  # what is said before a stream breaks
REFUSED = "refused by the script"  # stands in the message of every refusal
STOP_AT = "<halt>"
FORM: dict[str, Any] = {"city": "Köln", "degrees": 21}  # what a structured answer holds
PIXEL = base64.b64decode(  # one red pixel, PNG
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMBAQDJ/pLvAAAAAElFTkSuQmCC")
COUNTED = 4321  # tokens, by whoever can count
VECTORS = ([0.25, -0.5, 1.0, 0.0], [0.125, 0.75, -1.0, 0.5])  # exact as 32-bit floats
RETRY_AFTER_S = 7

Finish = Literal["stop", "calls", "length", "stop_sequence", "filter"]


class Unfit(Exception):
    """A request that the real provider would refuse, or that lost something on its way."""


def fit(holds: bool, what: str) -> None:
    """Refuses the request unless it holds."""
    if not holds:
        raise Unfit(what)


# What a request says.


@dataclass(frozen=True)
class Text:
    """A text of somebody."""

    who: Literal["user", "model"]
    text: str


@dataclass(frozen=True)
class Image:
    """An image, by its bytes."""

    media_type: str
    data: bytes


@dataclass(frozen=True)
class Call:
    """A tool call. What the script asks for has no id yet: each wire mints its own."""

    name: str
    arguments: dict[str, Any]
    id: str | None = None


@dataclass(frozen=True)
class Result:
    """What a tool gave back; without an id it belongs to the call in the same place."""

    text: str
    id: str | None = None
    name: str | None = None


@dataclass(frozen=True)
class State:
    """Opaque state of an earlier answer that came back."""

    value: str
    thought: str | None = None


Part = Text | Image | Call | Result | State


@dataclass(frozen=True)
class Asked:
    """A request as its wire reads it."""

    model: str
    stream: bool
    parts: tuple[Part, ...]
    system: str = ""
    max_output: int | None = None
    stop: tuple[str, ...] = ()
    tools: dict[str, Any] = field(default_factory=dict)  # name -> schema
    forced: str | None = None  # the tool that must be called
    schema: dict[str, Any] | None = None  # of a structured answer, where the wire says it natively
    thinks: bool = False  # whether reasoning is asked for
    remembers: bool = False  # whether this provider gives state with its thoughts that must come back

    @property
    def scene(self) -> str:
        """The name in the last text that has one."""
        return self._scene()[0]

    @property
    def since(self) -> tuple[Part, ...]:
        """What came after the text that names the scene."""
        return self.parts[self._scene()[1] + 1:]

    def _scene(self) -> tuple[str, int]:
        for index in range(len(self.parts) - 1, -1, -1):
            part = self.parts[index]
            if isinstance(part, Text) and part.who == "user" and (found := re.search(r"scene:([a-z0-9-]+)", part.text)):
                return found[1], index
        raise Unfit("no text names a scene")

    def exchanges(self) -> list[tuple[Call, Result]]:
        """Each call since the scene began, with its result."""
        calls = [part for part in self.since if isinstance(part, Call)]
        results = [part for part in self.since if isinstance(part, Result)]
        fit(len(calls) == len(results), f"{len(calls)} calls, {len(results)} results")
        if any(result.id is None for result in results):
            pairs = list(zip(calls, results, strict=True))
        else:
            by_id = {result.id: result for result in results}
            fit(all(call.id in by_id for call in calls), "the ids of calls and results differ")
            pairs = [(call, by_id[call.id]) for call in calls]
        fit(all(result.name in (None, call.name) for call, result in pairs), "a result names another tool")
        return pairs


# What is answered.


@dataclass(frozen=True)
class Usage:
    """Tokens: all of the input, of that read from and written to a cache; all of the output, of that reasoning."""

    prompt: int = 120
    cache_read: int = 32
    cache_write: int = 16
    output: int = 48
    reasoning: int = 0


@dataclass(frozen=True)
class Say:
    """An answer. Its parts stand in this order."""

    thought: str = ""
    text: str = ""
    calls: tuple[Call, ...] = ()
    finish: Finish = "stop"
    usage: Usage = Usage()
    # How a stream ends: well, with an error in it after the text or in place of it, or by a closed connection.
    ends: Literal["well", "error", "error-at-once", "cut"] = "well"


Kind = Literal["bad-request", "unauthorized", "forbidden", "not-found", "rate-limit", "internal", "overloaded",
               "broken"]  # the last is a page of somebody on the way


@dataclass(frozen=True)
class Refuse:
    """A refusal by status."""

    kind: Kind

    @property
    def message(self) -> str:
        """The sentence that tells why."""
        return f"{self.kind}: {REFUSED}"


Answer = Say | Refuse

WEATHER: dict[str, Any] = {
    "type": "object",
    "properties": {"city": {"type": "string", "description": "Its name"}, "days": {"type": "integer"}},
    "required": ["city", "days"],
    "additionalProperties": False,
}
TOOLS: dict[str, tuple[str, dict[str, Any]]] = {  # what clients declare: name -> description, schema
    "get_weather": ("Tells the weather of a city.", WEATHER),
    "now": ("Tells the time.", {"type": "object", "properties": {}, "additionalProperties": False}),
    "look": ("Takes a picture.", {"type": "object", "properties": {}, "additionalProperties": False}),
}


def weather(arguments: dict[str, Any]) -> str:
    """What the tool of that name says; clients run it, and the script checks it."""
    return f"{len(arguments['city'])} degrees in {arguments['city']} for {arguments['days']} days"


def run_tool(name: str, arguments: dict[str, Any]) -> str:
    """Runs one of the tools."""
    return weather(arguments) if name == "get_weather" else "12:34"


def _text(asked: Asked) -> Answer:
    fit(asked.system == SYSTEM, f"the system prompt is {asked.system!r}")
    fit(asked.max_output == MAX_OUTPUT, f"the limit of output is {asked.max_output}")
    return Say(text=GREETING)


def _stop(asked: Asked) -> Answer:
    fit(asked.stop == (STOP_AT,), f"the stop sequences are {asked.stop}")
    return Say(text=GREETING, finish="stop_sequence")


def _tools(*calls: Call, say: Say = Say(), moves: bool = False) -> Callable[[Asked], Answer]:
    """Calls tools, and then repeats what they said. A talk that moves to another provider leaves its state behind."""

    def scene(asked: Asked) -> Answer:
        exchanges = asked.exchanges()
        if not exchanges:
            missing = {call.name for call in calls} - set(asked.tools)
            fit(not missing, f"tools that were not declared: {missing}")
            fit(asked.thinks or not (say.thought and asked.remembers), "no reasoning is asked for")
            return replace(say, calls=calls, finish="calls")
        made = [Call(call.name, call.arguments) for call, _ in exchanges]
        fit(made == list(calls), f"the calls came back as {made}")
        states = [part for part in asked.since if isinstance(part, State)]
        lost = asked.remembers and say.thought and not moves and not states
        fit(not lost, "the state of the reasoning has not come back")
        for call, result in exchanges:
            fit(result.text == run_tool(call.name, call.arguments), f"{call} has the result {result.text!r}")
        return Say(text="; ".join(result.text for _, result in exchanges) + ".")

    return scene


def _structured(asked: Asked) -> Answer:
    schema = asked.schema or asked.tools.get(asked.forced or "")
    fit(schema is not None, "no schema arrived, neither natively nor as a forced tool")
    fit(set((schema or {}).get("properties", {})) == set(FORM), f"the schema is {schema}")
    if asked.schema is not None:
        return Say(text=json.dumps(FORM, ensure_ascii=False))
    return Say(calls=(Call(asked.forced or "", FORM),), finish="calls")


def _look(asked: Asked) -> Answer:
    """Takes a picture with a tool, and sees it in the result, or beside it where results have no room for it."""
    if not asked.exchanges():
        return Say(calls=(LOOK,), finish="calls")
    return _vision(asked)


def _vision(asked: Asked) -> Answer:
    images = [part for part in asked.parts if isinstance(part, Image)]
    fit(len(images) == 1, f"{len(images)} images arrived")
    fit(images[0] == Image("image/png", PIXEL), f"the image is {images[0]}")
    return Say(text=SAW)


SECRET = re.compile(r"secret-[0-9a-f]{16}")


def _agent(asked: Asked) -> Answer:
    """Has an agent read the file that its user names, by whatever tool it has, and repeats the secret in it.

    Agents ask for more than their users do: for a title, say. Such a request gets a text.
    """
    results = [part.text for part in asked.since if isinstance(part, Result)]
    if results:
        found = SECRET.search(results[-1])
        fit(found is not None, f"the file's text is not in the result: {results[-1][:300]!r}")
        return Say(text=f"The file says {found[0] if found else ''}.")
    prompt = next(part.text for part in asked.parts if isinstance(part, Text) and "scene:agent" in part.text)
    named = re.search(r"file:(\S+)", prompt)
    call = _reading(asked.tools, named[1] if named else "")
    if call is None:
        return Say(text="A title.")
    thought = THOUGHT if asked.thinks else ""
    return Say(thought=thought, text="I shall read it.", calls=(call,), finish="calls")


def _reading(tools: dict[str, Any], path: str) -> Call | None:
    """A call that reads a file, by the tools of the agents that are known here."""
    command = f"cat {path}"
    for name in ("Read", "read_file", "shell", "shell_command", "exec_command", "run_shell_command", "Bash"):
        members = (tools.get(name) or {}).get("properties") or {}
        is_list = (members.get("command") or {}).get("type") in ("array", "ARRAY")
        said = {"file_path": path, "absolute_path": path, "command": ["bash", "-c", command] if is_list else command,
                "cmd": command}
        if arguments := {member: value for member, value in said.items() if member in members}:
            return Call(name, arguments)
    return None


PARIS = Call("get_weather", {"city": "Paris", "days": 3})
TOKYO = Call("get_weather", {"city": "東京", "days": 1})
NOW = Call("now", {})
LOOK = Call("look", {})

SCENES: dict[str, Callable[[Asked], Answer]] = {
    "text": _text,
    "stop": _stop,
    "length": lambda _: Say(text=GREETING, finish="length"),
    "filter": lambda _: Say(text="I had better ", finish="filter"),
    "tool": _tools(PARIS, say=Say(text="Let me look.")),
    "no-argument": _tools(NOW),
    "parallel": _tools(PARIS, TOKYO),
    "think": _tools(PARIS, TOKYO, say=Say(thought=THOUGHT, usage=Usage(reasoning=20))),
    "move": _tools(PARIS, TOKYO, say=Say(thought=THOUGHT, usage=Usage(reasoning=20)), moves=True),
    "structured": _structured,
    "agent": _agent,
    "vision": _vision,
    "look": _look,
    "mid-error": lambda _: Say(text=CUT_AFTER, ends="error"),
    "first-error": lambda _: Say(ends="error-at-once"),
    "cut": lambda _: Say(text=CUT_AFTER, ends="cut"),
    "error-400": lambda _: Refuse("bad-request"),
    "error-401": lambda _: Refuse("unauthorized"),
    "error-403": lambda _: Refuse("forbidden"),
    "error-404": lambda _: Refuse("not-found"),
    "error-429": lambda _: Refuse("rate-limit"),
    "error-500": lambda _: Refuse("internal"),
    "error-503": lambda _: Refuse("overloaded"),
    "error-502": lambda _: Refuse("broken"),
}


def answer(asked: Asked) -> Answer:
    """What the scene that a request names wants."""
    scene = asked.scene
    fit(scene in SCENES, f"there is no scene {scene}")
    return SCENES[scene](asked)


def pieces(text: str) -> list[str]:
    """A text as a stream brings it: in pieces of few characters."""
    return [text[at:at + 5] for at in range(0, len(text), 5)]
