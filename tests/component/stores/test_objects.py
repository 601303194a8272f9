"""
The sidecar's client of object stores against servers of S3 and Azure, which share no code with it. For Google's there is
no server to be had that takes the requests which the client makes: the fakes know the JSON API only.
"""

import http.client
import shutil
import subprocess
import sys

import pytest
from component.stores.servers import BUCKET, S3, Azure

from airlock_sidecar.logs.shipping.errors import StoreAway, StoreChanged, StoreRefused
from airlock_sidecar.logs.shipping.objects import Objects, words
from airlock_sidecar.settings import Logs
from airlock_wire.logplace import place

#: The servers are built on first use, which takes minutes on a small machine.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

KEY = "dag_id=d/run_id=scheduled__2026-01-01T00:00:00+00:00/task_id=t ü~#%41/attempt=1.log"
FOLDER = KEY.rpartition("/")[0]
#: Azurite's own account, which every Azurite has.
ACCOUNT = "devstoreaccount1"
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


@pytest.fixture
def s3(tmp_path):
    server = S3(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture(params=["s3", "az"])
def objects(request, tmp_path):
    credentials = tmp_path / "mine"
    credentials.mkdir()
    if request.param == "s3":
        server = S3(tmp_path)
        server.start()
        settings = Logs(endpoint=server.url, credentials_dir=str(server.credentials))
    else:
        if shutil.which("npm") is None:
            pytest.skip("Azurite is a Node program, and there is no npm")
        server = Azure(tmp_path)
        server.start()
        (credentials / "AZURE_STORAGE_ACCOUNT_NAME").write_text(ACCOUNT)
        (credentials / "AZURE_STORAGE_ACCOUNT_KEY").write_text(ACCOUNT_KEY)
        settings = Logs(credentials_dir=str(credentials), endpoint=f"{server.url}/{ACCOUNT}")
        make_container(server.port)
    yield Objects(place(f"{request.param}://{BUCKET}/a/prefix"), settings)
    server.stop()


def make_container(port):
    """By a request signed here, as the client under test makes no containers."""
    import base64
    import hashlib
    import hmac
    from email.utils import formatdate

    headers = {"x-ms-date": formatdate(usegmt=True), "x-ms-version": "2023-11-03", "Content-Length": "0"}
    text = "PUT\n" + "\n" * 11 + f"x-ms-date:{headers['x-ms-date']}\nx-ms-version:{headers['x-ms-version']}\n"
    text += f"/{ACCOUNT}/{ACCOUNT}/{BUCKET}\nrestype:container"
    signature = hmac.new(base64.b64decode(ACCOUNT_KEY), text.encode(), hashlib.sha256).digest()
    headers["Authorization"] = f"SharedKey {ACCOUNT}:{base64.b64encode(signature).decode()}"
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("PUT", f"/{ACCOUNT}/{BUCKET}?restype=container", headers=headers)
    assert 201 == connection.getresponse().status
    connection.close()


def test_what_is_not_there_is_empty(objects):
    assert (b"", None) == objects.read(KEY)
    assert {} == objects.names(FOLDER)


def test_an_object_is_made_read_listed_and_replaced(objects):
    first = objects.write(KEY, b"one\n", None)
    assert (b"one\n", first) == objects.read(KEY)
    second = objects.write(KEY, b"one\ntwo\n", first)

    assert (b"one\ntwo\n", second) == objects.read(KEY)
    assert {KEY: 8} == objects.names(FOLDER)


def test_an_object_of_another_folder_is_not_listed(objects):
    objects.write("a/b.log", b"1\n", None)
    objects.write("a/c/b.log", b"2\n", None)
    objects.write("ab/b.log", b"3\n", None)

    assert {"a/b.log": 2} == objects.names("a")


def test_only_the_version_that_was_read_is_replaced(objects, request):
    first = objects.write(KEY, b"one\n", None)
    with pytest.raises(StoreChanged):
        objects.write(KEY, b"mine\n", None)
    objects.write(KEY, b"one\ntwo\n", first)
    with pytest.raises(StoreChanged):
        objects.write(KEY, b"one\nmine\n", first)

    assert b"one\ntwo\n" == objects.read(KEY)[0]


def test_a_segment_of_8_mib_goes_in_one_write(objects):
    body = b"x" * (8 * 1024 * 1024)
    version = objects.write(KEY, body, None)

    assert (body, version) == objects.read(KEY)


@pytest.mark.parametrize("call", [lambda o: o.names(FOLDER), lambda o: o.read(KEY), lambda o: o.write(KEY, b"", None)])
def test_every_call_says_what_is_wrong(call, s3):
    def to(store=f"s3://{BUCKET}", **changes):
        return Objects(place(store), Logs(**{"endpoint": s3.url, "credentials_dir": str(s3.credentials)} | changes))

    s3.give("another")
    with pytest.raises(StoreRefused, match="403 Forbidden"):
        call(to())
    s3.give("a-secret-of-the-store")
    with pytest.raises(StoreAway, match="could not be reached"):
        call(to(endpoint="http://127.0.0.1:1"))


def test_a_credential_that_the_store_does_not_know_is_named(s3):
    (s3.credentials / "AWS_NONSENSE").write_text("x")
    with pytest.raises(StoreRefused, match="aws_nonsense"):
        Objects(place(f"s3://{BUCKET}"), Logs(endpoint=s3.url, credentials_dir=str(s3.credentials)))


def test_azure_without_an_account_is_refused():
    with pytest.raises(StoreRefused, match="Account"):
        Objects(place(f"az://{BUCKET}"), Logs())


def test_an_error_is_told_without_what_it_may_carry():
    assert "Error performing GET https://a.blob/c/k in 1ms" == words(
        "Error performing GET https://a.blob/c/k?sig=secret&x=y in 1ms\nDebug source:\nsecret"
    )
    assert "403 Forbidden, AccessDenied" == words("status code: 403 Forbidden: <Error><Code>AccessDenied</Code>...")
    assert "127.0.0.1:1 could not be reached" == words(
        "Generic S3 error: Error performing PUT http://127.0.0.1:1/logs/k in 1ms - HTTP error: error sending request"
    )
    assert "no credentials are set" in words("PUT http://169.254.169.254/latest/api/token: 403 Forbidden")


def test_a_sidecar_loads_nothing_of_this_before_a_store_is_set():
    code = "import sys, airlock_sidecar.process; print(*sorted(m for m in sys.modules if m.startswith(('obstore', 'airlock_sidecar.logs.shipping'))))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)

    assert "" == done.stdout.strip()
