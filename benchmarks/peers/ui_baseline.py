"""The peer of `benchmarks.page`: Streamlit's own tutorial chat with 200 old messages, and how it is measured.

The same measure is used for Maya: from opening the page until the messages are there, from Enter until the answer is
complete, and the server's CPU seconds for both.
"""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil
from playwright.sync_api import Browser

CHROMIUM = os.environ.get("MAYA_TEST_CHROMIUM", "/usr/bin/chromium")
HISTORY = 200
TURNS = 5
SENTENCE = "Message {}: some **markdown** text with `code` and a few more words to wrap the line."

TUTORIAL = f'''
import streamlit as st
st.title("Chat")
if "messages" not in st.session_state:
    st.session_state.messages = [{{"role": "user" if i % 2 == 0 else "assistant",
        "content": "{SENTENCE}".format(i)}} for i in range({HISTORY})]
for m in st.session_state.messages:
    with st.chat_message(m["role"]):
        st.markdown(m["content"])
if prompt := st.chat_input("Say something"):
    st.session_state.messages.append({{"role": "user", "content": prompt}})
    with st.chat_message("user"):
        st.markdown(prompt)
    with st.chat_message("assistant"):
        answer = st.write_stream(w + " " for w in ("echo " + prompt + " done").split())
    st.session_state.messages.append({{"role": "assistant", "content": answer}})
'''


@dataclass(slots=True, kw_only=True)
class Subject:
    """A chat to measure: how it is started and what stands on its page."""

    command: list[str]
    cwd: Path
    env: dict[str, str]
    health: str
    path: str
    message: str
    shown: int
    box: str = '[data-testid="stChatInputTextArea"]'
    port: int = 0
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        self.port = free_port()
        command = [part.replace("PORT", str(self.port)) for part in self.command]
        self.process = subprocess.Popen(
            command, cwd=self.cwd, env={**os.environ, **self.env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        give_up = time.monotonic() + 60
        while time.monotonic() < give_up:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{self.health}", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except OSError:
                time.sleep(0.05)
        raise SystemExit("the chat to measure did not start")

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One fresh page: seconds to open, seconds of each turn, CPU seconds of the server for all of it."""

    open_s: float
    turns_s: tuple[float, ...]
    cpu_s: float


def tutorial(folder: Path) -> Subject:
    """Streamlit's tutorial chat, as its documentation gives it."""
    script = folder / "tutorial.py"
    script.write_text(TUTORIAL, "utf-8")
    return Subject(
        command=[sys.executable, "-m", "streamlit", "run", str(script), "--server.port", "PORT", *_QUIET],
        cwd=folder,
        env={},
        health="/_stcore/health",
        path="/",
        message='[data-testid="stChatMessage"]',
        shown=HISTORY,
    )


_QUIET = (
    "--server.address=127.0.0.1",
    "--server.headless=true",
    "--server.fileWatcherType=none",
    "--browser.gatherUsageStats=false",
)


def visit(browser: Browser, subject: Subject, *, tag: str) -> Visit:
    """Open the page in a fresh context, take the turns, close it."""
    context = browser.new_context()
    page = context.new_page()
    cpu = tree_cpu(subject.process.pid)
    began = time.perf_counter()
    page.goto(f"http://127.0.0.1:{subject.port}{subject.path}")
    page.wait_for_function(
        "([s, n]) => document.querySelectorAll(s).length >= n", arg=[subject.message, subject.shown], timeout=120_000
    )
    opened = time.perf_counter() - began
    page.wait_for_selector(subject.box, timeout=30_000)
    turns = []
    for number in range(TURNS):
        said = f"ping {tag} {number}"
        page.fill(subject.box, said)
        sent = time.perf_counter()
        page.keyboard.press("Enter")
        page.wait_for_function(
            "said => document.body.innerText.includes(`echo ${said} done`)", arg=said, timeout=60_000
        )
        turns.append(time.perf_counter() - sent)
    used = tree_cpu(subject.process.pid) - cpu
    context.close()
    return Visit(open_s=opened, turns_s=tuple(turns), cpu_s=used)


def tree_cpu(pid: int) -> float:
    """CPU seconds of a process and its children so far."""
    process = psutil.Process(pid)
    return float(sum(sum(p.cpu_times()[:2]) for p in [process, *process.children(recursive=True)]))


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
