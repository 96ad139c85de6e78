"""Every address of the server, in one table: the server is made of it, and so is the OpenAPI document.

A test holds `docs/openapi.json` equal to it and writes it where `WRITE_DOCUMENTS=1` is set.
"""

from __future__ import annotations

from clients.api import house, pages
from clients.api.bazarr import hearing, language
from clients.api.cluster import jobs as nodes_jobs
from clients.api.cluster import models as nodes_models
from clients.api.hooks import receiving
from clients.api.jobs import again, checking, files, jobs, review, speakers, uploads
from clients.api.jobs.jobs import NewJobs, PruneWish, RetryFrom, SubmitAnswer
from clients.api.metrics import metrics
from clients.api.openai import audio, models
from clients.api.openapi import Row, openapi
from clients.web.options import Options
from protocol.job_changes import Changed, Pruned
from protocol.jobs.dry_run import DryRunReport
from protocol.messages import HealthReport, StatusReport
from protocol.subtitles.quality import FileReport
from protocol.subtitles.review import CorrectionsSaved, NewCorrections, ReviewAnswer
from protocol.timeline import Transcript

__all__ = ["ROUTES"]

_FOR_NODES = (
    Row(
        method="GET",
        path="/api/cluster/jobs/{job}/files/{path:path}",
        handler=nodes_jobs.file_of_job,
        answer="application/octet-stream",
    ),
    Row(
        method="PUT",
        path="/api/cluster/jobs/{job}/steps/{step}/{attempt}/files/{path:path}",
        handler=nodes_jobs.put_file,
        body="application/octet-stream",
        answer="application/json",
    ),
    Row(
        method="PUT",
        path="/api/cluster/jobs/{job}/steps/{step}/{attempt}/log",
        handler=nodes_jobs.put_log,
        body="text/plain",
        answer="application/json",
    ),
    Row(
        method="GET",
        path="/api/cluster/models",
        handler=nodes_models.list_models,
        answer="application/json",
    ),
    Row(
        method="GET",
        path="/api/cluster/models/{id}",
        handler=nodes_models.manifest,
        answer="application/json",
    ),
    Row(
        method="GET",
        path="/api/cluster/models/{id}/files/{path:path}",
        handler=nodes_models.file_of_model,
        answer="application/octet-stream",
    ),
)
"""Let in by the key of nodes alone, and there on the head of a cluster alone."""

