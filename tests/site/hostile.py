#!/usr/bin/env python3
"""A web on loopback that does everything wrong, one theme a host. See README.md.

Each theme has an address of its own (127.0.64.1 and up). Its "/" links to all its routes. Every request is a line of the access log:
{"t": seconds, "host": theme, "path": .., "agent": .., "cookie": .., "authorization": .., "parallel": requests of this host under way}.
"""
import argparse
import asyncio
import collections
import gzip
import html
import json
import os
import signal
import socket
import ssl
import struct
import sys
import time
import zlib
from dataclasses import dataclass, field
from email.utils import formatdate
from urllib.parse import parse_qs, urlsplit

PORT = int(os.environ.get("HOSTILE_PORT", "8091"))  # the test that imports this module chooses it
LINKS_ON_ONE_PAGE = 100_000


@dataclass
class Answer:
    status: int = 200
    body: bytes = b""
    type: str = "text/html"
    headers: tuple = ()

    def head(self, length=None):
        lines = [f"HTTP/1.1 {self.status} X"]
        if self.type:
            lines.append(f"Content-Type: {self.type}")
        if self.status >= 200 and self.status not in (204, 304):
            lines.append(f"Content-Length: {len(self.body) if length is None else length}")
        lines += [f"{name}: {value}" for name, value in self.headers]
        return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n"


@dataclass
class Request:
    path: str  # with the query, as it was asked
    headers: dict
    nth: int  # how often this path was asked before

    @property
    def query(self):
        return {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}

    @property
    def plain(self):
        return urlsplit(self.path).path


@dataclass
class Site:
    """One theme: what robots.txt says (None: 404), and who answers which path."""
    name: str
    address: str = ""
    robots: object = None
    routes: dict = field(default_factory=dict)
    unlisted: set = field(default_factory=set)
    fallback: object = None
    extra: str = ""  # markup of "/" besides its links

    def url(self, path="/"):
        return f"http://{self.address}:{PORT}{path}"


SITES = {}


def site(name, **options):
    SITES[name] = Site(name, address=f"127.0.64.{len(SITES) + 1}", **options)
    return SITES[name]


def route(name, path, listed=True):
    def register(handler):
        SITES[name].routes[path] = handler
        if not listed:
            SITES[name].unlisted.add(path)
        return handler
    return register


def say(name, path, answer, listed=True):
    """A route that always answers the same."""
    route(name, path, listed)(lambda request: answer)


def markup(title, links=(), images=(), head="", body=""):
    parts = [f"<!doctype html><html><head><meta charset=utf-8><title>{html.escape(title)}</title>{head}</head><body><h1>{html.escape(title)}</h1>"]
    parts += [f'<a href="{html.escape(link)}">{html.escape(link)}</a>\n' for link in links]
    parts += [f'<img src="{html.escape(image)}" alt="{html.escape(title)} picture">\n' for image in images]
    return ("".join(parts) + body + "</body></html>").encode("utf-8")


def page(title, links=(), images=(), head="", body="", headers=()):
    return Answer(body=markup(title, links, images, head, body), headers=tuple(headers))


def redirect(to, status=302):
    return Answer(status=status, type="", headers=(("Location", to),))


def text(words, kind="text/plain"):
    return Answer(body=words.encode("utf-8") if isinstance(words, str) else words, type=kind)


# ---- pictures, without any library -----------------------------------------------------------------------------------

