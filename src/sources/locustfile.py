# Written by tollgate for a scenario of its own; every run writes it anew.
#
# Each user asks at the due times of one list, whatever the answers before took, and says how long after the due time the
# answer was there (events of type INTENDED). Locust's own events measure from the sending, as always. What was due but had no
# answer at the deadline is told too (UNFINISHED). The master writes what each worker reports, one line of JSON a second.
import json
import random
import time

import gevent
import locust
import locust.runners
import locust.stats
from locust import FastHttpUser, constant, events, task

#PLAN#

FIRST = round(RATE * WARMUP)
TOTAL = round(RATE * (WARMUP + WINDOW))
LEAD = 1.0
WARM = "tollgate: warm-up"

locust.runners.WORKER_REPORT_INTERVAL = 1.0


def three_digits(milliseconds):
    return float("%.3g" % max(milliseconds, 0.001))


locust.stats.bucket_response_time = three_digits


class Clock:
    start = 0.0
    users = 0


@events.test_start.add_listener
def begin(environment, **_):
    Clock.start = time.perf_counter() + LEAD
    Clock.users = 0


class Scheduled(FastHttpUser):
    host = URL
    wait_time = constant(0)
    insecure = INSECURE
    max_retries = 0
    max_redirects = 0
    connection_timeout = TIMEOUT
    network_timeout = TIMEOUT

    def on_start(self):
        worker = max(getattr(self.environment.runner, "worker_index", 0), 0)
        self.number = Clock.users * WORKERS + worker
        Clock.users += 1

    @task
    def schedule(self):
        deadline = Clock.start + WARMUP + WINDOW + DRAIN
        for number in range(self.number, TOTAL, USERS):
            due = Clock.start + number / RATE
            wait = due - time.perf_counter()
            if wait > 0:
                gevent.sleep(wait)
            request = random.Random(SEED * 1000003 + number).choices(REQUESTS, WEIGHTS)[0]
            self.ask(request, due, deadline, number >= FIRST)
        while True:
            gevent.sleep(60)

    def ask(self, request, due, deadline, counts):
        left = deadline - time.perf_counter()
        kind, error = "UNFINISHED", None
        if left > 0:
            try:
                with gevent.Timeout(min(TIMEOUT, left)):
                    error = self.send(request, counts)
                kind = "INTENDED"
            except gevent.Timeout:
                if TIMEOUT < left:
                    kind, error = "INTENDED", RuntimeError("timeout")
            except Exception as problem:  # a user that dies would begin its list anew
                kind, error = "INTENDED", problem
        if counts:
            elapsed = (time.perf_counter() - due) * 1000
            events.request.fire(
                request_type=kind,
                name=request["name"],
                response_time=elapsed,
                response_length=0,
                exception=error,
                context={},
            )

    def send(self, request, counts):
        with self.client.request(
            request["method"],
            request["path"],
            name=request["name"] if counts else WARM,
            headers=request["headers"],
            data=request["body"] or None,
            catch_response=True,
        ) as response:
            status = response.status_code
            expected = status in request["statuses"] if request["statuses"] else 100 <= status < 400
            if expected and getattr(response, "error", None) is None:
                response.success()
                return None
            error = RuntimeError("status %d" % status if status else "no answer")
            response.failure(error)
            return error


class Slices:
    file = None


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
                "rate": RATE,
                "users": USERS,
                "workers": WORKERS,
                "warmup_seconds": WARMUP,
                "window_seconds": WINDOW,
                "drain_seconds": DRAIN,
                "scheduled": TOTAL - FIRST,
            }
        )


@events.worker_report.add_listener
def slice_of_worker(client_id, data, **_):
    stats = [
        {
            "name": entry["name"],
            "method": entry["method"],
            "num_requests": entry["num_requests"],
            "num_failures": entry["num_failures"],
            "response_times": entry["response_times"],
        }
        for entry in data["stats"]
        if entry["name"] != WARM
    ]
    errors = [
        {"name": error["name"], "method": error["method"], "error": str(error["error"]), "occurrences": error["occurrences"]}
        for error in list(data["errors"].values())[:100]
        if error["name"] != WARM
    ]
    line({"worker": client_id, "time": time.time(), "users": data["user_count"], "stats": stats, "errors": errors})


@events.quitting.add_listener
def close_slices(environment, **_):
    runner = environment.runner
    if Slices.file:
        warned = bool(runner.cpu_warning_emitted or runner.worker_cpu_warning_emitted)
        line({"end": True, "workers": len(runner.worker_indexes), "cpu_warning": warned})
        Slices.file.close()
        Slices.file = None
