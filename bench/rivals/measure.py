"""Prints what a Python rival used, in the form that bench/rival.ts calls a Measurement."""

import json
import re
import resource
import time


class Clock:
    def __init__(self) -> None:
        self.seconds = time.perf_counter()
        self.cpu = self._cpu()

    @staticmethod
    def _cpu() -> float:
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return usage.ru_utime + usage.ru_stime

    def report(self, records: int) -> None:
        seconds, cpu = time.perf_counter() - self.seconds, self._cpu() - self.cpu
        status = open("/proc/self/status", encoding="latin1").read()
        peak = int(re.search(r"^VmHWM:\s+(\d+) kB$", status, re.M).group(1)) * 1024
        print(json.dumps({"records": records, "seconds": seconds, "cpuSeconds": cpu, "peakRssBytes": peak}))
