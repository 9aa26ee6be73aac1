"""OpenAI's Responses. <https://platform.openai.com/docs/api-reference/responses>"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from openai.types.responses import response_create_params as shapes
from openai.types.responses.input_token_count_params import InputTokenCountParams

from script import (
    COUNTED,
    REFUSED,
    Asked,
    Call,
    Kind,
    Part,
    Result,
    Say,
    State,
    Text,
    Unfit,
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
from wires.openai_chat import KEY, error_of, refusal
from wires.shapes import must_fit

REASONING_ID = "rs_upstream0001"
STATE = "gAAAAABoUpstreamSealed_-0123456789=="
# The last two are not statuses of their own: an answer stops, or is incomplete for a reason.
REASONS = {"length": "max_output_tokens", "filter": "content_filter"}


class OpenaiResponses(Wire):
    """OpenAI itself."""

    DIALECTS = ("openai_responses",)
    THINKS = True

    def __init__(self) -> None:
        super().__init__()
        self._stores = False  # whether the provider keeps what it has answered

    def check_credential(self, request: Request) -> None:
        fit(request.headers.get("authorization") == f"Bearer {KEY}", "the credential is not in its place")

    def route(self, request: Request) -> Whole | Stream:
        body = request.json()
        match request.route():
            case "/v1/responses/input_tokens":
                must_fit(body, InputTokenCountParams)
                return whole({"object": "response.input_tokens", "input_tokens": COUNTED})
            case "/v1/responses":
                asked = self.read(body)
                said = self.play(asked)
                if isinstance(said, Whole):
                    return said
                if asked.stream:
                    return Stream(self.stream(body, said))
                return whole(self.response(body, said))
        raise Unfit(f"no such path: {request.path}")

    def refusal(self, kind: Kind, message: str) -> Whole:
        return refusal(kind, message)

    # Requests.

    def read(self, body: Any) -> Asked:
        """What a request says."""
        stream = bool(body.get("stream"))
        must_fit(_forgiven(body),
                 shapes.ResponseCreateParamsStreaming if stream else shapes.ResponseCreateParamsNonStreaming)
        items = body["input"]
        items = [{"role": "user", "content": items}] if isinstance(items, str) else items
        _check_order(items)
        tools = {tool["name"]: tool.get("parameters") for tool in body.get("tools") or [] if tool["type"] == "function"}
        choice = body.get("tool_choice")
        form = (body.get("text") or {}).get("format") or {}
        system = [body.get("instructions") or ""] + [
            _text_of(item["content"]) for item in items if item.get("role") in ("system", "developer")]
        asked = Asked(
            model=body["model"], stream=stream, parts=tuple(part for item in items for part in self.parts(item)),
            system="\n".join(text for text in system if text), max_output=body.get("max_output_tokens"), tools=tools,
            forced=choice.get("name") if isinstance(choice, dict) else None,
            schema=form["schema"] if form.get("type") == "json_schema" else None,
            thinks="reasoning" in body, remembers=True)
        self._stores = body.get("store") is not False
        return asked

    def parts(self, item: dict[str, Any]) -> Iterator[Part]:
        """What an item says."""
        match item.get("type", "message"):
            case "message" if item["role"] in ("user", "assistant"):
                content = item["content"]
                for part in [{"type": "input_text", "text": content}] if isinstance(content, str) else content:
                    if part["type"] in ("input_text", "output_text"):
                        yield Text("user" if item["role"] == "user" else "model", part["text"])
                    elif part["type"] == "input_image":
                        yield image_of_url(part["image_url"])
            case "function_call":
                yield Call(item["name"], parsed_arguments(item["arguments"]), id=item["call_id"])
            case "function_call_output":
                output = item["output"]
                output = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
                texts = [part["text"] for part in output if part["type"] == "input_text"]
                yield Result("".join(texts), id=item["call_id"])
                yield from (image_of_url(part["image_url"]) for part in output if part["type"] == "input_image")
            case "reasoning":
                yield self._state(item)

    def _state(self, item: dict[str, Any]) -> State:
        """A reasoning item: its state comes back sealed, or by the id of what was stored."""
        sealed = item.get("encrypted_content")
        fit(sealed in (None, STATE), f"foreign or broken state: {sealed}")
        known = sealed == STATE or (self._stores and item.get("id") == REASONING_ID)
        fit(known, f"Item with id '{item.get('id')}' not found. Items are not persisted when `store` is set to false.")
        return State(STATE, "".join(part["text"] for part in item["summary"]))

    # Answers.

    def response(self, body: dict[str, Any], said: Say) -> dict[str, Any]:
        """The whole response object."""
        usage = said.usage
        reason = REASONS.get(said.finish)
        return self._head(body) | {
            "status": "incomplete" if reason else "completed",
            "incomplete_details": {"reason": reason} if reason else None,
            "output": self._output(body, said),
            "usage": {"input_tokens": usage.prompt, "input_tokens_details": {"cached_tokens": usage.cache_read},
                      "output_tokens": usage.output, "output_tokens_details": {"reasoning_tokens": usage.reasoning},
                      "total_tokens": usage.prompt + usage.output}}

    def _head(self, body: dict[str, Any]) -> dict[str, Any]:
        """A response that has just begun; it repeats the request's parameters."""
        text = body.get("text") or {}
        return {
            "id": "resp_upstream0001", "object": "response", "created_at": CREATED, "status": "in_progress",
            "background": False, "error": None, "incomplete_details": None, "instructions": body.get("instructions"),
            "max_output_tokens": body.get("max_output_tokens"), "max_tool_calls": None, "model": body["model"],
            "output": [], "parallel_tool_calls": body.get("parallel_tool_calls") is not False,
            "previous_response_id": None, "prompt_cache_key": None,
            "reasoning": {"effort": "medium", "summary": None} | (body.get("reasoning") or {}),
            "safety_identifier": None, "service_tier": "default", "store": body.get("store") is not False,
            "temperature": 1.0, "text": {"format": {"type": "text"}, "verbosity": "medium"} | text,
            "tool_choice": body.get("tool_choice") or "auto",
            "tools": body.get("tools") or [], "top_logprobs": 0, "top_p": 1.0, "truncation": "disabled", "usage": None,
            "user": None, "metadata": {}}

    def _output(self, body: dict[str, Any], said: Say) -> list[dict[str, Any]]:
        """The items of an answer."""
        items: list[dict[str, Any]] = []
        if said.thought:
            wanted = "reasoning.encrypted_content" in (body.get("include") or [])
            sealed = {"encrypted_content": STATE} if wanted else {}
            items.append({"id": REASONING_ID, "type": "reasoning",
                          "summary": [{"type": "summary_text", "text": said.thought}]} | sealed)
        if said.text:
            part = {"type": "output_text", "annotations": [], "logprobs": [], "text": said.text}
            status = "incomplete" if said.finish in REASONS else "completed"
            items.append({"id": "msg_upstream0001", "type": "message", "status": status, "role": "assistant",
                          "content": [part]})
        for index, call in enumerate(said.calls):
            items.append({"id": f"fc_upstream{index}", "type": "function_call", "status": "completed",
                          "arguments": arguments_of(call.arguments), "call_id": f"call_Up{index}x{len(call.name)}",
                          "name": call.name})
        return items

    def stream(self, body: dict[str, Any], said: Say) -> Iterator[bytes]:
        """An answer event by event."""
        number = -1

        def event(kind: str, **members: Any) -> bytes:
            nonlocal number
            number += 1
            value = {"type": kind, "sequence_number": number} | members
            return f"event: {kind}\n".encode() + b"data: " + body_of(value) + b"\n\n"

        head = self._head(body)
        yield event("response.created", response=head)
        yield event("response.in_progress", response=head)
        if said.ends == "error-at-once":
            yield from self._failed(event, head, "overloaded")
            return
        for index, item in enumerate(self._output(body, said)):
            yield from _item_events(event, index, item, whole_item=said.ends == "well")
        if said.ends == "cut":
            raise Cut
        if said.ends == "error":
            yield from self._failed(event, head, "internal")
            return
        end = "response.incomplete" if said.finish in REASONS else "response.completed"
        yield event(end, response=self.response(body, said))

    def _failed(self, event: Any, head: dict[str, Any], kind: Kind) -> Iterator[bytes]:
        error = error_of(kind, f"{kind}: {REFUSED}")["error"]
        yield event("error", error=error)
        yield event("response.failed", response=head | {"status": "failed", "error": {
            "code": error["code"] or "server_error", "message": error["message"]}})


