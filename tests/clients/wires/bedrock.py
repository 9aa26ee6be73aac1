"""Bedrock's runtime: Converse and InvokeModel, plain and in frames, with the shapes that botocore knows.

<https://docs.aws.amazon.com/bedrock/latest/APIReference/API_Operations_Amazon_Bedrock_Runtime.html>
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.model import Shape
from botocore.parsers import create_parser
from botocore.validate import ParamValidator

from script import (
    COUNTED,
    REFUSED,
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
from wires import Cut, Request, Stream, Whole, Wire, anthropic, body_of, whole

REGION = "eu-central-1"
ACCESS_KEY, SECRET_KEY = "AKIAUPSTREAMUPSTREAM", "upstream/secret+access/key"
API_KEY = "bedrock-api-key-upstream"
SIGNATURE = anthropic.AT_BEDROCK[0]
# What is base64 there already is bytes here, and base64 once more.
REDACTED = base64.b64encode(anthropic.AT_BEDROCK[1].encode()).decode()
VERSIONS = ("bedrock-2023-05-31", *anthropic.VERSIONS)
EVENTS = "application/vnd.amazon.eventstream"
FINISH = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "stop_sequence": "stop_sequence",
          "filter": "content_filtered"}
REFUSALS: dict[Kind, tuple[int, str]] = {
    "bad-request": (400, "ValidationException"),
    "unauthorized": (403, "UnrecognizedClientException"),
    "forbidden": (403, "AccessDeniedException"),
    "not-found": (404, "ResourceNotFoundException"),
    "rate-limit": (429, "ThrottlingException"),
    "internal": (500, "InternalServerException"),
    "overloaded": (503, "ServiceUnavailableException"),
}
_SERVICE = botocore.session.get_session().get_service_model("bedrock-runtime")


class Bedrock(Wire):
    """Bedrock with requests signed by access keys, and Claude behind it."""

    DIALECTS = ("bedrock", "anthropic")
    THINKS = True

    def check_credential(self, request: Request) -> None:
        _check_signature(request)

    def route(self, request: Request) -> Whole | Stream:
        found = re.fullmatch(r"/model/([^/]+)/([a-z-]+)", request.path)
        fit(found is not None, f"no such path: {request.path}")
        model, operation = (unquote(found[1]), found[2]) if found else ("", "")
        body = request.json()
        match operation:
            case "converse" | "converse-stream":
                return self.converse(body, model, stream=operation == "converse-stream")
            case "invoke" if model.startswith("amazon.titan-embed"):
                return _titan(body)
            case "invoke" | "invoke-with-response-stream":
                return self.invoke(body, model, stream=operation != "invoke")
            case "count-tokens":
                params = _parsed(body, _SERVICE.operation_model("CountTokens").input_shape, modelId=model)
                fit(bool(params["input"]), "nothing to count")
                return whole({"inputTokens": COUNTED})
        raise Unfit(f"no such operation: {operation}")

    def converse(self, body: Any, model: str, *, stream: bool) -> Whole | Stream:
        """One conversation in Bedrock's own form."""
        operation = "ConverseStream" if stream else "Converse"
        params = _parsed(body, _SERVICE.operation_model(operation).input_shape, modelId=model)
        asked = replace(read(params, model, stream=stream), remembers=self.THINKS)
        said = self.play(asked)
        if isinstance(said, Whole):
            return said
        if stream:
            return Stream(framed(events(said)), EVENTS)
        content = list(_content(said))
        return whole({"metrics": {"latencyMs": 321}, "output": {"message": {"role": "assistant", "content": content}},
                      "stopReason": FINISH[said.finish], "usage": _usage(said.usage)})

    def invoke(self, body: Any, model: str, *, stream: bool) -> Whole | Stream:
        """One conversation in Anthropic's form, in Bedrock's envelope."""
        fit("anthropic.claude" in model, f"{model} does not speak Anthropic's dialect")
        fit(body.get("anthropic_version") in VERSIONS, "anthropic_version: Field required")
        extra = {"model", "stream"} & set(body)
        fit(not extra, f"{extra}: Extra inputs are not permitted")
        flags = body.get("anthropic_beta") or []
        fit(isinstance(flags, list), "anthropic_beta is no list")
        inner = {name: value for name, value in body.items() if name not in ("anthropic_version", "anthropic_beta")}
        anthropic.must_be_fit(inner | {"model": model}, with_betas=bool(flags))
        # Answers name the model as Anthropic does.
        asked = anthropic.read(inner, re.sub(r"^.*anthropic\.|-v\d+:\d+$", "", model), stream=stream)
        said = self.play(asked)
        if isinstance(said, Whole):
            return said
        if not stream:
            usage = said.usage
            counts = {"x-amzn-bedrock-input-token-count": usage.prompt - usage.cache_read - usage.cache_write,
                      "x-amzn-bedrock-output-token-count": usage.output,
                      "x-amzn-bedrock-cache-read-input-token-count": usage.cache_read,
                      "x-amzn-bedrock-cache-write-input-token-count": usage.cache_write}
            return whole(anthropic.plain(asked, said), **{name: str(count) for name, count in counts.items()})
        return Stream(_chunks(anthropic.events(asked, said), said), EVENTS)

    def refusal(self, kind: Kind, message: str) -> Whole:
        status, word = REFUSALS[kind]
        return whole({"message": message}, status, x_amzn_errortype=f"{word}:http://internal.amazon.com/coral/{word}/")


