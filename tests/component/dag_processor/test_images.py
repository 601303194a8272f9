"""Bundles that are images of a registry."""

import base64
import gzip
import json
import os
import tarfile

import pytest
from doubles.registryserver import PASSWORD, USER, RegistryServer, entry, layer

from airlock_server.dag_processor.sources import image as images
from airlock_server.dag_processor.sources import registry as registries
from airlock_server.dag_processor.sources.folders import CannotFetch
from airlock_server.dag_processor.sources.image import ImageSource, fetch

TITLE = "org.opencontainers.image.title"


@pytest.fixture
def serve():
    """Starts a registry."""
    started = []

    def start(login=None, **more):
        started.append(RegistryServer(login, **more))
        return started[-1]

    yield start
    for each in started:
        each.close()


@pytest.fixture
def registry(serve):
    return serve()


@pytest.fixture
def get(tmp_path):
    """Fetches an image; returns its files' texts by name, and its version."""

    def ask(registry, reference=":main", environ=None, **more):
        source = ImageSource(**{"image": f"{registry.host}/team/dags{reference}", "insecure": True} | more)
        folder, version = fetch(source, tmp_path / "storage", environ or {"PATH": os.environ["PATH"]})
        return files(folder), version

    return ask


def files(folder):
    return {str(path.relative_to(folder)): path.read_text() for path in folder.rglob("*") if path.is_file()}


def docker_config(folder, host, **more):
    """A configuration of Docker with a login; returns the environment that names it."""
    login = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config = more or {"auths": {host: {"auth": login}}}
    (folder / "config.json").write_text(json.dumps(config))
    return {"DOCKER_CONFIG": str(folder), "PATH": os.environ["PATH"]}


def test_a_version_is_the_files_of_an_image_by_its_digest_and_stays_as_it_was(registry, get, tmp_path):
    first = registry.push(layer({"a.py": "one", "sub/b.py": "two"}))
    assert ({"a.py": "one", "sub/b.py": "two"}, first) == get(registry)
    second = registry.push(layer({"a.py": "new"}))
    assert ({"a.py": "new"}, second) == get(registry)
    assert ({"a.py": "one", "sub/b.py": "two"}, first) == get(registry, f"@{first}")
    assert ({"a.py": "new"}, second) == get(registry, f":other@{second}")


def test_an_image_that_did_not_change_costs_one_request(registry, get):
    registry.push(layer({"a.py": "one"}))
    get(registry)
    registry.asked.clear()
    get(registry)

    assert [("/v2/team/dags/manifests/main", None)] == registry.asked


def test_without_a_tag_it_is_the_latest(registry, get):
    digest = registry.push(layer({"a.py": "one"}), tag="latest")

    assert ({"a.py": "one"}, digest) == get(registry, "")


@pytest.mark.parametrize(
    ("layers", "subdir", "left"),
    [
        ([{"a.py": "one"}, {"a.py": "two"}], "", {"a.py": "two"}),
        ([{"a.py": "one", "b.py": "two"}, {".wh.a.py": ""}], "", {"b.py": "two"}),
        ([{"d/a.py": "one", "b.py": "two"}, {".wh.d": ""}], "", {"b.py": "two"}),
        ([{"d/a.py": "one"}, {"d/.wh..wh..opq": "", "d/b.py": "two"}], "", {"d/b.py": "two"}),
        ([{"d/a.py": "one"}, {"d/b.py": "two", "d/.wh..wh..opq": ""}], "", {"d/b.py": "two"}),
        ([{"d/a.py": "one"}, {"d": "two"}], "", {"d": "two"}),
        ([{"d": "one"}, {"d": None, "d/a.py": "two"}], "", {"d/a.py": "two"}),
        ([{"./d/a.py": "one", "/e/b.py": "two"}], "", {"d/a.py": "one", "e/b.py": "two"}),
        ([{"opt/dags/a.py": "one", "etc/passwd": "two"}], "/opt/dags", {"a.py": "one"}),
        ([{"opt/dags/a.py": "one", "opt/dags2/b.py": "two"}], "opt/dags/", {"a.py": "one"}),
        ([{"opt/dags/a.py": "one"}, {"opt/.wh.dags": ""}, {"opt/dags/b.py": "two"}], "opt/dags", {"b.py": "two"}),
        ([{"opt/dags/a.py": "one"}, {"opt/.wh..wh..opq": "", "opt/dags/b.py": "two"}], "opt/dags", {"b.py": "two"}),
        ([{"opt/dags/a.py": "one"}, {"opt/.wh.other": ""}], "opt/dags", {"a.py": "one"}),
    ],
)
def test_layers_lie_one_over_the_other(registry, get, layers, subdir, left):
    registry.push(*map(layer, layers))

    assert left == get(registry, subdir=subdir)[0]


