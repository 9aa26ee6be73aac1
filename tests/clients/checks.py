"""What every client must see, whatever provider is behind the gateway."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from callers import Broken, Caller, Refusal, Seen, Talk, Wish
from script import (
    COUNTED,
    FORM,
    GREETING,
    LOOK,
    NOW,
    PARIS,
    PIXEL,
    REFUSED,
    RETRY_AFTER_S,
    SAW,
    THOUGHT,
    TOKYO,
    VECTORS,
    Call,
    Usage,
    run_tool,
)
from upstream import Upstream


class Wrong(Exception):
    """A check did not hold."""


def check(holds: bool, what: str) -> None:
    """Fails the check unless it holds."""
    if not holds:
        raise Wrong(what)


@dataclass(frozen=True)
class Kind:
    """One kind of provider, as it is played, and what it can do."""

    name: str
    upstream: Upstream
    model: str  # the name that callers use
    dialects: tuple[str, ...]  # that it speaks itself
    thinks: bool = False
    stops: bool = True  # takes stop sequences
    tells_stop: bool = False  # tells which ended the answer
    tells_when: bool = True  # tells when to come again
    embeds: str | None = None  # a model that gives vectors
    counts: bool = False


@dataclass(frozen=True)
class Pair:
    """A client, and a provider behind the gateway, or without one in between."""

    caller: Caller
    kind: Kind
    others: tuple[Kind, ...] = ()
    direct: bool = False

    def wish(self, *, stream: bool, **more: bool) -> Wish:
        """How to hold a conversation."""
        return Wish(self.kind.model, stream=stream, **more)


TOKENS = Usage()


class Unlike(Exception):
    """The pair cannot do this, and need not."""


def _need(holds: bool) -> None:
    if not holds:
        raise Unlike


def _finish(pair: Pair, seen: Seen, word: str) -> None:
    wanted = pair.caller.words[word]
    check(seen.finish == wanted, f"the reason to finish is {seen.finish!r}, not {wanted!r}")


def _usage(seen: Seen, usage: Usage = TOKENS) -> None:
    counted = (seen.prompt, seen.cache_read, seen.output)
    wanted = (usage.prompt, usage.cache_read, usage.output)
    check(counted == wanted, f"input, cached, output are {counted}, not {wanted}")


def _say(talk: Talk, scene: str, image: bytes | None = None) -> Seen:
    return talk.say(f"Please play scene:{scene} for me.", image)


def text(pair: Pair, *, stream: bool) -> None:
    """A text, its usage and its end; the system prompt and the limit arrive."""
    seen = _say(pair.caller.talk(pair.wish(stream=stream)), "text")
    check(seen.text == GREETING, f"the text is {seen.text!r}")
    _finish(pair, seen, "stop")
    _usage(seen)


def second_turn(pair: Pair, *, stream: bool) -> None:
    """A conversation goes on after an answer."""
    talk = pair.caller.talk(pair.wish(stream=stream))
    _say(talk, "text")
    seen = _say(talk, "text")
    check(seen.text == GREETING, f"the text is {seen.text!r}")


def length(pair: Pair, *, stream: bool) -> None:
    """An answer that is cut by the limit says so."""
    seen = _say(pair.caller.talk(pair.wish(stream=stream)), "length")
    check(seen.text == GREETING, f"the text is {seen.text!r}")
    _finish(pair, seen, "length")


def stop(pair: Pair, *, stream: bool) -> None:
    """A stop sequence arrives, and its effect is told; where none can be had the call is refused."""
    _need("stop_sequence" in pair.caller.words)
    wish = pair.wish(stream=stream, stop=True)
    if not pair.kind.stops:
        _refused(pair, wish, "stop", 400)
        return
    seen = _say(pair.caller.talk(wish), "stop")
    _finish(pair, seen, "stop_sequence" if pair.kind.tells_stop else "stop")


def content_filter(pair: Pair, *, stream: bool) -> None:
    """An answer that a filter ended says so."""
    seen = _say(pair.caller.talk(pair.wish(stream=stream)), "filter")
    _finish(pair, seen, "filter")


def _with_tools(pair: Pair, talk: Talk, scene: str, *calls: Call) -> Seen:
    """Calls, and then an answer that repeats what the tools said; gives back the first."""
    seen = _say(talk, scene)
    _calls_are(pair, seen, *calls)
    _give(pair, talk, seen)
    return seen


def _calls_are(pair: Pair, seen: Seen, *calls: Call) -> None:
    got = [Call(call.name, call.arguments) for call in seen.calls]
    check(got == list(calls), f"the calls are {got}")
    _finish(pair, seen, "calls")
    ids = [call.id for call in seen.calls]
    check(all(ids) and len(set(ids)) == len(ids), f"the ids of the calls are {ids}")


def _give(pair: Pair, talk: Talk, seen: Seen) -> None:
    results = {call.id or "": run_tool(call.name, call.arguments) for call in seen.calls}
    after = talk.give(results)
    check(after.text == "; ".join(results.values()) + ".", f"the answer to the results is {after.text!r}")
    check(not after.calls, "there are calls again")
    _finish(pair, after, "stop")


def tool(pair: Pair, *, stream: bool) -> None:
    """A text and one call; its result arrives."""
    talk = pair.caller.talk(pair.wish(stream=stream, tools=True))
    seen = _with_tools(pair, talk, "tool", PARIS)
    check(seen.text == "Let me look.", f"the text before the call is {seen.text!r}")
    _usage(seen)


def no_argument(pair: Pair, *, stream: bool) -> None:
    """A call of a tool that takes nothing."""
    _with_tools(pair, pair.caller.talk(pair.wish(stream=stream, tools=True)), "no-argument", NOW)


def parallel_tools(pair: Pair, *, stream: bool) -> None:
    """Two calls at once stay two, and each gets its own result."""
    talk = pair.caller.talk(pair.wish(stream=stream, tools=True))
    _with_tools(pair, talk, "parallel", PARIS, TOKYO)


def thinking(pair: Pair, *, stream: bool) -> None:
    """A thought is told, and its state comes back to its provider unchanged."""
    _need(pair.kind.thinks)
    talk = pair.caller.talk(pair.wish(stream=stream, tools=True, thinks=True))
    seen = _with_tools(pair, talk, "think", PARIS, TOKYO)
    check(seen.thought == THOUGHT, f"the thought is {seen.thought!r}")
    _usage(seen, Usage(reasoning=20))


def move(pair: Pair, *, stream: bool) -> None:
    """A conversation with thoughts and calls under way moves to any other provider, and leaves its state behind."""
    _need(bool(pair.others))
    for other in pair.others:
        at_home = pair.caller.dialect in other.dialects
        if at_home and pair.caller.dialect in pair.kind.dialects:
            continue  # all bytes pass as they are, so the client meets what it would meet without a gateway
        if at_home and pair.caller.dialect == "anthropic" and not pair.kind.thinks:
            continue  # nothing tells that the answer without a thought is not the provider's own
        talk = pair.caller.talk(pair.wish(stream=stream, tools=True, thinks=True))
        try:
            seen = _say(talk, "move")
            _calls_are(pair, seen, PARIS, TOKYO)
            talk.wish = replace(talk.wish, model=other.model)
            _give(pair, talk, seen)
        except Exception as cause:
            heard = other.upstream.take_complaints()
            raise Wrong(f"to {other.name}: {type(cause).__name__}: {cause} {heard}") from cause


def structured(pair: Pair, *, stream: bool) -> None:
    """An answer by a schema, parsed by the client itself."""
    seen = _say(pair.caller.talk(pair.wish(stream=stream, form=True)), "structured")
    check(seen.form is not None and seen.form.model_dump() == FORM, f"the form is {seen.form}")
    check(not seen.calls, "the gateway's own tool shows")
    _finish(pair, seen, "stop")


def vision(pair: Pair, *, stream: bool) -> None:
    """An image arrives, byte for byte."""
    seen = _say(pair.caller.talk(pair.wish(stream=stream)), "vision", PIXEL)
    check(seen.text == SAW, f"the text is {seen.text!r}")


def look(pair: Pair, *, stream: bool) -> None:
    """An image in the result of a tool arrives, byte for byte."""
    _need(pair.caller.pictures)
    talk = pair.caller.talk(pair.wish(stream=stream, tools=True))
    seen = _say(talk, "look")
    _calls_are(pair, seen, LOOK)
    after = talk.give({call.id or "": "Here it is." for call in seen.calls}, PIXEL)
    check(after.text == SAW, f"the text is {after.text!r}")


def count(pair: Pair) -> None:
    """Tokens are counted by the provider, where it can; estimated where not."""
    _need(pair.caller.can(pair.caller.count))
    counted = pair.caller.count(pair.kind.model, "How long is this scene:count text?")
    if pair.kind.counts:
        check(counted == COUNTED, f"{counted} tokens, not {COUNTED}")
    check(counted > 0, "no tokens at all")


def models(pair: Pair) -> None:
    """The models are listed, and each can be shown."""
    _need(pair.caller.can(pair.caller.models) and not pair.direct)
    listed = pair.caller.models()
    check(pair.kind.model in listed, f"{pair.kind.model} is not among {listed}")
    check(pair.caller.show_model(pair.kind.model) == pair.kind.model, "another model is shown")


def embeddings(pair: Pair) -> None:
    """Vectors, in order."""
    if not pair.caller.can(pair.caller.embed) or pair.kind.embeds is None:
        raise Unlike
    vectors = pair.caller.embed(pair.kind.embeds, ["the first", "the second"])
    check(vectors == [list(vector) for vector in VECTORS], f"the vectors are {vectors}")


# Errors.

CLASSES = {  # status -> what the exceptions are called
    400: ("BadRequestError", "ClientError", "ValidationException"),
    404: ("NotFoundError", "ClientError", "ResourceNotFoundException"),
    429: ("RateLimitError", "ClientError", "ThrottlingException"),
    502: ("InternalServerError", "ServerError"),
    500: ("InternalServerError", "ServerError", "InternalServerException"),
    503: ("InternalServerError", "ServerError", "ServiceUnavailableException", "ServiceUnavailableError"),
    529: ("InternalServerError", "OverloadedError"),
    401: ("AuthenticationError", "ClientError"),
    403: ("PermissionDeniedError", "ClientError", "AccessDeniedException", "UnrecognizedClientException"),
}


def _error(pair: Pair, wish: Wish, scene: str) -> tuple[Refusal, Exception]:
    """The error that a scene ends with."""
    try:
        seen = _say(pair.caller.talk(wish), scene)
    except Exception as cause:
        refusal = pair.caller.refusal(cause)
        if refusal is None:
            raise
        return refusal, cause
    raise Wrong(f"no error, but {seen}")


def _refused(pair: Pair, wish: Wish, scene: str, *statuses: int) -> Refusal:
    """A refusal by one of the statuses, as the exception that the client has for it."""
    refusal, _ = _error(pair, wish, scene)
    check(refusal.status in statuses, f"the status is {refusal.status}, not {statuses}: {refusal}")
    names = CLASSES[refusal.status or 0]
    check(refusal.kind.split()[0] in names, f"the exception is {refusal.kind}")
    return refusal


def error_of(status: int) -> Callable[..., None]:
    """A provider's refusal, as the client's own exception."""

    def run(pair: Pair, *, stream: bool) -> None:
        overloaded = pair.caller.unavailable
        # What is about the gateway's own credential is not told to callers as if it were theirs.
        wanted = {400: [400], 401: [502, 503], 403: [502, 503], 404: [404], 429: [429], 500: [500, 502],
                  502: [502], 503: [overloaded]}[status]
        if status == 502:
            _need(not pair.direct)
        if pair.direct:
            wanted = [status, 403, 529]
        refusal = _refused(pair, pair.wish(stream=stream), f"error-{status}", *wanted)
        if status in (400, 404, 429, 503) or pair.direct:
            check(REFUSED in refusal.message, f"the provider's sentence is lost: {refusal.message!r}")
        check("<html" not in refusal.message, f"a page is in the message: {refusal.message!r}")
        if status == 429 and pair.kind.tells_when and not pair.direct:
            check(refusal.retry_after == str(RETRY_AFTER_S), f"retry-after is {refusal.retry_after}")

    return run


def first_error(pair: Pair, *, stream: bool) -> None:
    """A stream that begins with an error is a refusal by status, so that clients try again."""
    _need(stream)
    if pair.direct:
        _error(pair, pair.wish(stream=True), "first-error")
    else:
        _refused(pair, pair.wish(stream=True), "first-error", pair.caller.unavailable)


def mid_error(pair: Pair, *, stream: bool) -> None:
    """An error in a stream is an error at the client, too, with the provider's sentence."""
    _need(stream)
    refusal, _ = _error(pair, pair.wish(stream=True), "mid-error")
    check(refusal.status is None, f"a status {refusal.status} in a stream")
    check(REFUSED in refusal.message, f"the provider's sentence is lost: {refusal}")