def png(width, height, seed=1):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((x * seed * 7 + y * 13 * (c + seed)) % 256 for x in range(width) for c in range(3)) for y in range(height))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def png_bomb(width, height):
    """A few hundred bytes that claim to be gigabytes of pixels."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b""))


def picture(seed, width=200, height=160):
    return Answer(body=png(width, height, seed), type="image/png")


def gzip_bomb(size):
    packer = zlib.compressobj(1, zlib.DEFLATED, 31)
    block = bytes(1 << 20)
    return b"".join(packer.compress(block) for _ in range(size >> 20)) + packer.flush()


GZIP_BOMB = gzip_bomb(96 << 20)


# ---- robots.txt in all its oddities: a host each, "/" is allowed unless nothing is, "/no" is forbidden ----------------

def robots_site(name, answer, links=("/yes", "/no")):
    made = site("robots-" + name)
    made.robots = answer
    for link in links:
        say(made.name, link, page(f"{name} {link}"))
    return made


DISALLOW_NO = "User-agent: *\nDisallow: /no\n"

robots_site("404", Answer(404))
robots_site("403", Answer(403, b"User-agent: *\nDisallow: /", "text/plain"))
robots_site("401", Answer(401))
robots_site("410", Answer(410))
robots_site("204", Answer(204, type=""))
robots_site("500", Answer(500))
robots_site("503", Answer(503))
robots_site("500-then-200", lambda request: Answer(500) if request.nth == 0 else text(DISALLOW_NO))
robots_site("bom", text(b"\xef\xbb\xbf" + DISALLOW_NO.encode()))
robots_site("cr-lines", text(DISALLOW_NO.replace("\n", "\r")))
robots_site("gzip", Answer(body=gzip.compress(DISALLOW_NO.encode()), type="text/plain", headers=(("Content-Encoding", "gzip"),)))
robots_site("wrong-type", text(DISALLOW_NO, "image/png"))
robots_site("html", page("Not found", ["/no"]))
robots_site("nul", text(DISALLOW_NO.encode() + b"\0\0\0\nDisallow: /nul\n"), ("/yes", "/no", "/nul"))
robots_site("513kb", text(DISALLOW_NO + "# padding padding\n" * 30_000 + "Disallow: /late\n"), ("/yes", "/no", "/late"))
robots_site("endless", None)
robots_site("redirect-1", redirect("/moved/robots.txt", 301))
robots_site("redirect-5", redirect("/hop?n=1"))
robots_site("redirect-6", redirect("/hop?n=1"))
robots_site("redirect-loop", redirect("/robots.txt"))
robots_site("redirect-host", None)
robots_site("redirect-outside", redirect("http://127.0.99.99:1/robots.txt"))
robots_site("merge", text("User-agent: magpie-test\nDisallow: /no\n\nUser-agent: other\nDisallow: /\n\nUser-agent: MAGPIE-TEST\nDisallow: /also\n\n"
                          "User-agent: *\nDisallow: /yes\n"), ("/yes", "/no", "/also"))
robots_site("other-agent", text("User-agent: magpie\nDisallow: /\n\nUser-agent: *\nDisallow: /no\n"))
robots_site("patterns", text("User-agent: *\nDisallow: /*.php$\nDisallow: /a%3cd\nDisallow: /caf\u00e9\nDisallow: /p/\nAllow: /p/free\nDisallow: /q?x=\n"),
            ("/yes", "/no.php", "/no.php?x", "/a%3Cd.html", "/caf%C3%A9/x", "/p/paid", "/p/free", "/q?x=1", "/q?y=1"))
robots_site("reset", None)
robots_site("silent", None)
robots_site("trickle", None)
robots_site("too-long-line", text("User-agent: *\nDisallow: /" + "x" * 100_000 + "\nDisallow: /no\n"))

SITES["robots-redirect-1"].routes["/moved/robots.txt"] = lambda request: text(DISALLOW_NO)
SITES["robots-redirect-1"].unlisted.add("/moved/robots.txt")


def robots_hops(name, last):
    @route(name, "/hop", listed=False)
    def hop(request):
        n = int(request.query["n"])
        return text(DISALLOW_NO) if n == last else redirect(f"/hop?n={n + 1}")


robots_hops("robots-redirect-5", 5)
robots_hops("robots-redirect-6", 6)


# ---- meta robots, X-Robots-Tag, rel, rights -----------------------------------------------------------------------------

site("meta")


def robots_meta(path, tag="", headers=(), target=None, **more):
    """A page of that rule which links to a page that only it links to, and shows a picture that only it shows."""
    name = path.strip("/")
    say("meta", path, page(name, [f"/from-{name}"], [f"/picture-{name}.png"], head=tag, headers=headers))
    say("meta", f"/from-{name}", page(f"from {name}"), listed=False)
    say("meta", f"/picture-{name}.png", picture(sum(map(ord, name)) % 97 + 3), listed=False)


robots_meta("/plain")
robots_meta("/noindex", '<meta name="robots" content="noindex">')
robots_meta("/nofollow", '<META NAME="ROBOTS" CONTENT="NoFollow">')
robots_meta("/none", '<meta name=robots content=" none ">')
robots_meta("/noimageindex", '<meta name=robots content="max-snippet:20, noimageindex">')
robots_meta("/own-agent", '<meta name="magpie-test" content="noindex,nofollow">')
robots_meta("/other-agent", '<meta name="googlebot" content="noindex,nofollow">')
robots_meta("/header-noindex", headers=[("X-Robots-Tag", "noindex")])
robots_meta("/header-nofollow", headers=[("x-robots-tag", "unavailable_after: 25 Jun 2010 15:00:00 PST, NOFOLLOW")])
robots_meta("/header-two", headers=[("X-Robots-Tag", "noarchive"), ("X-Robots-Tag", "none")])
robots_meta("/header-own-agent", headers=[("X-Robots-Tag", "magpie-test: noindex, nofollow")])
robots_meta("/header-other-agent", headers=[("X-Robots-Tag", "otherbot: noindex, nofollow")])
robots_meta("/noai", '<meta name="robots" content="noai, noimageai">')
robots_meta("/tdm-meta", '<meta name="tdm-reservation" content="1">')
robots_meta("/tdm-header", headers=[("tdm-reservation", "1")])
say("meta", "/rel", page("rel", body='<a rel="nofollow" href="/rel-nofollow">n</a><a rel="external NOFOLLOW ugc" href="/rel-nofollow-2">n</a>'
                                     '<a rel="nofollower" href="/rel-follow">y</a><a rel="nofollow" href="/rel-both">n</a><a href="/rel-both">y</a>'))
for _path in ("/rel-nofollow", "/rel-nofollow-2", "/rel-follow", "/rel-both"):
    say("meta", _path, page(_path), listed=False)
say("meta", "/picture-headers", page("picture headers", images=["/header-noindex.png", "/header-fine.png"]))
say("meta", "/header-noindex.png", Answer(body=png(210, 150, 41), type="image/png", headers=(("X-Robots-Tag", "noindex"),)), listed=False)
say("meta", "/header-fine.png", Answer(body=png(150, 210, 43), type="image/png"), listed=False)


# ---- 429, 503 and hosts that are gone -----------------------------------------------------------------------------------

def throttle(name, status, headers):
    """The second page is refused once."""
    site(name)
    for i in range(1, 5):
        say(name, f"/{i}", page(f"{name} {i}"))
    SITES[name].routes["/2"] = lambda request: Answer(status, headers=tuple(headers())) if request.nth == 0 else page(f"{name} 2")


throttle("retry-seconds", 429, lambda: [("Retry-After", "2")])
throttle("retry-date", 503, lambda: [("Retry-After", formatdate(time.time() + 3, usegmt=True))])
throttle("retry-none", 503, lambda: [])
throttle("retry-junk", 429, lambda: [("Retry-After", "soon")])
throttle("retry-past", 503, lambda: [("Retry-After", "Mon, 01 Jan 2001 00:00:00 GMT")])

site("retry-year", fallback=lambda request: Answer(503, headers=(("Retry-After", "31536000"),)))
site("always-503", fallback=lambda request: Answer(503))
site("always-429", fallback=lambda request: Answer(429, headers=(("Retry-After", "1"),)))
for _name in ("retry-year", "always-503", "always-429"):
    SITES[_name].routes = {f"/{i}": SITES[_name].fallback for i in range(20)}
# The one page that is down does not take its host along.
site("one-503")
for _i in range(10):
    say("one-503", f"/{_i}", page(f"one {_i}"))
say("one-503", "/3", Answer(503))
site("flaky-500")
route("flaky-500", "/once")(lambda request: Answer(500) if request.nth == 0 else page("came after all"))
say("flaky-500", "/always", Answer(502))
say("flaky-500", "/501", Answer(501))
say("flaky-500", "/404", Answer(404))
say("flaky-500", "/410", Answer(410))
say("flaky-500", "/418", Answer(418))


# ---- redirects --------------------------------------------------------------------------------------------------------------

site("redirects", robots=text("User-agent: *\nDisallow: /forbidden\n"))
for _status in (301, 302, 303, 307, 308):
    say("redirects", f"/{_status}", redirect(f"/target-{_status}", _status))
    say("redirects", f"/target-{_status}", page(f"target {_status}"), listed=False)
say("redirects", "/300", Answer(300))
say("redirects", "/no-location", Answer(302))
say("redirects", "/empty-location", redirect(""))
say("redirects", "/self", redirect("/self"))
say("redirects", "/fragment-self", redirect("/fragment-self#x"))
say("redirects", "/loop-a", redirect("/loop-b"))
say("redirects", "/loop-b", redirect("/loop-a"), listed=False)
route("redirects", "/growing")(lambda request: redirect(f"/growing?n={int(request.query.get('n', 0)) + 1}"))
route("redirects", "/chain")(lambda request: redirect(f"/chain-{8}"))
for _i in range(1, 9):
    say("redirects", f"/chain-{_i}", redirect(f"/chain-{_i - 1}"), listed=False)
say("redirects", "/chain-0", page("end of the chain"), listed=False)
say("redirects", "/to-forbidden", redirect("/forbidden/x"))
say("redirects", "/to-private", redirect("http://10.1.2.3/"))
say("redirects", "/to-metadata", redirect("http://169.254.169.254/latest/meta-data/"))
say("redirects", "/to-file", redirect("file:///etc/passwd"))
say("redirects", "/to-javascript", redirect("javascript:alert(1)"))
say("redirects", "/to-ftp", redirect("ftp://127.0.0.1/x"))
say("redirects", "/to-data", redirect("data:text/html,hello"))
say("redirects", "/relative", redirect("below/target?x=1"))
say("redirects", "/below/target", page("relative target"), listed=False)
say("redirects", "/spaces", redirect(" /with space/target "))
say("redirects", "/with%20space/target", page("target with a space"), listed=False)
say("redirects", "/unicode", redirect("/caf\u00e9"))
say("redirects", "/caf%C3%A9", page("unicode target"), listed=False)
say("redirects", "/two-locations", Answer(302, type="", headers=(("Location", "/first-location"), ("Location", "/second-location"))))
say("redirects", "/first-location", page("first"), listed=False)
say("redirects", "/second-location", page("second"), listed=False)
say("redirects", "/meta-refresh", page("refresh", head='<meta http-equiv="refresh" content="0; url=/refresh-target">'))
say("redirects", "/refresh-target", page("refresh target"), listed=False)
say("redirects", "/refresh-self", page("refresh self", head='<meta http-equiv="refresh" content="0">'))
say("redirects", "/with-body", Answer(302, b"x" * 5_000_000, headers=(("Location", "/target-302"),)))
say("redirects", "/picture-page", page("moved picture", images=["/moved.png"]))
say("redirects", "/moved.png", redirect("/stays.png"), listed=False)
say("redirects", "/stays.png", picture(61), listed=False)
site("redirects-2")
say("redirects-2", "/back", page("over another host"))
say("redirects", "/canonical-a", page("canonical a", head='<link rel=canonical href="/canonical-b">'))
say("redirects", "/canonical-b", page("canonical b", head='<link rel=canonical href="/canonical-a">'), listed=False)


# ---- answers that are no good HTTP, slow or without an end ---------------------------------------------------------------------

def raw(name, path, listed=True):
    """A route that writes to the connection itself and then closes it."""
    def register(handler):
        handler.raw = True
        return route(name, path, listed)(handler)
    return register


async def trickle(out, data, pause=0.25):
    for i in range(len(data)):
        await out.write(data[i:i + 1])
        await asyncio.sleep(pause)


site("slow")


@raw("slow", "/trickled-body")
async def trickled_body(request, out):
    await out.write(Answer(type="text/html").head(10_000))
    await trickle(out, b"x" * 10_000)


@raw("slow", "/trickled-head")
async def trickled_head(request, out):
    await trickle(out, b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 10_000)


@raw("slow", "/silent")
async def silent(request, out):
    await asyncio.sleep(3600)


@raw("slow", "/stalls")
async def stalls(request, out):
    await out.write(Answer().head(1_000) + b"half")
    await asyncio.sleep(3600)


@raw("slow", "/but-comes")
async def but_comes(request, out):
    data = markup("slow but sure", ["/after-slow"])
    await out.write(Answer().head(len(data)))
    for i in range(0, len(data), 64):
        await out.write(data[i:i + 64])
        await asyncio.sleep(0.05)


say("slow", "/after-slow", page("after slow"), listed=False)
site("silent")


async def never(request, out):
    await asyncio.sleep(3600)
never.raw = True
SITES["silent"].robots = text("")
for _i in range(10):
    SITES["silent"].routes[f"/{_i}"] = never
SITES["robots-silent"].robots = never


async def robots_trickle(request, out):
    await trickle(out, Answer(type="text/plain").head(10_000) + b"#" * 10_000)
robots_trickle.raw = True
SITES["robots-trickle"].robots = robots_trickle


async def robots_reset(request, out):
    out.reset()
robots_reset.raw = True
SITES["robots-reset"].robots = robots_reset


async def robots_endless(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n" + DISALLOW_NO.encode())
    while True:
        await out.write(b"# and so on\n" * 1_000)
robots_endless.raw = True
SITES["robots-endless"].robots = robots_endless

site("bodies")


@raw("bodies", "/endless-chunks")
async def endless_chunks(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
    while True:
        await out.write(b"10000\r\n" + b"y" * 0x10000 + b"\r\n")


@raw("bodies", "/endless-stream")
async def endless_stream(request, out):
    await out.write(b"HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n\x1a\n")
    while True:
        await out.write(bytes(65536))


@raw("bodies", "/length-too-long")
async def length_too_long(request, out):
    await out.write(Answer().head(100_000) + markup("cut off"))


@raw("bodies", "/length-too-short")
async def length_too_short(request, out):
    data = markup("a title that fits", ["/short-link"])
    await out.write(Answer().head(len(data) - 10) + data)


@raw("bodies", "/length-huge")
async def length_huge(request, out):
    await out.write(Answer().head(1 << 62) + b"x")


@raw("bodies", "/length-negative")
async def length_negative(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: -5\r\n\r\n" + markup("negative"))


@raw("bodies", "/two-lengths")
async def two_lengths(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 5\r\nContent-Length: 500\r\n\r\nhello")


@raw("bodies", "/bad-chunk")
async def bad_chunk(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n")


@raw("bodies", "/huge-chunk")
async def huge_chunk(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFFF\r\nhello")


@raw("bodies", "/cut-chunks")
async def cut_chunks(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")


@raw("bodies", "/reset")
async def reset(request, out):
    await out.write(Answer().head(10_000) + b"x" * 100)
    await asyncio.sleep(0.02)
    out.reset()


@raw("bodies", "/empty-reply")
async def empty_reply(request, out):
    pass


@raw("bodies", "/short-keep-alive")
async def short_keep_alive(request, out):
    data = markup("closed early")
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nConnection: keep-alive\r\nContent-Length: %d\r\n\r\n" % len(data) + data)


say("bodies", "/fine", page("fine after all"))
say("bodies", "/empty", Answer())

site("encodings")


def encoded(path, body, encoding):
    say("encodings", path, Answer(body=body, headers=(("Content-Encoding", encoding),)))


encoded("/gzip", gzip.compress(markup("gzip")), "gzip")
encoded("/x-gzip", gzip.compress(markup("x-gzip")), "x-gzip")
encoded("/deflate", zlib.compress(markup("deflate")), "deflate")
encoded("/raw-deflate", zlib.compress(markup("raw deflate"))[2:-4], "deflate")
encoded("/identity", markup("identity"), "identity")
encoded("/unknown", markup("unknown coding"), "quux")
encoded("/twice", gzip.compress(gzip.compress(markup("twice"))), "gzip, gzip")
encoded("/truncated", gzip.compress(markup("truncated") * 50)[:-200], "gzip")
encoded("/lie", markup("not gzip at all"), "gzip")
encoded("/brotli-lie", markup("not brotli at all"), "br")
encoded("/garbage-after", gzip.compress(markup("garbage after")) + b"garbage" * 100, "gzip")
encoded("/gzip-bomb", GZIP_BOMB, "gzip")
encoded("/gzip-bomb-twice", gzip.compress(GZIP_BOMB), "gzip, gzip")
encoded("/deflate-bomb", zlib.compress(bytes(64 << 20), 1), "deflate")
say("encodings", "/many", Answer(body=b"x", headers=(("Content-Encoding", ", ".join(["gzip"] * 500)),)))
say("encodings", "/unasked-gzip", Answer(body=gzip.compress(markup("unasked gzip"))))


# ---- protocol -------------------------------------------------------------------------------------------------------------------

site("protocol")


def bytes_route(path, data):
    @raw("protocol", path)
    async def answer(request, out, data=data):
        await out.write(data)


_BODY = markup("protocol page")
_LENGTH = b"Content-Type: text/html\r\nContent-Length: %d\r\n\r\n" % len(_BODY)
bytes_route("/http-0.9", _BODY)
bytes_route("/http-1.0", b"HTTP/1.0 200 OK\r\nContent-Type: text/html\r\n\r\n" + markup("http 1.0"))
bytes_route("/no-headers", b"HTTP/1.1 200 OK\r\n\r\n" + markup("no headers"))
bytes_route("/no-reason", b"HTTP/1.1 200\r\n" + _LENGTH + _BODY)
bytes_route("/lf-only", b"HTTP/1.1 200 OK\nContent-Type: text/html\n\n" + markup("lf only"))
bytes_route("/status-99999", b"HTTP/1.1 99999 OK\r\n" + _LENGTH + _BODY)
bytes_route("/status-words", b"HTTP/1.1 OK fine\r\n" + _LENGTH + _BODY)
bytes_route("/http-9.9", b"HTTP/9.9 200 OK\r\n" + _LENGTH + _BODY)
bytes_route("/ssh", b"SSH-2.0-OpenSSH_9.2\r\n")
bytes_route("/garbage", bytes(range(256)) * 100)
bytes_route("/long-header", b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 102_400 + b"\r\n" + _LENGTH + _BODY)
bytes_route("/header-5000", b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: y\r\n" % i for i in range(5_000)) + _LENGTH + _BODY)
bytes_route("/header-folding", b"HTTP/1.1 200 OK\r\nX-Folded: a\r\n b\r\n" + _LENGTH + _BODY)
bytes_route("/header-nul", b"HTTP/1.1 200 OK\r\nX-Nul: a\0b\r\n" + _LENGTH + _BODY)
bytes_route("/header-no-colon", b"HTTP/1.1 200 OK\r\nthis is no header\r\n" + _LENGTH + _BODY)
bytes_route("/1xx-flood", b"HTTP/1.1 100 Continue\r\n\r\n" * 50_000 + b"HTTP/1.1 200 OK\r\n" + _LENGTH + _BODY)
bytes_route("/103", b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + markup("after hints"))
bytes_route("/101", b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
bytes_route("/204", b"HTTP/1.1 204 No Content\r\n\r\n")
bytes_route("/205", b"HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n")
bytes_route("/206", b"HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-%d/100000\r\n" % (len(_BODY) - 1) + _LENGTH + _BODY)
bytes_route("/304", b"HTTP/1.1 304 Not Modified\r\n\r\n")
bytes_route("/pipelined-extra", b"HTTP/1.1 200 OK\r\n" + _LENGTH + _BODY + b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil")


@raw("protocol", "/headers-forever")
async def headers_forever(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\n")
    while True:
        await out.write(b"X-More: yes\r\n" * 1_000)


@raw("protocol", "/1xx-forever")
async def interim_forever(request, out):
    while True:
        await out.write(b"HTTP/1.1 102 Processing\r\n\r\n" * 100)


say("protocol", "/fine", page("protocol fine"))


# ---- pages that are heavy or broken ----------------------------------------------------------------------------------------------

site("pages")
say("pages", "/deep", text(b"<title>deep</title>" + b"<div>" * 300_000 + b'<a href="/from-deep">x</a>', "text/html"))
say("pages", "/deep-mixed", text(b"<title>deep mixed</title>" + b"<b><i><table><tr><td><a>" * 40_000, "text/html"))
say("pages", "/attributes", text(b"<title>attributes</title><p " + b"".join(b"a%d=1 " % i for i in range(200_000)) +
                                                   b'>x<a href="/from-attributes">x</a>', "text/html"))
say("pages", "/links", text("<title>links</title>" + "".join(f'<a href="http://127.0.99.9:1/{i}">{i}</a>' for i in range(LINKS_ON_ONE_PAGE - 1)) +
                                              '<a href="/from-links">last</a>', "text/html"))
say("pages", "/one-line", text(b"<title>one line</title><p>" + b"word " * 1_900_000 + b'<a href="/from-one-line">x</a>', "text/html"))
say("pages", "/over-limit", text(b"<title>over limit</title>" + b"x" * 30_000_000, "text/html"))
say("pages", "/entities", text("<title>entities</title>" + "&amp;" * 300_000 + "&" * 300_000, "text/html"))
say("pages", "/comment", text("<title>comment</title><!--" + "-" * 500_000 + '<a href="/in-comment">x</a>', "text/html"))
say("pages", "/json-ld", text('<title>json-ld</title><script type="application/ld+json">' + "[" * 200_000 + '</script><a href="/from-json-ld">x</a>', "text/html"))
say("pages", "/nul", Answer(body=b"<title>nul\0title</title>\0\0\0<a href=\"/from-nul\">x</a>"))
say("pages", "/no-markup", text(b"just words, but said to be a page", "text/html"))
say("pages", "/binary", text(bytes(range(256)) * 1000, "text/html"))
say("pages", "/pdf", text(b"%PDF-1.4 ...", "application/pdf"))
say("pages", "/as-text", text(markup("markup as plain text", ["/from-plain-text"]), "text/plain"))
say("pages", "/xhtml", text(b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><head><title>xhtml</title></head><body><a href="/from-xhtml"/></body></html>',
                            "application/xhtml+xml"))
say("pages", "/xml-entities", text(b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;">]><html><title>xml</title>&b;</html>',
                                   "application/xhtml+xml"))
say("pages", "/no-type", Answer(body=markup("no type"), type=""))
for _path in ("deep", "attributes", "links", "one-line", "nul", "json-ld", "plain-text", "xhtml"):
    say("pages", f"/from-{_path}", page(f"from {_path}"), listed=False)

site("charsets")
_WORDS = {"shift_jis": "\u65e5\u672c\u8a9e\u306e\u984c", "windows-1251": "\u041f\u0440\u0438\u0432\u0435\u0442 \u043c\u0438\u0440", "euc-kr": "\ud55c\uad6d\uc5b4",
          "gb18030": "\u4e2d\u6587\u7f51\u9875", "iso-8859-2": "\u017elu\u0165ou\u010dk\u00fd"}
for _charset, _words in _WORDS.items():
    _bytes = f'<html><head><meta charset="{_charset}"><title>{_words}</title></head>'.encode(_charset)
    say("charsets", f"/meta-{_charset}", Answer(body=_bytes))
    _bytes = f"<html><head><title>{_words}</title></head>".encode(_charset)
    say("charsets", f"/header-{_charset}", Answer(body=_bytes, type=f"text/html; charset={_charset}"))
say("charsets", "/header-wins", Answer(body='<meta charset="windows-1251"><title>\u017dlu\u0165</title>'.encode("utf-8"), type="text/html; charset=utf-8"))
say("charsets", "/bom-wins", Answer(body=b"\xef\xbb\xbf" + '<meta charset="shift_jis"><title>\u017dlu\u0165</title>'.encode("utf-8"), type="text/html; charset=koi8-r"))
say("charsets", "/utf-16-bom", Answer(body="\ufeff<title>sixteen bits</title><p>x".encode("utf-16-le")))
say("charsets", "/utf-16-header", Answer(body="<title>sixteen bits by header</title>".encode("utf-16-be"), type="text/html; charset=utf-16be"))
say("charsets", "/utf-16-no-bom", Answer(body='<meta charset="utf-16"><title>sixteen without a mark</title>'.encode("utf-16-le")))
say("charsets", "/invalid-utf-8", Answer(body=b"<title>bad \xff\xfe\xc0\xaf bytes</title>", type="text/html; charset=utf-8"))
say("charsets", "/unknown", Answer(body=b"<title>unknown charset</title>", type="text/html; charset=klingon"))
say("charsets", "/utf-7", Answer(body=b"<title>+ADw-script+AD4-</title>", type="text/html; charset=utf-7"))


# ---- webs without an end ------------------------------------------------------------------------------------------------------------

site("calendar")


@route("calendar", "/month")
def month(request):
    n = int(request.query.get("m", 0))
    return page(f"month {n}", [f"/month?m={n + 1}", f"/month?m={n - 1}"])


site("sessions")


@route("sessions", "/shop")
def session(request):
    n = sum(map(ord, request.path)) * 7919 + 1
    key = f"{n * 2654435761 % (1 << 64):016x}"
    return page("shop with sessions", [f"/shop;jsessionid={key}", f"/shop?PHPSESSID={key}", f"/shop?sid={key}", f"/shop?a=1&session_id={key}", f"/item-1;jsessionid={key}.node1?x=1"])


SITES["sessions"].fallback = lambda request: page("item " + request.plain.split(";")[0], ["/shop"])

site("nest")
SITES["nest"].fallback = lambda request: page("nest " + request.path, ["deeper/", "a/b/", "../x/", "more/deeper/"])
say("nest", "/x/", page("nest /x/", ["x/", "y/", "x/y/"]))

site("facets")


@route("facets", "/list")
def facets(request):
    query = {**{"colour": "0", "size": "0", "sort": "0"}, **request.query}
    links = []
    for key in ("colour", "size", "sort", "brand", "view", "price"):
        for value in range(6):
            changed = dict(query, **{key: str(value)})
            links.append("/list?" + "&".join(f"{k}={v}" for k, v in changed.items()))
            links.append("/list?" + "&".join(f"{k}={v}" for k, v in reversed(changed.items())))
    return page("list " + json.dumps(query, sort_keys=True), links)


site("same")
_SAME = markup("the same page again", body='<a href="next/">next</a><a href="other/next/">o</a><p>Nothing more to see here.')


@route("same", "/list")
def same(request):
    return Answer(body=markup("empty list", body="".join(f'<a href="?page={k}">more</a>' for k in range(1, 4000, 97)) + "No more items."))


say("same", "/items", Answer(body=_SAME))  # always the same bytes: their relative links mean another page each time


SITES["same"].fallback = lambda request: Answer(body=_SAME)

site("soft404")
say("soft404", "/real-1", page("real 1", [f"/gone-{i}" for i in range(60)]))
say("soft404", "/real-2", page("real 2", [f"/lost/{i}/x" for i in range(60)]))
SITES["soft404"].fallback = lambda request: page("Sorry, not found", ["/", "/search", f"{request.plain.rstrip('/')}/again"], body="The page you wanted is not here.")

site("login")
for _i in range(10):
    say("login", f"/members/{_i}", redirect(f"/login?next=/members/{_i}"))
SITES["login"].routes["/login"] = lambda request: page("Log in", body='<form action="/session" method="post"><input name=user><input type=password name=p></form><a href="/members/1">m</a>')
SITES["login"].unlisted.add("/login")


# ---- answers with status 200 that are no content, each beside honest pages that look like them ---------------------------------------------

CAPTCHA = page("Just a moment...", ["/behind"], head="<script>window._cf_chl_opt={cType:'managed'}</script>", body="<noscript>Enable JavaScript and cookies to continue</noscript>")
CALM = text("User-agent: *\nCrawl-delay: 0.5\n")  # so that a page is read long before its host has given all it has
site("captcha", robots=CALM)
for _i in range(20):
    say("captcha", f"/{_i}", CAPTCHA)
site("captcha-403", robots=CALM)
for _i in range(20):
    say("captcha-403", f"/{_i}", Answer(status=403, body=markup("Access denied", ["/behind"], body='<div class="h-captcha" data-sitekey="x"></div>')))
site("forbidden")
for _i in range(3):
    say("forbidden", f"/{_i}", Answer(status=403, body=markup("Forbidden", ["/behind"])))
site("rate-limit")
for _i in range(8):
    say("rate-limit", f"/{_i}", page(f"of eight the {_i}."))
route("rate-limit", "/3")(lambda request: page("429 Too Many Requests", ["/behind"]) if request.nth % 2 == 0 else page("came after all"))

site("soft-errors")
for _name, _title, _body in (
        ("english", "Page not found | Shop", "<h1>Sorry, we can't find that page</h1>"), ("german", "Fehler 404", "<h1>Die Seite wurde nicht gefunden</h1>"),
        ("persian", "\u0641\u0631\u0648\u0634\u06af\u0627\u0647", "<h1>\u0635\u0641\u062d\u0647 \u06cc\u0627\u0641\u062a \u0646\u0634\u062f</h1>"),
        ("gone", "Shop", "<h2>This product is no longer available</h2>"), ("server", "500", "<h1>Internal Server Error</h1>")):
    say("soft-errors", "/" + _name, Answer(body=f"<meta charset=utf-8><title>{_title}</title>{_body}<a href=/behind>home</a>".encode("utf-8")))
_LOGIN_FORM = '<form action="/session" method="post"><input name=user><input type=password name=p></form>'
for _name, _body in (
        ("product-404", '<h1>404</h1><script type="application/ld+json">{"@type":"Product","name":"404","offers":{"price":"9","priceCurrency":"EUR"}}</script>'),
        ("about-404", "<h1>404 Not Found</h1>" + "What the number says, and to whom. " * 130), ("picture-404", "<h1>404</h1><img src=/picture-404.png alt=number>"),
        ("header-login", _LOGIN_FORM + "<h1>Lamps</h1><img src=/lamp.png alt=lamp>"),
        ("newsletter", "<h1>News</h1><form><input type=email name=e><div class=g-recaptcha></div></form>"), ("film", "<h1>Just a moment</h1><p>A film of 2004.")):
    say("soft-errors", "/honest-" + _name, Answer(body=f"<title>{_name}</title>{_body}<a href=/from-{_name}>more</a>".encode("utf-8")))
say("soft-errors", "/picture-404.png", picture(131, 140, 100), listed=False)
say("soft-errors", "/lamp.png", picture(137, 150, 100), listed=False)

site("alike")  # no word of error, but the same to every address
SITES["alike"].fallback = lambda request: page("Our shop", body=f"<p>You asked for {html.escape(request.plain)}. Look around!<a href='{request.plain.rstrip('/')}/in'>further</a>")
say("alike", "/real", page("real", [f"/gone-{_i}" for _i in range(40)]))

site("placeholders")
_NO_PICTURE = png(60, 60, 139)
for _i in range(12):
    say("placeholders", f"/product-{_i}", page(f"product {_i}", images=[f"/stand-in-{_i}.png", f"/dot-{_i}.png"] + ["/true.png", "/lazy.png"] * (_i == 0)))
    say("placeholders", f"/stand-in-{_i}.png", Answer(body=_NO_PICTURE, type="image/png"), listed=False)
    say("placeholders", f"/dot-{_i}.png", Answer(body=png(1, 1, 1), type="image/png"), listed=False)
say("placeholders", "/true.png", picture(149, 60, 60), listed=False)
say("placeholders", "/lazy.png", picture(151, 170, 110), listed=False)

site("cookies")


@route("cookies", "/gate")
def gate(request):
    if "passed=yes" in request.headers.get("cookie", ""):
        return page("behind the gate", ["/behind"])
    return Answer(302, type="", headers=(("Location", "/gate"), ("Set-Cookie", "passed=yes; Path=/"), ("Set-Cookie", "stolen=1; Domain=example.org; Path=/")))


@route("cookies", "/behind", listed=False)
def behind(request):
    return page("cookies " + request.headers.get("cookie", "none"))


@route("cookies", "/wall")
def wall(request):
    if "seen=1" in request.headers.get("cookie", ""):
        return page("past the wall")
    return Answer(302, type="", headers=(("Location", "/set"),))


say("cookies", "/set", Answer(302, type="", headers=(("Location", "/wall-2"), ("Set-Cookie", "seen=1"))), listed=False)
route("cookies", "/wall-2", listed=False)(lambda request: wall(request))
site("cookie-flood")
say("cookie-flood", "/flood", page("cookie flood", headers=[("Set-Cookie", f"c{i}={'x' * 100}; Path=/") for i in range(300)]))
for _i in range(3):
    say("cookie-flood", f"/{_i}", page(f"flooded {_i}"))


# ---- pictures --------------------------------------------------------------------------------------------------------------------------

site("pictures")
say("pictures", "/gallery", page("gallery", images=[
    "/good.png", "/html.png", "/zero.png", "/cut.png", "/bomb.png", "/svg-script.svg", "/svg-entity.svg", "/svg-bomb.svg", "/text.jpg", "/wrong-type.png", "/endless.png",
    "/no-ending", "/404.png", "/one-pixel.png", "data:image/png;base64,iVBORw0KGgo=", "/gif-frames.gif"]))
say("pictures", "/good.png", picture(71), listed=False)
say("pictures", "/html.png", page("hot-link protection"), listed=False)
say("pictures", "/zero.png", Answer(type="image/png"), listed=False)
say("pictures", "/cut.png", Answer(body=png(300, 300, 73)[:2_000], type="image/png"), listed=False)
say("pictures", "/bomb.png", Answer(body=png_bomb(60_000, 60_000), type="image/png"), listed=False)
say("pictures", "/svg-script.svg", text('<svg xmlns="http://www.w3.org/2000/svg" width="100" height="80"><script>while(1){}</script><rect width="50" height="50" fill="red"/></svg>',
                                        "image/svg+xml"), listed=False)
say("pictures", "/svg-entity.svg", text('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x SYSTEM "file:///etc/passwd">]><svg xmlns="http://www.w3.org/2000/svg" '
                                        'xmlns:xlink="http://www.w3.org/1999/xlink" width="90" height="70"><text>&x;</text><image xlink:href="http://127.0.64.1:1/leak"/></svg>',
                                        "image/svg+xml"), listed=False)
say("pictures", "/svg-bomb.svg", text('<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">' +
                                      "".join(f'<!ENTITY {chr(98 + i)} "{f"&{chr(97 + i)};" * 20}">' for i in range(9)) +
                                      ']><svg xmlns="http://www.w3.org/2000/svg"><text>&j;</text></svg>', "image/svg+xml"), listed=False)
say("pictures", "/text.jpg", text("this is no picture", "image/jpeg"), listed=False)
say("pictures", "/wrong-type.png", Answer(body=png(220, 140, 79), type="text/html"), listed=False)
say("pictures", "/no-ending", Answer(body=png(230, 130, 83), type=""), listed=False)
say("pictures", "/one-pixel.png", picture(1, 1, 1), listed=False)
say("pictures", "/gif-frames.gif", Answer(body=b"GIF89a\xff\xff\xff\xff\0\0\0" + b"," + b"\xff" * 20_000, type="image/gif"), listed=False)
say("pictures", "/page.html", picture(89, 240, 120))
say("pictures", "/placeholders", page("placeholders", images=[f"/thing-{i}.png" for i in range(5)]))
for _i in range(5):
    say("pictures", f"/thing-{_i}.png", picture(97, 120, 120), listed=False)


@raw("pictures", "/endless.png", listed=False)
async def endless_picture(request, out):
    await out.write(b"HTTP/1.1 200 OK\r\nContent-Type: image/png\r\n\r\n" + png(100, 100, 101)[:-12])
    while True:
        await out.write(bytes(65536))


site("responsive")
say("responsive", "/srcset", page("srcset", body='<img src="/s-small.png" srcset="/s-small.png 1x, /s-large.png 2x" alt="a"><img data-src="/late.png" src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" alt="lazy">'
                                                 '<picture><source srcset="/p-large.png 1200w, /p-small.png 300w" type="image/png"><img src="/p-small.png" alt="p"></picture>'
                                                 '<noscript><img src="/noscript.png" alt="n"></noscript><img srcset=", ,, /odd.png 2x,, ,/odd2.png -1w" alt="odd">'
                                                 '<img srcset="/x.png 1e999x" alt="inf"><img src="" alt="none"><img alt="no src">'))
for _i, _name in enumerate(("s-small", "s-large", "late", "p-large", "p-small", "noscript", "odd", "odd2", "x")):
    say("responsive", f"/{_name}.png", picture(103 + _i, 100 + 10 * _i, 90 + 7 * _i), listed=False)


# ---- links in many forms -----------------------------------------------------------------------------------------------------------------

site("links")
say("links", "/forms", page("forms of links", body="""
<map name=m><area href="/area"></map><iframe src="/iframe"></iframe><a href=/unquoted>u</a><A HREF='/single'>s</A>
<a href="
 /line
