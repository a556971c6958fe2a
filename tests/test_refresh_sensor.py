"""The refresh sensor: which run it asks for, seen from the runs that there were (plan 6.2, R49, R53).

The runs are made up here, with the states that Dagster would give them.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from leadscore_v6 import refresh_sensor
from leadscore_v6.definitions import build_defs
from leadscore_v6.errors import UsageError
from leadscore_v6.partitions import days, register

SUCCESS, FAILURE = dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE
DAYS = [f"2026030{number}" for number in range(1, 8)]
Asked = list[tuple[str, str | None]]


class Watch:
    """The sensor, ticking when told to; its runs end when told to."""

    def __init__(self, instance: dg.DagsterInstance, defs: dg.Definitions) -> None:
        self.instance, self.defs = instance, defs
        self.sensor = defs.resolve_sensor_def("refresh_sensor")
        self.keys: list[str | None] = []
        self.going: dict[tuple[str, str | None], str] = {}
        self.says = ""

    def tick(self) -> Asked:
        result = self.sensor(dg.build_sensor_context(instance=self.instance))
        if isinstance(result, dg.SkipReason):
            self.says = result.skip_message or ""
            return []
        for request in result.dynamic_partitions_requests or []:
            self.instance.add_dynamic_partitions(request.partitions_def_name, request.partition_keys)
        for request in result.run_requests or []:
            assert request.run_key not in self.keys, "Dagster would drop this request without a word"
            self.keys.append(request.run_key)
            self.launch(request.job_name, request.partition_key)
        self.says = result.skip_reason.skip_message if result.skip_reason else ""
        return [(request.job_name, request.partition_key) for request in result.run_requests or []]

    def launch(self, job: str, key: str | None = None) -> None:
        tags = {"dagster/partition": key} if key else {}
        run = self.instance.create_run_for_job(
            self.defs.resolve_job_def(job), status=dg.DagsterRunStatus.STARTED, tags=tags
        )
        self.going[job, key] = run.run_id

    def end(self, status: dg.DagsterRunStatus = SUCCESS) -> None:
        """Let the runs that are going end."""
        word = "PIPELINE_SUCCESS" if status is SUCCESS else "PIPELINE_FAILURE"
        for run_id in self.going.values():
            self.instance.report_dagster_event(dg.DagsterEvent(word, job_name="any"), run_id)
        self.going.clear()

    def by_hand(self, job: str, key: str | None = None, status: dg.DagsterRunStatus = SUCCESS) -> None:
        self.launch(job, key)
        self.end(status)


@pytest.fixture(scope="module")
def defs() -> dg.Definitions:
    return build_defs()


@pytest.fixture
def watch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, defs: dg.Definitions) -> Iterator[Watch]:
    """Leads are landed, up to 7 March 2026; nothing else was run."""
    monkeypatch.setenv("LEADSCORE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(refresh_sensor, "_days_of_extract", lambda _settings: DAYS)
    with dg.DagsterInstance.ephemeral() as instance:
        made = Watch(instance, defs)
        made.by_hand("leads")
        yield made


def test_without_a_training_set_there_is_nothing_to_refresh(watch: Watch) -> None:
    assert watch.tick() == []
    assert "No training set was joined" in watch.says
    watch.by_hand("training_set", status=FAILURE)
    assert watch.tick() == []


def through(watch: Watch) -> list[Asked]:
    """Ticks until nothing is asked for, each run going well."""
    asked = []
    while now := watch.tick():
        assert watch.tick() == []
        assert "Waits for runs to end" in watch.says
        watch.end()
        asked.append(now)
    return asked


CHAIN: list[Asked] = [
    [("model", None)],
    [("serving", None)],
    [("shadow_day", key) for key in DAYS],
    [("shadow", None)],
    [("champion_decision", None)],
]


def test_after_a_join_the_chain_is_run_once_in_order(watch: Watch) -> None:
    watch.by_hand("training_set")
    assert through(watch) == CHAIN
    assert watch.says == "Nothing is new."
    watch.by_hand("training_set")
    assert through(watch) == CHAIN
    assert set(DAYS) <= set(watch.instance.get_dynamic_partitions(str(days.name)))


def test_a_new_extract_alone_has_its_days_scored_and_no_model_trained(watch: Watch) -> None:
    watch.by_hand("training_set")
    through(watch)
    watch.by_hand("leads")
    assert through(watch) == CHAIN[2:4]


def test_a_refused_extract_scores_nothing(watch: Watch) -> None:
    watch.by_hand("training_set")
    through(watch)
    watch.by_hand("leads", status=FAILURE)
    assert watch.tick() == []


def test_while_the_days_of_the_extract_are_not_known_it_waits_and_says_why(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A refused Lead.csv is no failed tick every half minute; the mended one has its days scored."""
    watch.by_hand("training_set")
    through(watch)

    def unknown(_settings: object) -> list[str]:
        raise UsageError("The newest Lead.csv was refused: cut off.")

    with monkeypatch.context() as patch:
        patch.setattr(refresh_sensor, "_days_of_extract", unknown)
        watch.by_hand("leads", status=FAILURE)
        assert watch.tick() == []
        assert watch.says == "The newest Lead.csv was refused: cut off."
    watch.by_hand("leads")
    assert through(watch) == CHAIN[2:4]


