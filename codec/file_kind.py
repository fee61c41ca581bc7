"""Names the kind of a file that is no scene, for the error message."""

from __future__ import annotations

import re

HEAD_BYTES = 4096
ZIP_FILE, ZIP_EMPTY = b"PK\x03\x04", b"PK\x05\x06"
HTML = re.compile(rb"\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body)\b", re.IGNORECASE | re.S)
JSON, UNKNOWN = "a JSON document", "a file of an unknown kind"
SIGNATURES = (
    (b"ply\n", "a PLY point cloud"),
    (b"ply\r\n", "a PLY point cloud"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"%PDF", "a PDF document"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!", "a RAR archive"),
    (b"glTF", "a glTF model"),
    (b"NGSP", "an SPZ file of static Gaussians"),
    (b"\x1aE\xdf\xa3", "a Matroska or WebM video"),
    (b"version https://git-lfs.github.com/spec/", "a Git LFS pointer; fetch the file itself"),
)


def describe_file(head: bytes) -> str:
    """Return the kind of a file by its first bytes, such as "a PLY point cloud".

    Args:
        head: the first bytes of the file, up to `HEAD_BYTES`.
    """
    if not head:
        return "an empty file"
    if HTML.match(head):
        return "a web page (HTML), as servers send in place of a file"
    for signature, kind in SIGNATURES:
        if head.startswith(signature):
            return kind
    if head.startswith(ZIP_EMPTY):
        return "an empty ZIP archive"
    if head.startswith(ZIP_FILE):
        return "a ZIP archive without a scene, or an incomplete download of one"
    if head[4:8] == b"ftyp":
        return "an MP4 video"
    if not head.strip(b"\0"):
        return "a file of zeros, such as an incomplete download"
    if head.lstrip()[:1] in (b"{", b"["):
        return JSON
    return UNKNOWN
