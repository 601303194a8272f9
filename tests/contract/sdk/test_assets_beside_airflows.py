"""Assets: our classes and Airflow's, with the same arguments."""

import pytest
from contract.sdk.conftest import different, without_text

pytestmark = pytest.mark.slow

THEIR_SDK, OUR_SDK = "airflow.sdk.definitions.asset", "airlock.sdk.definitions.asset"
NAMES = [
    "Asset", "AssetAlias", "AssetAll", "AssetAny", "AssetAccessControl", "AssetNameRef", "AssetUriRef", "AssetWatcher",
    "Dataset", "Model", "Asset.ref",
]  # fmt: skip
EVERYTHING = (
    "from {0} import Asset, AssetAlias, AssetAll, AssetAny, AssetAccessControl, AssetNameRef, AssetRef, AssetUriRef, "
    "AssetWatcher, BaseAsset, Dataset, Model\nfrom {0}.metadata import Metadata\nimport os\nfrom pathlib import Path\n"
    "a, b, c = Asset('a'), Asset('b'), Asset('c')\n"
    "def f(x): return [type(x).__name__, getattr(x, 'name', None), getattr(x, 'uri', None), getattr(x, 'group', None)]\n"
    "def tree(x): return [type(x).__name__, *map(tree, x.objects)] if hasattr(x, 'objects') else x.name\n"
)
URIS = [
    "S3://Bucket/key/", "s3://bucket", "s3://bucket//", "pg://me:secret@host/db", "pg://me@host/db", "x://h/p?b=2&a=1#part",
    "x-mine://H/p/", "/a/path/", "plain", "file:///a/b/", "FILE:///a", "a:b", "//host/path/", "http://h?x=&y=1", "airflow://x", "",
    " ", "x" * 1501, "C:\\\\a", "urn:isbn:1", "s3://b/k?z=1&z=0",
]  # fmt: skip
EXPRESSIONS = [
    *(f"f(Asset('n', {uri!r}))" for uri in URIS),
    *(f"f(Asset({uri!r}))" for uri in URIS),
    *(f"f(Asset(uri={uri!r}))" for uri in URIS),
    "f(Asset())", "f(Asset(3))", "f(Asset('self'))", "f(Asset('context'))", "f(Asset('n', group='g'))", "f(Asset('n', group=3))",
    "f(Asset('n', Path('/x/y')))", "f(Asset(uri=Path('/x/y')))", "Asset('n', extra={'k': 1}).extra", "Asset('n', extra=None).extra",
    "Asset('n').watchers", "f(Dataset('d'))", "f(Model('m'))", "f(Dataset('d', group='g'))", "os.fspath(Asset('n', 's3://b/k/'))",
    "Asset('n', 'file:///x').normalized_uri", "Asset('n', 's3:///x').normalized_uri", "Asset('n').normalized_uri",
    "f(Asset.ref(name='n'))", "f(Asset.ref(uri='u'))", "f(Asset.ref())", "f(Asset.ref(name='n', uri='u'))",
    "f(AssetAlias('l'))", "f(AssetAlias('l', group='g'))", "f(AssetAlias(''))", "f(AssetAlias(3))", "f(AssetAlias('l', group=3))",
    "tree(a | b)", "tree(a & b)", "tree(a | b | c)", "tree(a & b & c)", "tree(a | b & c)", "tree((a | b) & c)", "tree(a | (b | c))",
    "tree(AssetAny())", "a | 'b'", "a & 3", "tree(AssetAll('a'))", "(a | b) == AssetAny(a, b)", "(a | b) == AssetAll(a, b)",
    "Asset('a') == Asset('a')", "Asset('a') == Asset('b')", "a == 3", "len({Asset('a'), Asset('a'), Asset('b')})",
    "isinstance(AssetNameRef('n'), AssetRef) and isinstance(a | b, BaseAsset)",
    "AssetNameRef('n') == AssetNameRef('n')", "AssetNameRef('n') == AssetUriRef('n')",
    "AssetWatcher('w', object())", "AssetAccessControl().producer_teams", "AssetAccessControl().consumer_teams",
    "AssetAccessControl(['t'], consumer_teams=['u'], allow_global=False).consumer_teams", "AssetAccessControl([''])",
    "AssetAccessControl(consumer_teams=[3])", "AssetAccessControl(allow_global=1)", "Asset('n').access_control.allow_global",
    "Metadata(a).extra", "Metadata(a, {'k': 1}, AssetAlias('l')).alias.name",
]  # fmt: skip
#: Cases that come to something else, and why.
DIFFERENT = {
    "Asset('n') == Asset('n', extra={'k': 1})": "an asset is its name and URI; its extras are what is said about it",
    "Asset('n') == Asset('n', group='g')": "as above",
    "AssetAlias('n') == AssetAlias('n', group='g')": "an alias is its name",
    "f(AssetNameRef(''))": "a reference to nothing is an error where it is written",
    "f(Asset.ref(uri='S3://b/k/'))": "a reference is known by the one spelling, so that it finds its asset",
    "Asset('n', extra=[1]).extra": "extras are a dict, and anything else fails later in Airflow",
    "f(Asset('\u00fc' * 1000))": "1500 is counted in bytes, as the index of the database does",
}


@pytest.fixture(scope="module")
def answers(beside):
    rows = [[THEIR_SDK, name, OUR_SDK, name] for name in NAMES]
    rows.append([f"{THEIR_SDK}.metadata", "Metadata", f"{OUR_SDK}.metadata", "Metadata"])
    rows += [[f"{THEIR_SDK}.decorators", name, f"{OUR_SDK}.decorators", name] for name in ("asset", "asset.multi")]
    expressions = [*EXPRESSIONS, *DIFFERENT]
    cases = [[EVERYTHING.format(THEIR_SDK), EVERYTHING.format(OUR_SDK), each] for each in expressions]
    answer = beside(rows, cases)
    return dict(zip([row[1] for row in rows], answer["signatures"], strict=True)), dict(
        zip(expressions, answer["cases"], strict=True)
    )


def test_the_signatures_are_airflows(answers):
    assert {} == different(answers[0])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_a_case_comes_to_what_airflows_does(answers, expression):
    theirs, ours = answers[1][expression]

    assert without_text(theirs) == without_text(ours), (theirs, ours)


@pytest.mark.parametrize("expression", DIFFERENT)
def test_a_difference_that_is_listed_is_one(answers, expression):
    theirs, ours = answers[1][expression]

    assert without_text(theirs) != without_text(ours), DIFFERENT[expression]
