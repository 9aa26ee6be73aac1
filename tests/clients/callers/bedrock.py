"""`boto3`'s Converse. Tollhouse has no such callers; it shows that the played Bedrock speaks as the real one."""

from __future__ import annotations

import json
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, EventStreamError

from callers import PATIENCE_S, Broken, Caller, Form, Refusal, Seen, Talk, Wish
from script import MAX_OUTPUT, STOP_AT, SYSTEM, TOOLS, Call


class Bedrock(Caller):
    """The client."""

    name = "boto3"
    dialect = "bedrock"
    words = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "stop_sequence": "stop_sequence",
             "filter": "content_filtered"}

    def __init__(self, base_url: str, access_key: str, secret_key: str, region: str) -> None:
        self.client = boto3.client(
            "bedrock-runtime", endpoint_url=base_url, region_name=region, aws_access_key_id=access_key,
            aws_secret_access_key=secret_key, config=Config(retries={"total_max_attempts": 1}, read_timeout=PATIENCE_S))

    def talk(self, wish: Wish) -> Talk:
        return _Talk(self.client, wish)

    def refusal(self, error: Exception) -> Refusal | None:
        if isinstance(error, Broken | EventStreamError):
            return Refusal(None, str(error), type(error).__name__)
        if not isinstance(error, ClientError):
            return None
        return Refusal(error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Message"],
                       error.response["Error"]["Code"])

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        answers = [self.client.invoke_model(modelId=model, body=json.dumps({"inputText": text})) for text in texts]
        return [json.loads(answer["body"].read())["embedding"] for answer in answers]

    def count(self, model: str, text: str) -> int:
        messages = [{"role": "user", "content": [{"text": text}]}]
        return self.client.count_tokens(modelId=model, input={"converse": {"messages": messages}})["inputTokens"]


class _Talk(Talk):
    def __init__(self, client: Any, wish: Wish) -> None:
        self._client = client
        self.wish = wish
        self._messages: list[Any] = []

    def say(self, text: str, image: bytes | None = None) -> Seen:
        content: list[Any] = [{"text": text}]
        if image:
            content.append({"image": {"format": "png", "source": {"bytes": image}}})
        self._messages.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: dict[str, str], image: bytes | None = None) -> Seen:
        blocks: list[Any] = []
        for call_id, text in results.items():
            picture = [{"image": {"format": "png", "source": {"bytes": image}}}] if image else []
            blocks.append({"toolResult": {"toolUseId": call_id, "content": [{"text": text}, *picture]}})
            image = None
        self._messages.append({"role": "user", "content": blocks})
        return self._ask()

    def _ask(self) -> Seen:
        options, wish = self._options(), self.wish
        if wish.stream:
            content, finish, usage = _joined(self._client.converse_stream(**options)["stream"])
        else:
            answer = self._client.converse(**options)
            content, finish, usage = answer["output"]["message"]["content"], answer["stopReason"], answer["usage"]
        self._messages.append({"role": "assistant", "content": content})
        cached = usage["cacheReadInputTokens"]
        uses = [block["toolUse"] for block in content if "toolUse" in block]
        reasoning = [block["reasoningContent"] for block in content if "reasoningContent" in block]
        return Seen(
            text="".join(block.get("text", "") for block in content), finish=finish,
            prompt=usage["inputTokens"] + cached + usage["cacheWriteInputTokens"], cache_read=cached,
            output=usage["outputTokens"],
            thought="".join(one["reasoningText"]["text"] for one in reasoning if "reasoningText" in one),
            form=Form.model_validate_json(content[0]["text"]) if wish.form else None,
            calls=tuple(Call(use["name"], use["input"], use["toolUseId"]) for use in uses))

    def _options(self) -> dict[str, Any]:
        wish = self.wish
        options: dict[str, Any] = {"modelId": wish.model, "system": [{"text": SYSTEM}], "messages": self._messages,
                                   "inferenceConfig": {"maxTokens": MAX_OUTPUT}}
        if wish.tools:
            options["toolConfig"] = {"tools": [
                {"toolSpec": {"name": name, "description": text, "inputSchema": {"json": schema}}}
                for name, (text, schema) in TOOLS.items()]}
        if wish.stop:
            options["inferenceConfig"]["stopSequences"] = [STOP_AT]
        if wish.form:
            schema = {"name": "Form", "schema": json.dumps(Form.model_json_schema())}
            options["outputConfig"] = {"textFormat": {"type": "json_schema", "structure": {"jsonSchema": schema}}}
        if wish.thinks:
            options["additionalModelRequestFields"] = {"thinking": {"type": "enabled", "budget_tokens": 1024}}
        return options


def _joined(stream: Any) -> tuple[list[Any], str, dict[str, Any]]:
    """Puts a stream together, as each user of this client must."""
    blocks: dict[int, dict[str, Any]] = {}
    finish, usage = "", {}
    for event in stream:
        [(name, body)] = event.items()
        if name == "contentBlockStart":
            blocks[body["contentBlockIndex"]] = {"toolUse": body["start"]["toolUse"] | {"input": ""}}
        elif name == "contentBlockDelta":
            _add(blocks, body["contentBlockIndex"], body["delta"])
        elif name == "messageStop":
            finish = body["stopReason"]
        elif name == "metadata":
            usage = body["usage"]
    if not usage:
        raise Broken("the stream ended before its end")
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"]["input"] or "{}")
    return list(blocks.values()), finish, usage


def _add(blocks: dict[int, dict[str, Any]], index: int, delta: dict[str, Any]) -> None:
    if "text" in delta:
        block = blocks.setdefault(index, {"text": ""})
        block["text"] += delta["text"]
    elif "toolUse" in delta:
        blocks[index]["toolUse"]["input"] += delta["toolUse"]["input"]
    elif "redactedContent" in delta["reasoningContent"]:
        blocks[index] = {"reasoningContent": delta["reasoningContent"]}
    else:
        block = blocks.setdefault(index, {"reasoningContent": {"reasoningText": {"text": ""}}})
        text = block["reasoningContent"]["reasoningText"]
        text["text"] += delta["reasoningContent"].get("text", "")
        text |= {name: value for name, value in delta["reasoningContent"].items() if name == "signature"}
