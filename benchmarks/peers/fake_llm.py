"""A loopback server that speaks Anthropic's wire format. Standard library only, no state but counters.

The path chooses the behaviour, so one server serves every scenario:

    http://127.0.0.1:PORT/<mode>/<ttft_ms>/<chunks>/<gap_ms>/v1/messages

Modes: ok, e500, e529, e429, e401, hang (accepts and never answers), reset (closes the socket), cut (streams half of the
chunks, then closes), junk (200 with the body {}). GET /_stats gives the requests by path, POST /_reset clears them.

Run as `python -m benchmarks.peers.fake_llm`: prints its port on the first line.
"""

import asyncio
import json
import socket

ERRORS = {
    "e500": (500, "Internal Server Error", "api_error"),
    "e529": (529, "Overloaded", "overloaded_error"),
    "e429": (429, "Too Many Requests", "rate_limit_error"),
    "e401": (401, "Unauthorized", "authentication_error"),
}
WORDS = ["the", "quick", "brown", "fox", "jumps", "over", "the", "lazy", "dog", "while", "the", "band", "plays", "on"]
STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)

requests_by_path: dict[str, int] = {}


def plain(status: int, reason: str, body: object) -> bytes:
    payload = json.dumps(body).encode()
    head = f"HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {len(payload)}\r\n\r\n"
    return head.encode() + payload


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


def chunk(payload: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(payload), payload)


def opening(model: str) -> bytes:
    message: dict[str, object] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 10, "output_tokens": 1},
    }
    start = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
    return event("message_start", message=message) + start


def delta(number: int) -> bytes:
    word = ("" if number == 0 else " ") + WORDS[number % len(WORDS)]
    return event("content_block_delta", index=0, delta={"type": "text_delta", "text": word})


def ending(chunks: int) -> bytes:
    stop = {"stop_reason": "end_turn", "stop_sequence": None}
    return (
        event("content_block_stop", index=0)
        + event("message_delta", delta=stop, usage={"output_tokens": chunks})
        + event("message_stop")
    )


async def answer(writer: asyncio.StreamWriter, path: str, body: dict[str, object]) -> bool:
    """Answer one request; False when the connection is to be closed."""
    mode, ttft_ms, chunks, gap_ms = path.strip("/").split("/")[:4]
    if mode == "hang":
        await asyncio.sleep(3600)
    if mode == "reset":
        return False
    if mode == "junk":
        writer.write(plain(200, "OK", {}))
        return True
    if mode in ERRORS:
        status, reason, kind = ERRORS[mode]
        writer.write(plain(status, reason, {"type": "error", "error": {"type": kind, "message": reason}}))
        return True
    await asyncio.sleep(float(ttft_ms) / 1000)
    writer.write(STREAM_HEAD)
    writer.write(chunk(opening(str(body.get("model", "fake")))))
    for number in range(int(chunks) // 2 if mode == "cut" else int(chunks)):
        if number and float(gap_ms):
            await asyncio.sleep(float(gap_ms) / 1000)
        writer.write(chunk(delta(number)))
    if mode == "cut":
        await writer.drain()
        return False
    writer.write(chunk(ending(int(chunks))) + b"0\r\n\r\n")
    return True


async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    try:
        while True:
            path, body = await read_request(reader)
            if path == "/_stats":
                writer.write(plain(200, "OK", requests_by_path))
            elif path == "/_reset":
                requests_by_path.clear()
                writer.write(plain(200, "OK", {}))
            else:
                requests_by_path[path] = requests_by_path.get(path, 0) + 1
                if not await answer(writer, path, json.loads(body)):
                    return
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin1")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return first.split(" ")[1].partition("?")[0], body


async def main() -> None:
    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**22, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
