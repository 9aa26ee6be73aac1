"""`openai`, by its chat completions; also its client for Azure."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai
from script import MAX_OUTPUT, STOP_AT, SYSTEM, TOOLS, Call

from callers import PATIENCE_S, Caller, Form, Refusal, Seen, Talk, Wish


def refusal_of(error: Exception) -> Refusal | None:
    """What an exception of the client tells."""
    if not isinstance(error, openai.APIError):
        return None
    response = error.response if isinstance(error, openai.APIStatusError) else None
    return Refusal(status=response.status_code if response else None, message=error.message,
                   kind=f"{type(error).__name__} {error.type} {error.code}",
                   retry_after=response.headers.get("retry-after") if response else None)


class OpenaiChat(Caller):
    """The client as it is."""

    name = "openai chat"
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

    def give(self, results: dict[str, str]) -> Seen:
        self._messages += [{"role": "tool", "tool_call_id": call_id, "content": text} for call_id, text in results.items()]
        return self._ask()

    def _ask(self) -> Seen:
        completion = self._completion(self._options())
        [choice] = completion.choices
        message, usage = choice.message, completion.usage
        self._messages.append(message.model_dump(exclude_none=True, exclude={"parsed"}))
        extra = message.model_extra or {}
        return Seen(
            text=message.content or "", finish=choice.finish_reason, prompt=usage.prompt_tokens,
            cache_read=(usage.prompt_tokens_details.cached_tokens or 0) if usage.prompt_tokens_details else 0,
            output=usage.completion_tokens, thought=extra.get("reasoning_content") or extra.get("reasoning") or "",
            calls=tuple(Call(call.function.name, json.loads(call.function.arguments), call.id)
                        for call in message.tool_calls or []),
            form=message.parsed if self.wish.form else None)

    def _completion(self, options: dict[str, Any]) -> Any:
        completions = self._client.chat.completions
        if not self.wish.stream:
            return completions.parse(**options) if self.wish.form else completions.create(**options)
        with completions.stream(stream_options={"include_usage": True}, **options) as stream:
            return stream.get_final_completion()

    def _options(self) -> dict[str, Any]:
        wish = self.wish
        options: dict[str, Any] = {"model": wish.model, "messages": self._messages, "max_completion_tokens": MAX_OUTPUT}
        if wish.tools:
            options["tools"] = [{"type": "function", "function": {"name": name, "description": text, "parameters": schema}}
                                for name, (text, schema) in TOOLS.items()]
        if wish.form:
            options["response_format"] = Form
        if wish.stop:
            options["stop"] = [STOP_AT]
        if wish.thinks:
            options["reasoning_effort"] = "low"
        return options
