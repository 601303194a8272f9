"""Settings: the environment over the file, and an unknown name refused with the nearest."""

import msgspec
import pytest

from airlock_wire.process.settings import SettingsError, load, require


class Api(msgspec.Struct, frozen=True):
    port: int = 8080
    host: str = "here"
    verbose: bool = False


class All(msgspec.Struct, frozen=True):
    api: Api = Api()


def test_the_environment_wins_over_the_file(tmp_path):
    file = tmp_path / "airlock.toml"
    file.write_text('[api]\nport = 1\nhost = "file"\n')

    assert All(Api(2, "file", True)) == load(All, {"AIRLOCK__API__PORT": "2", "AIRLOCK__API__VERBOSE": "true"}, file)


def test_tooling_names_with_one_underscore_are_not_settings():
    assert All() == load(All, {"AIRLOCK_HOME": "/x", "AIRLOCK_ANYTHING": "y"})


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"AIRLOCK__API__PRT": "1"}, "AIRLOCK__API__PRT: no setting 'prt' in section 'api'; did you mean 'port'?"),
        ({"AIRLOCK__APU__PORT": "1"}, "no section 'apu'; did you mean 'api'?"),
        ({"AIRLOCK__ZZZ__PORT": "1"}, "there are: api"),
        ({"AIRLOCK__API__PORT": "many"}, "AIRLOCK__API__PORT: Expected `int`"),
        ({"AIRLOCK__API": "1"}, "no setting '' in section 'api'"),
    ],
)
def test_what_cannot_be_is_refused_by_name(environ, said):
    with pytest.raises(SettingsError, match=None) as caught:
        load(All, environ)

    assert said in str(caught.value)


@pytest.mark.parametrize("text", ["api = 1", "[api\n", "[api]\nprt = 1"])
def test_a_wrong_file_is_refused_and_named(tmp_path, text):
    file = tmp_path / "airlock.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=r"airlock\.toml"):
        load(All, {}, file)


def test_the_first_rule_that_is_not_met_is_told_with_the_value():
    with pytest.raises(SettingsError) as caught:
        require("[api].", ("host", "here", "here", "be set"), ("port", -1, False, "be 0 or more"), ("x", 1, False, "y"))

    assert "[api].port: it must be 0 or more; it is -1" == str(caught.value)


def test_rules_that_are_met_raise_nothing():
    require("AIRLOCK__", ("API__PORT", 1, True, "be more than 0"), ("API__HOST", "", not "", "be empty"))
