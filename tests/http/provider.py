"""OpenID providers for the tests: a real one (tests/provider, by npm), and one that lies as it is told to."""

import base64
import hashlib
import http.client
import json
import os
import random
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlencode, urljoin, urlsplit

from harness import Page, free_port

FOLDER = Path(__file__).resolve().parents[1] / "provider"
CLIENT = "cronista"
SECRET = "a secret, with: signs & more"


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


# ---------------------------------------------------------------- the real one

class RealProvider:
    """tests/provider/provider.mjs as a process of its own. Whom it knows: self.accounts, by the name they type there."""

    def __init__(self, folder, site, port, algorithm="RS256"):
        if not (FOLDER / "node_modules/.package-lock.json").exists():
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=FOLDER, check=True, stdout=subprocess.DEVNULL)
        self.file, self.accounts, self.port = Path(folder) / "accounts.json", {}, port
        self.save()
        self.log = open(Path(folder) / "provider.log", "wb")
        self.process = subprocess.Popen(["node", FOLDER / "provider.mjs"], stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env={
            **os.environ, "PORT": str(port), "SITE": site, "ACCOUNTS": str(self.file), "ALGORITHM": algorithm})
        end = time.monotonic() + 30
        while self.process.poll() is None and time.monotonic() < end:
            try:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
                connection.request("GET", "/jwks")
                if connection.getresponse().status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError(f"the provider does not start\n{Path(self.log.name).read_text(errors='replace')}")

    def save(self):
        self.file.write_text(json.dumps(self.accounts))

    def knows(self, name, email, verified=True, called=None):
        self.accounts[name] = {"email": email, "email_verified": verified, "name": called or name.title()}
        self.save()

    def stop(self):
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