class Nova(Bedrock):
    """Bedrock with an API key, and a model behind it that does not think."""

    DIALECTS = ("bedrock",)
    THINKS = False

    def check_credential(self, request: Request) -> None:
        fit(request.headers.get("authorization") == f"Bearer {API_KEY}", "the credential is not in its place")


def _check_signature(request: Request) -> None:
    """Computes the signature once more, as botocore does it."""
    form = (r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([\w-]+)/bedrock/aws4_request, ?SignedHeaders=([\w;-]+), ?"
            r"Signature=([0-9a-f]{64})")
    found = re.fullmatch(form, request.headers.get("authorization", ""))
    if not found:
        raise Unfit("the request is not signed")
    access_key, _, region, signed, signature = found.groups()
    fit((access_key, region) == (ACCESS_KEY, REGION), f"signed by {access_key} for {region}")
    names = signed.split(";")
    fit("host" in names and "x-amz-date" in names, f"signed are only {signed}")
    aws = AWSRequest(request.method, f"http://{request.headers['host']}{request.path}", data=request.body,
                     headers={name: request.headers[name] for name in names})
    aws.context["timestamp"] = request.headers["x-amz-date"]
    signer = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "bedrock", REGION)
    expected = signer.signature(signer.string_to_sign(aws, signer.canonical_request(aws)), aws)
    fit(signature == expected, "The request signature we calculated does not match the signature you provided.")


# Requests.


def _parsed(body: Any, shape: Shape, **in_path: str) -> dict[str, Any]:
    """The parameters of an operation, as botocore would send them: with the bytes decoded, and checked by its rules."""
    _check_members(body, shape, "")
    params = create_parser("rest-json")._parse_shape(shape, body) | in_path  # it has no public door
    report = ParamValidator().validate(params, shape)
    fit(not report.has_errors(), report.generate_report())
    return params


def _check_members(value: Any, shape: Any, at: str) -> None:
    """What botocore's validator lets pass: unknown members, and names that do not match their pattern."""
    match shape.type_name:
        case "structure" if not getattr(shape, "is_document_type", False):
            fit(isinstance(value, dict), f"{at} is no object")
            for name, item in value.items():
                fit(name in shape.members, f"{at}.{name} is unknown")
                _check_members(item, shape.members[name], f"{at}.{name}")
        case "list":
            for index, item in enumerate(value):
                _check_members(item, shape.member, f"{at}[{index}]")
        case "map":
            for name, item in value.items():
                _check_members(item, shape.value, f"{at}.{name}")
        case "string":
            pattern = shape.metadata.get("pattern")
            fit(isinstance(value, str), f"{at} is no text")
            fit(not pattern or re.search(f"^(?:{pattern})$", value) is not None, f"{at} is {value!r}, not {pattern}")
            fit(not shape.enum or value in shape.enum, f"{at} is {value!r}, not one of {shape.enum}")


