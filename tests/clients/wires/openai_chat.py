"""OpenAI's Chat Completions, as OpenAI, Azure and compatible servers speak it, and their embeddings.

<https://platform.openai.com/docs/api-reference/chat>
"""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator
from typing import Any, ClassVar
from urllib.parse import unquote

from openai.types.chat import completion_create_params as shapes
from openai.types.embedding_create_params import EmbeddingCreateParams

from script import (
    REFUSED,
    RETRY_AFTER_S,
    VECTORS,
    Asked,
    Call,
    Kind,
    Part,
    Result,
    Say,
    State,
    Text,
    Unfit,
    Usage,
    fit,
    pieces,
)
from wires import (
    CREATED,
    Cut,
    Request,
    Stream,
    Whole,
    Wire,
    arguments_of,
    body_of,
    image_of_url,
    parsed_arguments,
    whole,
)
from wires.shapes import must_fit

KEY = "upstream-openai-key"
FINISH = {"stop": "stop", "calls": "tool_calls", "length": "length", "stop_sequence": "stop",
          "filter": "content_filter"}
REFUSALS: dict[Kind, tuple[int, Any]] = {
    "bad-request": (400, ("invalid_request_error", "invalid_value")),
    "unauthorized": (401, ("invalid_request_error", "invalid_api_key")),
    "forbidden": (403, ("permission_error", "permission_denied")),
    "not-found": (404, ("invalid_request_error", "model_not_found")),
    "rate-limit": (429, ("requests", "rate_limit_exceeded")),
    "internal": (500, ("server_error", None)),
    "overloaded": (503, ("server_error", "server_is_overloaded")),
}


def error_of(kind: Kind, message: str) -> dict[str, Any]:
    """The error object of OpenAI's dialects."""
    error_type, code = REFUSALS[kind][1]
    return {"error": {"message": message, "type": error_type, "param": None, "code": code}}


def refusal(kind: Kind, message: str) -> Whole:
    """A refusal as OpenAI writes it."""
    more = {"retry_after": str(RETRY_AFTER_S)} if kind == "rate-limit" else {}
    return whole(error_of(kind, message), REFUSALS[kind][0], **more)


def embeddings(body: Any) -> Whole:
    """Vectors for each input, in base64 where they are asked for in it."""
    must_fit(body, EmbeddingCreateParams)
    inputs = body["input"] if isinstance(body["input"], list) else [body["input"]]

    def written(vector: list[float]) -> Any:
        if body.get("encoding_format") == "base64":
            return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        return vector

    data = [{"object": "embedding", "index": index, "embedding": written(VECTORS[index])}
            for index in range(len(inputs))]
    return whole({"object": "list", "data": data, "model": body["model"],
                  "usage": {"prompt_tokens": 9, "total_tokens": 9}})


