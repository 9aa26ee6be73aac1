"""Has the agents of three vendors read a file through Tollhouse, each over the provider of another.

With --direct each talks to its own vendor's played provider: that shows that these speak as the real ones do.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from house import Channel, House, lonely
from run import PROVIDERS, Provider
from upstream import Upstream
from wires.anthropic import KEY as ANTHROPIC_KEY
from wires.gemini import KEY as GEMINI_KEY
from wires.openai_chat import KEY as OPENAI_KEY

PACKAGES = Path(__file__).with_name("package.json")
INSTALL_PATIENCE_S = 600
RUN_PATIENCE_S = 120
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH",
               "ERR_SOCKET_TIMEOUT", "network")
# What npm may know of its surroundings: how to reach its registry. The agents do not get it.
SURROUNDINGS = dict(os.environ)


class Wrong(Exception):
    """An agent did not do what it should."""


@dataclass(frozen=True)
class Errand:
    """What an agent is started with."""

    url: str
    key: str
    model: str
    prompt: str
    home: Path


def claude(errand: Errand) -> tuple[list[str], dict[str, str]]:
    """Claude Code."""
    command = ["claude", "-p", errand.prompt, "--model", errand.model, "--output-format", "json",
               "--allowedTools", "Read", "--max-turns", "5"]
    return command, {
        "ANTHROPIC_BASE_URL": errand.url, "ANTHROPIC_API_KEY": errand.key,
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": errand.model,
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_TELEMETRY": "1", "DISABLE_AUTOUPDATER": "1",
        "DISABLE_ERROR_REPORTING": "1", "CLAUDE_CODE_MAX_RETRIES": "1"}


def codex(errand: Errand) -> tuple[list[str], dict[str, str]]:
    """Codex. It runs in a folder of its own, so it needs no sandbox, which not every machine can make."""
    settings = f"""
model = "{errand.model}"
model_provider = "gateway"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.gateway]
name = "gateway"
base_url = "{errand.url}/v1"
env_key = "GATEWAY_KEY"
wire_api = "responses"
request_max_retries = 1
stream_max_retries = 1
"""
    folder = errand.home / ".codex"
    folder.mkdir()
    (folder / "config.toml").write_text(settings)
    command = ["codex", "exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", errand.prompt]
    return command, {"GATEWAY_KEY": errand.key, "CODEX_HOME": str(folder)}


def gemini(errand: Errand) -> tuple[list[str], dict[str, str]]:
    """Gemini CLI."""
    folder = errand.home / ".gemini"
    folder.mkdir()
    (folder / "settings.json").write_text(json.dumps({
        "security": {"auth": {"selectedType": "gemini-api-key"}}, "telemetry": {"enabled": False},
        "privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}}))
    command = ["gemini", "-p", errand.prompt, "-m", errand.model, "--output-format", "json", "--skip-trust",
               "--approval-mode", "yolo"]
    return command, {"GEMINI_API_KEY": errand.key, "GOOGLE_GEMINI_BASE_URL": errand.url,
                     "GEMINI_CLI_TRUST_WORKSPACE": "true", "GEMINI_TELEMETRY_ENABLED": "false"}


Agent = Callable[[Errand], tuple[list[str], dict[str, str]]]
# Agent, provider behind the gateway, the name of the model that the agent is given.
THROUGH: list[tuple[Agent, str, str]] = [
    (claude, "compatible", "claude-over-compatible"),
    (claude, "openai", "claude-over-openai"),
    (claude, "gemini", "claude-over-gemini"),
    # Claude Code throws thoughts away that a model of another name has thought.
    (claude, "bedrock", "claude-sonnet-4-5-20250929"),
    (claude, "nova", "claude-over-nova"),
    (codex, "anthropic", "codex-over-anthropic"),
    (codex, "compatible", "codex-over-compatible"),
    (gemini, "compatible", "gemini-over-compatible"),
    (gemini, "anthropic", "gemini-over-anthropic"),
]
DIRECT: list[tuple[Agent, str, str]] = [
    (claude, "anthropic", ANTHROPIC_KEY), (codex, "responses", OPENAI_KEY), (gemini, "gemini", GEMINI_KEY)]


def install(cache: Path) -> Path | str:
    """The folder with the agents, installed once; or why there is none."""
    if not shutil.which("node") or not shutil.which("npm"):
        return "node and npm are not installed"
    folder = cache / f"agents-{hashlib.sha256(PACKAGES.read_bytes()).hexdigest()[:16]}"
    stamp = folder / "made"
    if not stamp.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        shutil.copy(PACKAGES, folder)
        done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error"],
                              cwd=folder, env=SURROUNDINGS, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=INSTALL_PATIENCE_S, check=False)
        if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
            return f"npm cannot be reached: {done.stderr.strip()[-200:]}"
        if done.returncode:
            raise Wrong(f"npm install: {done.stderr[-800:]}")
        stamp.touch()
    return folder / "node_modules" / ".bin"


def run(agent: Agent, binaries: Path, errand: Errand, secret: str) -> None:
    """Sends an agent on its errand; in what it prints at the end must be the secret."""
    (command, more) = agent(errand)
    environment = {"PATH": f"{binaries}:{os.environ['PATH']}", "HOME": str(errand.home), "NO_PROXY": "*",
                   "TERM": "dumb", "LANG": "C.UTF-8"} | more
    work = errand.home / "work"
    work.mkdir(exist_ok=True)
    try:
        done = subprocess.run([str(binaries / command[0]), *command[1:]], cwd=work, env=environment,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=RUN_PATIENCE_S,
                              check=False)
    except subprocess.TimeoutExpired as late:
        said = (late.stdout or b"").decode(errors="replace") if isinstance(late.stdout, bytes) else str(late.stdout)
        raise Wrong(f"it does not end: {said[-600:]}") from None
    if done.returncode:
        raise Wrong(f"it ended with {done.returncode}: {done.stdout[-600:]} {done.stderr[-600:]}")
    if secret not in done.stdout:
        raise Wrong(f"the secret is not in what it prints: {done.stdout[-600:]} {done.stderr[-600:]}")


def send(agent: Agent, binaries: Path, upstream: Upstream, at: tuple[str, str, str]) -> str | None:
    """One errand in a home of its own; gives back what went wrong."""
    upstream.requests.clear()
    upstream.take_complaints()
    wrong = None
    with tempfile.TemporaryDirectory(prefix="agent-", ignore_cleanup_errors=True) as home:
        secret = f"secret-{os.urandom(8).hex()}"
        (Path(home) / "work").mkdir()
        path = Path(home) / "work" / "notes.txt"
        path.write_text(f"The word is {secret}\n")
        url, key, model = at
        prompt = f"Please play scene:agent for me: read file:{path} and tell me the word in it."
        try:
            run(agent, binaries, Errand(url, key, model, prompt, Path(home)), secret)
        except Wrong as cause:
            wrong = str(cause)
    if complaints := upstream.take_complaints():
        wrong = f"{wrong or 'passed'}; the provider says: {'; '.join(complaints)[:1500]}"
    if wrong is None and len(upstream.requests) < 2:
        wrong = f"only {len(upstream.requests)} requests reached the provider"
    return wrong


def provider_of(name: str) -> Provider:
    """The kind of provider of that name."""
    return next(provider for provider in PROVIDERS if provider.name == name)


def direct(stack: ExitStack, binaries: Path) -> dict[str, str | None]:
    """Each agent with its own vendor's played provider."""
    results: dict[str, str | None] = {}
    for agent, name, key in DIRECT:
        provider = provider_of(name)
        upstream = Upstream(provider.wire())
        stack.callback(upstream.close)
        results[f"{agent.__name__} alone with {name}"] = tell(
            f"{agent.__name__} alone with {name}", send(agent, binaries, upstream, (upstream.url, key, provider.model)))
    return results


