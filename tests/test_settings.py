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
        ("MAYA_BREAKER_OPEN_S", "inf", "finite number"),
        ("MAYA_BREAKER_OPEN_S", "nan", "finite number"),
        ("MAYA_BREAKER_OPEN_S", "100000", "86400"),
        ("MAYA_TOTAL_S", "99999999999", "30 days"),
        ("MAYA_DRAIN_S", "inf", "finite number"),
        ("MAYA_MONTHLY_BUDGET", "inf", "finite number"),
        ("MAYA_MONTHLY_BUDGET_PER_PERSON", "1e300", "less than or equal to"),
        ("MAYA_BACKGROUND_SHARE", "nan", "finite number"),
        ("API_MONTHLY_LIMIT", "99999999999999999999", "1000000000"),
        ("MAYA_LEDGER_DAYS", "99999999", "36500"),
        ("MAYA_PROBE_FIRST_TOKEN_S", "100", "55"),
        ("MAYA_ALLOWED_HOSTS", "http://maya.example.org/", "maya.example.org:8501"),
        ("MAYA_ALLOWED_HOSTS", "maya.example.org,*", "maya.example.org:8501"),
        ("MAYA_ALLOWED_HOSTS", ",", "maya.example.org:8501"),
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


def test_hosts_are_names_with_or_without_a_port() -> None:
    assert load(MAYA_ALLOWED_HOSTS="maya.example.org, [::1]:8501").allowed_hosts == ("maya.example.org", "[::1]:8501")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_an_env_file_is_read_with_the_mark_of_its_encoding(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    mark = "\ufeff" if encoding == "utf-16-le" else ""
    file.write_bytes(f"{mark}MAYA_CURRENCY=€\r\nREDIS_PORT=1111\r\n".encode(encoding))
    chosen = settings.load({}, env_file=file)
    assert (chosen.currency, chosen.redis_port) == ("€", 1111)


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16-le"])
def test_an_env_file_in_another_encoding_is_named_with_the_one_that_is_wanted(tmp_path: Path, encoding: str) -> None:
    file = tmp_path / ".env"
    file.write_bytes("MAYA_CURRENCY=ü\n".encode(encoding))
    with pytest.raises(ConfigurationError, match=r"\.env is not text in UTF-8; save it again in that encoding\.$"):
        settings.load({}, env_file=file)


def test_a_secret_key_stops_the_start_because_there_are_no_accounts_yet() -> None:
    with pytest.raises(ConfigurationError, match=r"SECRET_KEY is set.*Remove SECRET_KEY"):
        load(SECRET_KEY="fake-" * 10)


def test_settings_are_frozen_and_hide_their_secrets() -> None:
    chosen = load(ANTHROPIC_API_KEY="canary-key")
    assert "canary" not in repr(chosen)
    assert chosen.secrets == ("canary-key",)
    with pytest.raises(ValueError, match="frozen"):
        chosen.redis_port = 1


def test_every_secret_of_the_settings_is_taken_out_of_the_log() -> None:
    names = [
        str(f.validation_alias) for f in settings.Settings.model_fields.values() if "SecretStr" in str(f.annotation)
    ]
    values = {name: f"canary-of-{name.lower()}" for name in names if name != "SECRET_KEY"}
    values |= {"DATABASE_URL": "mongodb://canary", "REDIS_URL": "redis://canary"}
    assert "MAYA_NEO4J_READER_PASSWORD" in values
    assert set(load(**values).secrets) == set(values.values())


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
