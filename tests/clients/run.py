"""Sends the official clients through Tollhouse to every kind of provider, and compares what they see with the script.

With --direct the clients talk to the played providers themselves: that shows that these speak as the real ones do.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from callers import Caller
from callers.anthropic import Anthropic, AnthropicOnBedrock
from callers.bedrock import Bedrock as Boto3
from callers.gemini import Gemini
from callers.openai_chat import Azure, OpenaiChat
from callers.openai_responses import OpenaiResponses
from checks import IN_BOTH_WAYS, ONCE, Kind, Pair, Unlike
from house import Channel, House, lonely
from upstream import Upstream
from wires import Wire
from wires import anthropic as anthropic_wire
from wires import bedrock as bedrock_wire
from wires import gemini as gemini_wire
from wires import openai_chat as chat_wire
from wires import openai_responses as responses_wire


@dataclass(frozen=True)
class Provider:
    """A kind of provider: how it is played, and how a channel to it is made."""

    name: str
    wire: type[Wire]
    card: str
    base: str  # of its address, below the host
    credential: object
    model: str
    stops: bool = True
    tells_stop: bool = False
    tells_when: bool = True
    embeds: str | None = None
    counts: bool = False
    more: dict[str, object] = field(default_factory=dict)

    @property
    def vectors(self) -> str:
        """What callers call its model for vectors: not by the provider, for clients make something of such names."""
        return f"vectors-{[provider.name for provider in PROVIDERS].index(self.name)}"

    def kind(self, upstream: Upstream, *, direct: bool) -> Kind:
        """The same as the checks see it."""
        model, embeds = (self.model, self.embeds) if direct else (self.name, self.embeds and self.vectors)
        return Kind(self.name, upstream, model, self.wire.DIALECTS, thinks=self.wire.THINKS, stops=self.stops,
                    tells_stop=self.tells_stop, tells_when=self.tells_when, embeds=embeds, counts=self.counts)

    def channel(self, upstream: Upstream) -> Channel:
        """A channel to it. Callers call its models by the provider's name."""
        models = {self.name: self.model} | ({self.vectors: self.embeds} if self.embeds else {})
        return Channel(self.name, self.card, upstream.url + self.base, self.credential, models, dict(self.more))


SIGNED = {"region": bedrock_wire.REGION, "access_key_id": bedrock_wire.ACCESS_KEY,
          "secret_access_key": bedrock_wire.SECRET_KEY}
PROVIDERS = [
    Provider("openai", chat_wire.OpenaiChat, "openai", "/v1", chat_wire.KEY, "gpt-4.1-mini",
             embeds="text-embedding-3-small", more={"dialects": ["openai_chat", "openai_embeddings"]}),
    Provider("responses", responses_wire.OpenaiResponses, "openai", "/v1", chat_wire.KEY, "gpt-5.2",
             stops=False, counts=True, more={"dialects": ["openai_responses"]}),
    Provider("azure", chat_wire.Azure, "azure", "", chat_wire.KEY, "our-deployment", embeds="our-vectors",
             more={"dialects": ["openai_chat", "openai_embeddings"]}),
    Provider("compatible", chat_wire.Compatible, "openai-compatible", "/v1", chat_wire.KEY, "some-model"),
    Provider("deepseek", chat_wire.DeepSeek, "deepseek", "/v1", chat_wire.KEY, "deepseek-reasoner"),
    Provider("openrouter", chat_wire.OpenRouter, "openrouter", "/api/v1", chat_wire.KEY, "anthropic/claude-sonnet-4.5"),
    Provider("anthropic", anthropic_wire.Anthropic, "anthropic", "", anthropic_wire.KEY, "claude-sonnet-4-5",
             tells_stop=True, counts=True),
    Provider("gemini", gemini_wire.Gemini, "gemini", "", gemini_wire.KEY, "gemini-3-pro-preview",
             embeds="gemini-embedding-001", counts=True),
    Provider("bedrock", bedrock_wire.Bedrock, "bedrock", "", SIGNED, "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
             tells_stop=True, tells_when=False, embeds="amazon.titan-embed-text-v2:0", counts=True),
    Provider("nova", bedrock_wire.Nova, "bedrock", "",
             {"region": bedrock_wire.REGION, "api_key": bedrock_wire.API_KEY}, "amazon.nova-lite-v1:0", tells_stop=True,
             tells_when=False),
]


@dataclass
class Tally:
    """What came of each check: caller -> check -> kind -> marks."""

    marks: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    passed: int = 0

    def note(self, pair: Pair, name: str, way: str, wrong: str | None) -> None:
        """One check has been made."""
        row = self.marks.setdefault(pair.caller.name, {}).setdefault(name, {})
        row[pair.kind.name] = row.get(pair.kind.name, "") + ("." if wrong is None else "X")
        if wrong is None:
            self.passed += 1
            return
        self.failures.append(f"{pair.caller.name} -> {pair.kind.name}: {name}{way}: {wrong}")
        print("FAILED  " + self.failures[-1], flush=True)

    def show(self) -> None:
        """One table per client: a mark for the plain and one for the streamed answer."""
        for caller, rows in self.marks.items():
            kinds = list(dict.fromkeys(kind for row in rows.values() for kind in row))
            print(f"\n{caller:18}" + "".join(f"{kind:>12}" for kind in kinds))
            for name, row in rows.items():
                print(f"  {name:16}" + "".join(f"{row.get(kind, ''):>12}" for kind in kinds))
        print(f"\n{self.passed} passed, {len(self.failures)} failed  (. passed, X failed; plain, then streamed)",
              flush=True)


