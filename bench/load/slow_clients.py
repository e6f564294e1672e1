#!/usr/bin/env python3
"""What 2,000 slow clients cost 64 busy ones: wrk against http_server, alone and beside them, in turns.

    bench/load/slow_clients.py PATH_OF_HTTP_SERVER [ROUNDS] [SECONDS]

The slow ones are of four kinds: they drip a head, drip a body, never read a large answer, or say nothing; who is cut
comes back at once. Prints requests per second and the server's processor time for each request, the ratios of the medians, and its memory.
"""
import os
import re
import select
import socket
import statistics
import subprocess
import sys
import time

SLOW = 2000
DRIP_EVERY = 2.0  # seconds between two bytes of a client


def start(kind, port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    s.connect(("127.0.0.1", port))
    s.setblocking(False)
    first = [b"GET / HTTP/1.1\r\nHost: a\r\nX-Slow: ",
             b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 900\r\n\r\n",
             b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 40,
             b""][kind]
    if first:
        s.send(first)
    return s


def slow_clients(port, ready):
    """Runs until it is killed."""
    clients, poll = {}, select.epoll()

    def add(kind):
        s = start(kind, port)
        clients[s.fileno()] = (s, kind)
        poll.register(s, select.EPOLLHUP | select.EPOLLRDHUP)

    for i in range(SLOW):
        add(i % 4)
    ready()
    order, at, last = list(clients), 0, time.monotonic()
    while True:
        for fd, _ in poll.poll(0.02):
            s, kind = clients.pop(fd)
            poll.unregister(fd)
            s.close()
            add(kind)
        due = int((time.monotonic() - last) / DRIP_EVERY * SLOW)
        if due == 0:
            continue
        last = time.monotonic()
        for _ in range(due):
            if at >= len(order):
                order, at = list(clients), 0
            entry = clients.get(order[at])
            at += 1
            if entry and entry[1] < 2:
                try:
                    entry[0].send(b"x")
                except OSError:
                    pass


def wrk(port, seconds):
    out = subprocess.run(["wrk", "-t1", "-c64", f"-d{seconds}", "--latency", f"http://127.0.0.1:{port}/"],
                         capture_output=True, text=True, check=True).stdout
    p99 = re.search(r"99%\s+(\S+)", out).group(1)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", out).group(1)), p99, re.search(r"Socket errors.*|Non-2xx.*", out)


def rss(pid):
    with open(f"/proc/{pid}/status") as f:
        return int(re.search(r"VmRSS:\s+(\d+)", f.read()).group(1))


def cpu(pid):
    """Seconds of processor time that the server has used."""
    with open(f"/proc/{pid}/stat") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def busy(pid, port, seconds):
    before = cpu(pid)
    rate, p99, errors = wrk(port, seconds)
    return rate, p99, errors, (cpu(pid) - before) / (rate * seconds) * 1e6


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    seconds = int(sys.argv[3]) if len(sys.argv) > 3 else 5
    server = subprocess.Popen([sys.argv[1], "0", "1"], stdout=subprocess.PIPE, text=True)
    port = int(server.stdout.readline().split()[-1])
    alone, beside, alone_cpu, beside_cpu = [], [], [], []
    try:
        wrk(port, 1)
        print(f"memory with nobody there: {rss(server.pid)} kB")
        for _ in range(rounds):
            rate, p99, errors, cost = busy(server.pid, port, seconds)
            alone.append(rate)
            alone_cpu.append(cost)
            print(f"alone   {rate:9.0f}/s  {cost:5.1f} us CPU each  p99 {p99}  {errors[0] if errors else ''}")
            read, write = os.pipe()
            child = os.fork()
            if child == 0:
                slow_clients(port, lambda: os.write(write, b"x"))
            os.read(read, 1)
            rate, p99, errors, cost = busy(server.pid, port, seconds)
            beside.append(rate)
            beside_cpu.append(cost)
            print(f"beside  {rate:9.0f}/s  {cost:5.1f} us CPU each  p99 {p99}  {errors[0] if errors else ''}  memory {rss(server.pid)} kB")
            os.kill(child, 9)
            os.waitpid(child, 0)
            time.sleep(0.5)
        ratio = statistics.median(beside) / statistics.median(alone)
        print(f"{SLOW} slow clients beside 64 busy ones: {100 * (1 - ratio):.1f} % fewer requests, "
              f"{100 * (statistics.median(beside_cpu) / statistics.median(alone_cpu) - 1):.1f} % more CPU for each")
    finally:
        server.terminate()
        server.wait()
    sys.exit(0 if ratio > 0.9 else 1)


if __name__ == "__main__":
    main()
