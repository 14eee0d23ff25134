# Written by tollgate for a scenario of its own; every run writes it anew.
#
# Each worker has its share of one list of due times. A free user takes the next of them, waits until it is due, asks, and
# says how long after the due time the answer was there; where no user is free, the request waits, on the clock. What was
# due but had no answer at the deadline is told too. The master writes what each worker reports, one line of JSON a second,
# and ends when every request of the window is told of.
import array
import base64
import bisect
import errno
import itertools
import json
import socket
import ssl
import sys
import time
import zlib

import gevent
import locust
import locust.runners
from locust import FastHttpUser, constant, events, task

#PLAN#

LEAD = 1.0
WARM = "tollgate: warm-up"
TIMES = ["completed", "failed", "timeout", "unfinished", "service", "service_least", "lag", "wait"]

locust.runners.WORKER_REPORT_INTERVAL = 1.0
# A worker whose master is gone ends by itself.
locust.runners.MASTER_HEARTBEAT_TIMEOUT = 15


def column(kind, text):
    values = array.array(kind, zlib.decompress(base64.b64decode(text)))
    if sys.byteorder == "big":
        values.byteswap()
    return values


# Seconds from the start of the warm-up, and what is asked then: a place in REQUESTS.
DUE = [ns / 1e9 for ns in itertools.accumulate(column("Q", GAPS))]
CHOSEN = column("I", CHOICES)
DEADLINE = WARMUP + WINDOW + DRAIN


class Desk:
    start = None
    first = 0
    next = 0
    told_due = 0
    in_flight = 0
    answered = 0
    entries = {}


def is_worker(environment):
    return isinstance(environment.runner, locust.runners.WorkerRunner)


@events.test_start.add_listener
def begin(environment, **_):
    if is_worker(environment):
        Desk.first = Desk.next = max(environment.runner.worker_index, 0)
        if Desk.first >= WORKERS:
            Desk.next = len(DUE)
        Desk.told_due = FIRST
        Desk.start = time.perf_counter() + LEAD
    else:
        line({"started": True})


def now():
    return time.perf_counter() - Desk.start


def entry(name):
    if name not in Desk.entries:
        Desk.entries[name] = {"name": name, "bytes": 0, "errors": {}, "statuses": {}, **{kind: {} for kind in TIMES}}
    return Desk.entries[name]


def add(name, kind, seconds):
    # Whole microseconds at three digits.
    times, key = entry(name)[kind], str(max(int(float("%.3g" % (seconds * 1e6))), 1))
    times[key] = times.get(key, 0) + 1


def count(name, what, key):
    counts = entry(name)[what]
    counts[str(key)] = counts.get(str(key), 0) + 1


def kind_of(error):
    while error is not None:
        if isinstance(error, ssl.SSLError):
            return "tls"
        if isinstance(error, socket.gaierror):
            return "dns"
        if isinstance(error, (socket.timeout, TimeoutError)):
            return "timeout"
        if isinstance(error, OSError) and error.errno == errno.EMFILE:
            return "descriptors"
        if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
            return "ports"
        if isinstance(error, ConnectionRefusedError) or getattr(error, "errno", None) in (errno.EHOSTUNREACH, errno.ENETUNREACH):
            return "connect"
        if isinstance(error, ConnectionError) or type(error).__name__ == "HTTPConnectionClosed":
            return "reset"
        error = error.__cause__ or error.__context__
    return "protocol"