class OpenaiChat(Wire):
    """OpenAI itself."""

    DIALECTS = ("openai_chat",)
    THINKS = False
    REMEMBERS: ClassVar[bool] = False  # whether its reasoning must come back
    STRICT: ClassVar[bool] = True  # whether a member that OpenAI does not know is refused
    PREFIX: ClassVar[str] = "/v1"

    def check_credential(self, request: Request) -> None:
        fit(request.headers.get("authorization") == f"Bearer {KEY}", "the credential is not in its place")

    def route(self, request: Request) -> Whole | Stream:
        body = request.json()
        match request.route().removeprefix(self.PREFIX):
            case "/chat/completions":
                return self.chat(body)
            case "/embeddings":
                return embeddings(body)
        raise Unfit(f"no such path: {request.path}")

    def chat(self, body: Any) -> Whole | Stream:
        """One conversation."""
        asked = self.read(body)
        said = self.play(asked)
        if isinstance(said, Whole):
            return said
        if asked.stream:
            return Stream(self.stream(asked, said, bool((body.get("stream_options") or {}).get("include_usage"))))
        return whole(self.plain(asked, said))

    def refusal(self, kind: Kind, message: str) -> Whole:
        return refusal(kind, message)

    # Requests.

    def read(self, body: Any) -> Asked:
        """What a request says."""
        stream = bool(body.get("stream"))
        if self.STRICT:
            must_fit(body | {"messages": [_forgiven(message) for message in body["messages"]]},
                     shapes.CompletionCreateParamsStreaming if stream else shapes.CompletionCreateParamsNonStreaming)
        messages = body["messages"]
        _check_order(messages)
        tools = {tool["function"]["name"]: tool["function"].get("parameters") for tool in body.get("tools") or []}
        choice, form = body.get("tool_choice"), body.get("response_format") or {}
        stop = body.get("stop") or []
        return Asked(
            model=body["model"], stream=stream,
            parts=tuple(part for message in messages for part in self.parts(message)),
            system="\n".join(_text_of(message["content"]) for message in messages
                             if message["role"] in ("system", "developer")),
            max_output=body.get("max_completion_tokens", body.get("max_tokens")),
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
            tools=tools, forced=choice["function"]["name"] if isinstance(choice, dict) else None,
            schema=form["json_schema"]["schema"] if form.get("type") == "json_schema" else None,
            thinks=any(name in body for name in ("reasoning_effort", "reasoning", "thinking")),
            remembers=self.REMEMBERS)

    def parts(self, message: dict[str, Any]) -> Iterator[Part]:
        """What a message says."""
        if message["role"] == "tool":
            yield Result(_text_of(message["content"]), id=message["tool_call_id"])
        if message["role"] not in ("user", "assistant"):
            return
        yield from self.states(message)
        content = message.get("content") or []
        for part in [{"type": "text", "text": content}] if isinstance(content, str) else content:
            if part["type"] == "text":
                yield Text("user" if message["role"] == "user" else "model", part["text"])
            elif part["type"] == "image_url":
                yield image_of_url(part["image_url"]["url"])
        for call in message.get("tool_calls") or []:
            yield Call(call["function"]["name"], parsed_arguments(call["function"]["arguments"]), id=call["id"])

    def states(self, message: dict[str, Any]) -> Iterator[State]:
        """The opaque state in a message: OpenAI's chat has none, and takes none of others."""
        foreign = {"reasoning_content", "reasoning", "reasoning_details", "extra_content"} & set(message)
        fit(not foreign, f"a message has {foreign}")
        yield from ()

    # Answers.

    def message(self, said: Say) -> dict[str, Any]:
        """A whole message."""
        message: dict[str, Any] = {"role": "assistant", "content": said.text or None, "refusal": None,
                                   "annotations": []}
        if said.calls:
            message["tool_calls"] = _calls(said)
        return message

    def deltas(self, said: Say) -> Iterator[dict[str, Any]]:
        """The same in pieces."""
        yield {"role": "assistant", "content": "", "refusal": None}
        for piece in pieces(said.text):
            yield {"content": piece}
        for index, call in enumerate(_calls(said)):
            head = call | {"index": index, "function": {"name": call["function"]["name"], "arguments": ""}}
            yield {"tool_calls": [head]}
            for piece in pieces(call["function"]["arguments"]):
                yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}

    def usage(self, usage: Usage) -> dict[str, Any]:
        """The tokens."""
        return {"prompt_tokens": usage.prompt, "completion_tokens": usage.output,
                "total_tokens": usage.prompt + usage.output,
                "prompt_tokens_details": {"cached_tokens": usage.cache_read, "audio_tokens": 0},
                "completion_tokens_details": {"reasoning_tokens": usage.reasoning, "audio_tokens": 0,
                                              "accepted_prediction_tokens": 0, "rejected_prediction_tokens": 0}}

    def plain(self, asked: Asked, said: Say) -> dict[str, Any]:
        """An answer in one piece."""
        choice = {"index": 0, "message": self.message(said), "logprobs": None, "finish_reason": FINISH[said.finish]}
        return self.head(asked, "chat.completion") | {"choices": [choice], "usage": self.usage(said.usage)}

    def head(self, asked: Asked, kind: str) -> dict[str, Any]:
        """What every answer and chunk begins with."""
        return {"id": "chatcmpl-upstream1", "object": kind, "created": CREATED, "model": asked.model,
                "service_tier": "default", "system_fingerprint": "fp_upstream"}

    def stream(self, asked: Asked, said: Say, wants_usage: bool) -> Iterator[bytes]:
        """An answer in chunks."""
        head = self.head(asked, "chat.completion.chunk")
        rest: dict[str, Any] = {"usage": None} if wants_usage else {}

        def chunk(choices: list[dict[str, Any]], more: dict[str, Any] = rest) -> bytes:
            return b"data: " + body_of(head | {"choices": choices} | more | {"obfuscation": "x7"}) + b"\n\n"

        if said.ends == "error-at-once":
            yield b"data: " + body_of(error_of("overloaded", f"overloaded: {REFUSED}")) + b"\n\n"
            return
        yield from self.prelude(head)
        for delta in self.deltas(said):
            yield chunk([{"index": 0, "delta": delta, "logprobs": None, "finish_reason": None}])
        if said.ends == "cut":
            raise Cut
        if said.ends == "error":
            yield b"data: " + body_of(error_of("internal", f"internal: {REFUSED}")) + b"\n\n"
            return
        yield chunk([{"index": 0, "delta": {}, "logprobs": None, "finish_reason": FINISH[said.finish]}])
        if wants_usage:
            yield chunk([], {"usage": self.usage(said.usage)})
        yield b"data: [DONE]\n\n"

    def prelude(self, head: dict[str, Any]) -> Iterator[bytes]:
        """What comes before the first word."""
        _ = head
        yield from ()


