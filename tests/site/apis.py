#!/usr/bin/env python3
"""Imitates four JSON APIs that give pictures by category, and a gallery with every kind of paging, on loopback. See README.md.

Every request is a line of the access log: {"t": seconds, "host": .., "path": .., "status": .., "early": true when it came though an answer
had said to wait}. /truth on the gallery's host tells all pictures there are, with what is to be known of each.
"""
import argparse
import email.utils
import json
import random
import struct
import sys
import threading
import time
import urllib.parse
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NEKOS, PICS_API, PICS_FILES, CATBOYS, CATBOYS_FILES, IM_API, IM_FILES, GALLERY = (f"127.0.70.{i}" for i in range(1, 9))


def png(number, side=24):
    """A picture of its own for each number."""
    chance = random.Random(number)
    colour = [chance.randrange(256) for _ in range(3)]
    rows = b"".join(b"\0" + b"".join(bytes((c + chance.randrange(40)) % 256 for c in colour) for _ in range(side)) for _ in range(side))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


class Deck:
    """Random with repeats, yet no picture stays away for ever: most draws come from a shuffled deck."""

    def __init__(self, cards, seed):
        self.cards, self.chance, self.left = list(cards), random.Random(seed), []

    def draw(self, count):
        drawn = []
        while len(drawn) < min(count, len(self.cards)):
            if self.chance.random() < 0.3:
                card = self.chance.choice(self.cards)
            else:
                if not self.left:
                    self.left = self.chance.sample(self.cards, len(self.cards))
                card = self.left.pop()
            if card not in drawn:
                drawn.append(card)
        return drawn


class Api:
    """What all have in common: pictures with what is known of them, and who came too early."""

    def __init__(self, web):
        self.web, self.requests, self.closed_until = web, 0, 0.0

    def add(self, address, **known):
        number = len(self.web.truth)
        self.web.truth[address] = {"labels": [], "artist": "", "artist_url": "", "page_url": "", "dead": False, **known}
        self.web.files[address] = png(number)
        return address

    def url(self, host, path):
        return f"http://{host}:{self.web.port}{path}"

    def early(self):
        return time.time() < self.closed_until


class NekosBest(Api):
    """results[], 1 to 20 at random; a window of requests, told by headers; 500 now and then."""
    WINDOW, REQUESTS = 1.0, 8

    def __init__(self, web):
        super().__init__(web)
        self.window_end, self.left = 0.0, 0
        self.decks, self.items = {}, {}
        for name in ("neko", "kitsune", "hug"):
            urls = []
            for i in range(1, 31):
                url = self.url(NEKOS, f"/api/v2/{name}/{i:04}.png")
                item = {"url": url, "dimensions": {"width": 24, "height": 24}}
                known = {"labels": [name]}
                if name == "hug":
                    item["anime_name"] = f"Anime {i}"
                else:
                    known |= {"artist": f"Artist {i}", "artist_url": f"https://artists.example/{i}", "page_url": f"https://works.example/{name}/{i}"}
                    item |= {"artist_name": known["artist"], "artist_href": known["artist_url"], "source_url": known["page_url"]}
                self.add(url, **known)
                self.items[url] = item
                urls.append(url)
            self.decks[name] = Deck(urls, name)

    def answer(self, method, path, query, headers, body):
        now = time.time()
        if now >= self.window_end:
            self.window_end, self.left = now + self.WINDOW, self.REQUESTS
        early = self.left == 0
        self.left = max(0, self.left - 1)
        told = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(self.window_end)) + f".{int(self.window_end % 1 * 1000):03}Z"
        quota = {"x-rate-limit-limit": "1s", "x-rate-limit-remaining": str(self.left), "x-rate-limit-reset": told}
        name = path.rpartition("/")[2]
        if early:
            return 429, {"code": 429, "message": "slow down"}, quota, True
        self.requests += 1
        if self.requests % 7 == 0:
            return 500, {"code": 500, "message": "oops"}, quota, False
        if name not in self.decks:
            return 404, {"code": 404, "message": "unknown category"}, quota, False
        amount = max(1, min(20, int(query.get("amount", ["1"])[0])))
        return 200, {"results": [self.items[url] for url in self.decks[name].draw(amount)]}, quota, False


