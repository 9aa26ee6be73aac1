"""Gemini's generateContent. <https://ai.google.dev/api/generate-content>"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import pydantic
from google.genai import types

from script import (
    COUNTED,
    REFUSED,
    RETRY_AFTER_S,
    VECTORS,
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

KEY = "upstream-gemini-key"
SIGNATURE = "EpwIIHVwc3RyZWFtIHNpZ25hdHVyZSBvZiBHZW1pbmkg//77"
SKIP = base64.urlsafe_b64decode("skip_thought_signature_validator")  # what Google's documents allow instead of one
FINISH = {"stop": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "stop_sequence": "STOP", "filter": "SAFETY"}
REFUSALS: dict[Kind, tuple[int, str]] = {
    "bad-request": (400, "INVALID_ARGUMENT"),
    "unauthorized": (401, "UNAUTHENTICATED"),
    "forbidden": (403, "PERMISSION_DENIED"),
    "not-found": (404, "NOT_FOUND"),
    "rate-limit": (429, "RESOURCE_EXHAUSTED"),
    "internal": (500, "INTERNAL"),
    "overloaded": (503, "UNAVAILABLE"),
}


class _Generate(pydantic.BaseModel):
    """The body of a request; Google refuses any member that it does not know, and takes both spellings."""

    model_config = pydantic.ConfigDict(extra="forbid", alias_generator=pydantic.alias_generators.to_camel,
                                       populate_by_name=True)

    contents: list[types.Content]
    system_instruction: types.Content | None = None
    tools: list[types.Tool] | None = None
    tool_config: types.ToolConfig | None = None
    safety_settings: list[types.SafetySetting] | None = None
    generation_config: types.GenerationConfig | None = None
    cached_content: str | None = None
    service_tier: str | None = None


class Gemini(Wire):
    """Google's API for developers, by a model of the third generation: it wants its signatures back."""

    DIALECTS = ("gemini",)
    THINKS = True

    def check_credential(self, request: Request) -> None:
        fit(request.headers.get("x-goog-api-key") == KEY, "the credential is not in its place")
        fit("authorization" not in request.headers and "key=" not in request.path, "two credentials")

    def route(self, request: Request) -> Whole | Stream:
        found = re.fullmatch(r"/v1(?:beta)?/models/([^/:]+):(\w+)", request.route())
        fit(found is not None, f"no such path: {request.path}")
        model, method = (unquote(found[1]), found[2]) if found else ("", "")
        body = request.json()
        match method:
            case "countTokens":
                counted = body.get("generateContentRequest") or body
                fit(isinstance(counted.get("contents"), list), "contents are missing")
                details = [{"modality": "TEXT", "tokenCount": COUNTED}]
                return whole({"totalTokens": COUNTED, "promptTokensDetails": details})
            case "embedContent":
                return whole({"embedding": _vector(0, body)})
            case "batchEmbedContents":
                each = [_vector(index, one) for index, one in enumerate(body["requests"])]
                return whole({"embeddings": each})
            case "generateContent" | "streamGenerateContent":
                return self.generate(request, model, stream=method == "streamGenerateContent")
        raise Unfit(f"no such method: {method}")

    def generate(self, request: Request, model: str, *, stream: bool) -> Whole | Stream:
        """One conversation."""
        asked = read(request.body, model, stream=stream)
        said = self.play(asked)
        if isinstance(said, Whole):
            return said
        if not stream:
            parts = _whole_parts(said)
            return whole(_answer(asked, said, parts, last=True))
        if request.path.endswith("?alt=sse"):
            return Stream(b"data: " + body_of(chunk) + b"\r\n\r\n" for chunk in chunks(asked, said))
        raise Unfit("a stream that is no events is not asked for by gateways")

    def refusal(self, kind: Kind, message: str) -> Whole:
        status, word = REFUSALS[kind]
        error: dict[str, Any] = {"code": status, "message": message, "status": word}
        if kind == "rate-limit":
            # Google says when to come again in the body, and not in a header.
            delay = f"{RETRY_AFTER_S - 0.6}s"
            error["details"] = [{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": delay}]
        return whole({"error": error}, status, vary="Origin")


# Requests.


def read(raw: bytes, model: str, *, stream: bool) -> Asked:
    """What a request says."""
    try:
        body = _Generate.model_validate_json(raw).model_dump(by_alias=True, exclude_none=True)
    except pydantic.ValidationError as error:
        raise Unfit(f"Invalid JSON payload received: {error}") from None
    contents = body["contents"]
    _check_order(contents)
    config = body.get("generationConfig") or {}
    declared = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
    calling = (body.get("toolConfig") or {}).get("functionCallingConfig") or {}
    allowed = calling.get("allowedFunctionNames") or []
    thinking = config.get("thinkingConfig") or {}
    as_json = config.get("responseMimeType") == "application/json"
    return Asked(
        model=model, stream=stream, parts=tuple(part for content in contents for part in _parts(content)),
        system="\n".join(part["text"] for part in (body.get("systemInstruction") or {}).get("parts") or []),
        max_output=config.get("maxOutputTokens"), stop=tuple(config.get("stopSequences") or ()),
        tools={one["name"]: one.get("parametersJsonSchema") or one.get("parameters") for one in declared},
        forced=allowed[0] if calling.get("mode") == "ANY" and len(allowed) == 1 else None,
        schema=(config.get("responseJsonSchema") or config.get("responseSchema")) if as_json else None,
        thinks=bool(thinking.get("includeThoughts")), remembers=True)


def _parts(content: dict[str, Any]) -> Iterator[Part]:
    for part in content["parts"]:
        if signature := part.get("thoughtSignature"):
            fit(signature in (base64.b64decode(SIGNATURE), SKIP), f"Thought signature is not valid: {signature}")
            if signature != SKIP:
                yield State(SIGNATURE)
        if "functionCall" in part:
            call = part["functionCall"]
            yield Call(call["name"], call.get("args") or {}, id=call.get("id"))
        elif "functionResponse" in part:
            response = part["functionResponse"]
            yield Result(_result_text(response["response"]), id=response.get("id"), name=response["name"])
            for inner in response.get("parts") or []:
                yield Image(inner["inlineData"]["mimeType"], inner["inlineData"]["data"])
        elif "inlineData" in part:
            yield Image(part["inlineData"]["mimeType"], part["inlineData"]["data"])
        elif not part.get("thought"):
            yield Text("user" if content.get("role", "user") == "user" else "model", part["text"])


def _result_text(response: dict[str, Any]) -> str:
    """A result is an object; a text stands in it under one of the usual names."""
    return "\n".join(value if isinstance(value, str) else json.dumps(value) for value in response.values())


def _check_order(contents: list[dict[str, Any]]) -> None:
    """Calls are followed by as many results, and the first call of each step has its signature."""
    calls = 0
    for content in contents:
        fit(content.get("role", "user") in ("user", "model"), "Please use a valid role: user, model.")
        fit(bool(content.get("parts")), "contents.parts must not be empty.")
        results = [part for part in content["parts"] if "functionResponse" in part]
        fit(len(results) == calls, "the number of function response parts is not equal to the number of function call "
                                   f"parts of the function call turn: {len(results)}, {calls}")
        called = [part for part in content["parts"] if "functionCall" in part]
        calls = len(called)
        if called:
            fit("thoughtSignature" in called[0], f"Function call `{called[0]['functionCall']['name']}` is missing a "
                                                 "thought_signature")
    fit(calls == 0, "a function call has no response")


# Answers.


def _usage(usage: Usage) -> dict[str, Any]:
    told = {"promptTokenCount": usage.prompt, "candidatesTokenCount": usage.output - usage.reasoning,
            "totalTokenCount": usage.prompt + usage.output, "cachedContentTokenCount": usage.cache_read,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": usage.prompt}]}
    return told | ({"thoughtsTokenCount": usage.reasoning} if usage.reasoning else {})


def _call_parts(said: Say) -> list[dict[str, Any]]:
    """The calls; only the first has the signature."""
    parts: list[dict[str, Any]] = [{"functionCall": {"name": call.name, "args": call.arguments}} for call in said.calls]
    if parts:
        parts[0]["thoughtSignature"] = SIGNATURE
    return parts


def _whole_parts(said: Say) -> list[dict[str, Any]]:
    texts: list[dict[str, Any]] = [{"text": said.thought, "thought": True}] if said.thought else []
    return texts + ([{"text": said.text}] if said.text else []) + _call_parts(said)


def _answer(asked: Asked, said: Say, parts: list[dict[str, Any]], *, last: bool) -> dict[str, Any]:
    candidate: dict[str, Any] = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if last:
        candidate["finishReason"] = FINISH[said.finish]
    return {"candidates": [candidate], "usageMetadata": _usage(said.usage), "modelVersion": asked.model,
            "responseId": "upstream-Response0"}


def chunks(asked: Asked, said: Say) -> Iterator[dict[str, Any]]:
    """An answer in chunks: thoughts, text, each call whole, and an empty text with the reason to finish."""
    broken: dict[str, Any] = {"error": {"code": 503, "message": f"overloaded: {REFUSED}", "status": "UNAVAILABLE"}}
    if said.ends == "error-at-once":
        yield broken
        return
    for piece in pieces(said.thought):
        yield _answer(asked, said, [{"text": piece, "thought": True}], last=False)
    for piece in pieces(said.text):
        yield _answer(asked, said, [{"text": piece}], last=False)
    for part in _call_parts(said):
        yield _answer(asked, said, [part], last=False)
    if said.ends == "cut":
        raise Cut
    if said.ends == "error":
        yield {"error": {"code": 500, "message": f"internal: {REFUSED}", "status": "INTERNAL"}}
        return
    yield _answer(asked, said, [{"text": ""}], last=True)


def _vector(index: int, body: Any) -> dict[str, Any]:
    fit(bool(body["content"]["parts"][0]["text"]), "nothing to embed")
    return {"values": list(VECTORS[index])}