class Azure(OpenaiChat):
    """Azure's deployments: the model in the path, the key in a header of its own, and a first chunk without choices.

    <https://learn.microsoft.com/azure/ai-services/openai/reference>
    """

    def check_credential(self, request: Request) -> None:
        fit(request.headers.get("api-key") == KEY, "the credential is not in its place")
        fit("authorization" not in request.headers, "a credential stands where Azure wants an Entra token")

    def route(self, request: Request) -> Whole | Stream:
        form = r"/openai/deployments/([^/]+)/(chat/completions|embeddings)\?api-version=[\w-]+"
        found = re.fullmatch(form, request.path)
        if not found:
            return super().route(Request(request.method, request.path.replace("/openai/v1", "/v1", 1),
                                         request.headers, request.body))
        body = request.json() | {"model": unquote(found[1])}
        return self.chat(body) if found[2] == "chat/completions" else embeddings(body)

    def prelude(self, head: dict[str, Any]) -> Iterator[bytes]:
        results = [{"prompt_index": 0, "content_filter_results": {"hate": {"filtered": False, "severity": "safe"}}}]
        yield b"data: " + body_of(head | {"id": "", "created": 0, "model": "", "choices": [],
                                          "prompt_filter_results": results}) + b"\n\n"


class Compatible(OpenaiChat):
    """A server that thinks aloud in `reasoning_content`, and forgives members that it does not know."""

    THINKS = True
    STRICT = False

    def states(self, message: dict[str, Any]) -> Iterator[State]:
        foreign = {"reasoning_details", "extra_content"} & set(message)
        fit(not foreign, f"a message has {foreign}")
        if thought := message.get("reasoning_content"):
            yield State("", thought)

    def message(self, said: Say) -> dict[str, Any]:
        return super().message(said) | ({"reasoning_content": said.thought} if said.thought else {})

    def deltas(self, said: Say) -> Iterator[dict[str, Any]]:
        for piece in pieces(said.thought):
            yield {"role": "assistant", "content": None, "reasoning_content": piece}
        yield from super().deltas(said)