def _item_events(event: Any, index: int, item: dict[str, Any], *, whole_item: bool) -> Iterator[bytes]:
    """The events of one item; of one that breaks off not the last."""
    at = {"item_id": item["id"], "output_index": index}
    match item["type"]:
        case "reasoning":
            # What is sealed at first is not yet what counts.
            draft = {"encrypted_content": "gAAAAABdraft=="} if "encrypted_content" in item else {}
            yield event("response.output_item.added", output_index=index, item=item | {"summary": []} | draft)
            at |= {"summary_index": 0}
            [part] = item["summary"]
            yield event("response.reasoning_summary_part.added", **at, part=part | {"text": ""})
            for piece in pieces(part["text"]):
                yield event("response.reasoning_summary_text.delta", **at, delta=piece, obfuscation="x7")
            yield event("response.reasoning_summary_text.done", **at, text=part["text"])
            yield event("response.reasoning_summary_part.done", **at, part=part)
        case "message":
            yield event("response.output_item.added", output_index=index,
                        item=item | {"content": [], "status": "in_progress"})
            at |= {"content_index": 0}
            [part] = item["content"]
            yield event("response.content_part.added", **at, part=part | {"text": ""})
            for piece in pieces(part["text"]):
                yield event("response.output_text.delta", **at, delta=piece, logprobs=[], obfuscation="x7")
            if not whole_item:
                return
            yield event("response.output_text.done", **at, text=part["text"], logprobs=[])
            yield event("response.content_part.done", **at, part=part)
        case "function_call":
            yield event("response.output_item.added", output_index=index,
                        item=item | {"arguments": "", "status": "in_progress"})
            for piece in pieces(item["arguments"]):
                yield event("response.function_call_arguments.delta", **at, delta=piece, obfuscation="x7")
            yield event("response.function_call_arguments.done", **at, arguments=item["arguments"], name=item["name"])
    yield event("response.output_item.done", output_index=index, item=item)


