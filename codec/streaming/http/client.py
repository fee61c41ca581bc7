"""Fetches files from any static web host by plain GET and byte ranges."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ipaddress
import random
import ssl
import threading
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast

import httpx
from streamstgs.codec.cancel import NEVER, CancelToken
from streamstgs.codec.errors import Cancelled, CodecError, SceneUnreachable
from streamstgs.codec.streaming.address import redact_credentials, split_login
from streamstgs.codec.streaming.http.cancellation import RequestCancellation
from streamstgs.codec.streaming.http.download import Download, ShortPart, TransientError
from streamstgs.codec.streaming.http.name_lookup import DaemonThreads
from streamstgs.codec.streaming.http.partial import PartialDownloads
from streamstgs.codec.streaming.http.settings import HttpSettings
from streamstgs.codec.streaming.transport import ByteRange, Listener, Reply, ignore_progress

CLOSE_TIMEOUT_S = 5.0
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
REDIRECTS = (301, 302, 303, 307, 308)


class HttpTransport:
    """Implements `Transport` with httpx. Owns one thread, in which all requests run.

    Requests are asyncio tasks there: a task can be cancelled at any await, also while a name is
    looked up, a handshake hangs or a body stalls (see `cancellation`).

    Args:
        settings: timeouts, retries and bounds.
        network: replaces sockets in tests.
        listener: called with each step of each request, in the thread of the transport.
        chance: returns a uniform number in 0..1, for jitter.

    Raises:
        SceneUnreachable: the environment names a proxy or certificates that cannot be used.
    """

    def __init__(
        self,
        settings: HttpSettings,
        network: httpx.AsyncBaseTransport | None = None,
        listener: Listener = ignore_progress,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._settings = settings
        self._listener = listener
        self._chance = chance
        self._client = _client(settings, network)
        self._partial = PartialDownloads(settings.kept_bytes)
        self._loop = asyncio.new_event_loop()
        self._loop.set_default_executor(DaemonThreads())
        self._lock = threading.Lock()
        self._closed = False
        self.heard_s = 0.0  # written by the thread of the transport
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)
        self._thread.start()

    def get(
        self,
        url: str,
        most_bytes: int,
        cancel: CancelToken = NEVER,
        byte_range: ByteRange | None = None,
        fresh: bool = False,
    ) -> Reply:
        cancel.raise_if_cancelled(f"reading {redact_credentials(url)}")
        download = Download(url, most_bytes, byte_range, fresh, time.monotonic, self._listener)
        with self._lock:
            if self._closed:
                raise Cancelled(f"{download.url}: the connection was closed.")
            cancellation = RequestCancellation()
            task = self._fetch(download, cancellation)
            future = asyncio.run_coroutine_threadsafe(task, self._loop)
        if not cancel.wait_for(future):
            with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
                self._loop.call_soon_threadsafe(cancellation.cancel)
            raise Cancelled(f"{download.url}: reading was cancelled.")
        return _result(future, download.url)

    def close(self) -> None:
        with self._lock:
            if not self._closed:
                self._closed = True
                self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(CLOSE_TIMEOUT_S)

    # --- the thread ------------------------------------------------------------------------------

    def _run(self) -> None:
        try:
            self._loop.run_forever()
            self._loop.run_until_complete(self._end())
        finally:
            self._loop.close()

    async def _end(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._client.aclose()
        await self._loop.shutdown_asyncgens()

    async def _fetch(self, download: Download, cancellation: RequestCancellation) -> Reply:
        """Run all tries of one request and report its end to the listener."""
        self._partial.resume(download)
        try:
            cancellation.begin()
            reply = await self._fetch_with_retries(download, cancellation)
        except asyncio.CancelledError:
            self._partial.put(download)
            download.report("cancelled")
            raise
        except BaseException:
            download.report("failed")
            raise
        download.report("done")
        return reply

    async def _fetch_with_retries(
        self, download: Download, cancellation: RequestCancellation
    ) -> Reply:
        began_s, failures = self._loop.time(), 0
        tries = self._settings.fresh_tries if download.fresh else self._settings.tries
        while True:
            before = len(download.content)
            left_s = began_s + self._settings.allowed_s(download.size_bytes) - self._loop.time()
            try:
                return await self._try(download, cancellation, max(left_s, 0.0))
            except ShortPart:
                if left_s <= 0:
                    raise SceneUnreachable(f"{download.url} comes too slowly; given up.") from None
                failures = 0
                continue
            except (TransientError, httpx.TransportError) as error:
                _raise_if_permanent(download.url, error)
                progress = len(download.content) - before >= self._settings.stall_bytes
                failures = 1 if progress else failures + 1
                pause_s = self._pause_s(failures, error)
                spent_s = self._loop.time() + pause_s - began_s
                too_late = spent_s > self._settings.allowed_s(download.size_bytes)
                if too_late or failures >= tries:
                    raise _unreachable(download.url, error) from error
            except CodecError:
                raise
            except (httpx.HTTPError, httpx.InvalidURL, ValueError, ExceptionGroup) as error:
                # Errors of the libraries below on addresses that a server may have sent.
                raise _unreachable(download.url, error) from error
            await asyncio.sleep(pause_s)

    def _pause_s(self, failures: int, error: Exception) -> float:
        asked_s = error.retry_after_s if isinstance(error, TransientError) else 0.0
        pause_s = self._settings.pause_s(failures, self._chance())
        return max(pause_s, min(asked_s, self._settings.longest_backoff_s))

    async def _try(
        self, download: Download, cancellation: RequestCancellation, left_s: float
    ) -> Reply:
        """Run one try: the request and its body; fails when no data arrives for `stall_s`."""
        download.begin_try()
        deadline_s = self._loop.time() + left_s
        try:
            async with asyncio.timeout_at(deadline_s) as patience:
                response = await self._follow_redirects(
                    download, cancellation, patience, deadline_s
                )
                try:
                    download.accept(response)
                    await self._read_body(download, response, patience, deadline_s)
                finally:
                    await response.aclose()
        except TimeoutError as error:
            if self._loop.time() >= deadline_s:
                raise SceneUnreachable(f"{download.url} comes too slowly; given up.") from error
            raise TransientError("the server fell silent") from error
        return download.finish()

    async def _follow_redirects(
        self,
        download: Download,
        cancellation: RequestCancellation,
        patience: asyncio.Timeout,
        deadline_s: float,
    ) -> httpx.Response:
        """Send the request and follow redirects, whose bodies are not read; return the answer."""
        address, login = split_login(download.address)  # httpx writes addresses into its log
        headers = download.request_headers() | ({"Authorization": login} if login else {})
        request = self._client.build_request("GET", address, headers=headers)
        for _ in range(self._settings.redirects + 1):
            self._reset(patience, deadline_s)
            request.extensions["trace"] = cancellation.trace
            response = await self._client.send(request, stream=True)
            self.heard_s = time.monotonic()
            if response.status_code not in REDIRECTS or response.next_request is None:
                return response
            await response.aclose()
            await self._check_redirect(request.url, response.next_request.url, download.url)
            request = response.next_request
        raise SceneUnreachable(f"{download.url} leads from one address to the next without end.")

    async def _check_redirect(self, here: httpx.URL, there: httpx.URL, url: str) -> None:
        """Redirects lead to web servers, never from a secured connection to an open one, never
        from the internet into this machine's network, and name no login.

        Raises:
            SceneUnreachable: this one does.
        """
        if there.scheme not in ("http", "https") or (here.scheme, there.scheme) == (
            "https", "http",
        ):  # fmt: skip
            raise SceneUnreachable(f"{url} leads to {there.scheme}:, where the player does not go.")
        if there.userinfo:
            raise SceneUnreachable(f"{url} leads to an address with a login, which is refused.")
        elsewhere = there.host != here.host and not await self._is_public_host(there.host)
        if elsewhere and await self._is_public_host(here.host):
            raise SceneUnreachable(
                f"{url} leads from the internet to {there.host}, which is in this machine's "
                "own network; that is refused."
            )

    async def _is_public_host(self, name: str) -> bool:
        """Whether all addresses of a host are on the internet; False for unknown names."""
        try:
            found = await self._loop.getaddrinfo(name, None)
        except (OSError, UnicodeError):
            return False
        return bool(found) and all(_is_public(str(entry[4][0])) for entry in found)

    async def _read_body(
        self,
        download: Download,
        response: httpx.Response,
        patience: asyncio.Timeout,
        deadline_s: float,
    ) -> None:
        """Append the body; each `stall_bytes` received restart the stall timeout."""
        self._reset(patience, deadline_s)
        fresh_bytes = 0
        body = cast(AsyncGenerator[bytes, None], response.aiter_raw())
        async with aclosing(body) as chunks:
            async for chunk in chunks:
                download.add(chunk)
                self.heard_s = time.monotonic()
                fresh_bytes += len(chunk)
                if fresh_bytes >= self._settings.stall_bytes:
                    self._reset(patience, deadline_s)
                    fresh_bytes = 0
                if self._loop.time() > deadline_s:
                    raise TimeoutError

    def _reset(self, patience: asyncio.Timeout, deadline_s: float) -> None:
        patience.reschedule(min(self._loop.time() + self._settings.stall_s, deadline_s))


def _client(settings: HttpSettings, network: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    """Make the client: certificates are verified, and no compression is requested.

    Raises:
        SceneUnreachable: the environment names a proxy or certificates that cannot be used.
    """
    try:
        return httpx.AsyncClient(
            timeout=httpx.Timeout(None, connect=settings.connect_s),  # the others: `_try`
            limits=httpx.Limits(max_connections=settings.connections),
            follow_redirects=False,  # httpx would read their bodies, however long
            headers={"Accept-Encoding": "identity"},
            transport=network,
        )
    except (OSError, ImportError, ValueError, httpx.InvalidURL) as error:
        raise SceneUnreachable(
            f"The network cannot be used as this machine is set up ({error}): look at ALL_PROXY, "
            "HTTP_PROXY, HTTPS_PROXY, NO_PROXY, SSL_CERT_FILE and SSL_CERT_DIR. "
            "SOCKS proxies are not supported."
        ) from error


def _result(future: concurrent.futures.Future[Reply], url: str) -> Reply:
    try:
        return future.result()
    except concurrent.futures.CancelledError as error:
        raise Cancelled(f"{url}: the connection was closed.") from error


def _unreachable(url: str, error: Exception) -> CodecError:
    inner: BaseException = error
    while isinstance(inner, BaseExceptionGroup):
        inner = inner.exceptions[0]
    reason = str(inner) or type(inner).__name__
    return SceneUnreachable(f"{url} cannot be fetched: {reason.rstrip('.')}.")


def _raise_if_permanent(url: str, error: Exception) -> None:
    """Raise SceneUnreachable for errors that another try cannot solve."""
    if isinstance(error, (httpx.UnsupportedProtocol, httpx.LocalProtocolError)):
        raise _unreachable(url, error) from error
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            reason = cause.verify_message or "it is not valid"
            raise SceneUnreachable(f"{url}: the certificate is refused: {reason}.") from error
        cause = cause.__cause__ or cause.__context__


def _is_public(address: str) -> bool:
    """Whether an IP address belongs to the internet rather than to this machine or its network.

    An IPv6 address that stands for an IPv4 address is judged by that one, too.
    """
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    inner = _inner_addresses(found) if isinstance(found, ipaddress.IPv6Address) else []
    return found.is_global and all(part.is_global for part in inner)


def _inner_addresses(address: ipaddress.IPv6Address) -> list[ipaddress.IPv4Address]:
    """IPv4 addresses that an IPv6 address leads to: mapped, 6to4, Teredo, NAT64."""
    found = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
    if address in NAT64:
        found.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return [part for part in found if part is not None]