class DeepSeek(Compatible):
    """DeepSeek, which wants its reasoning back as long as its calls are under way.

    <https://api-docs.deepseek.com/guides/thinking_mode>
    """

    REMEMBERS = True

    def prelude(self, head: dict[str, Any]) -> Iterator[bytes]:
        _ = head
        yield b": keep-alive\n\n"

    def usage(self, usage: Usage) -> dict[str, Any]:
        hits = {"prompt_cache_hit_tokens": usage.cache_read,
                "prompt_cache_miss_tokens": usage.prompt - usage.cache_read}
        return super().usage(usage) | hits


class OpenRouter(OpenaiChat):
    """OpenRouter, which thinks in `reasoning` and `reasoning_details`, and wants the latter back unchanged.

    <https://openrouter.ai/docs/use-cases/reasoning-tokens>
    """

    THINKS = True
    REMEMBERS = True
    STRICT = False
    PREFIX = "/api/v1"
    STATE = "ErUBCkYIBxgCIkDsig/nature+of/OpenRouter=="

    def details(self, said: Say) -> list[dict[str, Any]]:
        """The reasoning with its state, in one piece."""
        return [{"type": "reasoning.text", "text": said.thought, "signature": self.STATE,
                 "format": "anthropic-claude-v1", "index": 0}]

    def states(self, message: dict[str, Any]) -> Iterator[State]:
        for detail in message.get("reasoning_details") or []:
            fit(detail.get("signature") == self.STATE and detail.get("type") == "reasoning.text",
                f"foreign or broken state: {detail}")
            yield State(detail["signature"], detail.get("text"))

    def message(self, said: Say) -> dict[str, Any]:
        thought = {"reasoning": said.thought, "reasoning_details": self.details(said)} if said.thought else {}
        return super().message(said) | thought

    def deltas(self, said: Say) -> Iterator[dict[str, Any]]:
        for piece in pieces(said.thought):
            detail = {"type": "reasoning.text", "text": piece, "format": "anthropic-claude-v1", "index": 0}
            yield {"role": "assistant", "content": "", "reasoning": piece, "reasoning_details": [detail]}
        if said.thought:
            sealed = {"type": "reasoning.text", "signature": self.STATE, "format": "anthropic-claude-v1", "index": 0}
            yield {"role": "assistant", "content": "", "reasoning": None, "reasoning_details": [sealed]}
        yield from super().deltas(said)

    def prelude(self, head: dict[str, Any]) -> Iterator[bytes]:
        _ = head
        yield b": OPENROUTER PROCESSING\n\n"


def _calls(said: Say) -> list[dict[str, Any]]:
    return [{"id": f"call_Up{index}x{len(call.name)}", "type": "function",
             "function": {"name": call.name, "arguments": arguments_of(call.arguments)}}
            for index, call in enumerate(said.calls)]


def _forgiven(message: dict[str, Any]) -> dict[str, Any]:
    """A message without what OpenAI takes, though its types do not say so.

    People send answers back whole; and its own examples have long named the tool in a result.
    """
    taken = {"assistant": "annotations", "tool": "name"}.get(message["role"])
    return {name: value for name, value in message.items() if name != taken}


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    fit(all(part["type"] == "text" for part in content), f"more than text: {json.dumps(content)[:200]}")
    return "".join(part["text"] for part in content)


def _check_order(messages: list[dict[str, Any]]) -> None:
    """After an assistant message with calls come its results, all of them, and nothing else."""
    open_ids: list[str] = []
    for message in messages:
        if message["role"] == "tool":
            fit(message["tool_call_id"] in open_ids, f"no call before has the id {message['tool_call_id']}")
            open_ids.remove(message["tool_call_id"])
            continue
        fit(not open_ids, f"a call has no result: {open_ids}")
        open_ids = [call["id"] for call in message.get("tool_calls") or []]
        fit(len(open_ids) == len(set(open_ids)), f"two calls have one id: {open_ids}")
    fit(not open_ids, f"a call has no result: {open_ids}")