def cut(pair: Pair, *, stream: bool) -> None:
    """A stream that breaks off never looks as if it had ended."""
    _need(stream)
    try:
        seen = _say(pair.caller.talk(pair.wish(stream=True)), "cut")
    except Exception as cause:
        check(isinstance(cause, Broken) or pair.caller.refusal(cause) is not None or "httpx" in type(cause).__module__
              or "urllib3" in type(cause).__module__ or "IncompleteRead" in str(cause) or pair.direct,
              f"the client stumbles: {type(cause).__name__}: {cause}")
        return
    raise Wrong(f"a cut stream seems whole: {seen}")


IN_BOTH_WAYS: dict[str, Callable[..., None]] = {
    "text": text,
    "second turn": second_turn,
    "length": length,
    "stop sequence": stop,
    "filter": content_filter,
    "tool": tool,
    "no argument": no_argument,
    "parallel tools": parallel_tools,
    "thinking": thinking,
    "move": move,
    "structured": structured,
    "vision": vision,
    "result image": look,
    "first error": first_error,
    "mid error": mid_error,
    "cut": cut,
} | {f"error {status}": error_of(status) for status in (400, 401, 403, 404, 429, 500, 502, 503)}

ONCE: dict[str, Callable[[Pair], None]] = {"count": count, "models": models, "embeddings": embeddings}

