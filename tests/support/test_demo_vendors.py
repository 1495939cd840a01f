"""The letters of `make demo-vendors` do what their sentences say, and the app is led to the fake vendors alone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
from google.genai import errors as genai_errors

from maya_core import settings
from tests.support import demo_vendors
from tests.support.raw_sdks import RawSdks
from tests.support.vendors import FakeVendors, Vendor


@pytest.fixture
def sdks(vendors: FakeVendors) -> Iterator[RawSdks]:
    with asyncio.Runner() as runner:
        clients = RawSdks(runner, base_url=vendors.url("gemini"), key="fake-key-0001", read_timeout_s=1.0)
        yield clients
        clients.close()


def test_letters_make_gemini_fail_hang_break_off_and_recover(vendors: FakeVendors, sdks: RawSdks) -> None:
    url = vendors.url("gemini")

    assert "503" in demo_vendors.obey("g", url)
    error = sdks.stream(Vendor.GEMINI).error
    assert isinstance(error, genai_errors.ServerError)
    assert error.code == 503

    assert "hangs" in demo_vendors.obey("t", url)
    silent = sdks.stream(Vendor.GEMINI)
    assert (silent.chunks, silent.finish) == ([], None)
    assert silent.error is not None

    assert "breaks off" in demo_vendors.obey("c", url)
    broken = sdks.stream(Vendor.GEMINI)
    assert len(broken.chunks) == 5
    assert broken.error is not None
    assert sdks.ask(Vendor.ANTHROPIC).error is None

    assert "again" in demo_vendors.obey("r", url)
    whole = sdks.stream(Vendor.GEMINI)
    assert (whole.error, whole.finish) == (None, "STOP")


def test_app_sees_the_fake_vendors_and_nothing_of_the_persons_own_settings(tmp_path: Path) -> None:
    own = {"DATABASE_URL": "mongodb://db.example", "SECRET_KEY": "x" * 40, "PATH": "/bin", "MAYA_GEMINI_MODEL": "own"}
    env_file = tmp_path / ".env"
    env_file.write_text("SECRET_KEY=" + "y" * 40 + "\nREDIS_URL=redis://redis.example\nREDIS_PASSWORD=fake\n")

    chosen = demo_vendors.chosen_settings("http://127.0.0.1:4321", tmp_path)
    environ = demo_vendors.environment(own, chosen)
    seen = settings.load(environ, env_file=env_file)

    assert environ["PATH"] == "/bin"
    assert (seen.database_url, seen.redis_url, seen.redis_password, seen.secret_key) == (None, None, None, None)
    assert seen.gemini_model == ""
    addresses = (seen.gemini_base_url, seen.anthropic_base_url, seen.cohere_base_url, seen.ollama_host)
    assert addresses == ("http://127.0.0.1:4321",) * 4
    assert len(seen.gemini_api_keys) == 2
    assert seen.data_dir == tmp_path
