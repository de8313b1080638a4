"""Stories told to a real server: by its API, and by a browser without scripts.

CRONISTA_PROGRAM (or CRONISTA_BINARY) names the program; else it is build/cronista. From this folder:

    python3 -m unittest -v            all stories
    python3 -m unittest pages_test    one file of them
"""

import html
import http.client
import json
import os
import re
import shutil
import sys
import tempfile
import threading
import time
import unittest
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

if "CRONISTA_BINARY" in os.environ:
    os.environ.setdefault("CRONISTA_PROGRAM", os.environ["CRONISTA_BINARY"])
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
ROOT_FOLDER = Path(__file__).resolve().parents[2]
from support import ADMINISTRATOR, PASSWORD, Api, Refused, Server, Stream, command, free_port  # noqa: E402,F401

TEST_LIMITS = ("--attempts", "1000", "--account-attempts", "1000")  # stories sign in often; one story lowers it again


class Story(unittest.TestCase):
    """A class of stories that share a server. `arguments` and `environment` are the server's."""

    arguments = TEST_LIMITS
    environment = {}

    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="cronista-"))
        cls.server = Server(cls.folder / "data", cls.arguments, cls.environment).start()
        cls.key = cls.server.new_key()
        cls.api = cls.server.api(cls.key)

    @classmethod
    def tearDownClass(cls):
        code = cls.server.stop()
        log = cls.server.log_tail(200)
        shutil.rmtree(cls.folder, ignore_errors=True)
        if code != 0:
            raise AssertionError(f"the server ended with {code}\n{log}")
        for word in ("ERROR: AddressSanitizer", "runtime error:", "WARNING: ThreadSanitizer", "LeakSanitizer"):
            if word in log:
                raise AssertionError(log)

    def browser(self, email=ADMINISTRATOR, password=PASSWORD, language="en"):
        browser = Browser(self.server.port, language)
        if email:
            browser.sign_in(email, password)
        return browser

    @classmethod
    def user(cls, email, profile="member", password="another test password", **values):
        """A user who can sign in, and a key of theirs."""
        record = {"name": email.split("@")[0].title(), "email": email, "profile": profile, "active": True,
                  "password": password, **values}
        made = cls.api.want(201, "POST", "/api/users", record)
        return made["id"], cls.server.api(cls.server.new_key(email))


class Form:
    def __init__(self, attributes):
        self.action = attributes.get("action") or ""
        self.method = (attributes.get("method") or "get").upper()
        self.enctype = attributes.get("enctype")
        self.fields = []  # (name, value) as they would be sent
        self.buttons = []
        self.names = set()


COMES_AGAIN = '<noscript><meta http-equiv="refresh" content="2"></noscript>'


class Page(HTMLParser):
    """What a person sees of a page, roughly: texts, links, forms. Complains about HTML that is not well-formed."""

    VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}

    def __init__(self, status, headers, text):
        super().__init__(convert_charrefs=True)
        self.status, self.headers, self.source = status, headers, text
        self.links, self.forms, self.texts, self.ids, self.wrong = [], [], [], [], []
        self.title = ""
        self._open, self._select, self._textarea, self._option = [], None, None, None
        self.feed(text)
        self.close()
        self.wrong += [f"<{tag}> is never closed" for tag in self._open if tag not in ("p", "li", "option")]

    @property
    def text(self):
        return re.sub(r"\s+", " ", " ".join(self.texts)).strip()

    def form(self, action):
        found = [f for f in self.forms if urlsplit(f.action).path == action]
        assert found, f"no form to {action}: {[f.action for f in self.forms]}\n{self.text[:2000]}"
        return found[0]

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag not in self.VOID:
            self._open.append(tag)
        if "id" in given:
            self.ids.append(given["id"])
        for name in given:
            if name.startswith("on") or name == "style":
                self.wrong.append(f"<{tag} {name}=...> is against the content security policy")
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self.forms.append(Form(given))
        elif tag in ("input", "select", "textarea", "button") and self.forms and "form" in self._open:
            self._field(tag, given)
        if tag == "option" and self._select:
            self._option = given
            if "selected" in given or (self._select[1] is None and not self._select[2]):
                self._select[1] = given.get("value", "")

    def _field(self, tag, given):
        form, name = self.forms[-1], given.get("name")
        if name:
            form.names.add(name)
        if tag == "button":
            form.buttons.append((name, given.get("value", "")))
        elif tag == "input" and name:
            kind = given.get("type", "text")
            if kind in ("checkbox", "radio") and "checked" not in given:
                return
            if kind not in ("submit", "file"):
                form.fields.append((name, given.get("value", "on" if kind == "checkbox" else "")))
        elif tag == "select" and name:
            self._select = [name, None, "multiple" in given]
        elif tag == "textarea" and name:
            self._textarea = [name, ""]

    def handle_endtag(self, tag):
        if tag in self.VOID:
            return
        while self._open and self._open[-1] != tag and self._open[-1] in ("p", "li", "option"):
            self._open.pop()
        if not self._open or self._open[-1] != tag:
            self.wrong.append(f"</{tag}> closes {self._open[-3:]}")
            if tag in self._open:
                while self._open.pop() != tag:
                    pass
        else:
            self._open.pop()
        if tag == "select" and self._select:
            if self._select[1] is not None:
                self.forms[-1].fields.append((self._select[0], self._select[1]))
            self._select = None
        elif tag == "textarea" and self._textarea:
            self.forms[-1].fields.append((self._textarea[0], self._textarea[1].removeprefix("\n")))
            self._textarea = None

    def handle_data(self, data):
        if self._textarea:
            self._textarea[1] += data
        elif self._open and self._open[-1] == "title":
            self.title += data
        elif not self._open or self._open[-1] not in ("script", "style"):
            self.texts.append(data)


