#!/usr/bin/env python3
"""Makes vectors.json beside it: for each algorithm a key and a token, signed by the openssl command line."""

import base64
import json
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
WORK = Path(tempfile.mkdtemp())
EC = {"ES256": ("P-256", 32), "ES384": ("P-384", 48), "ES512": ("P-521", 66)}


def openssl(*arguments, data=None):
    return subprocess.run(["openssl", *map(str, arguments)], input=data, capture_output=True, check=True).stdout


def url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def public_of(key):
    return openssl("pkey", "-in", key, "-pubout").decode()


def make_key(name, *arguments):
    key = WORK / name
    openssl("genpkey", *arguments, "-out", key)
    return key


def raw_pair(der, half):
    """r and s out of the DER form, which openssl writes: 30 len 02 len r 02 len s."""
    at = 2 if der[1] < 0x80 else 3
    out = b""
    for _ in range(2):
        size = der[at + 1]
        out += der[at + 2:at + 2 + size].lstrip(b"\0").rjust(half, b"\0")
        at += 2 + size
    return out


def sign(algorithm, key, text):
    sha = "-sha" + algorithm[2:]
    if algorithm.startswith("ES"):
        return raw_pair(openssl("dgst", sha, "-sign", key, data=text), EC[algorithm][1])
    if algorithm.startswith("PS"):
        pss = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:-1"]
        return openssl("dgst", sha, *pss, "-sign", key, data=text)
    if algorithm.startswith("RS"):
        return openssl("dgst", sha, "-sign", key, data=text)
    if algorithm.startswith("HS"):
        return openssl("dgst", sha, "-binary", "-hmac", key, data=text)
    (WORK / "text").write_bytes(text)
    return openssl("pkeyutl", "-sign", "-rawin", "-inkey", key, "-in", WORK / "text")


def vector(algorithm, key, credential):
    header = url(json.dumps({"alg": algorithm, "typ": "JWT"}, separators=(",", ":")).encode())
    payload = url(json.dumps({"key": "jack-key", "exp": 4102444800}, separators=(",", ":")).encode())
    text = f"{header}.{payload}"
    return {"algorithm": algorithm, "credential": {"key": "jack-key", "algorithm": algorithm, **credential},
            "token": f"{text}.{url(sign(algorithm, key, text.encode()))}"}


def main():
    vectors = []
    rsa = make_key("rsa", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    for bits in ("256", "384", "512"):
        secret = f"a-secret-of-hs{bits}-" + "0123456789" * 15
        vectors.append(vector("HS" + bits, secret, {"secret": secret}))
        vectors.append(vector("RS" + bits, rsa, {"public_key": public_of(rsa)}))
        vectors.append(vector("PS" + bits, rsa, {"public_key": public_of(rsa)}))
        curve = make_key("es" + bits, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + EC["ES" + bits][0])
        vectors.append(vector("ES" + bits, curve, {"public_key": public_of(curve)}))
    for kind in ("ED25519", "ED448"):
        key = make_key(kind, "-algorithm", kind)
        vectors.append(vector("EdDSA", key, {"public_key": public_of(key)}))
    certificate = openssl("req", "-x509", "-new", "-key", rsa, "-subj", "/CN=jack", "-days", "36500").decode()
    vectors.append(vector("RS256", rsa, {"public_key": certificate}))
    (HERE / "vectors.json").write_text("[\n" + ",\n".join(json.dumps(one) for one in vectors) + "\n]\n")


main()