def through_the_gateway(stack: ExitStack, binaries: Path, tollhouse: Path) -> dict[str, str | None]:
    """Each agent with other vendors' played providers, and Tollhouse in between."""
    house = House(stack, tollhouse)
    known = {card["name"] for card in house.api("GET", "/api/providers")["data"]}
    upstreams, channels, results = {}, [], {}
    for name in {name for _, name, _ in THROUGH}:
        provider = provider_of(name)
        upstreams[name] = Upstream(provider.wire())
        stack.callback(upstreams[name].close)
        if provider.card in known:
            made = provider.channel(upstreams[name])
            models = {model: provider.model for _, other, model in THROUGH if other == name}
            channels.append(Channel(name, made.provider, made.base_url, made.credential, models, made.more))
    key = house.open(channels)
    for agent, name, model in THROUGH:
        title = f"{agent.__name__} over {name}"
        missing = provider_of(name).card not in known
        results[title] = tell(title, "there is no such provider" if missing else
                              send(agent, binaries, upstreams[name], (house.url, key, model)))
    return results


def tell(title: str, wrong: str | None) -> str | None:
    """Says what came of one errand, at once."""
    print(f"ok      {title}" if wrong is None else f"FAILED  {title}: {wrong}", flush=True)
    return wrong


def main() -> int:
    """Parses the arguments, installs the agents, and sends them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tollhouse", type=Path, help="the local server's binary")
    parser.add_argument("--direct", action="store_true", help="the agents against the played providers alone")
    parser.add_argument("--cache", type=Path, required=True, help="folder where the agents are kept")
    arguments = parser.parse_args()
    if not arguments.direct and arguments.tollhouse is None:
        parser.error("--tollhouse or --direct")
    lonely()
    binaries = install(arguments.cache)
    if isinstance(binaries, str):
        print(f"SKIPPED the agents were NOT run: {binaries}", flush=True)
        return 0
    with ExitStack() as stack:
        results = direct(stack, binaries) if arguments.direct else \
            through_the_gateway(stack, binaries, arguments.tollhouse)
    failed = sum(wrong is not None for wrong in results.values())
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
