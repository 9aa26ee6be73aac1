"""Anthropic's Messages. <https://docs.anthropic.com/en/api/messages>"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

from anthropic.types import message_count_tokens_params, message_create_params
from anthropic.types.beta import message_create_params as beta_params

from script import (
    COUNTED,
    REFUSED,
    RETRY_AFTER_S,
    Asked,
    Call,
    Image,
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
from wires import Cut, Request, Stream, Whole, Wire, body_of, whole
from wires.shapes import must_fit

KEY = "upstream-anthropic-key"
VERSIONS = ("2023-06-01", "2026-10-21")
SAMPLING = {"temperature": float, "top_p": float, "top_k": int}  # of the older version; the types are of the newer
SIGNATURE = "EqQBCgIYAhIM1gbcDa9GJwZA2b3h/Signed+By/Anthropic=="
REDACTED = "EmwKAhgBEgy3va3pzix/Redacted+By/Anthropic=="
# Signatures are good wherever the same models are served: here, and at Bedrock.
# <https://platform.claude.com/docs/en/build-with-claude/extended-thinking>
AT_BEDROCK = ("Eu0CCkgIBxABGAIqUpstream/Signed+By/Bedrock==", "EmwKAhgBEgyRedacted+By/Bedrock==")
KNOWN = (SIGNATURE, REDACTED, *AT_BEDROCK)
FINISH = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "stop_sequence": "stop_sequence",
          "filter": "refusal"}
REFUSALS: dict[Kind, tuple[int, str]] = {
    "bad-request": (400, "invalid_request_error"),
    "unauthorized": (401, "authentication_error"),
    "forbidden": (403, "permission_error"),
    "not-found": (404, "not_found_error"),
    "rate-limit": (429, "rate_limit_error"),
    "internal": (500, "api_error"),
    "overloaded": (529, "overloaded_error"),
}


class Anthropic(Wire):
    """Anthropic itself."""

    DIALECTS = ("anthropic",)
    THINKS = True

    def check_credential(self, request: Request) -> None:
        given = [request.headers.get("x-api-key"), request.headers.get("authorization")]
        fit(given in ([KEY, None], [None, f"Bearer {KEY}"]), "the credential is not in its place")
        fit(request.headers.get("anthropic-version") in VERSIONS, "anthropic-version: header is required")

    def route(self, request: Request) -> Whole | Stream:
        body = request.json()
        match request.route():
            case "/v1/messages/count_tokens":
                must_fit(body, message_count_tokens_params.MessageCountTokensParams)
                return whole({"input_tokens": COUNTED})
            case "/v1/messages":
                must_be_fit(body, with_betas="anthropic-beta" in request.headers)
                asked = read(body, body["model"], stream=bool(body.get("stream")))
                said = self.play(asked)
                if isinstance(said, Whole):
                    return said
                if asked.stream:
                    return Stream(framed(events(asked, said)))
                return whole(plain(asked, said), request_id="req_upstream0001")
        raise Unfit(f"no such path: {request.path}")

    def refusal(self, kind: Kind, message: str) -> Whole:
        more = {"retry_after": str(RETRY_AFTER_S)} if kind == "rate-limit" else {}
        return whole(error_of(kind, message), REFUSALS[kind][0], request_id="req_upstream0001", **more)


def error_of(kind: Kind, message: str) -> dict[str, Any]:
    """The error object."""
    return {"type": "error", "error": {"type": REFUSALS[kind][1], "message": message}, "request_id": "req_upstream0001"}


# Requests.


def must_be_fit(body: dict[str, Any], *, with_betas: bool) -> None:
    """Refuses a body that is not of the published types."""
    params = beta_params if with_betas else message_create_params
    for name, shape in SAMPLING.items():
        fit(isinstance(body.get(name, 0), int | shape), f".{name} is {body.get(name)!r}")
    must_fit({name: value for name, value in body.items() if name not in SAMPLING},
             params.MessageCreateParamsStreaming if body.get("stream") else params.MessageCreateParamsNonStreaming)


def read(body: Any, model: str, *, stream: bool) -> Asked:
    """What a request says; of the model and of streaming some envelopes speak elsewhere."""
    messages = body["messages"]
    _check_order(messages)
    thinking = (body.get("thinking") or {}).get("type", "disabled") != "disabled"
    if thinking:
        _check_thinking(body)
    system = body.get("system") or ""
    choice = body.get("tool_choice") or {}
    form = (body.get("output_config") or {}).get("format") or {}
    return Asked(
        model=model, stream=stream,
        parts=tuple(part for message in messages for part in _parts(message)),
        system=system if isinstance(system, str) else "\n".join(block["text"] for block in system),
        max_output=body["max_tokens"], stop=tuple(body.get("stop_sequences") or ()),
        tools={tool["name"]: tool.get("input_schema") for tool in body.get("tools") or []},
        forced=choice["name"] if choice.get("type") == "tool" else None, schema=form.get("schema"),
        thinks=thinking, remembers=True)


def _blocks(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _parts(message: dict[str, Any]) -> Iterator[Part]:
    for block in _blocks(message):
        match block["type"]:
            case "text":
                fit(block["text"] != "", "messages: text content blocks must be non-empty")
                yield Text("user" if message["role"] == "user" else "model", block["text"])
            case "image":
                yield _image(block)
            case "tool_use":
                yield Call(block["name"], block["input"], id=block["id"])
            case "tool_result":
                yield from _result(block)
            case "thinking":
                fit(block["signature"] in KNOWN, f"Invalid `signature` in `thinking` block: {block['signature']}")
                yield State(block["signature"], block["thinking"])
            case "redacted_thinking":
                fit(block["data"] in KNOWN, f"Invalid `data` in `redacted_thinking` block: {block['data']}")
                yield State(block["data"])


def _image(block: dict[str, Any]) -> Image:
    fit(block["source"]["type"] == "base64", "an image that is not in the request")
    return Image(block["source"]["media_type"], base64.b64decode(block["source"]["data"], validate=True))


def _result(block: dict[str, Any]) -> Iterator[Part]:
    content = block.get("content") or ""
    content = [{"type": "text", "text": content}] if isinstance(content, str) else content
    yield Result("".join(part["text"] for part in content if part["type"] == "text"), id=block["tool_use_id"])
    for part in content:
        fit(part["type"] in ("text", "image"), f"a result holds {json.dumps(part)[:200]}")
        if part["type"] == "image":
            yield _image(part)


def _check_order(messages: list[dict[str, Any]]) -> None:
    """A user begins; calls are followed by a user turn that begins with all of their results."""
    fit(bool(messages) and messages[0]["role"] == "user", "messages: first message must use the \"user\" role")
    open_ids: set[str] = set()
    for message in messages:
        blocks = _blocks(message)
        results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
        leading = [block["tool_use_id"] for block in blocks[:len(results)] if block["type"] == "tool_result"]
        fit(results == leading, "tool_result blocks do not come first")
        fit(set(results) == open_ids and len(set(results)) == len(results),
            f"`tool_use` ids {open_ids} were found with the `tool_result` blocks {results} after them")
        open_ids = {block["id"] for block in blocks if block["type"] == "tool_use"}
    fit(not open_ids, f"`tool_use` ids were found without `tool_result` blocks immediately after: {open_ids}")


def _check_thinking(body: Any) -> None:
    """What goes together with thinking. Where it is adaptive, an answer may come without."""
    budget = body["thinking"].get("budget_tokens", 1024)
    fit(budget >= 1024, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    fit(body["max_tokens"] > budget, "`max_tokens` must be greater than `thinking.budget_tokens`")
    fit(body.get("temperature") in (None, 1), "`temperature` may only be set to 1 when thinking is enabled")
    choice = (body.get("tool_choice") or {}).get("type", "auto")
    fit(choice in ("auto", "none"), "Thinking may not be enabled when tool_choice forces tool use.")
    turns = [message for message in body["messages"] if message["role"] == "assistant"]
    tail = body["messages"][-1]
    always = body["thinking"]["type"] == "enabled"
    if always and turns and any(block["type"] == "tool_result" for block in _blocks(tail)):
        first = _blocks(turns[-1])[0]["type"]
        fit(first in ("thinking", "redacted_thinking"),
            f"Expected `thinking` or `redacted_thinking`, but found `{first}`, where a final assistant turn starts")


# Answers.


def usage_of(usage: Usage, output: int) -> dict[str, Any]:
    """The tokens; input is what no cache had to do with."""
    return {"input_tokens": usage.prompt - usage.cache_read - usage.cache_write,
            "cache_creation_input_tokens": usage.cache_write, "cache_read_input_tokens": usage.cache_read,
            "cache_creation": {"ephemeral_5m_input_tokens": usage.cache_write, "ephemeral_1h_input_tokens": 0},
            "output_tokens": output, "service_tier": "standard"}


def _content(said: Say) -> list[dict[str, Any]]:
    blocks: list[dict[str, Any]] = []
    if said.thought:
        blocks.append({"type": "thinking", "thinking": said.thought, "signature": SIGNATURE})
        blocks.append({"type": "redacted_thinking", "data": REDACTED})
    if said.text:
        blocks.append({"type": "text", "text": said.text})
    for index, call in enumerate(said.calls):
        blocks.append({"type": "tool_use", "id": f"toolu_01Up{index}x{len(call.name)}", "name": call.name,
                       "input": call.arguments})
    return blocks


def _message(asked: Asked, said: Say) -> dict[str, Any]:
    return {"id": "msg_01Upstream", "type": "message", "role": "assistant", "model": asked.model,
            "content": _content(said), "stop_reason": FINISH[said.finish],
            "stop_sequence": asked.stop[0] if said.finish == "stop_sequence" else None,
            "usage": usage_of(said.usage, said.usage.output)}


def plain(asked: Asked, said: Say) -> dict[str, Any]:
    """An answer in one piece."""
    return _message(asked, said)


def events(asked: Asked, said: Say) -> Iterator[dict[str, Any]]:
    """An answer event by event."""
    if said.ends == "error-at-once":
        yield error_of("overloaded", f"overloaded: {REFUSED}")
        return
    message = _message(asked, said)
    begun = {"content": [], "stop_reason": None, "stop_sequence": None, "usage": usage_of(said.usage, 1)}
    yield {"type": "message_start", "message": message | begun}
    for index, block in enumerate(message["content"]):
        yield from _block_events(index, block, whole_block=said.ends == "well")
        if index == 0:
            yield {"type": "ping"}
    if said.ends == "cut":
        raise Cut
    if said.ends == "error":
        yield error_of("internal", f"internal: {REFUSED}")
        return
    yield {"type": "message_delta",
           "delta": {"stop_reason": message["stop_reason"], "stop_sequence": message["stop_sequence"]},
           "usage": usage_of(said.usage, said.usage.output)}
    yield {"type": "message_stop"}


def _block_events(index: int, block: dict[str, Any], *, whole_block: bool) -> Iterator[dict[str, Any]]:
    """The events of one block; of one that breaks off not the last."""
    def delta(**members: Any) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": index, "delta": members}

    empty = {"thinking": {"thinking": "", "signature": ""}, "text": {"text": ""}, "tool_use": {"input": {}}}
    yield {"type": "content_block_start", "index": index, "content_block": block | empty.get(block["type"], {})}
    match block["type"]:
        case "thinking":
            for piece in pieces(block["thinking"]):
                yield delta(type="thinking_delta", thinking=piece)
            yield delta(type="signature_delta", signature=block["signature"])
        case "text":
            for piece in pieces(block["text"]):
                yield delta(type="text_delta", text=piece)
        case "tool_use":
            yield delta(type="input_json_delta", partial_json="")
            for piece in pieces(json.dumps(block["input"], ensure_ascii=False)) if block["input"] else []:
                yield delta(type="input_json_delta", partial_json=piece)
    if whole_block:
        yield {"type": "content_block_stop", "index": index}


def framed(stream: Iterator[dict[str, Any]]) -> Iterator[bytes]:
    """Events as lines."""
    for event in stream:
        yield f"event: {event['type']}\n".encode() + b"data: " + body_of(event) + b"\n\n"
