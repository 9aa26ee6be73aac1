"""`openai`, by its responses, which are not stored: their reasoning comes sealed."""

from __future__ import annotations

import base64
import json
from typing import Any

import openai

from callers import PATIENCE_S, Broken, Caller, Form, Refusal, Seen, Talk, Wish
from callers.openai_chat import refusal_of
from script import MAX_OUTPUT, SYSTEM, TOOLS, Call


class OpenaiResponses(Caller):
    """The client."""

    name = "openai responses"
    dialect = "openai_responses"
    words = {"stop": "completed", "calls": "completed", "length": "incomplete max_output_tokens",
             "filter": "incomplete content_filter"}

    def __init__(self, base_url: str, key: str) -> None:
        self.client = openai.OpenAI(base_url=base_url + "/v1", api_key=key, max_retries=0, timeout=PATIENCE_S)

    def talk(self, wish: Wish) -> Talk:
        return _Talk(self.client, wish)

    def refusal(self, error: Exception) -> Refusal | None:
        return refusal_of(error)

    def count(self, model: str, text: str) -> int:
        return self.client.responses.input_tokens.count(model=model, input=text).input_tokens


class _Talk(Talk):
    def __init__(self, client: openai.OpenAI, wish: Wish) -> None:
        self._client = client
        self.wish = wish
        self._items: list[Any] = []

    def say(self, text: str, image: bytes | None = None) -> Seen:
        content: list[Any] = [{"type": "input_text", "text": text}]
        if image:
            content.append(_picture(image))
        self._items.append({"role": "user", "content": content})
        return self._ask()

    def give(self, results: dict[str, str], image: bytes | None = None) -> Seen:
        for call_id, text in results.items():
            output: Any = [{"type": "input_text", "text": text}, _picture(image)] if image else text
            self._items.append({"type": "function_call_output", "call_id": call_id, "output": output})
            image = None
        return self._ask()

    def _ask(self) -> Seen:
        response = self._response(self._options())
        if response.status == "failed":
            raise Broken(response.error.message)
        usage = response.usage
        reason = response.incomplete_details.reason if response.incomplete_details else None
        seen = Seen(
            text=response.output_text, finish=" ".join(filter(None, (response.status, reason))),
            prompt=usage.input_tokens, cache_read=usage.input_tokens_details.cached_tokens, output=usage.output_tokens,
            thought="".join(part.text for item in response.output if item.type == "reasoning" for part in item.summary),
            calls=tuple(Call(item.name, json.loads(item.arguments), item.call_id)
                        for item in response.output if item.type == "function_call"),
            form=response.output_parsed if self.wish.form else None)
        for item in response.output:
            # What the client has parsed itself is not the provider's.
            own: Any = {"content": {"__all__": {"parsed"}}} if item.type == "message" else {"parsed_arguments"}
            self._items.append(item.model_dump(exclude_none=True, exclude=own))
        return seen

    def _response(self, options: dict[str, Any]) -> Any:
        responses = self._client.responses
        if self.wish.form:
            options["text_format"] = Form
        if not self.wish.stream:
            return responses.parse(**options) if self.wish.form else responses.create(**options)
        last = None
        with responses.stream(**options) as stream:
            for event in stream:
                if event.type in ("response.completed", "response.incomplete", "response.failed"):
                    last = event.response
        if last is None:
            raise Broken("the stream ended without a last event")
        return last

    def _options(self) -> dict[str, Any]:
        wish = self.wish
        options: dict[str, Any] = {"model": wish.model, "instructions": SYSTEM, "input": self._items,
                                   "max_output_tokens": MAX_OUTPUT, "store": False}
        if wish.tools:
            options["tools"] = [{"type": "function", "name": name, "description": text, "parameters": schema,
                                 "strict": False} for name, (text, schema) in TOOLS.items()]
        if wish.thinks:
            options |= {"reasoning": {"effort": "low", "summary": "auto"}, "include": ["reasoning.encrypted_content"]}
        return options


def _picture(image: bytes) -> dict[str, Any]:
    url = "data:image/png;base64," + base64.b64encode(image).decode()
    return {"type": "input_image", "image_url": url, "detail": "auto"}