class WaifuPics(Api):
    """POST; files[] are bare addresses that are not in `exclude`; 429 with Retry-After in both its forms; broken addresses."""

    def __init__(self, web):
        super().__init__(web)
        self.decks = {name: Deck([self.add(self.url(PICS_FILES, f"/{name}-{i}.png"), labels=[name]) for i in range(70)], name)
                      for name in ("waifu", "smug", "pat")}

    def answer(self, method, path, query, headers, body):
        if method != "POST":
            return 405, {"message": "Method Not Allowed"}, {}, False
        early = self.early()
        self.requests += 1
        if early or self.requests % 5 == 0:
            self.closed_until = time.time() + 1
            as_date = self.requests % 10 == 0
            if as_date:  # whole seconds only
                self.closed_until = float(int(self.closed_until) + 1)
            wait = email.utils.formatdate(self.closed_until, usegmt=True) if as_date else "1"
            return 429, {"message": "Too Many Requests"}, {"Retry-After": wait}, early
        try:
            exclude = json.loads(body)["exclude"]
            assert isinstance(exclude, list)
        except Exception:
            return 400, {"message": "Bad Request"}, {}, False
        deck = self.decks.get(path.rpartition("/")[2])
        if deck is None or not path.startswith("/many/sfw/"):
            return 404, {"message": "Not Found"}, {}, False
        left = [url for url in deck.cards if url not in set(exclude)]
        files = deck.chance.sample(left, min(30, len(left)))
        return 200, {"files": files + ["", "http://[broken"][:len(files)]}, {}, False


class Catboys(Api):
    """The answer itself is the item; one a call; an HTML page in its place now and then."""

    def __init__(self, web):
        super().__init__(web)
        self.decks = {}
        for path, label, count in (("img", "catboy", 14), ("baka", "baka", 5)):
            cards = []
            for i in range(count):
                known = {"labels": [label], "artist": f"Maker {i}" if i % 3 else "unknown",
                         "artist_url": f"https://makers.example/{i}" if i % 3 else "", "page_url": f"https://catboys.example/{i}"}
                self.add(self.url(CATBOYS_FILES, f"/images/{path}_{i}.png"), **known)
                cards.append((self.url(CATBOYS_FILES, f"/images/{path}_{i}.png"), known))
            self.decks[path] = Deck(cards, path)

    def answer(self, method, path, query, headers, body):
        self.requests += 1
        if self.requests % 9 == 0:
            return 200, "<html><body>We are having a nap</body></html>", {}, False
        deck = self.decks.get(path[1:])
        if deck is None:
            return 404, {"error": "Not found"}, {}, False
        (url, known), = deck.draw(1)
        return 200, {"url": url, "artist": known["artist"], "artist_url": known["artist_url"] or "none", "source_url": known["page_url"],
                     "error": "none"}, {}, False


class WaifuIm(Api):
    """images[] with tags and maybe an artist; a version in a header; an item without an address in each answer."""
    TAGS = ("waifu", "maid", "uniform")

    def __init__(self, web):
        super().__init__(web)
        self.items, self.decks = {}, {}
        for i in range(60):
            labels = [tag for n, tag in enumerate(self.TAGS) if i % (n + 2) == 0] or ["waifu"]
            known = {"labels": labels, "artist": f"Painter {i}" if i % 4 else "", "artist_url": f"https://pixiv.example/{i}" if i % 4 else "",
                     "page_url": f"https://www.pixiv.example/artworks/{i}"}
            url = self.add(self.url(IM_FILES, f"/{i}.png"), **known)
            artist = {"artist_id": i, "name": known["artist"], "pixiv": known["artist_url"], "twitter": None} if i % 4 else None
            self.items[url] = {"image_id": i, "url": url, "source": known["page_url"], "artist": artist, "is_nsfw": False,
                               "tags": [{"tag_id": n, "name": tag} for n, tag in enumerate(labels)]}
        for tag in self.TAGS:
            self.decks[tag] = Deck([url for url, item in self.items.items() if tag in [t["name"] for t in item["tags"]]], tag)

    def answer(self, method, path, query, headers, body):
        early = self.early()
        self.requests += 1
        if headers.get("accept-version") != "v5":
            return 400, {"detail": "Accept-Version is missing"}, {}, False
        deck = self.decks.get(query.get("included_tags", [""])[0])
        if deck is None:
            return 404, {"detail": "No image found matching the criteria given"}, {}, False
        quota = {"X-RateLimit-Remaining": "5"}
        if self.requests % 6 == 0:
            self.closed_until = time.time() + 0.7
            quota = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(self.closed_until * 1000) + 1)}
        limit = max(1, min(30, int(query.get("limit", ["1"])[0])))
        return 200, {"images": [self.items[url] for url in deck.draw(limit)] + [{"image_id": 0, "tags": []}]}, quota, early


