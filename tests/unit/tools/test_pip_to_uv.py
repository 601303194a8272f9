"""Where packages come from is said to pip once; what uv is told of it, as a table."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[3] / "scripts/pip_to_uv.py"
SPEC = importlib.util.spec_from_file_location("pip_to_uv", FILE)
pip_to_uv = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(pip_to_uv)

SYSTEM = {"UV_SYSTEM_CERTS": "true"}


@pytest.mark.parametrize(
    ("listed", "environ", "told"),
    [
        ("", {}, SYSTEM),
        ("global.index-url='https://a/simple'", {}, SYSTEM | {"UV_DEFAULT_INDEX": "https://a/simple"}),
        ("global.index-url='https://a/simple'", {"UV_DEFAULT_INDEX": "https://b"}, SYSTEM),
        ("global.index-url='https://a/simple'", {"UV_INDEX_URL": "https://b"}, SYSTEM),
        (
            ":env:.index-url='https://e'\nglobal.index-url='https://a'\ninstall.index-url='https://i'",
            {},
            SYSTEM | {"UV_DEFAULT_INDEX": "https://e"},
        ),
        ("global.index-url='https://a'\ninstall.index-url='https://i'", {}, SYSTEM | {"UV_DEFAULT_INDEX": "https://i"}),
        ("download.index-url='https://d'", {}, SYSTEM),
        (
            "global.extra-index-url='\\nhttps://a\\nhttps://b'",
            {},
            SYSTEM | {"UV_INDEX": "https://a https://b", "UV_INDEX_STRATEGY": "unsafe-best-match"},
        ),
        ("global.cert='/ca.pem'", {}, {"SSL_CERT_FILE": "/ca.pem"}),
        ("global.cert='/ca.pem'", {"SSL_CERT_FILE": "/mine"}, {}),
        ("", {"REQUESTS_CA_BUNDLE": __file__}, {"SSL_CERT_FILE": __file__}),
        ("", {"CURL_CA_BUNDLE": "/nowhere"}, SYSTEM),
        ("global.client-cert='/c.pem'", {}, SYSTEM | {"SSL_CLIENT_CERT": "/c.pem"}),
        ("global.trusted-host='a\\nb:8080'", {}, SYSTEM | {"UV_INSECURE_HOST": "a b:8080"}),
        (
            "global.proxy='http://p:1'",
            {"HTTPS_PROXY": "http://mine"},
            SYSTEM | {"HTTP_PROXY": "http://p:1", "ALL_PROXY": "http://p:1"},
        ),
        (
            ":env:.default-timeout='180'\nglobal.retries='9'",
            {},
            SYSTEM | {"UV_HTTP_TIMEOUT": "180", "UV_HTTP_RETRIES": "9"},
        ),
        ("global.find-links='/nowhere / https://l'", {}, SYSTEM | {"UV_FIND_LINKS": "/,https://l"}),
        ("global.no-index='true'", {}, SYSTEM | {"UV_NO_INDEX": "true"}),
        ("global.no-index='false'", {}, SYSTEM),
        ("global.disable-pip-version-check='1'", {}, SYSTEM),
        ('global.index-url="https://it\'s/simple"', {}, SYSTEM | {"UV_DEFAULT_INDEX": "https://it's/simple"}),
    ],
)
def test_what_pip_is_told_uv_is_told(listed, environ, told):
    assert told == pip_to_uv.settings(listed, environ)