def test_an_index_gives_its_image_for_linux_and_its_own_digest(registry, get):
    other = registry.push(layer({"a.py": "windows"}), tag="w")
    ours = registry.push(layer({"a.py": "linux"}), tag="l")
    index = registry.push_index({other: "windows", ours: "linux"})

    assert ({"a.py": "linux"}, index) == get(registry)


def test_a_file_that_was_pushed_as_it_is_has_its_own_name(registry, get):
    registry.push(b"one", kind="text/x-python", annotations={TITLE: "dags/a.py"})

    assert {"dags/a.py": "one"} == get(registry)[0]
    assert {"a.py": "one"} == get(registry, subdir="dags")[0]


def test_a_layer_may_be_plain(registry, get):
    registry.push(gzip.decompress(layer({"a.py": "one"})), kind="application/vnd.oci.image.layer.v1.tar")

    assert {"a.py": "one"} == get(registry)[0]


@pytest.mark.parametrize(
    ("files_", "left"),
    [
        ({"../a.py": "one", "ok": "two"}, {"ok": "two"}),
        ({"x/../../a.py": "one", "ok": "two"}, {"ok": "two"}),
        ({"/etc/a": "one"}, {"etc/a": "one"}),
        ({"out": entry(tarfile.SYMTYPE, "../../outside"), "ok": "two"}, {"ok": "two"}),
        ({"a.py": "one", "in": entry(tarfile.SYMTYPE, "a.py")}, {"a.py": "one", "in": "one"}),
        ({"d/a.py": "one", "in": entry(tarfile.SYMTYPE, "/d/a.py")}, {"d/a.py": "one", "in": "one"}),
        ({"d/a.py": "one", "in": entry(tarfile.SYMTYPE, "d"), "in/b.py": "two"}, {"d/a.py": "one", "d/b.py": "two"}),
        ({"a.py": "one", "b.py": entry(tarfile.LNKTYPE, "a.py")}, {"a.py": "one", "b.py": "one"}),
        ({"pipe": entry(tarfile.FIFOTYPE), "device": entry(tarfile.CHRTYPE), "ok": "two"}, {"ok": "two"}),
    ],
)
def test_nothing_of_an_image_leads_out_of_its_folder(registry, get, tmp_path, files_, left):
    (tmp_path / "outside").mkdir()
    registry.push(layer(files_))

    assert left == get(registry)[0]
    assert [] == list((tmp_path / "outside").iterdir())


def test_a_link_out_of_the_subdir_is_left_out(registry, get):
    registry.push(layer({"etc/secret": "no", "dags/a.py": "one", "dags/x": entry(tarfile.SYMTYPE, "/etc/secret")}))

    assert {"a.py": "one"} == get(registry, subdir="dags")[0]


def test_what_lies_behind_such_a_link_is_in_a_folder_of_its_name(registry, get):
    registry.push(layer({"dags/x": entry(tarfile.SYMTYPE, "/etc"), "dags/x/a.py": "one"}))

    assert {"x/a.py": "one"} == get(registry, subdir="dags")[0]


def test_a_file_behind_a_link_to_nowhere_is_refused(registry, get):
    registry.push(layer({"x": entry(tarfile.SYMTYPE, "/etc"), "x/a.py": "one"}))

    with pytest.raises(CannotFetch, match=r"/x/a\.py lies below what is not a folder"):
        get(registry)


def test_files_have_no_rights_but_to_be_run(registry, tmp_path):
    registry.push(layer({"a": entry(tarfile.REGTYPE, mode=0o6777), "b": entry(tarfile.REGTYPE, mode=0o600)}))
    source = ImageSource(image=f"{registry.host}/team/dags:main", insecure=True)

    folder, _ = fetch(source, tmp_path / "storage", {})

    assert {"a": 0o755, "b": 0o644} == {path.name: path.stat().st_mode & 0o7777 for path in folder.iterdir()}


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_a_login_is_that_of_dockers_configuration(serve, get, tmp_path, login):
    registry = serve(login)
    registry.push(layer({"a.py": "one"}))

    assert {"a.py": "one"} == get(registry, environ=docker_config(tmp_path, registry.host))[0]


def test_a_public_image_needs_a_token_and_no_login(serve, get):
    registry = serve("anonymous")
    registry.push(layer({"a.py": "one"}))

    assert {"a.py": "one"} == get(registry)[0]


def test_a_credential_helper_gives_the_login(serve, get, tmp_path):
    registry = serve("basic")
    registry.push(layer({"a.py": "one"}))
    helper = tmp_path / "docker-credential-own"
    helper.write_text(
        f"""#!/bin/sh\nread host; echo '{{"Username": "{USER}", "Secret": "{PASSWORD}"}}'; [ "$host" = {registry.host} ]\n"""
    )
    helper.chmod(0o755)
    environ = docker_config(tmp_path, registry.host, credHelpers={registry.host: "own"})

    assert {"a.py": "one"} == get(registry, environ=environ | {"PATH": f"{tmp_path}:{os.environ['PATH']}"})[0]