def test_a_challenger_that_is_stopped_is_decided_about_and_not_tried_again(watch: Watch) -> None:
    watch.by_hand("training_set")
    assert watch.tick() == CHAIN[0]
    watch.end(FAILURE)
    assert watch.tick() == CHAIN[4]
    watch.end()
    assert watch.tick() == []
    assert watch.says == "Failed: model. Run it again when it is mended; what follows waits for it."


def test_what_a_person_mends_by_hand_goes_on(watch: Watch) -> None:
    watch.by_hand("training_set")
    assert watch.tick() == CHAIN[0]
    watch.end(FAILURE)
    watch.tick()
    watch.end()
    watch.by_hand("model")
    assert through(watch) == CHAIN[1:]
    assert watch.says == "Nothing is new."


def test_days_that_failed_and_were_mended_are_decided_about_once_more(watch: Watch) -> None:
    watch.by_hand("training_set")
    for stage in CHAIN[:3]:
        assert watch.tick() == stage
        watch.end(FAILURE if stage == CHAIN[2] else SUCCESS)
    assert watch.tick() == CHAIN[4]
    watch.end()
    for key in DAYS:
        watch.by_hand("shadow_day", key)
    assert through(watch) == CHAIN[3:]
    # Its days of a later extract are no new decision; nor are those that fail.
    watch.by_hand("leads")
    assert through(watch) == CHAIN[2:4]
    watch.by_hand("leads")
    assert watch.tick() == CHAIN[2]
    watch.end(FAILURE)
    assert watch.tick() == []
    assert watch.says.startswith("Failed: shadow_day 20260301, ")


def test_a_later_extract_mends_days_that_failed(watch: Watch) -> None:
    watch.by_hand("training_set")
    for stage in CHAIN[:3]:
        assert watch.tick() == stage
        watch.end(FAILURE if stage == CHAIN[2] else SUCCESS)
    watch.tick()
    watch.end()
    watch.by_hand("leads")
    assert through(watch) == CHAIN[2:]


def test_a_decision_that_failed_is_told(watch: Watch) -> None:
    watch.by_hand("training_set")
    for stage in CHAIN:
        assert watch.tick() == stage
        watch.end(FAILURE if stage == CHAIN[4] else SUCCESS)
    assert watch.tick() == []
    assert watch.says.startswith("Failed: champion_decision. Run it again")
    watch.by_hand("champion_decision")
    assert watch.tick() == []
    assert watch.says == "Nothing is new."


def test_a_model_trained_anew_by_hand_has_its_own_days_and_decision(watch: Watch) -> None:
    watch.by_hand("training_set")
    through(watch)
    watch.by_hand("model")
    assert through(watch) == CHAIN[2:]


def test_days_that_a_person_scored_are_not_asked_for(watch: Watch) -> None:
    watch.by_hand("training_set")
    register(watch.instance, days, DAYS)
    for job, key in [("model", None), ("serving", None), *(("shadow_day", key) for key in DAYS[:5])]:
        watch.by_hand(job, key)
    assert watch.tick() == [("shadow_day", key) for key in DAYS[5:]]
