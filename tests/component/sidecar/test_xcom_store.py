"""XComs in a real object store, by a real runner behind its sidecar; its connection is one that the task may read."""

import gzip
import json

import pytest
from component.stores.servers import BUCKET, KEY, SECRET
from doubles.api import Answer

from airlock_wire.pod import EXIT_OK
from airlock_wire.record import Reason

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

#: fsspec knows S3 by the package s3fs, whose own dependencies are older than ours. So another client of fsspec's opens it,
#: by the options that the connection gives.
OPENED_BY = """
from airlock.sdk import Connection
from airlock.sdk.io import credentials, register_fs
from obstore.fsspec import FsspecStore

def opened(conn_id, more):
    options = credentials.options("s3", Connection.get(conn_id))
    return FsspecStore(
        "s3", access_key_id=options["key"], secret_access_key=options["secret"], endpoint=options["endpoint_url"],
        client_options={"allow_http": True}, virtual_hosted_style_request=False,
    )

register_fs("s3", opened)
"""


def test_a_large_xcom_is_an_object_that_the_next_pull_reads(api, make_sidecar, make_runner, s3):
    sidecar = make_sidecar().start()
    connection = {
        "conn_id": "store", "conn_type": "aws", "host": None, "schema": None, "login": KEY, "password": SECRET,
        "port": None, "extra": json.dumps({"endpoint_url": s3.url}),
    }  # fmt: skip
    bodies = {}

    def xcom(call):
        key = call.path.partition("?")[0].rpartition("/")[2]
        if call.method == "POST":
            bodies[key] = call.body
            return Answer(201)
        return Answer(200, {"key": key, "value": bodies[key]})

    api.answers["/connections/store"] = lambda _: Answer(200, connection)
    api.answers["/large"] = api.answers["/small"] = xcom
    runner = make_runner(
        sidecar,
        """
        ti.xcom_push(key="large", value=["x" * 100] * 100)
        ti.xcom_push(key="small", value="x")
        assert (["x" * 100] * 100, "x") == (ti.xcom_pull(key="large"), ti.xcom_pull(key="small"))
        """,
        before=OPENED_BY,
        env={
            "AIRLOCK__XCOMS__STORE": f"s3://store@{BUCKET}/xcoms",
            "AIRLOCK__XCOMS__STORE_THRESHOLD_BYTES": "1000",
            "AIRLOCK__XCOMS__STORE_COMPRESSION": "gzip",
        },
    )

    assert EXIT_OK == runner.wait(), sidecar.log()
    assert Reason.SUCCEEDED is sidecar.end().reason, sidecar.log()
    assert {"large": f"s3://store@{BUCKET}/xcoms/d/r/t/large.json.gz", "small": "x"} == bodies
    assert ["x" * 100] * 100 == json.loads(gzip.decompress((s3.objects / "xcoms/d/r/t/large.json.gz").read_bytes()))
    assert SECRET not in str(sidecar.log())
