"""Settings: old names, misspelt names, wrong values, secrets that stay secret."""

import re
from pathlib import Path

import pytest

from maya_core import settings
from maya_core.errors import ConfigurationError

NOWHERE = Path("/nonexistent/.env")

OLD_ENV = """\
DATABASE_URL=mongodb://127.0.0.1:27017/maya
ALGORITHM=HS256
ACCESS_TOKEN_EXPIRE_MINUTES=60
REFRESH_TOKEN_EXPIRE_DAYS=7
REDIS_HOST=127.0.0.1
REDIS_PORT=6379
REDIS_DB=0
REDIS_PASSWORD=
GEMINI_API_KEYS=fake-key-1,fake-key-2
ANTHROPIC_API_KEY=fake-key-3
COHERE_API_KEY=fake-key-4
API_MONTHLY_LIMIT=1000
MAIL_USERNAME=someone
MAIL_PASSWORD=fake
MAIL_FROM=maya@example.org
MAIL_PORT=587
MAIL_SERVER=mail.example.org
MAIL_STARTTLS=True
MAIL_SSL_TLS=False
PINECONE_API_KEY=fake
PINECONE_INDEX=maya
NEO4J_URI=bolt://127.0.0.1:7687
NEO4J_USERNAME=neo4j
NEO4J_PASSWORD=fake
"""


def load(**environ: str) -> settings.Settings:
    return settings.load(environ, env_file=NOWHERE)


def test_nothing_needs_to_be_set() -> None:
    chosen = load()
    assert chosen.data_dir == settings.ROOT / "data"
    assert chosen.gemini_api_keys == ()
    assert chosen.database_url is None


def test_an_env_file_of_an_earlier_installation_is_read_without_renaming(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text(OLD_ENV)
    chosen = settings.load({}, env_file=file)
    assert [k.get_secret_value() for k in chosen.gemini_api_keys] == ["fake-key-1", "fake-key-2"]
    assert chosen.redis_host == "127.0.0.1"
    assert chosen.redis_password is None
    assert chosen.database_url is not None
    assert chosen.monthly_limit == 1000


def test_the_data_folder_may_be_below_the_home_folder() -> None:
    assert load(MAYA_DATA_DIR="~/maya").data_dir == Path.home() / "maya"


def test_the_address_of_ollama_is_left_to_its_sdk_which_knows_the_port() -> None:
    assert load(OLLAMA_HOST="somewhere").ollama_host == "somewhere"


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("REDIS_PORT=1111\n")
    assert settings.load({"REDIS_PORT": "2222"}, env_file=file).redis_port == 2222


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("MAYA_DATADIR", "MAYA_DATA_DIR"),
        ("MAYA_GEMINI_MODLE", "MAYA_GEMINI_MODEL"),
        ("MAYA_LOGLEVEL", "MAYA_LOG_LEVEL"),
    ],
)
def test_a_misspelt_name_stops_the_start_with_a_suggestion(name: str, meant: str) -> None:
    with pytest.raises(ConfigurationError, match=f"{name} is not a setting of Maya. Did you mean {meant}"):
        load(**{name: "x"})


def test_a_misspelt_name_in_the_file_stops_the_start_too(tmp_path: Path) -> None:
    file = tmp_path / ".env"
    file.write_text("MAYA_FIRST_TOKENS=3\n")
    with pytest.raises(ConfigurationError, match="Did you mean MAYA_FIRST_TOKEN_S"):
        settings.load({}, env_file=file)


def test_names_for_tests_and_services_are_left_alone() -> None:
    load(MAYA_TEST_REDIS_URL="redis://127.0.0.1:1", MAYA_SERVICES_CACHE="somewhere")


@pytest.mark.parametrize(
    ("name", "value", "form"),
    [
        ("REDIS_PORT", "abc", "integer"),
        ("REDIS_PORT", "70000", "65535"),
        ("DATABASE_URL", "postgres://127.0.0.1/x", "mongodb://"),
        ("REDIS_URL", "http://127.0.0.1", "redis://"),
        ("MAYA_FIRST_TOKEN_S", "0", "greater than 0"),
        ("MAYA_FIRST_TOKEN_S", "soon", "number"),
        ("MAYA_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO', 'WARNING' or 'ERROR'"),
        ("MAYA_GEMINI_BASE_URL", "127.0.0.1", "http://"),
    ],
)
def test_a_wrong_value_names_the_variable_and_the_accepted_form(name: str, value: str, form: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(**{name: value})
    assert str(caught.value).startswith(f"{name}: ")
    assert form in str(caught.value)


def test_a_wrong_value_that_may_be_a_secret_is_not_repeated() -> None:
    with pytest.raises(ConfigurationError) as caught:
        load(DATABASE_URL="postgres://someone:canary-password@127.0.0.1/x")
    assert "canary" not in str(caught.value)


def test_a_secret_key_stops_the_start_because_there_are_no_accounts_yet() -> None:
    with pytest.raises(ConfigurationError, match=r"SECRET_KEY is set.*Remove SECRET_KEY"):
        load(SECRET_KEY="fake-" * 10)


def test_settings_are_frozen_and_hide_their_secrets() -> None:
    chosen = load(ANTHROPIC_API_KEY="canary-key")
    assert "canary" not in repr(chosen)
    assert chosen.secrets == ("canary-key",)
    with pytest.raises(ValueError, match="frozen"):
        chosen.redis_port = 1


def test_the_configuration_page_is_the_one_that_the_code_writes() -> None:
    page = (settings.ROOT / "docs" / "configuration.md").read_text("utf-8")
    assert page == settings.as_markdown(), "run: python -m maya_core configuration > docs/configuration.md"


def test_the_sample_file_holds_known_names_and_starts_nothing_real() -> None:
    sample = settings.ROOT / ".env.example"
    as_it_is = settings.load({}, env_file=sample)
    assert as_it_is == settings.load({}, env_file=NOWHERE)  # no invented key is sent to a vendor
    lines = [line.removeprefix("# ") for line in sample.read_text("utf-8").splitlines()]
    uncommented = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    assert set(uncommented) <= set(settings.variables())
    chosen = settings.load(uncommented, env_file=NOWHERE)
    assert len(chosen.gemini_api_keys) == 2
    assert all("your-" in key.get_secret_value() for key in chosen.gemini_api_keys)
