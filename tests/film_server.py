"""A web server on this machine with films, pages, redirects, and bodies that are slow or break off."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from workers.engines.common.film.ffmpeg import find_ffmpeg

PAGE = '<html><head><title>A film of ours</title></head><body><video src="{}"></video></body></html>'
THREE = (
    "<html><head><title>Three films</title></head><body>"
    + "".join(f'<div><video src="/{name}.mp4"></video></div>' for name in ("one", "two", "three"))
    + "</body></html>"
)


def make_film(path: Path, *, seconds: int = 2, picture: str = "testsrc") -> bytes:
    """Make a short film with picture and sound, and return its bytes."""
    inputs = [f"{picture}=d={seconds}:s=160x120:r=12", f"sine=d={seconds}:f=440"]
    sources = [word for source in inputs for word in ("-f", "lavfi", "-i", source)]
    target = ["-c:v", "mpeg4", "-q:v", "2", "-c:a", "aac", "-movflags", "+faststart", "-y", str(path)]
    subprocess.run([find_ffmpeg(), "-loglevel", "error", *sources, *target], check=True, timeout=60)
    return path.read_bytes()


def put_streams(server: FilmServer, film: Path, folder: Path) -> None:
    """Give the server a film in pieces, picture and sound apart, as `/master.m3u8`: what sites stream."""
    folder.mkdir()
    ways = {"picture": ["-c:v", "mpeg2video", "-r", "24", "-g", "24", "-an"], "sound": ["-c:a", "aac", "-vn"]}
    for name, way in ways.items():
        pieces = ["-f", "hls", "-hls_time", "1", "-hls_playlist_type", "vod", str(folder / f"{name}.m3u8")]
        command = [find_ffmpeg(), "-loglevel", "error", "-i", str(film), *way, *pieces]
        subprocess.run(command, check=True, timeout=60)
    kind = "application/vnd.apple.mpegurl"
    for path in folder.iterdir():
        server.bodies[f"/{path.name}"] = (kind if path.suffix == ".m3u8" else "video/mp2t", path.read_bytes())
    master = (
        '#EXTM3U\n#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="hi",URI="/sound.m3u8"\n'
        '#EXT-X-STREAM-INF:BANDWIDTH=500000,CODECS="avc1.64000b,mp4a.40.2",RESOLUTION=160x120,AUDIO="a"\n'
        "/picture.m3u8\n"
    )
    server.bodies["/master.m3u8"] = (kind, master.encode())


class FilmServer:
    """What it has, what it was asked for, and how it behaves."""

    def __init__(self, film: bytes) -> None:
        self.film = film
        self.asked: list[tuple[str, str]] = []
        """Path and `Range` of every request, in order."""
        self.cuts = 0
        """So many of the next answers of /cut.mp4 break off in the middle."""
        self.going_on = threading.Event()
        """/slow.mp4 gives its first half and then waits for this."""
        self.half_given = threading.Event()
        self.bodies: dict[str, tuple[str, bytes]] = {
            "/page.html": ("text/html", PAGE.format("/film.mp4").encode()),
            "/inner.html": ("text/html", PAGE.format("http://localhost:9/secret.mp4").encode()),
            "/three.html": ("text/html", THREE.encode()),
            "/words.html": (
                "text/html",
                b"<html><head><title>Words</title></head><body></body></html>",
            ),
            "/list.mp4": ("video/mp4", b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n#EXT-X-ENDLIST\n"),
            "/concat.mp4": ("video/mp4", b"ffconcat version 1.0\nfile /etc/passwd\n"),
            "/false.mp4": ("video/mp4", b"<!DOCTYPE html><html><body>Sign in</body></html>"),
            "/empty.mp4": ("video/mp4", b""),
            "/archive.zip": ("application/zip", b"PK\x03\x04" + bytes(range(256)) * 8),
            "/bare": ("application/octet-stream", film),
            "/bare.mkv": ("application/octet-stream", film),
        }
        self.redirects: dict[str, str] = {"/redirfile": "file:///etc/passwd"}
        self.port = 0
        self.cookies: list[str] = []

    def address(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def ranges(self, path: str) -> list[str]:
        """Return the `Range` of each request for the path."""
        return [asked for name, asked in self.asked if name == path]

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        # Of a proxy the whole address is asked for.
        path = re.sub(r"^http://[^/]+", "", handler.path.partition("?")[0])
        asked = handler.headers.get("Range") or ""
        self.asked.append((path, asked))
        self.cookies.append(handler.headers.get("Cookie") or "")
        if path in self.redirects:
            handler.send_response(302)
            handler.send_header("Location", self.redirects[path])
            handler.send_header("Content-Length", "0")
            handler.end_headers()
            return
        if found := re.fullmatch(r"/status/(\d+)(?:/\w+\.mp4)?", path):
            handler.send_error(int(found[1]))
            return
        kind, body = self.bodies.get(path, ("video/mp4", self.film))
        if path not in self.bodies and not path.endswith(".mp4"):
            handler.send_error(404)
            return
        self._give(handler, path, kind, body, asked)

    def _give(self, handler: BaseHTTPRequestHandler, path: str, kind: str, body: bytes, asked: str) -> None:
        first = 0
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", asked):
            first = int(wanted[1])
            handler.send_response(206)
            handler.send_header("Content-Range", f"bytes {first}-{len(body) - 1}/{len(body)}")
        else:
            handler.send_response(200)
        rest = body[first:]
        handler.send_header("Content-Type", kind)
        handler.send_header("Accept-Ranges", "bytes")
        handler.send_header("Content-Length", str(len(rest)))
        handler.end_headers()
        if handler.command == "HEAD":
            return
        if path == "/cut.mp4" and self.cuts and len(rest) > 1:
            self.cuts -= 1
            handler.wfile.write(rest[: len(rest) // 2])
            handler.close_connection = True
            return
        if path == "/slow.mp4" and not self.going_on.is_set():
            handler.wfile.write(rest[: len(rest) // 2])
            handler.wfile.flush()
            self.half_given.set()
            self.going_on.wait(60)
            handler.close_connection = True
            return
        handler.wfile.write(rest)


@contextmanager
def film_server(film: bytes) -> Iterator[FilmServer]:
    """Serve until the block ends."""
    films = FilmServer(film)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            try:
                films.answer(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        do_HEAD = do_GET  # noqa: N815 (the name that the library calls)

        def log_message(self, *_: Any) -> None:
            """Write nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Say nothing: a client that ends in the middle is what is tested."""

    with Server(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        films.port = server.server_port
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield films
        finally:
            films.going_on.set()
            server.shutdown()
            thread.join()
