"""`anthropic`, and its client for Bedrock."""

from __future__ import annotations

import base64
from typing import Any

import anthropic

from callers import PATIENCE_S, Caller, Form, Refusal, Seen, Talk, Wish
from script import MAX_OUTPUT, STOP_AT, SYSTEM, TOOLS, Call


class Anthropic(Caller):
    """The client."""

    name = "anthropic"
    dialect = "anthropic"
    words = {"stop": "end_turn", "calls": "tool_use", "length": "max_tokens", "stop_sequence": "stop_sequence",
             "filter": "refusal"}
    unavailable = 529

    def __init__(self, base_url: str, key: str) -> None:
        self.client: Any = anthropic.Anthropic(base_url=base_url, api_key=key, max_retries=0, timeout=PATIENCE_S)

    def talk(self, wish: Wish) -> Talk:
        return _Talk(self.client, wish)

    def refusal(self, error: Exception) -> Refusal | None:
        if not isinstance(error, anthropic.APIError):
            return None
        response = error.response if isinstance(error, anthropic.APIStatusError) else None
        status = response.status_code if response is not None else None
        return Refusal(status=None if status == 200 else status, message=str(error),
                       kind=f"{type(error).__name__} {getattr(error, 'type', None)}",
                       retry_after=response.headers.get("retry-after") if response is not None else None)

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list(limit=1000)]

    def show_model(self, model: str) -> str:
        return self.client.models.retrieve(model).id

    def count(self, model: str, text: str) -> int:
        return self.client.messages.count_tokens(
            model=model, system=SYSTEM, messages=[{"role": "user", "content": text}]).input_tokens


class AnthropicOnBedrock(Anthropic):
    """The client for Bedrock, which signs its requests."""

    name = "anthropic bedrock"
    count = Caller.count  # this client refuses to

    def __init__(self, base_url: str, access_key: str, secret_key: str, region: str) -> None:
        self.client = anthropic.AnthropicBedrock(
            base_url=base_url, aws_access_key=access_key, aws_secret_key=secret_key, aws_region=region, max_retries=0,
            timeout=PATIENCE_S)


class _Talk(Talk):
    def __init__(self, client: Any, wish: Wish) -> None:
        self._client = client
        self.wish = wish
        self._messages: list[Any] = []

    def say(self, text: str, image: bytes | None = None) -> Seen:
        content: list[Any] = [{"type": "text", "text": text}]
        if image:
            content.insert(0, _picture(image))
        self._messages.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: dict[str, str], image: bytes | None = None) -> Seen:
        blocks: list[Any] = []
        for call_id, text in results.items():
            content: Any = [{"type": "text", "text": text}, _picture(image)] if image else text
            blocks.append({"type": "tool_result", "tool_use_id": call_id, "content": content})
            image = None
        self._messages.append({"role": "user", "content": blocks})
        return self._ask()

    def _ask(self) -> Seen:
        message = self._message(self._options())
        blocks, usage = message.content, message.usage
        sent_back = [block.model_dump(exclude_none=True, exclude={"parsed_output"}) for block in blocks]
        self._messages.append({"role": "assistant", "content": sent_back})
        cached = usage.cache_read_input_tokens or 0
        return Seen(
            text="".join(block.text for block in blocks if block.type == "text"), finish=message.stop_reason,
            prompt=usage.input_tokens + cached + (usage.cache_creation_input_tokens or 0), cache_read=cached,
            output=usage.output_tokens, thought="".join(block.thinking for block in blocks if block.type == "thinking"),
            calls=tuple(Call(block.name, block.input, block.id) for block in blocks if block.type == "tool_use"),
            form=message.parsed_output if self.wish.form else None)

    def _message(self, options: dict[str, Any]) -> Any:
        messages = self._client.messages
        if self.wish.form:
            options["output_format"] = Form
        if not self.wish.stream:
            return messages.parse(**options) if self.wish.form else messages.create(**options)
        with messages.stream(**options) as stream:
            return stream.get_final_message()

    def _options(self) -> dict[str, Any]:
        wish = self.wish
        options: dict[str, Any] = {"model": wish.model, "system": SYSTEM, "messages": self._messages,
                                   "max_tokens": MAX_OUTPUT}
        if wish.tools:
            options["tools"] = [{"name": name, "description": text, "input_schema": schema}
                                for name, (text, schema) in TOOLS.items()]
        if wish.stop:
            options["stop_sequences"] = [STOP_AT]
        if wish.thinks:
            options["thinking"] = {"type": "enabled", "budget_tokens": 1024}
        return options


def _picture(image: bytes) -> dict[str, Any]:
    source = {"type": "base64", "media_type": "image/png", "data": base64.b64encode(image).decode()}
    return {"type": "image", "source": source}
