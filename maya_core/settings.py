"""Settings: the only reader of the environment, read once and frozen.

Names without the `MAYA_` prefix are those of earlier installations and of the vendors; they are read as they are.
A `MAYA_` name that is not listed here stops the start: a misspelt setting must never be silently ignored.
`docs/configuration.md` is generated from this file.
"""

import codecs
import difflib
import io
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from dotenv import dotenv_values
from pydantic import AfterValidator, Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from maya_core.errors import ConfigurationError

ROOT = Path(__file__).resolve().parent.parent

_FOR_TOOLS = ("MAYA_TEST_", "MAYA_SERVICES_")
_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[\w.-]+)(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_LONGEST_S = 30 * 86_400
_MOST_MONEY = 1e9  # in millionths it still fits every counter


def _positive(value: float) -> float:
    if not 0 < value <= _LONGEST_S:
        raise ValueError(f"must be greater than 0 and at most {_LONGEST_S:,} seconds (30 days)")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://")
    return value.rstrip("/")


Seconds = Annotated[float, AfterValidator(_positive)]
WebAddress = Annotated[str, AfterValidator(_web_address)]


class Settings(BaseSettings):
    """Everything that can be chosen from outside. Immutable."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="ignore",
        env_ignore_empty=True,
        case_sensitive=True,
        enable_decoding=False,
        allow_inf_nan=False,
    )

    # Where things are kept
    data_dir: Path = Field(
        ROOT / "data", validation_alias="MAYA_DATA_DIR", description="Folder of the embedded stores. Made at start."
    )
    database_url: SecretStr | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="MongoDB for the transcripts (`mongodb://…` or `mongodb+srv://…`). "
        "Without it: SQLite in the data folder.",
    )
    database_name: str = Field(
        "maya", validation_alias="MAYA_DATABASE_NAME", description="Database used when DATABASE_URL names none."
    )
    redis_url: SecretStr | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis, as `redis://…`, `rediss://…` or `unix://…`. Wins over REDIS_HOST.",
    )
    redis_host: str | None = Field(
        None,
        validation_alias="REDIS_HOST",
        description="Redis server. Used if it answers at start; otherwise the embedded one is, and the page says so.",
    )
    redis_port: int = Field(6379, ge=1, le=65535, validation_alias="REDIS_PORT", description="Port of REDIS_HOST.")
    redis_db: int = Field(0, ge=0, validation_alias="REDIS_DB", description="Database number on REDIS_HOST.")
    redis_password: SecretStr | None = Field(
        None, validation_alias="REDIS_PASSWORD", description="Password of REDIS_HOST."
    )
    redis_server: Path | None = Field(
        None, validation_alias="MAYA_REDIS_SERVER", description="Path of the redis-server program to embed."
    )
    embedded_redis: Literal["auto", "off"] = Field(
        "auto",
        validation_alias="MAYA_EMBEDDED_REDIS",
        description="`auto` starts a redis-server where one can be had; `off` keeps everything in this process.",
    )

    pinecone_api_key: SecretStr | None = Field(
        None, validation_alias="PINECONE_API_KEY", description="Pinecone for the vectors. Without it: the SQLite file."
    )
    pinecone_index: str = Field("maya", validation_alias="PINECONE_INDEX", description="Name of the Pinecone index.")
    pinecone_url: WebAddress | None = Field(
        None, validation_alias="MAYA_PINECONE_URL", description="Another address of Pinecone's control plane."
    )
    neo4j_uri: str | None = Field(
        None,
        validation_alias="NEO4J_URI",
        description="Neo4j for the knowledge graph (`bolt://…`, `neo4j://…`). Without it: the SQLite file.",
    )
    neo4j_username: str = Field("neo4j", validation_alias="NEO4J_USERNAME", description="User of NEO4J_URI.")
    neo4j_password: SecretStr | None = Field(
        None, validation_alias="NEO4J_PASSWORD", description="Password of NEO4J_URI; without one no log-in is tried."
    )
    neo4j_reader_username: str = Field(
        "",
        validation_alias="MAYA_NEO4J_READER_USERNAME",
        description="User of NEO4J_URI with the role `reader` and no other: administrators may then ask in Cypher.",
    )
    neo4j_reader_password: SecretStr | None = Field(
        None, validation_alias="MAYA_NEO4J_READER_PASSWORD", description="Password of that user."
    )

    # Memory
    embeddings: Literal["minilm", "gemini", "cohere", "off"] = Field(
        "minilm",
        validation_alias="MAYA_EMBEDDINGS",
        description="Who turns text into vectors: `minilm` on this machine, `gemini`, `cohere`, or `off`.",
    )
    embedding_model: str = Field(
        "", validation_alias="MAYA_EMBEDDING_MODEL", description="Its model id; empty: the built-in default."
    )
    embedding_dimension: int = Field(
        0,
        ge=0,
        le=65_536,
        validation_alias="MAYA_EMBEDDING_DIMENSION",
        description="Length of its vectors; 0: the default.",
    )
    consolidate_after_s: Seconds = Field(
        300.0,
        validation_alias="MAYA_CONSOLIDATE_AFTER_S",
        description="Silence after which a chat is summarised and its facts are kept.",
    )
    memory_sweep_every_s: Seconds = Field(
        30.0, validation_alias="MAYA_MEMORY_SWEEP_EVERY_S", description="How often pending memory work is looked for."
    )
    forget_look_again_s: Seconds = Field(
        660.0,
        validation_alias="MAYA_FORGET_LOOK_AGAIN_S",
        description="After forgetting, how long until every store is read once more; longer than any job may take.",
    )
    review_auto_from: float = Field(
        1.0,
        gt=0.0,
        le=1.0,
        validation_alias="MAYA_REVIEW_AUTO_FROM",
        description="Merges and replacements that Maya is at least this sure of are done without asking; 1: never.",
    )
    worker: Literal["auto", "off"] = Field(
        "auto",
        validation_alias="MAYA_WORKER",
        description="`auto` starts a worker with the app; `off` when workers run elsewhere (`python -m workers`).",
    )

    # Model providers
    gemini_api_keys: tuple[SecretStr, ...] = Field(
        (), validation_alias="GEMINI_API_KEYS", description="Gemini keys, separated by commas; used in this order."
    )
    gemini_model: str = Field(
        "", validation_alias="MAYA_GEMINI_MODEL", description="Model id; empty: the built-in default."
    )
    gemini_base_url: WebAddress | None = Field(
        None, validation_alias="MAYA_GEMINI_BASE_URL", description="Another address of the Gemini API."
    )
    anthropic_api_key: SecretStr | None = Field(
        None, validation_alias="ANTHROPIC_API_KEY", description="Anthropic key."
    )
    anthropic_model: str = Field(
        "", validation_alias="MAYA_ANTHROPIC_MODEL", description="Model id; empty: the built-in default."
    )
    anthropic_base_url: WebAddress | None = Field(
        None, validation_alias="MAYA_ANTHROPIC_BASE_URL", description="Another address of the Anthropic API."
    )
    cohere_api_key: SecretStr | None = Field(None, validation_alias="COHERE_API_KEY", description="Cohere key.")
    cohere_model: str = Field(
        "", validation_alias="MAYA_COHERE_MODEL", description="Model id; empty: the built-in default."
    )
    cohere_base_url: WebAddress | None = Field(
        None, validation_alias="MAYA_COHERE_BASE_URL", description="Another address of the Cohere API."
    )
    ollama_host: str | None = Field(
        None,
        validation_alias="OLLAMA_HOST",
        description="A local Ollama server, as Ollama reads it: `http://127.0.0.1:11434`, or a name for port 11434.",
    )
    ollama_model: str = Field(
        "", validation_alias="MAYA_OLLAMA_MODEL", description="Model id; empty: the built-in default."
    )
    ollama_window_tokens: int = Field(
        8192,
        ge=4096,
        le=1_048_576,
        validation_alias="MAYA_OLLAMA_WINDOW_TOKENS",
        description="Window to ask Ollama for; older context of a longer chat is trimmed. Larger needs more memory.",
    )

    # Limits and prices of a month (UTC)
    monthly_limit: int | None = Field(
        None,
        ge=1,
        le=1_000_000_000,
        validation_alias="API_MONTHLY_LIMIT",
        description="Most requests a month to each vendor; models on this machine are not counted. Unset: no limit.",
    )
    prices: str = Field(
        "",
        validation_alias="MAYA_PRICES",
        description="What a million tokens cost, in and out: `gemini:gemini-3.8-flash=0.30/2.50,anthropic=1/5`. "
        "Without a price Maya shows tokens only.",
    )
    currency: str = Field(
        "", validation_alias="MAYA_CURRENCY", description="The currency of MAYA_PRICES, as in `USD`; it is only shown."
    )
    monthly_budget: float | None = Field(
        None,
        gt=0,
        le=_MOST_MONEY,
        validation_alias="MAYA_MONTHLY_BUDGET",
        description="Most money a month for each vendor, in that currency. Needs a price for every model.",
    )
    monthly_budget_per_person: float | None = Field(
        None,
        gt=0,
        le=_MOST_MONEY,
        validation_alias="MAYA_MONTHLY_BUDGET_PER_PERSON",
        description="Most money a month for each person, over all vendors. Needs a price for every model.",
    )
    background_share: float = Field(
        0.25,
        ge=0,
        le=1,
        validation_alias="MAYA_BACKGROUND_SHARE",
        description="Share of a vendor's limits that work in the background (memory, titles) may use.",
    )
    careful_from: float = Field(
        0.9,
        gt=0,
        le=1,
        validation_alias="MAYA_CAREFUL_FROM",
        description="From this share of a limit on, background work stops and less of a chat is sent.",
    )
    cheaper_gemini_model: str = Field(
        "",
        validation_alias="MAYA_CHEAPER_GEMINI_MODEL",
        description="Gemini model that answers from then on; empty: the same one.",
    )
    cheaper_anthropic_model: str = Field(
        "", validation_alias="MAYA_CHEAPER_ANTHROPIC_MODEL", description="The same for Anthropic."
    )
    cheaper_cohere_model: str = Field(
        "", validation_alias="MAYA_CHEAPER_COHERE_MODEL", description="The same for Cohere."
    )
    ledger_days: int = Field(
        400,
        ge=35,
        le=36_500,
        validation_alias="MAYA_LEDGER_DAYS",
        description="How long each call's row is kept; sums stay.",
    )

    # Times of a model call, in seconds
    first_token_s: Seconds = Field(
        12.0, validation_alias="MAYA_FIRST_TOKEN_S", description="Wait for the first text of the first provider."
    )
    later_first_token_s: Seconds = Field(
        20.0, validation_alias="MAYA_LATER_FIRST_TOKEN_S", description="The same for the providers after it."
    )
    probe_first_token_s: Seconds = Field(
        8.0,
        le=55,
        validation_alias="MAYA_PROBE_FIRST_TOKEN_S",
        description="The same for the one call that tests an open breaker, 55 at most: its lease ends after a minute.",
    )
    idle_s: Seconds = Field(20.0, validation_alias="MAYA_IDLE_S", description="Longest silence inside a reply.")
    total_s: Seconds = Field(
        180.0, validation_alias="MAYA_TOTAL_S", description="Longest reply, all providers that write it together."
    )
    breaker_open_s: Seconds = Field(
        300.0,
        le=86_400,
        validation_alias="MAYA_BREAKER_OPEN_S",
        description="How long a failing provider is not asked, a day at most.",
    )

    # Times of a turn and of the stores, in seconds
    lookback_s: Seconds = Field(
        0.8,
        validation_alias="MAYA_LOOKBACK_S",
        description="Deadline for reading earlier messages; later ones are left out.",
    )
    whiteboard_timeout_s: Seconds = Field(
        0.2, validation_alias="MAYA_WHITEBOARD_TIMEOUT_S", description="Longest wait for Redis."
    )
    transcripts_timeout_s: Seconds = Field(
        3.0, validation_alias="MAYA_TRANSCRIPTS_TIMEOUT_S", description="Longest wait for MongoDB."
    )
    vectors_timeout_s: Seconds = Field(
        3.0, validation_alias="MAYA_VECTORS_TIMEOUT_S", description="Longest wait for Pinecone."
    )
    graph_timeout_s: Seconds = Field(
        3.0,
        validation_alias="MAYA_GRAPH_TIMEOUT_S",
        description="Longest wait for Neo4j; five times as long for a change.",
    )
    embeddings_timeout_s: Seconds = Field(
        10.0, validation_alias="MAYA_EMBEDDINGS_TIMEOUT_S", description="Longest wait for a vendor's embedding model."
    )
    confirm_s: Seconds = Field(
        15.0, validation_alias="MAYA_CONFIRM_S", description="How long an unconfirmed write of a message is repeated."
    )
    stale_after_s: Seconds = Field(
        40.0,
        validation_alias="MAYA_STALE_AFTER_S",
        description="Silence after which a running reply counts as interrupted.",
    )
    sweep_every_s: Seconds = Field(
        15.0,
        validation_alias="MAYA_SWEEP_EVERY_S",
        description="How often interrupted replies and deleted chats are looked for.",
    )
    drain_s: float = Field(
        3.0, ge=0, le=3600, validation_alias="MAYA_DRAIN_S", description="How long a stop waits for running replies."
    )

    # Door
    secret_key: SecretStr | None = Field(
        None,
        validation_alias="SECRET_KEY",
        description="Reserved for accounts. This version has none: set, it stops the start.",
    )
    allowed_hosts: tuple[str, ...] = Field(
        ("127.0.0.1", "localhost"),
        validation_alias="MAYA_ALLOWED_HOSTS",
        description="Host names under which Maya answers, separated by commas.",
    )
    metrics_token: SecretStr | None = Field(
        None,
        validation_alias="MAYA_METRICS_TOKEN",
        description="Bearer token that `/metrics` asks for. Without it only this machine is answered there.",
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        "INFO", validation_alias="MAYA_LOG_LEVEL", description="How much is logged: DEBUG, INFO, WARNING or ERROR."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Only what `load` hands in: it has merged the environment and the `.env` file already."""
        return (init_settings,)

    @field_validator("gemini_api_keys", "allowed_hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if not value or not all(_HOST.fullmatch(host) for host in value):
            raise ValueError("must be names as in maya.example.org or maya.example.org:8501, separated by commas")
        return value

    @field_validator("database_url")
    @classmethod
    def _mongodb(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
            raise ValueError("must begin with mongodb:// or mongodb+srv://")
        return value

    @field_validator("redis_url")
    @classmethod
    def _redis(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not value.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise ValueError("must begin with redis://, rediss:// or unix://")
        return value

    @field_validator("data_dir")
    @classmethod
    def _home(cls, value: Path) -> Path:
        return value.expanduser()

    @model_validator(mode="after")
    def _no_accounts_yet(self) -> Self:
        if self.secret_key is not None:
            raise ValueError(
                "SECRET_KEY is set, which asks for accounts, and this version has none yet. "
                "Remove SECRET_KEY to run for one person on this machine."
            )
        return self

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret value, for the log's redaction: those of all fields that hold secrets."""
        values = [getattr(self, name) for name in type(self).model_fields]
        several = [each for value in values for each in (value if isinstance(value, tuple) else (value,))]
        return tuple(each.get_secret_value() for each in several if isinstance(each, SecretStr))


def load(environ: Mapping[str, str] | None = None, *, env_file: Path | None = None) -> Settings:
    """Read the environment and `.env` (the environment wins) into Settings.

    Raises ConfigurationError naming the variable, what is accepted, and for an unknown MAYA_ name the nearest one.
    """
    merged = _merged(environ, env_file)
    _refuse_unknown(merged)
    known = {name: merged[name] for name in variables() if merged.get(name, "").strip()}
    try:
        return Settings.model_validate(known)
    except ValidationError as error:
        raise ConfigurationError(_explain(error)) from None


def variables() -> list[str]:
    """The names of all variables that are read, in the order of this file."""
    return [str(field.validation_alias) for field in Settings.model_fields.values()]


def _merged(environ: Mapping[str, str] | None, env_file: Path | None) -> dict[str, str]:
    """What is set in the environment, and in `.env` where the environment does not say."""
    file = env_file if env_file is not None else ROOT / ".env"
    read = dotenv_values(stream=io.StringIO(_text_of(file))) if file.is_file() else {}
    from_file = {name: value for name, value in read.items() if value is not None}
    return from_file | dict(os.environ if environ is None else environ)


def _text_of(file: Path) -> str:
    """The file as text: UTF-8, or with its mark UTF-16, in which PowerShell's `>` writes."""
    try:
        raw = file.read_bytes()
        marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        text = raw.decode("utf-16" if marked else "utf-8-sig")
    except OSError as failure:
        raise ConfigurationError(f"{file} cannot be read: {failure.strerror}.") from None
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise ConfigurationError(f"{file} is not text in UTF-8; save it again in that encoding.")
    return text


def _refuse_unknown(names: Iterable[str]) -> None:
    known = [name for name in variables() if name.startswith("MAYA_")]
    for name in names:
        if name.startswith("MAYA_") and not name.startswith(_FOR_TOOLS) and name not in known:
            near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
            hint = f"Did you mean {near[0]}?" if near else "docs/configuration.md lists the names."
            raise ConfigurationError(f"{name} is not a setting of Maya. {hint}")


def _explain(error: ValidationError) -> str:
    """One line per wrong variable; never the value, which may be a secret."""
    lines = []
    for problem in error.errors(include_input=False, include_url=False, include_context=False):
        message = problem["msg"].removeprefix("Value error, ")
        variable = str(problem["loc"][0]) if problem["loc"] else ""
        lines.append(f"{variable}: {message[0].lower()}{message[1:]}" if variable else message)
    return "\n".join(lines)


def as_markdown() -> str:
    """The reference of all settings, for docs/configuration.md."""
    lines = [
        "# Configuration",
        "",
        "Maya reads these variables from the environment and from a file `.env` beside `app.py`; the environment wins.",
        "Nothing needs to be set. An unknown `MAYA_` name stops the start and names the nearest one.",
        "This page is written by `python -m maya_core configuration`.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    for field in Settings.model_fields.values():
        lines.append(f"| `{field.validation_alias}` | {_shown(field.default)} | {field.description} |")
    return "\n".join(lines) + "\n"


def _shown(default: object) -> str:
    if isinstance(default, Path):
        return f"`{default.relative_to(ROOT)}`"
    if isinstance(default, tuple):
        return f"`{','.join(default)}`" if default else ""
    return "" if default in (None, "") else f"`{default}`"