def _forgiven(body: dict[str, Any]) -> dict[str, Any]:
    """A request as the published types want it: with what OpenAI does not insist on, and without what it overlooks.

    Its own agent sends nulls, ids of what a user said, and answers and reasoning without ids.
    """
    items = body["input"]
    if isinstance(items, list):
        items = [_forgiven_item({name: value for name, value in item.items() if value is not None}) for item in items]
    return {name: value for name, value in body.items() if name != "client_metadata"} | {"input": items}


def _forgiven_item(item: dict[str, Any]) -> dict[str, Any]:
    """One item of it."""
    match item.get("type", "message"), item.get("role"):
        case "message", "assistant" if isinstance(item["content"], list):
            bare = {"annotations": []}
            content = [bare | part if part["type"] == "output_text" else part for part in item["content"]]
            return {"type": "message", "id": "msg_", "status": "completed"} | item | {"content": content}
        case "message", _ if isinstance(item["content"], list):
            content = [{"detail": "auto"} | part if part["type"] == "input_image" else part for part in item["content"]]
            return {name: value for name, value in item.items() if name != "id"} | {"content": content}
        case "reasoning", _:
            return {"id": REASONING_ID} | item
    return item


def _text_of(content: Any) -> str:
    if isinstance(content, str):
        return content
    fit(all(part["type"] in ("input_text", "output_text") for part in content), "more than text")
    return "".join(part["text"] for part in content)


def _check_order(items: list[dict[str, Any]]) -> None:
    """Each call has its output after it, and no reasoning stands without what followed it."""
    called: set[str] = set()
    for index, item in enumerate(items):
        match item.get("type", "message"):
            case "function_call":
                fit(item["call_id"] not in called, f"two calls have the id {item['call_id']}")
                called.add(item["call_id"])
            case "function_call_output":
                fit(item["call_id"] in called, f"No tool call found for function call output {item['call_id']}")
            case "reasoning":
                after = items[index + 1] if index + 1 < len(items) else {}
                follows = after.get("type") in ("function_call", "reasoning") or after.get("role") == "assistant"
                fit(follows, f"reasoning {item.get('id')} was provided without its required following item")
    answered = {item["call_id"] for item in items if item.get("type") == "function_call_output"}
    fit(called <= answered, f"No tool output found for function call {called - answered}")
