#!/usr/bin/env python3
"""Serves the example shop on loopback: HTTP/1.1, keep-alive, pipelining, ETag, Last-Modified and 304. See README.md.

Every request is a line of the access log: {"t": seconds, "host": .., "path": .., "status": .., "agent": ..}, which tests count.
"""
import argparse
import asyncio
import hashlib
import json
import signal
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from http import HTTPStatus
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import pictures as picture_module  # noqa: E402
import shop as shop_module  # noqa: E402
import stamps as stamp_module  # noqa: E402

LAST_MODIFIED = "Thu, 01 Jan 2026 00:00:00 GMT"


class Connection(asyncio.Protocol):
    def __init__(self, server):
        self.server, self.buffer, self.transport = server, b"", None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head, self.buffer = self.buffer[:end], self.buffer[end + 4:]
            if self.server.latency:
                asyncio.get_running_loop().call_later(self.server.latency, self.respond, head)
            else:
                self.respond(head)

    def respond(self, head):
        if self.transport.is_closing():
            return
        lines = head.decode("latin-1").split("\r\n")
        method, _, rest = lines[0].partition(" ")
        path = rest.rpartition(" ")[0]
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
        host = headers.get("host", "").partition(":")[0]
        answer = self.server.site.answer(host, path)
        status, body = answer.status, answer.body
        tag = f'"{self.server.tag(answer)}"'
        if status == 200 and headers.get("if-none-match") == tag:
            status, body = 304, b""
        out = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", f"Content-Length: {len(body)}", f"Content-Type: {answer.type}"]
        if answer.status == 200:
            out += [f"ETag: {tag}", f"Last-Modified: {LAST_MODIFIED}"]
        out += [f"{k}: {v}" for k, v in answer.headers.items()]
        self.server.log(host, path, status, headers.get("user-agent", ""))
        self.transport.write("\r\n".join(out).encode("latin-1") + b"\r\n\r\n" + (b"" if method == "HEAD" else body))


class Server:
    def __init__(self, site, latency, log_path):
        self.site, self.latency = site, latency
        self.file = open(log_path, "a", buffering=1) if log_path else None
        self.tags = {}

    def tag(self, answer):
        key = id(answer)  # answers are kept for ever by the site, so the id stays theirs
        if key not in self.tags:
            self.tags[key] = hashlib.sha1(answer.body).hexdigest()[:20]
        return self.tags[key]

    def log(self, host, path, status, agent):
        if self.file:
            self.file.write(json.dumps({"t": round(time.time(), 4), "host": host, "path": path, "status": status, "agent": agent}) + "\n")


def make_pictures(cache, numbers):
    """One share of all pictures; runs in a process of its own."""
    pictures = picture_module.Pictures(cache)
    site = shop_module.Site(stamp_module.load(), pictures, 0)
    for shop in site.shops.values():
        for product in shop.products:
            if product.stamp.number in numbers:
                for side in (120, 300, 600):
                    shop.picture(product.image(side))


def warm_up(cache, stamps):
    done = Path(cache) / "complete"
    if done.exists():
        return
    print(f"example shop: making {3 * len(stamps)} pictures, once", file=sys.stderr)
    with ProcessPoolExecutor() as pool:
        list(pool.map(make_pictures, [cache] * 8, [{s.number for s in stamps[i::8]} for i in range(8)]))
    done.touch()


async def run(options):
    stamps = stamp_module.load()
    warm_up(options.cache, stamps)
    if options.prepare:
        return
    site = shop_module.Site(stamps, picture_module.Pictures(options.cache), options.port)
    server = Server(site, options.latency / 1000, options.log)
    loop = asyncio.get_running_loop()
    for address in (*(shop.address for shop in shop_module.SHOPS), shop_module.APP):
        await loop.create_server(lambda: Connection(server), address, options.port, backlog=512)
    addresses = " ".join(f"http://{s.address}:{options.port}/" for s in shop_module.SHOPS)
    print(f"example shop: ready at {addresses}", file=sys.stderr, flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    await stop.wait()


def main():
    default_cache = Path(__file__).resolve().parents[2] / "build" / "site"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8090)
    parser.add_argument("--cache", default=str(default_cache), help="folder for the pictures")
    parser.add_argument("--log", help="append an access log (JSON Lines) to this file")
    parser.add_argument("--latency", type=float, default=0, help="milliseconds before each answer")
    parser.add_argument("--prepare", action="store_true", help="make the pictures and stop")
    asyncio.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