break ">l</a><a href="&#x2f;entity">e</a><a href="javascript:location='/script'">j</a><a href="mailto:a@b.test">m</a><a href="tel:1">t</a>
<a href="//[::1]:1/v6">6</a><a href="http://[bad">b</a><a href="http://127.0.0.1:99999/">p</a><a href="http://user:secret@{host}/credentials">c</a>
<a href="/fragment#one">1</a><a href="/fragment#two">2</a><a href="/dot/./a/../same">d</a><a href="/dot/same">d</a><a href="/%64ot/same">d</a>
<a href="/Case">C</a><a href="/case">c</a><a href="http://xn--bcher-kva.invalid/">x</a><a href="http://b\u00fccher.invalid/">x</a>
<a href="/control\x01\x02char">c</a><a href="/back\\slash">b</a><a href="/space in path">s</a><a href="/null%00byte">n</a><a href="?">q</a>
<a href="/crlf%0d%0aX-Injected:%20yes">i</a><a href="/" onclick="x">h</a><a>none</a><a href="">empty</a><a href="   ">blank</a>
<form action="/search" method="get"><input name=q></form><form action="/post" method="post"></form><a href="/delete?id=1" rel="nofollow">del</a>
<a href="http:/one-slash">o</a><a href="http:relative">r</a><a href="///triple">t</a><a href="/double//slash">ds</a>
""".replace("{host}", f"127.0.64.{len(SITES)}:{PORT}")))
SITES["links"].extra = '<link rel="next" href="/next"><link rel="stylesheet" href="/style.css"><link rel="preload" href="/preload.js">'
say("links", "/base", page("base", head='<base href="/elsewhere/">', body='<a href="based">b</a>'))
say("links", "/base-host", page("base to another host", head='<base href="http://127.0.99.9:1/">', body='<a href="stolen">b</a>'))
say("links", "/base-javascript", page("base javascript", head='<base href="javascript:alert(1)">', body='<a href="/js-based">b</a>'))
SITES["links"].fallback = lambda request: page("link " + request.path)


# ---- sitemaps ------------------------------------------------------------------------------------------------------------------------------

def urlset(locations):
    return '<?xml version="1.0"?><urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">' + "".join(f"<url><loc>{html.escape(u)}</loc></url>" for u in locations) + "</urlset>"


def sitemap_index(locations):
    return "<sitemapindex>" + "".join(f"<sitemap><loc>{html.escape(u)}</loc></sitemap>" for u in locations) + "</sitemapindex>"


_maps = site("sitemaps")
_maps.robots = lambda request: text("".join(f"Sitemap: {_maps.url(p)}\n" for p in (
    "/index.xml", "/loop.xml", "/gzip.xml.gz", "/bomb.xml.gz", "/big.xml", "/foreign.xml", "/broken.xml", "/text.txt", "/rss.xml", "/404.xml", "/page.html", "/entities.xml", "/deep-0.xml")))
route("sitemaps", "/index.xml", listed=False)(lambda request: text(sitemap_index([_maps.url("/part.xml")]), "application/xml"))
route("sitemaps", "/part.xml", listed=False)(lambda request: text(urlset([_maps.url("/from-index")]), "application/xml"))
route("sitemaps", "/loop.xml", listed=False)(lambda request: text(sitemap_index([_maps.url("/loop.xml"), _maps.url("/loop-2.xml")]), "application/xml"))
route("sitemaps", "/loop-2.xml", listed=False)(lambda request: text(sitemap_index([_maps.url("/loop.xml")]), "application/xml"))
route("sitemaps", "/gzip.xml.gz", listed=False)(lambda request: text(gzip.compress(urlset([_maps.url("/from-gzip")]).encode()), "application/gzip"))
route("sitemaps", "/bomb.xml.gz", listed=False)(lambda request: text(GZIP_BOMB, "application/gzip"))
route("sitemaps", "/big.xml", listed=False)(lambda request: text(urlset([_maps.url("/from-big")] + [f"http://127.0.99.9:1/{i}" for i in range(50_000)]), "application/xml"))
route("sitemaps", "/foreign.xml", listed=False)(lambda request: text(urlset([SITES["links"].url("/from-foreign-map"), "http://127.0.99.9:1/x", "ftp://a/b", "file:///etc/passwd"]), "application/xml"))
route("sitemaps", "/broken.xml", listed=False)(lambda request: text(f"<urlset><url><loc>{_maps.url('/from-broken')}</loc><url><loc>http://[</loc></ur", "application/xml"))
route("sitemaps", "/text.txt", listed=False)(lambda request: text(f"{_maps.url('/from-text')}\nno url\n"))
route("sitemaps", "/rss.xml", listed=False)(lambda request: text(f"<rss><channel><item><link>{_maps.url('/from-rss')}</link></item></channel></rss>", "application/rss+xml"))
route("sitemaps", "/page.html", listed=False)(lambda request: page("no sitemap"))
route("sitemaps", "/entities.xml", listed=False)(lambda request: text('<!DOCTYPE x [<!ENTITY a "&b;"><!ENTITY b "&a;">]><urlset><url><loc>&a;</loc></url></urlset>', "application/xml"))
for _path in ("/from-index", "/from-gzip", "/from-big", "/from-broken", "/from-text", "/from-rss"):
    say("sitemaps", _path, page(_path), listed=False)


@route("sitemaps", "/deep-0.xml", listed=False)
def deep_sitemap(request):
    n = int(request.plain[6:-4])
    return text(sitemap_index([_maps.url(f"/deep-{n + 1}.xml")]), "application/xml")


SITES["sitemaps"].fallback = lambda request: deep_sitemap(request) if request.plain.startswith("/deep-") else Answer(404)


# ---- politeness, as the log shows it ---------------------------------------------------------------------------------------------------------

site("polite")
for _i in range(12):
    say("polite", f"/{_i}", page(f"polite {_i}"))
site("polite-delay", robots=text("User-agent: *\nCrawl-delay: 1.5\n"))
for _i in range(4):
    say("polite-delay", f"/{_i}", page(f"delayed {_i}"))
site("polite-parallel")


async def takes_a_while(request):
    await asyncio.sleep(1)
    return page("took a while " + request.path)


for _i in range(12):
    SITES["polite-parallel"].routes[f"/{_i}"] = takes_a_while
site("basic")


@route("basic", "/secret")
def secret(request):
    if request.headers.get("authorization") == "Basic bWU6cHc=":
        return page("let in")
    return Answer(401, headers=(("WWW-Authenticate", 'Basic realm="x"'),))


SITES["robots-redirect-host"].robots = redirect(SITES["robots-bom"].url("/robots.txt"))
SITES["redirects"].routes["/across"] = lambda request: redirect(SITES["redirects-2"].url("/forth"))
SITES["redirects-2"].routes["/forth"] = lambda request: redirect(SITES["redirects"].url("/across-end"))
SITES["redirects-2"].unlisted.add("/forth")
SITES["redirects"].routes["/across-end"] = lambda request: page("across and back")
SITES["redirects"].unlisted.add("/across-end")
SITES["redirects"].routes["/schemeless"] = lambda request: redirect(f"//{SITES['redirects-2'].address}:{PORT}/schemeless-target")
SITES["redirects-2"].routes["/schemeless-target"] = lambda request: page("schemeless target")
SITES["redirects-2"].unlisted.add("/schemeless-target")


# ---- the server ------------------------------------------------------------------------------------------------------------------------------

class Out:
    def __init__(self, writer):
        self.writer = writer

    async def write(self, data):
        self.writer.write(data)
        await self.writer.drain()

    def reset(self):
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Server:
    def __init__(self, log_path):
        self.file = open(log_path, "a", buffering=1) if log_path else None  # appended to by both processes, a line at a time
        self.parallel = collections.Counter()
        self.asked = collections.Counter()

    def log(self, place, request):
        if self.file:
            self.file.write(json.dumps({
                "t": round(time.time(), 4), "host": place.name, "path": request.path, "agent": request.headers.get("user-agent", ""),
                "cookie": request.headers.get("cookie", ""), "authorization": request.headers.get("authorization", ""),
                "parallel": self.parallel[place.name]}) + "\n")

    async def serve(self, place, reader, writer):
        try:
            while await self.serve_one(place, reader, Out(writer)):
                pass
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def serve_one(self, place, reader, out):
        first = await reader.readexactly(1)
        if first == b"\x16":  # a TLS handshake
            return False
        head = (first + await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        path = head[0].split(" ")[1]
        headers = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in head[1:] if line)}
        request = Request(path, headers, self.asked[place.name, path])
        self.asked[place.name, path] += 1
        self.parallel[place.name] += 1
        self.log(place, request)
        try:
            handler = self.handler(place, request)
            if getattr(handler, "raw", False):
                await handler(request, out)
                return False
            answer = handler if isinstance(handler, Answer) else handler(request)
            if asyncio.iscoroutine(answer):
                answer = await answer
            await out.write(answer.head() + (b"" if answer.status in (204, 304) else answer.body))
            return True
        finally:
            self.parallel[place.name] -= 1

    def handler(self, place, request):
        if request.plain == "/robots.txt":
            return place.robots or Answer(404)
        found = place.routes.get(request.path) or place.routes.get(request.plain)
        if found:
            return found
        if request.plain == "/":
            return page(place.name, [path for path in place.routes if path not in place.unlisted], body=place.extra)
        return place.fallback or Answer(404)


# These hosts keep a processor busy for a while; a process of their own keeps the others' clocks right.
HEAVY = ("pages", "bodies", "encodings", "protocol", "sitemaps", "pictures", "robots-endless", "robots-513kb")


async def run(options, places):
    server = Server(options.log)
    for place in places:
        await asyncio.start_server(lambda r, w, place=place: server.serve(place, r, w), place.address, PORT, backlog=256)
    if options.tls and SITES["links"] in places:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.tls)
        await asyncio.start_server(lambda r, w: server.serve(SITES["links"], r, w), SITES["links"].address, PORT + 1, ssl=context)
    print(f"hostile web: {len(places)} hosts on port {PORT}", file=sys.stderr, flush=True)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--log", help="append an access log (JSON Lines) to this file")
    parser.add_argument("--tls", help="PEM file with key and certificate for an https port one above")
    options = parser.parse_args()
    child = os.fork()
    asyncio.run(run(options, [place for place in SITES.values() if (place.name in HEAVY) == (child == 0)]))
    if child:
        os.kill(child, signal.SIGTERM)
        os.waitpid(child, 0)


if __name__ == "__main__":
    main()