class Gallery(Api):
    """The same pictures by page, by offset, by cursor and by the next address; some of them are dead, moved, or pages."""

    def __init__(self, web):
        super().__init__(web)
        self.works = []
        for i in range(25):
            url = self.url(GALLERY, f"/file/{i}.png")
            self.add(url, labels=["gallery"], artist=f"Hand {i}", dead=i in (3, 4))
            self.works.append({"file": {"url": f"/file/{i}.png"}, "by": f"Hand {i}"})
        self.web.files[self.url(GALLERY, "/file/3.png")] = None
        self.web.files[self.url(GALLERY, "/file/4.png")] = "<html><body><img src='/file/0.png'><a href='/more'>a page</a></body></html>"
        moved = self.url(GALLERY, "/file/5.png")
        self.web.files[self.url(GALLERY, "/moved/5.png")] = self.web.files[moved]
        self.web.files[moved] = ("moved", self.url(GALLERY, "/moved/5.png"))

    def answer(self, method, path, query, headers, body):
        def number(name, preset):
            return int(query.get(name, [preset])[0] or preset)
        kind = path.rpartition("/")[2]
        if kind == "truth":
            return 200, self.web.truth, {}, False
        if kind == "page":
            begin = (number("page", 1) - 1) * 10
            return 200, {"data": {"works": self.works[begin:begin + 10]}}, {}, False
        begin = number({"offset": "skip", "cursor": "after", "link": "from"}.get(kind, ""), 0)
        answer = {"data": {"works": self.works[begin:begin + 7]}}
        more = begin + 7 < len(self.works)
        if kind == "cursor":
            answer["next"] = begin + 7 if more else None
        if kind == "link":
            answer["next"] = f"/works/link?from={begin + 7}" if more else None
        return 200, answer, {}, False


class Web:
    def __init__(self, port, log_path):
        self.port, self.truth, self.files, self.lock = port, {}, {}, threading.Lock()
        self.log_file = open(log_path, "a", buffering=1) if log_path else None
        self.apis = {NEKOS: NekosBest(self), PICS_API: WaifuPics(self), CATBOYS: Catboys(self), IM_API: WaifuIm(self), GALLERY: Gallery(self)}

    def answer(self, method, host, target, headers, body):
        """(status, body, type, headers), noted in the log."""
        parts = urllib.parse.urlsplit(target)
        with self.lock:
            address = f"http://{host}:{self.port}{parts.path}"
            early = False
            if address in self.files:
                answer = self.file(self.files[address])
            elif host in self.apis and not parts.path.startswith(("/robots.txt", "/.well-known")):
                status, said, extra, early = self.apis[host].answer(method, parts.path, urllib.parse.parse_qs(parts.query), headers, body)
                text, kind = (said, "text/html") if isinstance(said, str) else (json.dumps(said), "application/json")
                answer = status, text.encode(), kind, extra
            else:
                answer = 404, b"nothing here", "text/plain", {}
            if self.log_file:
                self.log_file.write(json.dumps({"t": time.time(), "host": host, "path": target, "status": answer[0], "early": early}) + "\n")
        return answer

    @staticmethod
    def file(held):
        if held is None:
            return 404, b"gone", "text/plain", {}
        if isinstance(held, tuple):
            return 302, b"", "text/plain", {"Location": held[1]}
        return (200, held.encode(), "text/html", {}) if isinstance(held, str) else (200, held, "image/png", {})


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    web = None

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, text, kind, extra = self.web.answer(self.command, headers.get("host", "").partition(":")[0], self.path, headers, body)
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(text)), **extra}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = serve

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, *_):
        pass  # a killed client


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=8092)
    parser.add_argument("--log", help="append an access log (JSON Lines) to this file")
    options = parser.parse_args()
    Handler.web = Web(options.port, options.log)
    servers = [Server((host, options.port), Handler)
               for host in (NEKOS, PICS_API, PICS_FILES, CATBOYS, CATBOYS_FILES, IM_API, IM_FILES, GALLERY)]
    for server in servers[1:]:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    print("apis: ready", file=sys.stderr, flush=True)
    servers[0].serve_forever()


if __name__ == "__main__":
    main()
