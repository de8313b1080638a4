#!/usr/bin/env python3
"""Checks docs/log-vectors.json by docs/log-format.md, with nothing but hashes: a second opinion on the C program.

    verify_vectors.py FILE
"""

import base64
import hashlib
import hmac
import json
import sys


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def sha512_int(*parts):
    return int.from_bytes(hashlib.sha512(b"".join(parts)).digest(), "little")


def canonical(value):
    """RFC 8785, for values without fractions."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return "{" + ",".join(f"{canonical(k)}:{canonical(value[k])}" for k in keys) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(canonical, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def url64(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def from_url64(text):
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    assert len(data) == 32 and url64(data) == text
    return data


# The tree of RFC 6962.


def leaf(entry):
    return sha256(b"\0", entry)


def split(n):
    k = 1
    while 2 * k < n:
        k *= 2
    return k


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256()
    k = split(len(leaves))
    return sha256(b"\1", root(leaves[:k]), root(leaves[k:]))


def inclusion(index, leaves):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    if index < k:
        return inclusion(index, leaves[:k]) + [root(leaves[k:])]
    return inclusion(index - k, leaves[k:]) + [root(leaves[:k])]


def consistency(size, leaves, whole=True):
    if size == len(leaves):
        return [] if whole else [root(leaves)]
    k = split(len(leaves))
    if size <= k:
        return consistency(size, leaves[:k], whole) + [root(leaves[k:])]
    return consistency(size - k, leaves[k:], False) + [root(leaves[:k])]


def root_from_proof(index, size, hash_, proof):
    if size == 1:
        assert not proof
        return hash_
    k = split(size)
    if index < k:
        return sha256(b"\1", root_from_proof(index, k, hash_, proof[:-1]), proof[-1])
    return sha256(b"\1", proof[-1], root_from_proof(index - k, size - k, hash_, proof[:-1]))


# Payloads.


def digest(body, secret):
    """Of a stored body; secret is None where it has gone."""
    leaves = []
    parsed = json.loads(body)
    assert canonical(parsed) == body and set(parsed) == {"items"}
    for number, item in enumerate(parsed["items"]):
        if "mac" in item:
            assert secret is None and set(item) == {"field", "mac"}
            mac = from_url64(item["mac"])
        else:
            if secret is None:
                salt = from_url64(item["salt"])
            else:
                assert "salt" not in item
                salt = sha256(b"\2", secret, number.to_bytes(4, "big"))
            text = canonical([item["field"], item["old"], item["new"]])
            mac = hmac.new(salt, text.encode(), "sha256").digest()
        leaves.append(leaf(canonical(item["field"]).encode() + mac))
    return url64(root(leaves))


# Ed25519 (RFC 8032), checking only.

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P


def point(data):
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    assert y < P and (x * x - square) % P == 0
    return (P - x if x & 1 != sign else x), y


def add(a, b):
    product = D * a[0] * b[0] * a[1] * b[1] % P
    return ((a[0] * b[1] + a[1] * b[0]) * pow(1 + product, -1, P) % P,
            (a[1] * b[1] + a[0] * b[0]) * pow(1 - product, -1, P) % P)


def times(n, a):
    result = (0, 1)
    while n:
        if n & 1:
            result = add(result, a)
        a, n = add(a, a), n >> 1
    return result


def signed(key, message, signature):
    s = int.from_bytes(signature[32:], "little")
    k = sha512_int(signature[:32], key, message) % ORDER
    base = point((4 * pow(5, -1, P) % P).to_bytes(32, "little"))
    return s < ORDER and times(s, base) == add(point(signature[:32]), times(k, point(key)))


def checkpoint(note, verifier):
    """Size and root of a signed checkpoint."""
    name, key_id, key = verifier.split("+", 2)
    key = base64.b64decode(key, validate=True)
    assert key[0] == 1 and len(key) == 33
    assert sha256(name.encode(), b"\n", key)[:4].hex() == key_id
    text, signature = note.rsplit("\n\n", 1)
    text += "\n"
    assert signature.startswith(f"— {name} ") and signature.endswith("\n")
    data = base64.b64decode(signature.split(" ")[2].rstrip("\n"), validate=True)
    assert data[:4].hex() == key_id and len(data) == 68
    assert signed(key[1:], text.encode(), data[4:])
    origin, size, hash_ = text.split("\n")[:3]
    assert origin == name
    return int(size), base64.b64decode(hash_, validate=True)


def receipt(text, verifier):
    parts = json.loads(text)
    size, expected = checkpoint(parts["checkpoint"], verifier)
    head = json.loads(parts["head"])
    assert canonical(head) == parts["head"] and head["position"] == parts["position"]
    proof = [base64.b64decode(h, validate=True) for h in parts["proof"]]
    hash_ = leaf(parts["head"].encode())
    assert root_from_proof(parts["position"], size, hash_, proof) == expected
    if "body" in parts:
        assert digest(parts["body"], None) == head["digest"]


def main(vectors):
    for payload in vectors["payloads"]:
        assert digest(payload["body"], bytes.fromhex(payload["secret"])) == payload["digest"]
        assert canonical({"items": payload["items"]}) == payload["body"]
        if "erased" in payload:
            assert digest(payload["erased"]["body"], None) == payload["digest"]
    leaves = []
    for position, event in enumerate(vectors["events"]):
        head = json.loads(event["head"])
        assert canonical(head) == event["head"] and head["position"] == position
        assert digest(event["body"], bytes.fromhex(event["secret"])) == head["digest"]
        leaves.append(leaf(event["head"].encode()))
        assert base64.b64encode(leaves[-1]).decode() == event["leaf"]
        assert base64.b64encode(root(leaves)).decode() == event["root"]
    for case in vectors["inclusion"]:
        proof = [base64.b64decode(h) for h in case["proof"]]
        assert proof == inclusion(case["position"], leaves[: case["size"]])
    for case in vectors["consistency"]:
        proof = [base64.b64decode(h) for h in case["proof"]]
        assert proof == consistency(case["size1"], leaves[: case["size2"]])
    assert checkpoint(vectors["checkpoint"], vectors["verifier"]) == (len(leaves), root(leaves))
    for text in vectors["receipts"]:
        receipt(text, vectors["verifier"])


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        main(json.load(file))
    print("the vectors agree")
