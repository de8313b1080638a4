"""The documents that pages are poured from have the shape docs/pages.md promises: that of the samples in tests/golden/pages."""

import json
import unittest
from urllib.parse import quote

from harness import ROOT_FOLDER, Story

SAMPLES = ROOT_FOLDER / "tests/golden/pages"
# What a sample has of one kind while another is as good: kinds of controls, optional parts.
OPEN = {"control", "controls", "doc"}


def differences(sample, ours, where):
    """What the sample has and ours does not, by name and type; null and empty say nothing."""
    if sample is None or ours is None:
        return
    if isinstance(sample, dict):
        if not isinstance(ours, dict):
            yield f"{where}: {type(ours).__name__} instead of an object"
            return
        for key, value in sample.items():
            if key in OPEN:
                continue
            if key not in ours:
                yield f"{where}.{key} is missing"
            else:
                yield from differences(value, ours[key], f"{where}.{key}")
    elif isinstance(sample, list):
        if not isinstance(ours, list):
            yield f"{where}: {type(ours).__name__} instead of a list"
        elif sample and ours:
            for one in ours[:3]:
                yield from differences(sample[0], one, f"{where}[]")
    elif isinstance(sample, bool) != isinstance(ours, bool) or isinstance(sample, str) != isinstance(ours, str):
        yield f"{where}: {ours!r} instead of {sample!r}"


class Documents(Story):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        api = cls.api
        company = api.want(201, "POST", "/api/companies", {"name": "Textiles Andina"})["id"]
        contact = api.want(201, "POST", "/api/contacts", {"name": "Jorge Pardo", "company": company, "email": "j@x.org",
                                                          "phone": "+573001234567", "tags": ["a", "b"]})["id"]
        cls.deal = api.want(201, "POST", "/api/opportunities", {
            "name": "Licencias 2027", "company": company, "contact": contact, "stage": "proposal",
            "amount": {"amount": "18400.00", "currency": "USD"}, "closing_date": "2026-12-12"})["id"]
        cls.begun = api.want(200, "GET", f"/api/opportunities/{cls.deal}")["updated_at"]
        api.want(200, "PATCH", f"/api/opportunities/{cls.deal}", {"stage": "negotiation", "description": "Dos\nlíneas"})
        api.want(201, "POST", f"/api/opportunities/{cls.deal}/comments", {"text": "Hola @laura, ¿qué tal?"})
        api.want(201, "POST", "/api/tasks", {"subject": "Llamar", "opportunity": cls.deal, "due": "2026-12-01T10:00:00Z",
                                          "reminder": "2020-01-01T10:00:00Z", "contact": contact})
        bulk = api.want(200, "POST", "/api/opportunities/bulk", {"do": "assign", "id": [cls.deal], "user": None})
        cls.operation = bulk["operation"]
        cls.gone = api.want(201, "POST", "/api/contacts", {"name": "Nadie", "email": "n@x.org"})["id"]
        api.want(200, "POST", f"/api/contacts/{cls.gone}/anonymise", {"reason": "Art. 17"})
        cls.twin = api.want(201, "POST", "/api/contacts", {"name": "Jorge Pardo", "source": "web"})["id"]
        value = api.want(201, "POST", "/api/files?name=a.txt", b"Hola\n", {"Content-Type": "application/octet-stream"})
        api.want(201, "POST", f"/api/contacts/{cls.twin}/comments", {"text": "Va un archivo", "files": [value]})
        cls.colleague_id, colleague = cls.user("colleague@example.org")
        colleague.want(201, "POST", f"/api/opportunities/{cls.deal}/comments", {"text": "@Administrator, mira"})
        api.want(201, "POST", f"/api/opportunities/{cls.deal}/shares", {"user": cls.colleague_id})
        heir, _ = cls.user("heir@example.org")
        colleague.want(201, "POST", "/api/companies", {"name": "Handed over"})
        api.want(200, "POST", f"/api/users/{cls.colleague_id}/hand-over", {"to": [heir]})
        colleague.want(201, "POST", "/api/contacts", {"name": "In charge of"})
        cls.calendar = api.want(201, "POST", "/api/calendars", {"name": "Madrid", "monday": "9-14 15:30-18:30",
                                                                "holidays": "12-25 Navidad\n12-24 9-14 Nochebuena"})["id"]
        cls.visitor = cls.browser(cls, language="es")

    def document(self, path, method="GET", body=None):
        headers = {"Cronista-Part": "document"}
        if body is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        return self.visitor.send(method, path, body, headers).json

    def check(self, sample, path, view=None):
        wanted = json.loads((SAMPLES / f"{sample}.json").read_text())
        found = self.document(path)
        page = json.loads((SAMPLES / "page.json").read_text())
        page["flash"] = None
        wrong = [*differences(page, found["page"], "page"), *differences(view or wanted["view"], found["view"], "view")]
        self.assertEqual([], wrong, path)
        return found["view"]

    def test_every_sample_has_its_page(self):
        for sample, path in self.paths().items():
            with self.subTest(sample):
                self.check(sample, path)

    def paths(self):
        deal = f"/opportunities/{self.deal}"
        return {
            "card": deal,
            "card-calendar": f"/calendars/{self.calendar}",
            "difference": f"{deal}/difference?from=2100-01-01T00:00:00Z&to={quote(self.begun)}",
            "list": "/opportunities",
            "list-filter": "/opportunities?filter[stage][ne]=lost&with=stage",
            "list-empty": "/leads",
            "form": f"{deal}/edit",
            "history": f"{deal}/history",
            "confirm": f"{deal}/delete",
            "shares": f"{deal}/shares",
            "journeys": "/opportunities/journeys?by=stage",
            "journey-list": "/opportunities/journeys/stays?by=stage&value=proposal",
            "journey": f"{deal}/journey",
            "home": "/",
            "activities": "/activities",
            "reminders": "/reminders",
            "log": "/history",
            "operation": f"/operations/{self.operation}",
            "undo": f"/operations/{self.operation}/undo",
            "invitation": f"/users/{self.colleague_id}/invitation",
            "hand-over": f"/users/{self.colleague_id}/hand-over",
            "proof": "/log/3",
            "anonymise": f"/contacts/{self.twin}/anonymise",
            "certificate": f"/contacts/{self.gone}/certificate",
            "search": "/search?q=lic",
            "search-empty": "/search?q=nothing-like-this",
            "lookup-results": "/companies/lookup?q=tex",
            "table": "/settings/modules",
            "module-settings": "/settings/modules/opportunities",
            "field": "/settings/modules/opportunities/fields/stage",
            "settings": "/settings",
            "second-factor": "/settings/second-factor",
            "keys": "/keys",
            "notifications": "/notifications",
            "error": "/nothing/here",
        }

    def test_every_sample_is_looked_at(self):
        # Part of all; with stories of their own; or the same document poured into another template.
        elsewhere = {"page", "consent-page", "invitation-page", "sign-in", "sign-in-second", "second-factor-begin", "second-factor-confirm", "conflict", "error-outside", "palette-results"}
        samples = {path.stem for path in SAMPLES.glob("*.json")}
        self.assertEqual(set(), samples - set(self.paths()) - elsewhere
                         - {name for name in samples if name.split("-")[0] in ("card", "form", "import", "home")})


if __name__ == "__main__":
    unittest.main()
