"""Runs tiers stage after stage, and failed tests once more, alone."""

import json
import shutil
from pathlib import Path

from tiers import jobs
from tiers.jobs import Job
from tiers.needs import Needs
from tiers.results import Ended, Result, may_run_again
from tiers.table import PYTEST, Tier, stages

#: Where pytest notes for each tier which tests failed.
_CACHES = Path(".build/tiers")


def run(tiers: tuple[Tier, ...], needs: Needs) -> list[Result]:
    """Runs the tiers; returns their results in order. If it is interrupted, it ends what it started."""
    results: list[Result] = []
    for stage in stages(tiers):
        results += _stage(stage, needs)
    return results


def _stage(tiers: tuple[Tier, ...], needs: Needs) -> list[Result]:
    results: dict[str, Result] = {}
    behind: list[tuple[Tier, Job]] = []
    try:
        able = []
        for tier in tiers:
            if why := needs.missing(tier.needs):
                results[tier.name] = Result(tier.name, Ended.ABSENT, expected=tier.minutes, why=why)
            else:
                able.append(tier)
        behind = [(tier, _start(tier, needs, quiet=True)) for tier in able if tier.behind]
        for tier in able:
            if not tier.behind:
                print(f"\n== {tier.name}", flush=True)
                results[tier.name] = _in_front(tier, needs)
        for tier, job in behind:
            print(f"\n== {tier.name}", flush=True)
            results[tier.name] = _finish(tier, job, needs)
    finally:
        for _, job in behind:
            job.stop()
    return [results[tier.name] for tier in tiers]


def _in_front(tier: Tier, needs: Needs) -> Result:
    job = _start(tier, needs, quiet=False)
    try:
        return _finish(tier, job, needs)
    finally:
        job.stop()


def _start(tier: Tier, needs: Needs, *, quiet: bool) -> Job:
    if tier.tests:
        shutil.rmtree(_cache(tier), ignore_errors=True)
    return Job(_command(tier), env={**needs.env, **dict(tier.env)}, quiet=quiet, nice=quiet)


def _command(tier: Tier) -> list[str]:
    command = list(tier.command)
    if tier.tests:
        command[len(PYTEST) : len(PYTEST)] = ["-o", f"cache_dir={_cache(tier)}"]
    return command


def _finish(tier: Tier, job: Job, needs: Needs) -> Result:
    code = job.wait(tier.most_minutes)
    jobs.show(job.output())
    result = Result(tier.name, Ended.PASSED, job.minutes, tier.minutes)
    if code == 0:
        return result
    failed = _failed(tier) if tier.tests and code == 1 else []
    if not may_run_again(failed):
        return result._replace(ended=Ended.FAILED)
    print(f"\n== {tier.name}: once more, alone: {' '.join(failed)}", flush=True)
    # Only the failed tests, in one process.
    again = Job([*_command(tier), "-n", "0", "--last-failed"], env={**needs.env, **dict(tier.env)})
    try:
        code = again.wait(tier.most_minutes)
    finally:
        again.stop()
    minutes = result.minutes + again.minutes
    if code:
        return result._replace(ended=Ended.FAILED, minutes=minutes)
    return result._replace(ended=Ended.FLAKY, minutes=minutes, flaky=tuple(failed))


def _failed(tier: Tier) -> list[str]:
    """Returns the tests that failed, as pytest notes them."""
    cache = Path(_cache(tier), "v/cache/lastfailed")
    return sorted(json.loads(cache.read_text())) if cache.exists() else []


def _cache(tier: Tier) -> Path:
    return (_CACHES / "".join(c if c.isalnum() else "-" for c in tier.name)).absolute()
