"""From a bucket to the promoted training set, and reports into a bucket: the same product, over Cloud Storage's API."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from leadscore_v6.locations import Location, location
from tests.buckets import upload
from tests.e2e.conftest import AS_OF
from tests.e2e.process import leadscore

DIGEST = 'SELECT count(*), sum(hash(t)::HUGEINT) FROM "LeadScoring"."v_latest_training_dataset_v6" AS t'


def promoted(home: Path) -> object:
    with duckdb.connect(str(home / "warehouse.duckdb"), read_only=True) as connection:
        connection.execute(f"SET file_search_path = '{home}'")
        return connection.execute(DIGEST).fetchone()


def reports(folder: Location) -> set[str]:
    """Names of the reports; those of a version without when it was made."""
    return {re.sub(r"_[0-9]{8}_[0-9]{4}", "", path.name) for path in folder.rglob("*.md")}


def test_a_bucket_gives_the_same_rows_as_a_folder(
    feed: Path, finished_home: Path, tmp_path: Path, gcs: Location
) -> None:
    for file in (*feed.glob("RIARepDataFeed_*.csv"), feed / "Lead.csv"):
        upload(gcs, file.name, file.read_bytes())
    home, artifacts = tmp_path / "home", "gs://leadscore-test/artifacts"
    command = ("run", "--data", str(gcs), "--home", home, "--as-of", AS_OF)
    ran = leadscore(*command, LEADSCORE_ARTIFACTS=artifacts)
    assert ran.returncode == 0, ran.stderr
    assert promoted(home) == promoted(finished_home)
    assert not (home / "artifacts").exists()
    assert reports(location(artifacts)) == reports(finished_home / "artifacts")
    assert artifacts in ran.stdout

    again = leadscore(*command, LEADSCORE_ARTIFACTS=artifacts)
    assert again.returncode == 0, again.stderr
    told = [line for line in again.stderr.splitlines() if re.search(r" rows|gates hold|snapshot \d", line)]
    assert told
    assert all("known, nothing built" in line for line in told)


def test_an_object_that_cannot_be_read_as_a_feed_stops_it(feed: Path, tmp_path: Path, gcs: Location) -> None:
    upload(gcs, "Lead.csv", (feed / "Lead.csv").read_bytes())
    upload(gcs, "RIARepDataFeed_20240107.csv", b"RepCRD\n1\n")
    ran = leadscore("run", "--data", str(gcs), "--home", tmp_path / "home", "--as-of", AS_OF)
    assert ran.returncode == 2
    assert "gs://leadscore-test/feed/RIARepDataFeed_20240107.csv" in ran.stderr
    assert "Traceback" not in ran.stderr
