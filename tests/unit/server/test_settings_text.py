"""Settings as text: the listing hides secrets and names origins, and the commented file is read to the defaults."""

import re
import tomllib

import msgspec
import pytest

from airlock_server.cli import settings_text
from airlock_server.settings import SETTINGS_FILE, ServerSettings, load_settings, read_settings

SETTING = re.compile(r"^#(\w+ = )", re.MULTILINE)


def every_setting():
    for section in msgspec.structs.fields(ServerSettings):
        for field in msgspec.structs.fields(section.type):
            yield section.encode_name, field.encode_name


@pytest.mark.parametrize(
    "text", [lambda text: text, lambda text: SETTING.sub(r"\1", text)], ids=["as is", "uncommented"]
)
def test_the_commented_file_is_read_to_the_defaults(tmp_path, text):
    (tmp_path / SETTINGS_FILE).write_text(text(settings_text.commented(ServerSettings)))

    assert ServerSettings() == load_settings(tmp_path, {})


def test_the_commented_file_has_every_setting_once_below_its_meaning():
    text = settings_text.commented(ServerSettings)
    written = tomllib.loads(SETTING.sub(r"\1", text))

    assert list(every_setting()) == [(section, key) for section, keys in written.items() for key in keys]
    assert [] == re.findall(r"\n\n#\w+ = .*", text)


def test_a_listing_names_the_origin_of_each_setting_and_hides_secrets(tmp_path):
    (tmp_path / SETTINGS_FILE).write_text('[api]\nport = 1\nhost = "a \\"b\\""\n')
    environ = {
        "AIRLOCK__API__PORT": "9",
        "AIRLOCK__DATABASE__URL_CMD": "/bin/echo open-sesame",
        "AIRLOCK__ENCRYPTION__KEY_SECRET": "open-sesame-name",
    }
    settings, origins = read_settings(tmp_path, environ, lambda _settings, _name: "open-sesame")
    text = settings_text.listing(settings, origins)

    assert "port = 9  # environment: AIRLOCK__API__PORT" in text
    assert f'host = "a \\"b\\""  # file: {tmp_path}/airlock.toml: [api] host' in text
    assert 'url = "***"  # command: AIRLOCK__DATABASE__URL_CMD' in text
    assert 'key = "***"  # secret: AIRLOCK__ENCRYPTION__KEY_SECRET' in text
    assert 'key_file = ""  # default' in text
    assert "frames = false  # default" in text
    assert "open-sesame" not in text
    assert list(every_setting()) == [(s, k) for s, keys in tomllib.loads(text).items() for k in keys]


def test_a_listing_may_be_of_one_section():
    assert ["access"] == list(tomllib.loads(settings_text.listing(ServerSettings(), {}, "access")))
