"""A web of a few lines for one test: any number of host names on one loopback port, and a name server that knows them."""
import http.server
import socket
import struct
import threading
import zlib


class Web:
    """Answers `answer(request)`, request being the handler (path, headers, command, host, body), which returns (status, headers, body)."""

    def __init__(self, answer):
        self.requests = []  # (host, command, path, headers), in order
        web = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                self.host = self.headers.get("Host", "").rpartition(":")[0]
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                web.requests.append((self.host, self.command, self.path, {name.lower(): value for name, value in self.headers.items()}))
                status, headers, body = answer(self)
                body = body.encode() if isinstance(body, str) else body
                self.send_response(status)
                for name, value in {"Content-Type": "text/html", **headers}.items():
                    for one in value if isinstance(value, list) else [value]:
                        self.send_header(name, one)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_POST = do_GET

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, host, path="/"):
        return f"http://{host}:{self.port}{path}"

    def asked(self, host):
        return [(command, path) for at, command, path, _ in self.requests if at == host]

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Names:
    """A name server over UDP. `answer(name, number)` gives an IPv4 address, an rcode, or None for silence; number counts a name's questions."""

    def __init__(self, answer):
        self.answer, self.asked = answer, []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.socket.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        while True:
            try:
                query, peer = self.socket.recvfrom(4096)
            except OSError:
                return
            labels, at = [], 12
            while query[at]:
                labels.append(query[at + 1:at + 1 + query[at]].decode())
                at += query[at] + 1
            name, kind = ".".join(labels), struct.unpack(">H", query[at + 1:at + 3])[0]
            number = self.asked.count(name)
            if kind == 1:
                self.asked.append(name)
            answer = self.answer(name, number)
            if answer is None:
                continue
            rcode = answer if isinstance(answer, int) else 0
            records = b""
            if isinstance(answer, str) and kind == 1:
                records = b"\xc0\x0c" + struct.pack(">HHIH", 1, 1, 300, 4) + socket.inet_aton(answer)
            self.socket.sendto(query[:2] + struct.pack(">HHHHH", 0x8180 | rcode, 1, 1 if records else 0, 0, 0) + query[12:at + 5] + records, peer)

    def stop(self):
        self.socket.close()


def png(shade):
    """A picture of 300 by 300 points."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((shade + x * y // 99) % 256 for x in range(300)) for y in range(300))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 300, 300, 8, 0, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