class Visit:
    """Somebody's browser at the real provider."""

    def __init__(self, provider):
        self.port, self.cookies, self.path = provider.port, {}, "/"
        self.page = None

    def send(self, method, location, fields=None):
        """The address outside to which it leads in the end, or None with self.page."""
        while True:
            at = urlsplit(urljoin(f"http://127.0.0.1:{self.port}{self.path}", location))
            if at.port != self.port:
                return location
            self.path = f"{at.path}?{at.query}" if at.query else at.path
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            headers = {"Cookie": "; ".join(f"{n}={v}" for n, v in self.cookies.items())} if self.cookies else {}
            if method == "POST":
                headers["Content-Type"] = "application/x-www-form-urlencoded"
            connection.request(method, self.path, urlencode(fields) if method == "POST" else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
            for cookie in answer.headers.get_all("Set-Cookie") or []:
                name, _, rest = cookie.partition("=")
                self.cookies[name] = rest.split(";")[0]
            if answer.status not in (302, 303):
                self.page = Page(answer.status, answer.headers, text)
                return None
            method, location = "GET", answer.headers["Location"]

    def form(self, **values):
        form = self.page.forms[0]
        return self.send("POST", form.action, {**dict(form.fields), **values})

    def sign_in(self, location, name, stay=True):
        """From Cronista's question to where the provider sends the browser back to. Not `stay`: they do not agree."""
        back = self.send("GET", location)
        while back is None:
            if self.page.status != 200:
                raise AssertionError(self.page.text)
            if not stay:
                back = self.send("GET", next(link for link in self.page.links if link.endswith("/abort")))
            elif "login" in self.page.forms[0].names:
                back = self.form(login=name, password="any")
            else:
                back = self.form()
        return back


# ---------------------------------------------------------------- keys

def prime(bits):
    small = [p for p in range(3, 2000, 2) if all(p % q for q in range(3, int(p ** 0.5) + 1, 2))]
    while True:
        n = random.getrandbits(bits) | (3 << (bits - 2)) | 1
        if all(n % p for p in small) and n % 65537 != 1 and all(pow(random.randrange(2, n - 1), n - 1, n) == 1 for _ in range(8)):
            return n


class Key:
    """RSA as RFC 8017 has it, for RS256. Not for anything but tests."""

    def __init__(self, kid):
        p, q = prime(1024), prime(1024)
        self.kid, self.n = kid, p * q
        self.d = pow(65537, -1, (p - 1) * (q - 1))

    @property
    def modulus(self):
        return self.n.to_bytes(256, "big")

    def sign(self, data):
        digest = bytes.fromhex("3031300d060960864801650304020105000420") + hashlib.sha256(data).digest()
        padded = b"\x00\x01" + b"\xff" * (256 - 3 - len(digest)) + b"\x00" + digest
        return pow(int.from_bytes(padded, "big"), self.d, self.n).to_bytes(256, "big")

    def public(self, **more):
        return {"kty": "RSA", "kid": self.kid, "use": "sig", "alg": "RS256", "n": base64url(self.modulus), "e": "AQAB", **more}


# ---------------------------------------------------------------- the one that lies

class LyingProvider:
    """It gives a token for any code it was told of, whoever asks and however. What it answers besides is set by the tests:
    `answers` has for a path (status, headers, bytes), or a function that answers on the handler."""

    def __init__(self, keys, certificate=None):
        self.keys, self.port = keys, free_port()
        self.issuer = f"http{'s' if certificate else ''}://127.0.0.1:{self.port}"
        self.published = [keys[0].public()]
        self.codes, self.answers, self.asked, self.forms, self.discovery = {}, {}, [], [], {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                provider.answer(self, None)

            def do_POST(self):
                provider.answer(self, self.rfile.read(int(self.headers["Content-Length"])).decode())

            def log_message(self, *arguments):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        self.server.daemon_threads = True
        if certificate:  # a file with it and its key
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake is the thread's of each connection: who refuses it must not stop the others.
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @staticmethod
    def certificate(path, names):
        """A file with a certificate that signs itself, for these names, and its key."""
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=provider", "-addext",
                        f"subjectAltName={names}", "-keyout", f"{path}.key", "-out", path], check=True, capture_output=True)
        path.write_bytes(path.read_bytes() + Path(f"{path}.key").read_bytes())
        return path

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def described(self):
        return {"issuer": self.issuer, "authorization_endpoint": f"{self.issuer}/authorize", "token_endpoint": f"{self.issuer}/token",
                "jwks_uri": f"{self.issuer}/keys", "userinfo_endpoint": f"{self.issuer}/people", **self.discovery}

    def answer(self, handler, body):
        path = urlsplit(handler.path).path
        self.asked.append(path)
        said = self.answers.get(path)
        try:
            if callable(said):
                said(handler)
                return
            status, headers, data = said or self.usual(path, handler, body)
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(data)))
            handler.end_headers()
            handler.wfile.write(data)
        except OSError:
            pass  # who asked has gone

    def usual(self, path, handler, body):
        if path == "/.well-known/openid-configuration":
            return self.json(self.described())
        if path == "/keys":
            return self.json({"keys": self.published})
        if path == "/token":
            form = {name: values[0] for name, values in parse_qs(body).items()}
            form["authorization"] = handler.headers.get("Authorization", "")
            self.forms.append(form)
            if form.get("code") not in self.codes:
                return self.json({"error": "invalid_grant"}, 400)
            return self.json({"access_token": "access", "token_type": "Bearer", "id_token": self.codes[form["code"]]})
        return self.json({"error": "not_found"}, 404)

    @staticmethod
    def json(value, status=200):
        return status, {"Content-Type": "application/json"}, json.dumps(value).encode()

    def token(self, nonce, key=None, header=None, sign=None, **claims):
        """A token as it should be, but for what is said; a claim None is left out."""
        key, now = key or self.keys[0], int(time.time())
        all_claims = {"iss": self.issuer, "sub": "somebody", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce,
                      "email_verified": True, **claims}
        all_claims = {name: value for name, value in all_claims.items() if value is not None}
        parts = [base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "kid": key.kid, **(header or {})}, all_claims)]
        data = ".".join(parts).encode()
        return f"{data.decode()}.{base64url(sign(data) if sign else key.sign(data))}"

    def code(self, nonce, **how):
        code = f"code-{len(self.codes)}-{random.getrandbits(64):x}"
        self.codes[code] = self.token(nonce, **how)
        return code


def question(location):
    """What Cronista asks of a provider, by the address it leads to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


def client_of(authorization):
    """Id and secret as a client sends them (RFC 6749, section 2.3.1)."""
    name, _, secret = base64.b64decode(authorization.removeprefix("Basic ")).decode().partition(":")
    return unquote(name), unquote(secret)