def read(params: dict[str, Any], model: str, *, stream: bool) -> Asked:
    """What a request to Converse says."""
    messages, tools = params["messages"], (params.get("toolConfig") or {}).get("tools") or []
    _check_order(messages, with_tools=bool(tools))
    inference, choice = params.get("inferenceConfig") or {}, (params.get("toolConfig") or {}).get("toolChoice") or {}
    extra = params.get("additionalModelRequestFields") or {}
    thinking = (extra.get("thinking") or {}).get("type", "disabled") != "disabled"
    if thinking:
        _check_thinking(messages, inference, choice, extra)
    form = ((params.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    specs = [tool["toolSpec"] for tool in tools if "toolSpec" in tool]
    return Asked(
        model=model, stream=stream, parts=tuple(part for message in messages for part in _parts(message)),
        system="\n".join(block["text"] for block in params.get("system") or [] if "text" in block),
        max_output=inference.get("maxTokens"), stop=tuple(inference.get("stopSequences") or ()),
        tools={spec["name"]: spec["inputSchema"]["json"] for spec in specs},
        forced=(choice.get("tool") or {}).get("name"),
        schema=json.loads(form["jsonSchema"]["schema"]) if form else None, thinks=thinking)


def _parts(message: dict[str, Any]) -> Iterator[Part]:
    for block in message["content"]:
        if "text" in block:
            fit(block["text"].strip() != "", "The text field in the ContentBlock object is blank.")
            yield Text("user" if message["role"] == "user" else "model", block["text"])
        elif "image" in block:
            yield _image(block["image"])
        elif "toolUse" in block:
            use = block["toolUse"]
            fit(isinstance(use["input"], dict), "The format of the value at toolUse.input is invalid.")
            yield Call(use["name"], use["input"], id=use["toolUseId"])
        elif "toolResult" in block:
            result = block["toolResult"]
            texts = [part["text"] if "text" in part else json.dumps(part["json"])
                     for part in result["content"] if "text" in part or "json" in part]
            yield Result("".join(texts), id=result["toolUseId"])
            yield from (_image(part["image"]) for part in result["content"] if "image" in part)
        elif "reasoningContent" in block:
            yield _state(block["reasoningContent"])


def _image(image: dict[str, Any]) -> Image:
    return Image(f"image/{image['format']}", image["source"]["bytes"])


def _state(reasoning: dict[str, Any]) -> State:
    if "redactedContent" in reasoning:
        data = reasoning["redactedContent"].decode()
        fit(data in anthropic.KNOWN, f"Invalid `data` in `redacted_thinking` block: {data}")
        return State(data)
    text = reasoning["reasoningText"]
    fit(text.get("signature") in anthropic.KNOWN, f"Invalid `signature` in `thinking` block: {text.get('signature')}")
    return State(text["signature"], text["text"])


def _check_order(messages: list[dict[str, Any]], *, with_tools: bool) -> None:
    """Roles alternate from the user on; each call has its result in the next turn; tools are declared."""
    wanted, open_ids = "user", set()
    for message in messages:
        fit(message["role"] == wanted, "A conversation must alternate between user and assistant roles.")
        fit(bool(message["content"]), "The content field in the Message object is empty.")
        wanted = "assistant" if wanted == "user" else "user"
        results = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        fit(sorted(results) == sorted(open_ids), f"Expected toolResult blocks for {open_ids}, found {results}")
        open_ids = {block["toolUse"]["toolUseId"] for block in message["content"] if "toolUse" in block}
        fit(with_tools or not (open_ids or results), "The toolConfig field must be defined when using toolUse and "
                                                     "toolResult content blocks.")
    fit(not open_ids, f"Expected toolResult blocks for {open_ids}")


def _check_thinking(messages: list[dict[str, Any]], inference: Any, choice: Any, extra: Any) -> None:
    """What goes together with thinking."""
    budget, always = extra["thinking"].get("budget_tokens", 1024), extra["thinking"]["type"] == "enabled"
    fit(budget >= 1024, "thinking.enabled.budget_tokens: Input should be greater than or equal to 1024")
    fit(inference.get("maxTokens", 4096) > budget, "`max_tokens` must be greater than `thinking.budget_tokens`")
    fit("any" not in choice and "tool" not in choice, "Thinking may not be enabled when tool_choice forces tool use.")
    turns = [message for message in messages if message["role"] == "assistant"]
    if always and turns and any("toolResult" in block for block in messages[-1]["content"]):
        fit("reasoningContent" in turns[-1]["content"][0],
            "Expected `thinking` or `redacted_thinking` where a final assistant turn starts")


# Answers.


def _usage(usage: Usage) -> dict[str, Any]:
    """The tokens; what caches had to do with is told under two names each."""
    return {"inputTokens": usage.prompt - usage.cache_read - usage.cache_write, "outputTokens": usage.output,
            "totalTokens": usage.prompt + usage.output, "serverToolUsage": {},
            "cacheReadInputTokens": usage.cache_read, "cacheReadInputTokenCount": usage.cache_read,
            "cacheWriteInputTokens": usage.cache_write, "cacheWriteInputTokenCount": usage.cache_write}


def _content(said: Say) -> Iterator[dict[str, Any]]:
    if said.thought:
        yield {"reasoningContent": {"reasoningText": {"text": said.thought, "signature": SIGNATURE}}}
        yield {"reasoningContent": {"redactedContent": REDACTED}}
    if said.text:
        yield {"text": said.text}
    for index, call in enumerate(said.calls):
        use_id = f"tooluse_Up{index}-{len(call.name)}"
        yield {"toolUse": {"toolUseId": use_id, "name": call.name, "input": call.arguments}}


def events(said: Say) -> Iterator[tuple[str, dict[str, Any]]]:
    """An answer event by event, by name."""
    if said.ends == "error-at-once":
        yield "!serviceUnavailableException", {"message": f"overloaded: {REFUSED}"}
        return
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(_content(said)):
        at = {"contentBlockIndex": index}
        for name, body in _block_events(block):
            yield name, at | body
        if said.ends == "well":
            yield "contentBlockStop", at
    if said.ends == "cut":
        raise Cut
    if said.ends == "error":
        yield "!modelStreamErrorException", {"message": f"internal: {REFUSED}", "originalStatusCode": 500,
                                             "originalMessage": f"internal: {REFUSED}"}
        return
    yield "messageStop", {"stopReason": FINISH[said.finish]}
    yield "metadata", {"metrics": {"latencyMs": 321}, "usage": _usage(said.usage)}


def _block_events(block: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events of one block. Only a call has a start of its own."""
    if "text" in block:
        for piece in pieces(block["text"]):
            yield "contentBlockDelta", {"delta": {"text": piece}}
    elif "toolUse" in block:
        use = block["toolUse"]
        head = {name: use[name] for name in ("name", "toolUseId")}
        yield "contentBlockStart", {"start": {"toolUse": head}}
        for piece in pieces(json.dumps(use["input"], ensure_ascii=False)) if use["input"] else [""]:
            yield "contentBlockDelta", {"delta": {"toolUse": {"input": piece}}}
    elif "redactedContent" in block["reasoningContent"]:
        yield "contentBlockDelta", {"delta": block}
    else:
        text = block["reasoningContent"]["reasoningText"]
        for piece in pieces(text["text"]):
            yield "contentBlockDelta", {"delta": {"reasoningContent": {"text": piece}}}
        yield "contentBlockDelta", {"delta": {"reasoningContent": {"signature": text["signature"]}}}


def framed(stream: Iterator[tuple[str, dict[str, Any]]]) -> Iterator[bytes]:
    """Events in frames; the name of an exception begins with an exclamation mark here."""
    for name, body in stream:
        if name.startswith("!"):
            yield _frame("exception", name[1:], body)
        else:
            yield _frame("event", name, body | {"p": "abcdefghijklm"})


def _chunks(stream: Iterator[dict[str, Any]], said: Say) -> Iterator[bytes]:
    """Anthropic's events in Bedrock's frames; errors are Bedrock's own."""
    for event in stream:
        if event["type"] == "error":
            kind = "serviceUnavailableException" if said.ends == "error-at-once" else "internalServerException"
            yield _frame("exception", kind, {"message": event["error"]["message"]})
            return
        if event["type"] == "message_stop":
            usage = said.usage
            fresh = usage.prompt - usage.cache_read - usage.cache_write
            event["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": fresh, "outputTokenCount": usage.output, "invocationLatency": 321,
                "firstByteLatency": 21, "cacheReadInputTokenCount": usage.cache_read,
                "cacheWriteInputTokenCount": usage.cache_write}
        yield _frame("event", "chunk", {"bytes": base64.b64encode(body_of(event)).decode(), "p": "abc"})


def _frame(kind: str, name: str, body: dict[str, Any]) -> bytes:
    """One message: lengths, their checksum, headers, payload, the checksum of all.

    <https://smithy.io/2.0/aws/amazon-eventstream.html>
    """
    headers = {f":{kind}-type": name, ":content-type": "application/json", ":message-type": kind}
    head = b"".join(struct.pack("!B", len(key)) + key.encode() + b"\7" + struct.pack("!H", len(text)) + text.encode()
                    for key, text in headers.items())
    payload = body_of(body)
    prelude = struct.pack("!II", 16 + len(head) + len(payload), len(head))
    message = prelude + struct.pack("!I", binascii.crc32(prelude)) + head + payload
    return message + struct.pack("!I", binascii.crc32(message))


def _titan(body: Any) -> Whole:
    """One vector for one text."""
    fit(set(body) <= {"inputText", "dimensions", "normalize", "embeddingTypes"}, f"{set(body)} are not Titan's")
    index = 0 if "first" in body["inputText"] else 1
    return whole({"embedding": list(VECTORS[index]), "inputTextTokenCount": 9})
