"""``--proxy``: the way to the Keptn endpoint that the user gives for one run."""

from __future__ import annotations

import socket
import threading

from running import assert_one_clear_line, keptn_doctor

ENDPOINT = ("check", "--endpoint", "http://keptn.example.com/api")


def answer_each(listener: socket.socket, asked: list[str]) -> None:
    """A proxy that forbids everything and remembers what it was asked for."""
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return  # closed by the test
        with connection:
            asked.append(connection.makefile("rb").readline().decode().strip())
            connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")


def test_requests_to_the_endpoint_take_the_proxy_of_the_command_line() -> None:
    asked: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=answer_each, args=(listener, asked), daemon=True).start()
        run = keptn_doctor(*ENDPOINT, "--proxy", f"http://127.0.0.1:{listener.getsockname()[1]}")
        listener.shutdown(socket.SHUT_RDWR)
    assert run.returncode in (1, 3), run.stderr
    assert any(line.startswith("GET http://keptn.example.com/api/") for line in asked)
    assert all(" http://keptn.example.com/" in line for line in asked), asked


def test_a_proxy_that_is_no_url_is_one_clear_line() -> None:
    run = keptn_doctor(*ENDPOINT, "--proxy", "proxy:3128")
    assert_one_clear_line(run, "--proxy: an http:// or https:// URL is needed")


def test_a_lab_takes_no_proxy() -> None:
    run = keptn_doctor("check", "--lab", "--proxy", "http://proxy.example.com:3128")
    assert_one_clear_line(run, "--proxy")
