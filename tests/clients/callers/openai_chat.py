"""`openai`, by its chat completions; also its client for Azure."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai

from callers import PATIENCE_S, Broken, Caller, Form, Refusal, Seen, Talk, Wish
from script import MAX_OUTPUT, STOP_AT, SYSTEM, TOOLS, Call


def refusal_of(error: Exception) -> Refusal | None:
    """What an exception of the client tells."""
    if isinstance(error, Broken):
        return Refusal(None, str(error), "failed")
    if not isinstance(error, openai.APIError):
        return None
    response = error.response if isinstance(error, openai.APIStatusError) else None
    return Refusal(status=response.status_code if response else None, message=error.message,
                   kind=f"{type(error).__name__} {error.type} {error.code}",
                   retry_after=response.headers.get("retry-after") if response else None)


class OpenaiChat(Caller):
    """The client as it is."""

    name = "openai chat"
    dialect = "openai_chat"
    pictures = False
    words = {"stop": "stop", "calls": "tool_calls", "length": "length", "stop_sequence": "stop",
             "filter": "content_filter"}

    def __init__(self, base_url: str, key: str) -> None:
        self.client = openai.OpenAI(base_url=base_url + "/v1", api_key=key, max_retries=0, timeout=PATIENCE_S)

    def talk(self, wish: Wish) -> Talk:
        return _Talk(self.client, wish)

    def refusal(self, error: Exception) -> Refusal | None:
        return refusal_of(error)

    def models(self) -> list[str]:
        return [model.id for model in self.client.models.list()]

    def show_model(self, model: str) -> str:
        return self.client.models.retrieve(model).id

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        answer = self.client.embeddings.create(model=model, input=texts)
        return [one.embedding for one in sorted(answer.data, key=lambda one: one.index)]


class Azure(OpenaiChat):
    """The client for Azure, which puts the model into the path and the key into a header of its own."""

    name = "openai azure"

    def __init__(self, base_url: str, key: str) -> None:
        self.client = openai.AzureOpenAI(azure_endpoint=base_url, api_key=key, api_version="2024-10-21",
                                         max_retries=0, timeout=PATIENCE_S)


class _Talk(Talk):
    def __init__(self, client: openai.OpenAI, wish: Wish) -> None:
        self._client = client
        self.wish = wish
        self._messages: list[Any] = [{"role": "system", "content": SYSTEM}]

    def say(self, text: str, image: bytes | None = None) -> Seen:
        content: Any = text
        if image:
            url = "data:image/png;base64," + base64.b64encode(image).decode()
            content = [{"type": "text", "text": text}, {"type": "image_url", "image_url": {"url": url}}]
        self._messages.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: dict[str, str], image: bytes | None = None) -> Seen:
        self._messages += [{"role": "tool", "tool_call_id": call_id, "content": text}
                           for call_id, text in results.items()]
        return self._ask()

    def _ask(self) -> Seen:
        options = self._options()
        if self.wish.form:
            message, finish, usage, form = self._parsed(options)
        elif self.wish.stream:
            message, finish, usage = _joined(self._client.chat.completions.create(
                stream=True, stream_options={"include_usage": True}, **options))
            form = None
        else:
            completion = self._client.chat.completions.create(**options)
            [choice] = completion.choices
            message, finish = choice.message.model_dump(exclude_none=True), choice.finish_reason
            usage, form = completion.usage, None
        self._messages.append(message)
        return Seen(
            text=message.get("content") or "", finish=finish, prompt=usage.prompt_tokens,
            cache_read=(usage.prompt_tokens_details.cached_tokens or 0) if usage.prompt_tokens_details else 0,
            output=usage.completion_tokens, thought=message.get("reasoning_content") or message.get("reasoning") or "",
            calls=tuple(Call(call["function"]["name"], json.loads(call["function"]["arguments"]), call["id"])
                        for call in message.get("tool_calls") or []), form=form)

    def _parsed(self, options: dict[str, Any]) -> tuple[dict[str, Any], str, Any, Form | None]:
        """An answer that the client parses itself."""
        if self.wish.stream:
            with self._client.chat.completions.stream(stream_options={"include_usage": True}, **options) as stream:
                completion: Any = stream.get_final_completion()
        else:
            completion = self._client.chat.completions.parse(**options)
        [choice] = completion.choices
        message = choice.message.model_dump(exclude_none=True, exclude={"parsed"})
        return message, choice.finish_reason, completion.usage, choice.message.parsed

    def _options(self) -> dict[str, Any]:
        wish = self.wish
        options: dict[str, Any] = {"model": wish.model, "messages": self._messages, "max_completion_tokens": MAX_OUTPUT}
        if wish.tools:
            functions = [{"name": name, "description": text, "parameters": schema}
                         for name, (text, schema) in TOOLS.items()]
            options["tools"] = [{"type": "function", "function": function} for function in functions]
        if wish.form:
            options["response_format"] = Form
        if wish.stop:
            options["stop"] = [STOP_AT]
        if wish.thinks:
            options["reasoning_effort"] = "low"
        return options


def _joined(stream: Any) -> tuple[dict[str, Any], str, Any]:
    """Puts a stream together, with members that the client has no name for."""
    message: dict[str, Any] = {}
    finish, usage = [], []
    for chunk in stream:
        usage += [chunk.usage] if chunk.usage else []
        for choice in chunk.choices:
            _add(message, choice.delta.model_dump(exclude_none=True))
            finish += [choice.finish_reason] if choice.finish_reason else []
    if len(finish) != 1 or len(usage) != 1:
        raise Broken(f"the stream ended with the reasons {finish} and the usages {usage}")
    for call in message.get("tool_calls") or []:
        call.pop("index")
    return message, finish[0], usage[0]


def _add(to: dict[str, Any], delta: dict[str, Any]) -> None:
    """Adds a delta: texts grow, but for those that name something; list items are told by their index."""
    for name, value in delta.items():
        if isinstance(value, list):
            items = to.setdefault(name, [])
            for item in value:
                known = next((one for one in items if one.get("index") == item.get("index")), None)
                if known is None:
                    items.append(known := {})
                _add(known, item)
        elif isinstance(value, dict):
            _add(to.setdefault(name, {}), value)
        elif isinstance(value, str) and name not in ("role", "type", "id", "name", "format"):
            to[name] = to.get(name, "") + value
        else:
            to[name] = value
