"""Passwords and cookies that a user gives: they open what they are for, go nowhere else, and are kept nowhere."""
import base64
import gzip
import json
import os

from local_web import Names, Web
from magpie_system import SystemTest, main

PASSWORD, TOKEN = "tell-tale-password", "tell-tale-token"


class Logins(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.names = Names(lambda name, number: "127.0.0.1")
        self.addCleanup(self.names.stop)

    def answer(self, request):
        authorization, cookie = request.headers.get("Authorization", ""), request.headers.get("Cookie", "")
        if request.path == "/robots.txt":
            return 404, {}, ""
        if request.host == "basic.test":
            if authorization != "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode():
                return 401, {"WWW-Authenticate": 'Basic realm="shop"'}, "no"
            if request.path == "/away":
                return 302, {"Location": self.web.url("elsewhere.test", "/landing")}, ""
            links = f'<a href="/in">in</a><a href="/away">away</a><a href="{self.web.url("elsewhere.test")}">out</a><img src="{self.web.url("pictures.test", "/i.jpg")}">'
            return 200, {"Set-Cookie": f"session={TOKEN}; Path=/"}, f"<title>inside</title>{links}"
        if request.host.endswith("cookie.test"):
            return (200, {}, "<title>members</title><p>Hello</p>") if TOKEN in cookie else (403, {}, "no")
        return 200, {}, "<title>elsewhere</title>"

    def file(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        os.chmod(path, mode)
        return path

    def crawl(self, collection, seeds, *settings, code=0, delay="0"):
        words = [word for setting in (f"net.resolvers={self.names.address}", *settings) for word in ("--set", setting)]
        return self.magpie(*self.crawl_words(collection, seeds, delay=delay), *words, code=code)

    def everything_kept(self):
        """All bytes below the folder, archives unpacked, but for the files that hold the secrets."""
        for path in self.folder.rglob("*"):
            if path.is_file() and path.suffix not in (".json", ".txt"):
                bytes_ = path.read_bytes()
                yield path, gzip.decompress(bytes_) if path.suffix == ".gz" else bytes_

    def assert_kept_nowhere(self, secret):
        for path, content in self.everything_kept():
            for form in (secret.encode(), base64.b64encode(f"me:{secret}".encode())):
                self.assertNotIn(form, content, path)
        self.assertNotIn(secret, self.stderr)

    def test_a_password_opens_its_origin_and_goes_nowhere_else(self):
        logins = self.file("logins.json", json.dumps([{"origin": self.web.url("basic.test").rstrip("/"), "user": "me", "password": PASSWORD}]))
        collection = self.folder / "c"
        self.crawl(collection, [self.web.url("basic.test"), self.web.url("elsewhere.test")], f"crawl.logins={logins}")
        pages, _ = self.store(collection)
        self.assertIn(self.web.url("basic.test", "/in"), pages)
        self.assertIn(("GET", "/landing"), self.web.asked("elsewhere.test"), "the redirect was not followed")
        self.assertTrue(self.web.asked("pictures.test"))
        for host, _, path, headers in self.web.requests:
            self.assertEqual("authorization" in headers, host == "basic.test", (host, path))
            if host != "basic.test":
                self.assertNotIn("cookie", headers, (host, path))
        self.assert_kept_nowhere(PASSWORD)
        self.assert_kept_nowhere(TOKEN)

    def test_without_its_password_it_stays_shut_and_other_schemes_and_ports_get_none(self):
        logins = self.file("logins.json", json.dumps([{"origin": f"https://basic.test:{self.web.port}", "user": "me", "password": PASSWORD},
                                                      {"origin": f"http://basic.test:{self.web.port + 1}", "user": "me", "password": PASSWORD}]))
        self.crawl(self.folder / "c", [self.web.url("basic.test")], f"crawl.logins={logins}")
        self.assertTrue(self.web.requests)
        self.assertFalse([headers for *_, headers in self.web.requests if "authorization" in headers])

    def test_cookies_of_a_file_go_where_their_line_says(self):
        cookies = self.file("cookies.txt", f"# Netscape HTTP Cookie File\n.cookie.test\tTRUE\t/\tFALSE\t0\tsid\t{TOKEN}\n"
                                           f"elsewhere.test\tFALSE\t/\tTRUE\t0\tsid\t{TOKEN}\n")
        collection = self.folder / "c"
        self.crawl(collection, [self.web.url(host) for host in ("cookie.test", "www.cookie.test", "notcookie.test", "elsewhere.test")], f"crawl.cookie_file={cookies}")
        pages, _ = self.store(collection)
        self.assertIn(self.web.url("cookie.test"), pages)
        self.assertIn(self.web.url("www.cookie.test"), pages)
        for host, _, path, headers in self.web.requests:
            self.assertEqual(TOKEN in headers.get("cookie", ""), host in ("cookie.test", "www.cookie.test"), (host, path))
        self.assert_kept_nowhere(TOKEN)

    def test_a_file_that_others_can_read_is_refused(self):
        for mode in (0o644, 0o640, 0o606):
            logins = self.file("logins.json", json.dumps([{"origin": "http://basic.test", "user": "me", "password": PASSWORD}]), mode)
            self.crawl(self.folder / "c", [self.web.url("basic.test")], f"crawl.logins={logins}", code=3)
            self.assertIn("chmod 600", self.stderr)
            self.assertNotIn(PASSWORD, self.stderr)
        self.assertEqual(self.web.requests, [])


if __name__ == "__main__":
    main()