class Browser:
    """Follows links and sends forms as a browser without scripts does."""

    def __init__(self, port, language="en"):
        self.port, self.language = port, language
        self.cookies = {}
        self.page = None
        self.path = "/"
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def send(self, method, path, body=None, headers=None, follow=True):
        send = {"Accept-Language": self.language, **(headers or {})}
        if self.cookies:
            send["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.connection.request(method, path, body, send)
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8")
        for cookie in answer.headers.get_all("Set-Cookie") or []:
            name, _, rest = cookie.partition("=")
            value = rest.split(";")[0]
            if "Max-Age=0" in rest:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        self.path = path
        if follow and answer.status == 303:
            return self.send("GET", urljoin(path, answer.headers["Location"]).split("#")[0])
        if "html" in answer.headers.get("Content-Type", ""):
            self.page = Page(answer.status, answer.headers, text)
        else:
            self.page = Answer(answer.status, answer.headers, text)
        return self.page

    def get(self, path, **headers):
        return self.send("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def submit(self, action, values=None, button=None, follow=True, headers=None):
        """Fills in the form of the present page that goes to `action` and sends it. A value None leaves a field out."""
        form = self.page.form(action)
        fields = list(form.fields)
        for name, value in (values or {}).items():
            fields = [pair for pair in fields if pair[0] != name]
            for one in value if isinstance(value, list) else [value]:
                if one is not None:
                    fields.append((name, one))
        if button:
            fields.append(button)
        target = urljoin(self.path, form.action)
        if form.method == "GET":
            return self.send("GET", urlsplit(target).path + "?" + urlencode(fields), follow=follow)
        return self.send("POST", target, urlencode(fields),
                         {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})}, follow=follow)

    def sign_in(self, email=ADMINISTRATOR, password=PASSWORD):
        self.get("/sign-in")
        self.submit("/sign-in", {"email": email, "password": password})
        assert self.page.status == 200, (self.page.status, self.page.text[:500])
        return self

    def until_done(self, seconds=20):
        """Looks again, as a browser without scripts does, while the page says that what it tells of goes on. Returns the page."""
        end = time.monotonic() + seconds
        while COMES_AGAIN in self.page.source:
            assert time.monotonic() < end, f"{self.path} goes on: {self.page.text[:2000]}"
            time.sleep(0.05)
            self.get(self.path)
        return self.page

    @property
    def csrf(self):
        return re.search(r'<meta name="csrf" content="([^"]*)"', self.page.source).group(1)


class Answer:
    def __init__(self, status, headers, text):
        self.status, self.headers, self.source, self.text = status, headers, text, text
        self.forms, self.links, self.wrong, self.title = [], [], [], ""

    @property
    def json(self):
        return json.loads(self.source)


def escaped(text):
    return html.escape(text, quote=True)


def at_once(functions):
    """Runs all of them at the same time; their results, or what they raised, in order."""
    results = [None] * len(functions)

    def run(i):
        try:
            results[i] = functions[i]()
        except Exception as error:  # handed to the caller
            results[i] = error

    threads = [threading.Thread(target=run, args=(i,)) for i in range(len(functions))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