def play(pairs: Iterable[Pair], chosen: Callable[[str], bool]) -> Tally:
    """Makes every check that a pair can do."""
    tally = Tally()
    for pair in pairs:
        for name, both in IN_BOTH_WAYS.items():
            for stream in (False, True) if chosen(name) else ():
                way = ", streamed" if stream else ""
                _make(tally, pair, name, way, lambda p=pair, b=both, s=stream: b(p, stream=s))
        for name, once in ONCE.items():
            if chosen(name):
                _make(tally, pair, name, "", lambda p=pair, o=once: o(p))
    return tally


def _make(tally: Tally, pair: Pair, name: str, way: str, run: Callable[[], None]) -> None:
    pair.kind.upstream.take_complaints()
    wrong = None
    try:
        run()
    except Unlike:
        return
    except Exception as cause:  # whatever it is, the other checks still have something to tell
        wrong = f"{type(cause).__name__}: {cause}"[:600]
    if complaints := pair.kind.upstream.take_complaints():
        expected = wrong is None and name == "stop sequence" and not pair.kind.stops
        if not expected:
            wrong = f"{wrong or 'passed'}; the provider says: {'; '.join(complaints)}"[:1200]
    tally.note(pair, name, way, wrong)


def through_the_gateway(stack: ExitStack, binary: Path, chosen: Callable[[str], bool]) -> Iterator[Pair]:
    """Every client with every kind of provider, and Tollhouse in between."""
    upstreams = {provider.name: Upstream(provider.wire()) for provider in PROVIDERS}
    for upstream in upstreams.values():
        stack.callback(upstream.close)
    house = House(stack, binary)
    known = {card["name"] for card in house.api("GET", "/api/providers")["data"]}
    kinds, channels = [], []
    for provider in PROVIDERS:
        if provider.card in known and chosen(provider.name):
            kinds.append(provider.kind(upstreams[provider.name], direct=False))
            channels.append(provider.channel(upstreams[provider.name]))
        elif provider.card not in known:
            print(f"MISSING the provider {provider.card}", flush=True)
    key = house.open(channels)
    callers: list[Caller] = [OpenaiChat(house.url, key), OpenaiResponses(house.url, key), Anthropic(house.url, key),
                             Gemini(house.url, key), Azure(house.url, key)]
    for caller in callers:
        for kind in kinds if chosen(caller.name) else ():
            others = tuple(other for other in kinds if other.name != kind.name)
            yield Pair(caller, kind, others)


def without_a_gateway(stack: ExitStack, chosen: Callable[[str], bool]) -> Iterator[Pair]:
    """Each client with the providers that speak its own language."""
    signed = (bedrock_wire.ACCESS_KEY, bedrock_wire.SECRET_KEY, bedrock_wire.REGION)
    speakers: dict[str, list[Callable[[str], Caller]]] = {
        "openai": [lambda url: OpenaiChat(url, chat_wire.KEY)],
        "responses": [lambda url: OpenaiResponses(url, chat_wire.KEY)],
        "azure": [lambda url: Azure(url, chat_wire.KEY)],
        "compatible": [lambda url: OpenaiChat(url, chat_wire.KEY)],
        "deepseek": [lambda url: OpenaiChat(url, chat_wire.KEY)],
        "openrouter": [lambda url: OpenaiChat(url + "/api", chat_wire.KEY)],
        "anthropic": [lambda url: Anthropic(url, anthropic_wire.KEY)],
        "gemini": [lambda url: Gemini(url, gemini_wire.KEY)],
        "bedrock": [lambda url: Boto3(url, *signed), lambda url: AnthropicOnBedrock(url, *signed)],
    }
    for provider in PROVIDERS:
        for make in speakers.get(provider.name, []) if chosen(provider.name) else []:
            upstream = Upstream(provider.wire())
            stack.callback(upstream.close)
            yield Pair(make(upstream.url), provider.kind(upstream, direct=True), direct=True)


def main() -> int:
    """Parses the arguments and plays."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tollhouse", type=Path, help="the local server's binary")
    parser.add_argument("--direct", action="store_true", help="the clients against the played providers alone")
    parser.add_argument("--only", nargs="*", default=[], help="names of clients, providers, checks to be made alone")
    arguments = parser.parse_args()
    if not arguments.direct and arguments.tollhouse is None:
        parser.error("--tollhouse or --direct")
    only, began = set(arguments.only), time.monotonic()
    names = [set(IN_BOTH_WAYS) | set(ONCE), {provider.name for provider in PROVIDERS}]
    if unknown := only - names[0] - names[1] - {"openai chat", "openai responses", "openai azure", "google-genai"}:
        parser.error(f"unknown: {unknown}")

    def chosen(name: str) -> bool:
        """Whether the name is wanted: of its sort, if none is named then all are."""
        sort = next((sort for sort in names if name in sort), None)
        wanted = only & sort if sort else only - names[0] - names[1]
        return not wanted or name in wanted

    lonely()
    with ExitStack() as stack:
        pairs = without_a_gateway(stack, chosen) if arguments.direct else \
            through_the_gateway(stack, arguments.tollhouse, chosen)
        tally = play(pairs, chosen)
    tally.show()
    print(f"in {time.monotonic() - began:.0f} s")
    return 1 if tally.failures or not tally.passed else 0


if __name__ == "__main__":
    sys.exit(main())
