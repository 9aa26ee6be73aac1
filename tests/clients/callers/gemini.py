"""`google-genai`."""

from __future__ import annotations

from typing import Any

import httpx2
from google import genai
from google.genai import errors, types

from callers import PATIENCE_S, Broken, Caller, Form, Refusal, Seen, Talk, Wish
from script import MAX_OUTPUT, STOP_AT, SYSTEM, TOOLS, Call


class Gemini(Caller):
    """The client."""

    name = "google-genai"
    dialect = "gemini"
    words = {"stop": "STOP", "calls": "STOP", "length": "MAX_TOKENS", "stop_sequence": "STOP", "filter": "SAFETY"}

    def __init__(self, base_url: str, key: str) -> None:
        self.client = genai.Client(api_key=key, http_options=types.HttpOptions(
            base_url=base_url, timeout=int(PATIENCE_S * 1000), retry_options=types.HttpRetryOptions(attempts=1)))

    def talk(self, wish: Wish) -> Talk:
        return _Talk(self.client, wish)

    def refusal(self, error: Exception) -> Refusal | None:
        if isinstance(error, Broken | httpx2.HTTPError):
            return Refusal(None, str(error), type(error).__name__)
        if not isinstance(error, errors.APIError):
            return None
        headers = getattr(error.response, "headers", None) or {}
        in_stream = isinstance(error.response, types.HttpResponse) or getattr(error.response, "status_code", 200) == 200
        return Refusal(status=None if in_stream else error.code, message=error.message or "",
                       kind=f"{type(error).__name__} {error.code} {error.status}",
                       retry_after=headers.get("retry-after"))

    def models(self) -> list[str]:
        return [model.name.removeprefix("models/") for model in self.client.models.list()]

    def show_model(self, model: str) -> str:
        return self.client.models.get(model=model).name.removeprefix("models/")

    def embed(self, model: str, texts: list[str]) -> list[list[float]]:
        answer = self.client.models.embed_content(model=model, contents=texts)
        return [one.values for one in answer.embeddings]

    def count(self, model: str, text: str) -> int:
        return self.client.models.count_tokens(model=model, contents=text).total_tokens


class _Talk(Talk):
    def __init__(self, client: genai.Client, wish: Wish) -> None:
        self._client = client
        self.wish = wish
        self._contents: list[types.Content] = []
        self._called: dict[str, types.FunctionCall] = {}  # this API knows calls without ids; here they get one

    def say(self, text: str, image: bytes | None = None) -> Seen:
        parts = [types.Part(text=text)]
        if image:
            parts.append(types.Part.from_bytes(data=image, mime_type="image/png"))
        self._contents.append(types.Content(role="user", parts=parts))
        return self._ask()

    def give(self, results: dict[str, str], image: bytes | None = None) -> Seen:
        parts = []
        for call_id, text in results.items():
            call = self._called[call_id]
            picture = [types.FunctionResponsePart.from_bytes(data=image, mime_type="image/png")] if image else None
            response = types.FunctionResponse(id=call.id, name=call.name, response={"output": text}, parts=picture)
            image = None
            parts.append(types.Part(function_response=response))
        self._contents.append(types.Content(role="user", parts=parts))
        return self._ask()

    def _ask(self) -> Seen:
        chunks = self._chunks()
        candidates = [chunk.candidates[0] for chunk in chunks if chunk.candidates]
        parts = [part for one in candidates if one.content for part in one.content.parts or []]
        self._contents.append(types.Content(role="model", parts=_joined(parts)))
        finish = [one.finish_reason for one in candidates if one.finish_reason]
        if len(finish) != 1:
            raise Broken(f"reasons to finish: {finish}")
        self._called = {f"call {index}": part.function_call
                        for index, part in enumerate(part for part in parts if part.function_call)}
        usage = [chunk.usage_metadata for chunk in chunks if chunk.usage_metadata][-1]
        return Seen(
            text="".join(part.text for part in parts if part.text and not part.thought), finish=finish[0].value,
            prompt=usage.prompt_token_count, cache_read=usage.cached_content_token_count or 0,
            output=(usage.candidates_token_count or 0) + (usage.thoughts_token_count or 0),
            thought="".join(part.text for part in parts if part.text and part.thought),
            calls=tuple(Call(call.name, call.args or {}, call_id) for call_id, call in self._called.items()),
            form=self._form(chunks))

    def _form(self, chunks: list[types.GenerateContentResponse]) -> Any:
        if not self.wish.form:
            return None
        if not self.wish.stream:
            return chunks[0].parsed
        return Form.model_validate_json("".join(chunk.text or "" for chunk in chunks))

    def _chunks(self) -> list[types.GenerateContentResponse]:
        options: dict[str, Any] = {"model": self.wish.model, "contents": self._contents, "config": self._config()}
        if self.wish.stream:
            return list(self._client.models.generate_content_stream(**options))
        return [self._client.models.generate_content(**options)]

    def _config(self) -> types.GenerateContentConfig:
        wish = self.wish
        config = types.GenerateContentConfig(
            system_instruction=SYSTEM, max_output_tokens=MAX_OUTPUT,
            automatic_function_calling=types.AutomaticFunctionCallingConfig(disable=True))
        if wish.tools:
            config.tools = [types.Tool(function_declarations=[
                types.FunctionDeclaration(name=name, description=text, parameters_json_schema=schema)
                for name, (text, schema) in TOOLS.items()])]
        if wish.form:
            config.response_mime_type, config.response_schema = "application/json", Form
        if wish.stop:
            config.stop_sequences = [STOP_AT]
        if wish.thinks:
            config.thinking_config = types.ThinkingConfig(include_thoughts=True, thinking_budget=1024)
        return config


def _joined(parts: list[types.Part]) -> list[types.Part]:
    """The parts of a stream as a program keeps them: neighbouring texts in one, what is signed apart."""
    kept: list[types.Part] = []
    for part in parts:
        last = kept[-1] if kept else None
        plain = part.text is not None and not part.thought_signature
        if last and plain and last.text is not None and not last.thought_signature and last.thought == part.thought:
            kept[-1] = types.Part(text=last.text + part.text, thought=part.thought)
        else:
            kept.append(part)
    return kept