class Scheduled(FastHttpUser):
    host = URL
    wait_time = constant(0)
    insecure = INSECURE
    max_retries = 0
    connection_timeout = TIMEOUT
    network_timeout = TIMEOUT

    @task
    def schedule(self):
        while Desk.next < len(DUE):
            number = Desk.next
            Desk.next += WORKERS
            wait = DUE[number] - now()
            if wait > 0:
                gevent.sleep(wait)
            request = REQUESTS[CHOSEN[number]]
            late = max(now() - DUE[number], 0)
            if number >= FIRST:
                add(request["name"], "lag" if wait > 0 else "wait", late)
            self.ask(request, DUE[number], number >= FIRST)
        while True:
            gevent.sleep(60)

    def ask(self, request, due, counts):
        sent, left, name = now(), DEADLINE - now(), request["name"]
        outcome, status, size = "unfinished", 0, 0
        if left > 0:
            Desk.in_flight += 1
            try:
                with gevent.Timeout(min(TIMEOUT, left)):
                    outcome, status, size = self.send(request, counts)
            except gevent.Timeout:
                outcome = "timeout" if TIMEOUT < left else "unfinished"
            except Exception as problem:  # a user that dies would begin anew
                outcome = kind_of(problem)
            finally:
                Desk.in_flight -= 1
        end = now()
        # Whenever it was due: what is answered behind the window says nothing of what the service bears.
        if outcome == "completed" and WARMUP <= end < WARMUP + WINDOW:
            Desk.answered += 1
        if not counts:
            return
        if status:
            count(name, "statuses", status)
        entry(name)["bytes"] += size
        if outcome in ("completed", "timeout", "unfinished"):
            add(name, outcome, end - due)
            if left > 0:
                add(name, "service" if outcome == "completed" else "service_least", end - sent)
        else:
            add(name, "failed", end - due)
        if outcome not in ("completed", "unfinished"):
            count(name, "errors", outcome)

    def send(self, request, counts):
        if not request["method"]:
            return "body", 0, 0
        with self.client.request(
            request["method"],
            request["path"],
            name=NAMES[request["name"]] if counts else WARM,
            headers=request["headers"],
            data=request["body"] or None,
            allow_redirects=False,
            catch_response=True,
        ) as response:
            status = response.status_code
            if not status:
                error = getattr(response, "error", None)
                response.failure(error or RuntimeError("no answer"))
                return kind_of(error), 0, 0
            # The whole answer counts, not only its head.
            size = len(response.content or b"")
            if any(low <= status <= high for low, high in request["statuses"]):
                response.success()
                return "completed", status, size
            response.failure(RuntimeError("status %d" % status))
            return "status", status, size


@events.report_to_master.add_listener
def tell(client_id, data):
    if Desk.start is None:
        return
    clock = now()
    upto = min(max(bisect.bisect_right(DUE, clock), FIRST), len(DUE)) if Desk.first < WORKERS else Desk.told_due
    mine = range(Desk.first, upto, WORKERS)
    before = range(Desk.first, Desk.told_due, WORKERS)
    entries, Desk.entries, Desk.told_due = Desk.entries, {}, upto
    answered, Desk.answered = Desk.answered, 0
    data["tollgate"] = {
        "version": locust.__version__,
        "clock": clock,
        "cpu": time.process_time(),
        "scheduled": len(mine) - len(before),
        "answered": answered,
        "in_flight": Desk.in_flight,
        "waiting": max(len(mine) - len(range(Desk.first, Desk.next, WORKERS)), 0),
        "told": list(entries.values()),
    }


class Slices:
    file = None
    told = 0


def line(document):
    if Slices.file:
        Slices.file.write(json.dumps(document) + "\n")
        Slices.file.flush()


@events.init.add_listener
def open_slices(environment, **_):
    if isinstance(environment.runner, locust.runners.MasterRunner):
        Slices.file = open(SLICES, "w", encoding="utf-8")
        line(
            {
                "tollgate_locust": 1,
                "locust": locust.__version__,
                "name": NAME,
                "users": USERS,
                "workers": WORKERS,
                "warmup_seconds": WARMUP,
                "window_seconds": WINDOW,
                "drain_seconds": DRAIN,
                "scheduled": len(DUE) - FIRST,
            }
        )


def stats(name, method, failures, *parts):
    times = {}
    for part in parts:
        for key, many in part.items():
            milliseconds = int(key) / 1000
            times[milliseconds] = times.get(milliseconds, 0) + many
    return {
        "name": NAMES[name],
        "method": method,
        "num_requests": sum(times.values()),
        "num_failures": failures,
        "response_times": times,
    }


@events.worker_report.add_listener
def slice_of_worker(client_id, data, **_):
    report = data.get("tollgate")
    if not report:
        return
    slices = []
    for told in report["told"]:
        failures = sum(told["errors"].values())
        slices.append(stats(told["name"], "INTENDED", failures, told["completed"], told["failed"], told["timeout"]))
        slices.append(stats(told["name"], "UNFINISHED", 0, told["unfinished"]))
    slices = [one for one in slices if one["num_requests"]]
    line({"worker": client_id, "time": time.time(), "users": data["user_count"], "stats": slices, "report": report})
    Slices.told += sum(one["num_requests"] for one in slices)
    if Slices.told >= len(DUE) - FIRST and report["clock"] >= WARMUP + WINDOW:
        close()
        gevent.spawn(quit_master)


def quit_master():
    Slices.environment.runner.quit()


@events.init.add_listener
def remember(environment, **_):
    Slices.environment = environment


def close():
    runner = Slices.environment.runner
    if Slices.file:
        warned = bool(runner.cpu_warning_emitted or runner.worker_cpu_warning_emitted)
        line({"end": True, "workers": len(runner.worker_indexes), "cpu_warning": warned})
        Slices.file.close()
        Slices.file = None


@events.quitting.add_listener
def close_slices(environment, **_):
    close()
