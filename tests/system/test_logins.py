"""Passwords and cookies that a user gives: they open what they are for, go nowhere else, and are kept nowhere."""
import base64
import gzip
import hashlib
import json
import os
import secrets
from urllib.parse import parse_qs, urlsplit

from local_web import Names, Web
from magpie_system import SITE_FILES, SystemTest, main

PASSWORD, TOKEN = "tell-tale-password", "tell-tale-token"
FORM_PASSWORD = "tell tale & füll"  # looks other when it is sent


class WithLogins(SystemTest):
    def setUp(self):
        super().setUp()
        self.web = Web(self.answer)
        self.addCleanup(self.web.stop)
        self.names = Names(lambda name, number: "127.0.0.1")
        self.addCleanup(self.names.stop)

    def file(self, name, text, mode=0o600):
        path = self.folder / name
        path.write_text(text)
        os.chmod(path, mode)
        return path

    def crawl(self, collection, seeds, *settings, code=0, delay="0", more=()):
        words = [word for setting in (f"net.resolvers={self.names.address}", *settings) for word in ("--set", setting)]
        self.magpie(*self.crawl_words(collection, seeds, delay=delay), *words, *more, code=code)
        self.said = self.stderr

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
        self.assertNotIn(secret, self.said)


class Logins(WithLogins):
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

    def test_a_password_opens_its_origin_and_goes_nowhere_else(self):
        logins = self.file("logins.json", json.dumps([{"origin": self.web.url("basic.test").rstrip("/"), "user": "me", "password": PASSWORD, "plain_http": True}]))
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
        logins = self.file("logins.json", json.dumps([{"origin": f"https://basic.test:{self.web.port}", "user": "me", "password": PASSWORD, "plain_http": True},
                                                      {"origin": f"http://basic.test:{self.web.port + 1}", "user": "me", "password": PASSWORD, "plain_http": True}]))
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
            logins = self.file("logins.json", json.dumps([{"origin": "http://basic.test", "user": "me", "password": PASSWORD, "plain_http": True}]), mode)
            self.crawl(self.folder / "c", [self.web.url("basic.test")], f"crawl.logins={logins}", code=2)
            self.assertIn("chmod 600", self.stderr)
            self.assertNotIn(PASSWORD, self.stderr)
        self.assertEqual(self.web.requests, [])


class Members:
    """A shop behind a form with a CSRF token. A session gives 12 pages; half of what is shut sends to the form, half shows it."""
    PAGES = 40

    def __init__(self):
        self.password, self.sessions, self.tokens = FORM_PASSWORD, {}, {}
        self.logins, self.shut, self.secrets = 0, 0, []

    def secret(self):
        self.secrets.append("tell-tale-" + secrets.token_hex(8))
        return self.secrets[-1]

    def form(self):
        visit, token = self.secret(), secrets.token_hex(8)
        self.tokens[visit] = token
        return 200, {"Set-Cookie": f"visit={visit}; Path=/; HttpOnly"}, (
            '<title>Log in</title><h1>Log in</h1><form action="/search"><input name="q"></form>'
            f'<form method="post" action="/session"><input type="hidden" name="csrf" value="{token}"><input name="mail" type="email">'
            '<input name="word" type="password"><button name="go" value="1">Log in</button></form>')

    def let_in(self, request, cookies):
        fields = {name: values[0] for name, values in parse_qs(request.body.decode()).items()}
        wanted = {"csrf": self.tokens.pop(cookies.get("visit"), None), "mail": "me@a.test", "word": self.password, "go": "1"}
        if request.command != "POST" or fields != wanted or request.headers["Content-Type"] != "application/x-www-form-urlencoded":
            return 302, {"Location": "/login?failed=1"}, ""
        self.logins += 1
        session = self.secret()
        self.sessions[session] = 0
        return 302, {"Location": "/", "Set-Cookie": [f"session={session}; Path=/; HttpOnly", "visit=; Max-Age=0; Path=/"]}, ""

    def answer(self, request):
        path = urlsplit(request.path).path
        cookies = dict(pair.split("=", 1) for pair in request.headers.get("Cookie", "").split("; ") if "=" in pair)
        if path in SITE_FILES:
            return 404, {}, ""
        if path == "/login":
            return self.form()
        if path == "/session":
            return self.let_in(request, cookies)
        session = cookies.get("session")
        if session not in self.sessions or self.sessions[session] >= 12:
            self.shut += 1
            return (302, {"Location": "/login?next=" + path}, "") if self.shut % 2 else self.form()
        self.sessions[session] += 1
        links = "".join(f'<a href="/page/{i}">page {i}</a> ' for i in range(self.PAGES)) if path == "/" else ""
        words = " ".join(hashlib.sha256(f"{path} {i}".encode()).hexdigest() for i in range(20))
        return 200, {}, f"<title>members {path}</title><h1>Inside</h1><p>What only members read: {words}</p>{links}"


class FormLogins(WithLogins):
    def setUp(self):
        super().setUp()
        self.site = Members()

    def answer(self, request):
        if request.host == "members.test":
            return self.site.answer(request)
        return 200, {}, "<title>elsewhere</title>"

    def crawl_members(self, *settings, delay="0"):
        logins = self.file("logins.json", json.dumps([{"origin": self.web.url("members.test", ""), "form": "/login", "user": "me@a.test",
                                                       "password": FORM_PASSWORD, "plain_http": True}]))
        collection = self.folder / "c"
        self.crawl(collection, [self.web.url("members.test")], f"crawl.logins={logins}", "crawl.login_every=1s", *settings, delay=delay, more=["-v"])
        return collection

    def assert_nothing_kept(self, collection):
        self.said += self.magpie("why", "-C", collection, self.web.url("members.test"))
        self.said += self.magpie("status", "-C", collection, "--host", f"members.test:{self.web.port}", "--proof")
        for secret in (FORM_PASSWORD, "tell+tale", "tell%20tale", *self.site.secrets):
            self.assert_kept_nowhere(secret)

    def test_all_pages_come_though_the_session_ends(self):
        collection = self.crawl_members()
        pages, _ = self.store(collection)
        self.assertEqual(set(pages), {self.web.url("members.test"), *(self.web.url("members.test", f"/page/{i}") for i in range(Members.PAGES))})
        self.assertGreaterEqual(self.site.logins, 4)
        self.assertEqual([path for _, path in self.web.asked("members.test")][:5], [*SITE_FILES, "/login", "/session", "/"])
        self.assert_nothing_kept(collection)

    def test_a_wrong_password_is_said_once_and_asks_for_no_page(self):
        self.site.password = "another"
        collection = self.crawl_members("crawl.retry_delay=10ms")
        self.assertEqual(self.store(collection)[0], {})
        self.assertEqual(self.web.asked("members.test").count(("POST", "/session")), 1)
        self.assertNotIn(("GET", "/"), self.web.asked("members.test"))
        self.assertEqual(self.said.count("crawl.login_given_up"), 1)
        why = self.magpie("why", "-C", collection, self.web.url("members.test"))
        self.assertIn("user and password are not accepted", why)
        self.assertIn("login-wall", why)
        self.assert_nothing_kept(collection)

    def test_a_password_does_not_go_out_over_plain_http_unasked(self):
        logins = self.file("logins.json", json.dumps([{"origin": self.web.url("members.test", ""), "form": "/login", "user": "me", "password": PASSWORD}]))
        self.crawl(self.folder / "c", [self.web.url("members.test")], f"crawl.logins={logins}", code=2)
        self.assertIn("plain_http", self.stderr)
        self.assertEqual(self.web.requests, [])


if __name__ == "__main__":
    main()
