"""A large organisation on an installation of the bench: users, roles in a tree, profiles, and who is in charge of what."""

import http.client
import json
import random
import time
from concurrent.futures import ThreadPoolExecutor
from threading import local

ADMINISTRATORS_WORK = 8  # connections
MODULES = ("companies", "contacts", "leads", "opportunities", "cases", "products", "tasks")


class Calls:
    """Many requests of the administrator at once, each of a connection that stays open."""

    def __init__(self, server):
        self.server, self.local = server, local()

    def __call__(self, method, path, body):
        headers = dict(h.split(": ", 1) for h in self.server.key_headers())
        if time.monotonic() - getattr(self.local, "used", 0) > 20:  # the server closes what is idle
            self.local.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        self.local.used = time.monotonic()
        self.local.connection.request(method, "/api" + path, json.dumps(body), headers)
        answer = self.local.connection.getresponse()
        text = answer.read()
        if answer.status // 100 != 2:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]!r}")
        return json.loads(text)

    def all(self, requests):
        with ThreadPoolExecutor(ADMINISTRATORS_WORK) as pool:
            return list(pool.map(lambda r: self(*r), requests))


def build(server, contacts, users, roles, depth, profiles, seed=1):
    """{"users": {id: role}, "below": {role: roles below it}, "owner": {contact: user}, "roles": [ids at each depth], "profile": key}"""
    at_random, call = random.Random(seed), Calls(server)
    rights = {m: ["view", "create", "edit", "delete", "export"] for m in MODULES}
    made = [call("POST", "/profiles", {"name": f"Profile {i}", **rights, "hidden_contacts": ["birthday"]})["id"] for i in range(profiles)]
    tree, parent = [[call("POST", "/roles", {"name": "Role 0"})["id"]]], {}
    for i in range(1, roles):
        level = i if i < depth else at_random.randrange(1, depth)
        above = at_random.choice(tree[level - 1])
        role = call("POST", "/roles", {"name": f"Role {i}", "parent": above})["id"]
        parent[role] = above
        if level == len(tree):
            tree.append([])
        tree[level].append(role)
    below = {role: set() for level in tree for role in level}
    for role in parent:
        above = parent.get(role)
        while above:
            below[above].add(role)
            above = parent.get(above)
    level = call("POST", "/levels", {"name": "Level of the bench"})["id"]
    everyone = [role for roles_there in tree for role in roles_there]
    chosen = [at_random.choice(everyone) for _ in range(users)]
    people = call.all([("POST", "/users", {"name": f"Person {i}", "email": f"person{i}@example.org", "level": level, "active": True,
                                           "role": role, "profile": f"p{at_random.choice(made)}"}) for i, role in enumerate(chosen)])
    ids = [p["id"] for p in people]
    owner = {c: at_random.choice(ids) for c in range(1, contacts + 1) if at_random.random() > 0.05}
    of = {}
    for c, user in owner.items():
        of.setdefault(user, []).append(c)
    call.all([("POST", "/contacts/bulk", {"do": "assign", "id": records, "user": user}) for user, records in of.items()])
    return {"users": dict(zip(ids, chosen)), "below": below, "owner": owner, "roles": tree, "profiles": made, "call": call}


def somebody(organisation, server, name, role):
    """A user of this role who can use the API and pages; what they may see."""
    call = organisation["call"]
    level = call("POST", "/levels", {"name": f"Level of {name}"})["id"]
    email, password = f"{name}@example.org", "a password of the bench"
    user = call("POST", "/users", {"name": name, "email": email, "level": level, "active": True, "role": role, "password": password,
                                   "profile": f"p{organisation['profiles'][len(organisation['profiles']) // 2]}"})["id"]
    users = {u for u, r in organisation["users"].items() if r in organisation["below"][role]} | {user}
    return {"user": user, "email": email, "password": password, "sees": lambda contact: organisation["owner"].get(contact, user) in users}