ROUTES: tuple[Row, ...] = (
    Row(method="GET", path="/", handler=pages.page, answer="text/html"),
    Row(method="GET", path="/review/{job}", handler=pages.review_page, answer="text/html"),
    Row(method="GET", path="/assets/{name}", handler=pages.asset, answer="application/octet-stream"),
    Row(method="GET", path="/api/options", handler=pages.options, answer=Options),
    Row(method="GET", path="/robots.txt", handler=house.robots, answer="text/plain"),
    Row(method="GET", path="/health", handler=house.health, answer=HealthReport),
    Row(method="GET", path="/metrics", handler=metrics, answer="text/plain"),
    Row(method="GET", path="/api/openapi.json", handler=openapi, answer="application/json"),
    Row(method="GET", path="/api/health", handler=house.health, answer=HealthReport),
    Row(method="GET", path="/api/models", handler=house.models, answer="application/json"),
    Row(method="GET", path="/api/events", handler=jobs.events, answer="text/event-stream", query=("after",)),
    Row(
        method="GET", path="/api/jobs", handler=jobs.list_jobs, answer=StatusReport, query=("limit", "before")
    ),
    Row(method="POST", path="/api/jobs", handler=jobs.submit, body=NewJobs, answer=SubmitAnswer),
    Row(method="POST", path="/api/jobs/dry-run", handler=jobs.dry_run, body=NewJobs, answer=DryRunReport),
    Row(method="POST", path="/api/jobs/prune", handler=jobs.prune, body=PruneWish, answer=Pruned),
    Row(method="GET", path="/api/jobs/{job}", handler=jobs.one_job, answer=StatusReport),
    Row(method="POST", path="/api/jobs/{job}/cancel", handler=jobs.cancel, answer=Changed),
    Row(method="POST", path="/api/jobs/{job}/resume", handler=jobs.resume, answer=Changed),
    Row(method="POST", path="/api/jobs/{job}/retry", handler=jobs.retry, body=RetryFrom, answer=Changed),
    Row(method="GET", path="/api/jobs/{job}/log", handler=jobs.log, answer="text/plain", query=("lines",)),
    Row(method="GET", path="/api/jobs/{job}/files", handler=files.files, answer="application/json"),
    Row(
        method="GET",
        path="/api/jobs/{job}/files/{path:path}",
        handler=files.one_file,
        answer="application/octet-stream",
    ),
    Row(method="GET", path="/api/jobs/{job}/media", handler=files.media, answer="application/octet-stream"),
    Row(
        method="GET",
        path="/api/jobs/{job}/tracks/{language}.{format}",
        handler=files.track,
        answer="text/vtt",
        query=("profile",),
    ),
    Row(method="GET", path="/api/jobs/{job}/review", handler=review.review, answer=ReviewAnswer),
    Row(method="POST", path="/api/jobs/{job}/review/copy", handler=review.copy, answer=ReviewAnswer),
    Row(
        method="GET",
        path="/api/jobs/{job}/review/media",
        handler=review.media_to_play,
        answer="application/octet-stream",
    ),
    Row(
        method="POST", path="/api/jobs/{job}/again", handler=again.again, body=again.Again, answer=Transcript
    ),
    Row(
        method="POST",
        path="/api/jobs/{job}/corrections",
        handler=review.save,
        body=NewCorrections,
        answer=CorrectionsSaved,
    ),
    Row(
        method="GET",
        path="/api/jobs/{job}/speakers",
        handler=speakers.speakers,
        answer=speakers.SpeakersAnswer,
    ),
    Row(
        method="POST",
        path="/api/jobs/{job}/speakers",
        handler=speakers.name,
        body=speakers.NewNames,
        answer=speakers.SpeakersAnswer,
    ),
    Row(
        method="POST",
        path="/api/jobs/{job}/export",
        handler=files.export,
        body=files.ExportWish,
        answer="application/json",
    ),
    Row(
        method="POST",
        path="/api/qc/{name}",
        handler=checking.check,
        body="application/octet-stream",
        answer=FileReport,
        query=("profile", "language"),
    ),
    Row(
        method="PUT",
        path="/api/films/{name}",
        handler=uploads.upload,
        body="application/octet-stream",
        answer="application/json",
    ),
    Row(
        method="POST",
        path="/v1/audio/transcriptions",
        handler=audio.transcriptions,
        body="multipart/form-data",
        answer="application/json",
    ),
    Row(
        method="POST",
        path="/v1/audio/translations",
        handler=audio.translations,
        body="multipart/form-data",
        answer="application/json",
    ),
    *(
        Row(
            method=method,
            path=f"/hooks/{{word}}/{server}",
            handler=receiving.receive,
            body="application/json",
            answer="application/json",
        )
        for server in receiving.SERVERS
        # Sonarr and Radarr let a person choose.
        for method in ("POST", "PUT")
    ),
    Row(method="POST", path="/asr", handler=hearing.hear, body="multipart/form-data", answer="text/plain"),
    Row(
        method="POST",
        path="/detect-language",
        handler=language.detect,
        body="multipart/form-data",
        answer="application/json",
    ),
    Row(method="GET", path="/status", handler=hearing.status, answer="application/json"),
    Row(method="GET", path="/v1/models", handler=models.list_all, answer="application/json"),
    Row(method="GET", path="/v1/models/{id:path}", handler=models.one, answer="application/json"),
    *_FOR_NODES,
)
"""In the order in which they are tried."""