@pytest.mark.parametrize("login", ["basic", "bearer"])
def test_without_a_login_the_refusal_says_where_one_goes(serve, get, login):
    registry = serve(login)
    registry.push(layer({"a.py": "one"}))

    with pytest.raises(
        CannotFetch, match=r"refuses to give it \(401\): put a login for it into the Docker configuration"
    ):
        get(registry)


def test_a_host_that_blobs_are_sent_to_is_not_told_the_login(serve, get, tmp_path):
    registry = serve("bearer", elsewhere=True)
    registry.push(layer({"a.py": "one"}))

    assert {"a.py": "one"} == get(registry, environ=docker_config(tmp_path, registry.host))[0]
    assert [None] == [given for path, given in registry.asked if path.startswith("/elsewhere/")]


def test_an_own_authority_is_trusted_where_the_environment_names_it(serve, get, tmp_path):
    from doubles.mailserver import server_context

    registry = serve(context=server_context(tmp_path))
    registry.push(layer({"a.py": "one"}))

    with pytest.raises(CannotFetch, match="CERTIFICATE_VERIFY_FAILED"):
        get(registry, insecure=False)
    assert {"a.py": "one"} == get(registry, insecure=False, environ={"SSL_CERT_FILE": str(tmp_path / "ca.crt")})[0]


@pytest.mark.parametrize(
    ("push", "asked", "words"),
    [
        ({}, {"reference": ":nowhere"}, "does not have it (404)"),
        ({}, {"subdir": "nowhere"}, "it has no folder 'nowhere'"),
        ({}, {"subdir": "a.py"}, "it has no folder 'a.py'"),
        ({"kind": "application/vnd.oci.image.layer.v1.tar+zstd"}, {}, "a layer of kind 'application/vnd.oci.image.layer.v1.tar+zstd' is not known here"),
        ({"kind": "application/vnd.oci.image.layer.v1.tar"}, {}, "a layer cannot be unpacked"),
    ],
)  # fmt: skip
def test_what_cannot_be_fetched_says_why(registry, get, push, asked, words):
    registry.push(layer({"a.py": "one"}), **push)

    with pytest.raises(CannotFetch) as error:
        get(registry, **asked)
    assert words in str(error.value)
    assert str(error.value).startswith(f"{registry.host}/team/dags")


@pytest.mark.parametrize("what", ["manifest", "layer", "cut"])
def test_other_bytes_than_the_digests_are_refused_and_nothing_is_left(registry, get, tmp_path, what):
    digest = registry.push(layer({"a.py": "one"}))
    if what == "manifest":
        registry.manifests[digest] = ("x", b'{"layers": []}')
    else:
        for name, data in registry.blobs.items():
            registry.blobs[name] = layer({"a.py": "evil"}) if what == "layer" else data[:-5]

    with pytest.raises(CannotFetch, match="with other bytes"):
        get(registry, f"@{digest}")
    assert [] == list((tmp_path / "storage").rglob("*.py"))


@pytest.mark.parametrize("limit", [64, 4096])
def test_an_image_that_is_too_large_is_refused(registry, get, monkeypatch, limit):
    monkeypatch.setattr(images, "MAX_BYTES", limit)
    registry.push(layer({"a.py": "0" * 100_000}))

    with pytest.raises(CannotFetch, match=r"more than a bundle may have|holds too much for a bundle"):
        get(registry)


def test_a_registry_that_never_answers_is_given_up(registry, get, monkeypatch):
    monkeypatch.setattr(registries, "_CALL_SECONDS", 0.3)
    registry.waits = True

    with pytest.raises(CannotFetch, match="cannot be reached: timed out"):
        get(registry)


@pytest.mark.slow
def test_the_processor_stores_the_dags_of_an_image_with_its_version(registry, processing):
    code = "from airlock.sdk import DAG\nwith DAG('of_an_image'): ...\n"
    digest = registry.push(layer({"opt/dags/d.py": code}))
    kwargs = {"image": f"{registry.host}/team/dags:main", "subdir": "opt/dags", "insecure": True}
    listed = [{"name": "i", "classpath": "ImageDagBundle", "kwargs": kwargs}]

    processing.run(
        dag_processor__dag_bundle_config_list=json.dumps(listed),
        dag_processor__dag_bundle_storage_path=processing.bundle.parent / "fetched",
    )

    assert [("of_an_image", "i", digest)] == processing.ask(
        "SELECT d.dag_id, b.name, d.bundle_version FROM dag d, dag_bundle b"
    )
