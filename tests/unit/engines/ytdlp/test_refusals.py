"""What a person reads when a film cannot be fetched."""

from __future__ import annotations

import errno

import pytest

from protocol.errors import DiskFullError, InputError, TransientError, UsageError
from workers.engines.ytdlp.refusals import UPGRADE, explain

ADDRESS = "https://films.example/watch"


class DownloadError(Exception):
    """As yt-dlp raises it: the cause is kept in `exc_info`."""

    def __init__(self, text: str, cause: BaseException | None = None) -> None:
        super().__init__(text)
        self.exc_info = (type(cause), cause, None)


class HTTPError(Exception):
    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP Error {status}")
        self.status = status


class ExtractorError(Exception):
    def __init__(self, text: str, cause: BaseException | None = None) -> None:
        super().__init__(text)
        self.cause = cause


class GeoRestrictedError(ExtractorError):
    pass


class UnsupportedError(ExtractorError):
    pass


@pytest.mark.parametrize(
    ("status", "kind", "remedy"),
    [
        (404, InputError, "browser"),
        (410, InputError, "browser"),
        (401, InputError, "--cookies"),
        (403, InputError, "--cookies"),
        (429, TransientError, "Wait"),
        (503, TransientError, "same command"),
        (418, InputError, UPGRADE),
    ],
)
def test_an_answer_by_number_is_told_with_what_to_do(status: int, kind: type, remedy: str) -> None:
    error = DownloadError("ERROR: no", ExtractorError("Unable to download", HTTPError(status)))
    told = explain(error, ADDRESS, [])
    assert type(told) is kind
    assert str(status) in told.message
    assert ADDRESS in told.message
    assert remedy in told.remedy


@pytest.mark.parametrize(
    ("said", "kind", "remedy"),
    [
        (
            "[youtube] x: Sign in to confirm you're not a bot. Use --cookies-from-browser",
            InputError,
            "--cookies FILE",
        ),
        ("[site] x: This video is only for registered users; log in", InputError, "--cookies FILE"),
        ("[youtube] x: Private video", InputError, "browser"),
        ("[youtube] x: Video unavailable", InputError, "browser"),
        ("This format is DRM protected", InputError, "own player"),
        ("[site] x: Unable to extract title; please report this issue on https://x", InputError, UPGRADE),
        (
            "Unable to download webpage: Failed to resolve 'x' ([Errno -2] Name or service",
            TransientError,
            "network",
        ),
        (
            "[download] Got error: 5 bytes read, 6 more expected. Giving up after 5 retries",
            TransientError,
            "same command",
        ),
        ("Unable to connect: The read operation timed out", TransientError, "network"),
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", InputError, "browser"),
    ],
)
def test_the_words_of_a_site_become_a_sentence_with_a_remedy(said: str, kind: type, remedy: str) -> None:
    told = explain(DownloadError(f"ERROR: {said}"), ADDRESS, [])
    assert type(told) is kind
    assert ADDRESS in told.message
    assert remedy in told.remedy
    assert not any(noise in told.message for noise in ("ERROR", "please report", "[youtube]", "[site]"))
    assert told.message.endswith(".")


def test_kinds_of_errors_are_told_by_their_names() -> None:
    geo = explain(DownloadError("ERROR: no", GeoRestrictedError("not here")), ADDRESS, [])
    assert "in your country" in geo.message
    unknown = explain(DownloadError("ERROR: no", UnsupportedError("Unsupported URL")), ADDRESS, [])
    assert UPGRADE in unknown.remedy
    joined = explain(
        DownloadError("ERROR: no", type("FFmpegPostProcessorError", (Exception,), {})("x")), ADDRESS, []
    )
    assert "could not be joined" in joined.message


@pytest.mark.parametrize(
    "error",
    [
        DownloadError("ERROR: unable to write data: [Errno 28] No space left on device"),
        DownloadError("ERROR: no", OSError(errno.ENOSPC, "x")),
        DownloadError("ERROR: no", OSError(errno.EDQUOT, "x")),
    ],
)
def test_a_full_disk_is_told_as_one(error: Exception) -> None:
    told = explain(error, ADDRESS, [])
    assert isinstance(told, DiskFullError)
    assert "Make room" in told.remedy


def test_a_host_that_was_refused_is_the_reason_whatever_yt_dlp_makes_of_it() -> None:
    told = explain(DownloadError("ERROR: Unable to connect"), ADDRESS, ["localhost"])
    assert told.message == f"{ADDRESS} leads to localhost, which is not a public address."
    assert "--allow-local" in told.remedy


def test_an_error_of_ours_stays_as_it_is() -> None:
    ours = UsageError("A sentence.", "A remedy.")
    assert explain(DownloadError("ERROR: x", ours), ADDRESS, ["localhost"]) is ours
