"""Certificates are looked at before Ray tries them; made by the commands of docs/cluster.md."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from clients.cluster.certificates import check_certificates
from protocol.errors import UsageError
from tests.certificates import make_certificates, tls_variables

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not here")

ADDRESS = "192.168.1.10"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with certificates for the address."""
    return make_certificates(tmp_path_factory.mktemp("tls"), ADDRESS, "127.0.0.1")


def test_what_fits_together_is_taken(folder: Path) -> None:
    for address in (ADDRESS, "127.0.0.1"):
        check_certificates(tls_variables(folder), address)


@pytest.mark.parametrize("use", ["", "0", "false"])
def test_without_tls_nothing_is_looked_at(use: str) -> None:
    check_certificates({"RAY_USE_TLS": use, "RAY_TLS_SERVER_CERT": "/nowhere"}, ADDRESS)


def test_an_address_that_the_certificate_does_not_name_is_told(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"will not do for 192\.168\.1\.11: IP address mismatch"):
        check_certificates(tls_variables(folder), "192.168.1.11")


def test_a_certificate_of_another_authority_is_told(folder: Path, tmp_path: Path) -> None:
    other = tls_variables(make_certificates(tmp_path, ADDRESS))["RAY_TLS_CA_CERT"]
    with pytest.raises(UsageError, match="will not do"):
        check_certificates(tls_variables(folder) | {"RAY_TLS_CA_CERT": other}, ADDRESS)


def test_a_key_of_another_certificate_is_told(folder: Path, tmp_path: Path) -> None:
    other = tls_variables(make_certificates(tmp_path, ADDRESS))["RAY_TLS_SERVER_KEY"]
    with pytest.raises(UsageError, match="cannot be used"):
        check_certificates(tls_variables(folder) | {"RAY_TLS_SERVER_KEY": other}, ADDRESS)


@pytest.mark.parametrize("name", ["RAY_TLS_SERVER_CERT", "RAY_TLS_SERVER_KEY", "RAY_TLS_CA_CERT"])
def test_a_variable_that_is_not_set_and_a_file_that_is_not_there_are_named(folder: Path, name: str) -> None:
    with pytest.raises(UsageError, match=name):
        check_certificates(tls_variables(folder) | {name: ""}, ADDRESS)
    with pytest.raises(UsageError, match="/nowhere"):
        check_certificates(tls_variables(folder) | {name: "/nowhere"}, ADDRESS)
