"""SPDY/3.1 frames, as far as Kubernetes' streams use them.

Format: draft-mbelshe-httpbis-spdy-00. No flow control: client-go's library (moby/spdystream) has
none either. Headers are compressed with one zlib stream per direction and the dictionary of the
draft; it is written here as its words and checked by its checksum.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator

from keptn_doctor.model.base import Record

SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY = 1, 2, 3, 6, 7
FIN = 0x01
_CONTROL = 0x8000
_VERSION = 3
_MOST = 1 << 20

_WORDS = (
    "options head post put delete trace accept accept-charset accept-encoding accept-language "
    "accept-ranges age allow authorization cache-control connection content-base content-encoding "
    "content-language content-length content-location content-md5 content-range content-type date "
    "etag expect expires from host if-match if-modified-since if-none-match if-range "
    "if-unmodified-since last-modified location max-forwards pragma proxy-authenticate "
    "proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade "
    "user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url "
    "public set-cookie keep-alive origin"
)
_TAIL = (
    "100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505"
    "203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request"
    "401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented"
    "503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 "
    "Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,"
    "application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age="
    "gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0."
)


def _dictionary() -> bytes:
    words = (word.replace("_", " ").encode() for word in _WORDS.split())
    made = b"".join(len(word).to_bytes(4) + word for word in words) + _TAIL.encode()
    assert zlib.adler32(made) == 0xE3C6A7C2
    return made


_DICTIONARY = _dictionary()


class SpdyError(ValueError):
    """The peer does not speak SPDY/3.1."""


class Frame(Record, frozen=True, kw_only=True):
    """A frame with what matters of it; ``kind`` 0 is data."""

    kind: int
    stream: int = 0
    flags: int = 0
    payload: bytes = b""
    headers: dict[str, str] = {}

    @property
    def is_last(self) -> bool:
        return bool(self.flags & FIN)


class Codec:
    """Bytes to frames and back; one per connection, because header compression has a memory."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._inflate = zlib.decompressobj(zdict=_DICTIONARY)
        self._deflate = zlib.compressobj(zdict=_DICTIONARY)

    def receive(self, data: bytes) -> Iterator[Frame]:
        """All frames that are complete now; frames of other kinds are dropped."""
        self._buffer += data
        while len(self._buffer) >= 8:
            head, word = struct.unpack_from(">II", self._buffer)
            size = word & 0xFFFFFF
            if size > _MOST:
                raise SpdyError(f"a frame of {size} bytes")
            if len(self._buffer) < 8 + size:
                return
            payload = bytes(self._buffer[8 : 8 + size])
            del self._buffer[: 8 + size]
            frame = self._frame(head, word >> 24, payload)
            if frame is not None:
                yield frame

    def _frame(self, head: int, flags: int, payload: bytes) -> Frame | None:
        if not head >> 31:
            return Frame(kind=0, stream=head, flags=flags, payload=payload)
        if head >> 16 != _CONTROL | _VERSION:
            raise SpdyError("not a SPDY/3 control frame")
        kind = head & 0xFFFF
        if kind not in {SYN_STREAM, SYN_REPLY, RST_STREAM, PING, GOAWAY}:
            return None
        stream = int.from_bytes(payload[:4])
        if kind in {SYN_STREAM, SYN_REPLY}:
            block = payload[10:] if kind == SYN_STREAM else payload[4:]
            return Frame(kind=kind, stream=stream, flags=flags, headers=self._headers(block))
        return Frame(kind=kind, stream=stream, flags=flags, payload=payload)

    def _headers(self, block: bytes) -> dict[str, str]:
        try:
            raw = self._inflate.decompress(block)
            count, at = int.from_bytes(raw[:4]), 4
            texts = []
            for _ in range(2 * count):
                size = int.from_bytes(raw[at : at + 4])
                texts.append(raw[at + 4 : at + 4 + size].decode())
                at += 4 + size
        except (zlib.error, UnicodeDecodeError) as error:
            raise SpdyError(f"unreadable headers: {error}") from error
        return {name.lower(): value for name, value in zip(texts[::2], texts[1::2], strict=True)}

    def _block(self, headers: dict[str, str]) -> bytes:
        raw = len(headers).to_bytes(4)
        for text in (part for pair in headers.items() for part in pair):
            raw += len(text).to_bytes(4) + text.encode()
        return self._deflate.compress(raw) + self._deflate.flush(zlib.Z_SYNC_FLUSH)

    def open(self, stream: int, headers: dict[str, str], *, flags: int = 0) -> bytes:
        payload = struct.pack(">IIH", stream, 0, 0) + self._block(headers)
        return _control(SYN_STREAM, payload, flags)

    def reply(self, stream: int) -> bytes:
        return _control(SYN_REPLY, stream.to_bytes(4) + self._block({}), 0)


def _control(kind: int, payload: bytes, flags: int) -> bytes:
    head = (_CONTROL | _VERSION) << 16 | kind
    return struct.pack(">II", head, flags << 24 | len(payload)) + payload


def data_frame(stream: int, data: bytes, *, last: bool = False) -> bytes:
    return struct.pack(">II", stream, (FIN if last else 0) << 24 | len(data)) + data


def ping(number: bytes) -> bytes:
    return _control(PING, number, 0)
