"""Small worlds that a quarter is added to, with calls dealt so that a model of a few thousand leads passes its gates.

Belongs here: two worlds (one goes on as it was, the pattern of the other changes), and refreshing by command. Does not
belong here: what must come of it (test_refresh.py).
"""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from unittest import mock

import numpy as np

from leadscore_v6.alerting.outbox import Filed, Outbox
from leadscore_v6.gates.bench import open_bench, read_ledger
from leadscore_v6.gates.champions import champion
from leadscore_v6.gates.ledger import Ledger
from leadscore_v6.gates.models import KnownModel, known_models
from leadscore_v6.promotion import promote
from leadscore_v6.sample_world import PlayRequest, WorldSpec, play, write_world
from leadscore_v6.settings import Settings, from_environment
from tests.e2e import process
from tests.e2e.model_world import Modelled, deal, probabilities
from tests.e2e.runbook_page import as_typed, remedies
from tests.e2e.sabotage import Row, edit
from tests.gates.later_steps import shadowed, went

JUDGED = ("crm_leads", "trained_model", "calibrated_model", "backtest", "shadow_scoring")
NINTH, TENTH = "RIARepDataFeed_20260104.csv", "RIARepDataFeed_20260405.csv"


@dataclass(frozen=True)
class Home:
    """A home and its feed below one folder; `environment` says which engine it is of, where it is not DuckDB."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def feed(self) -> Path:
        return self.folder / "feed"

    @property
    def settings(self) -> Settings:
        places = {"LEADSCORE_HOME": str(self.folder / "home"), "LEADSCORE_DATA": str(self.feed)}
        return from_environment({**places, **self.environment})

    @property
    def ledger(self) -> Ledger:
        return read_ledger(self.settings)[0]

    def models(self) -> list[KnownModel]:
        """Oldest first."""
        return list(reversed(known_models(self.ledger)))

    def versions(self) -> list[str]:
        """Of the models, oldest first."""
        return [model.version for model in self.models()]

    def serving(self) -> str | None:
        reign = champion(self.ledger)
        return reign.version if reign else None

    def page(self, version: str) -> str:
        return (Path(str(self.settings.artifacts)) / f"champion_decision_v6_{version}.md").read_text()

    def heard(self, alert: str) -> list[Filed]:
        """Alerts of a rule, oldest first."""
        filed = Outbox(self.folder / "home" / "outbox").filed()
        return [one for one in filed if one.alert.key.partition("-")[0] == alert]

    def crown(self) -> str:
        """The newest model becomes champion; its shadow days and the programme's go are claimed."""
        with open_bench(self.settings, "test", quiet) as bench:
            version = known_models(bench.ledger)[0].version
            shadowed(bench, version)
            went(bench)
        promote(self.settings, version, "Ann", "passed all", quiet)
        return version

    def waive_what_stopped(self) -> bool:
        """Waive each gate that holds a model or its shadow days back, as a person would; False if none does."""
        ledger = self.ledger
        stopped = [at for name in JUDGED if (at := ledger.latest(name)) and ledger.blocking(at)]
        for attempt, verdict in [(at, verdict) for at in stopped for verdict in ledger.blocking(at)]:
            waived = self(
                *("waive", verdict.gate.name, "--attempt", attempt.key),
                *("--by", "Bob", "--reason", "a small world, which changes", "--expires", "2099-01-01"),
            )
            assert waived.returncode == 0, waived.stderr
        return bool(stopped)

    def __call__(
        self, command: str, *arguments: object, feed: Path | None = None, **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """`leadscore COMMAND --home HOME`, with the feed where it is asked for."""
        asks = command in ("run", "refresh") and "--data" not in arguments
        data = ("--data", feed or self.feed) if asks else ()
        with mock.patch.object(process, "SECONDS", 1800):  # a refresh is minutes on a machine that does other work
            given = {**self.environment, **environment}
            return process.leadscore(command, *arguments, *data, "--home", self.folder / "home", **given)


def quiet(_line: str) -> None:
    """Progress that nobody reads."""


def copied(modelled: Modelled, folder: Path) -> Home:
    """The world of the model's tests with its home, at the end of eight quarters; its model is champion."""
    shutil.copytree(modelled.home, folder / "home", ignore=shutil.ignore_patterns("dagster"))
    shutil.copytree(modelled.feed, folder / "feed")
    shutil.copytree(modelled.truth.parent, folder / "feed.truth")
    home = Home(folder)
    home.crown()
    return home


def run_past_gates(home: Home, *options: str, feed: Path | None = None, command: tuple[str, ...] = ()) -> str:
    """Run; a gate that a small or changing world misses is waived. Returns what was said."""
    asked = command or ("run", "--through", "model")
    for _ in range(6):
        done = home(*asked, *options, feed=feed)
        if done.returncode == 0:
            return done.stdout
        assert done.returncode == 3, done.stderr
        assert home.waive_what_stopped(), done.stderr
    raise AssertionError(done.stderr)


def follow_the_page(home: Home, alert: str, **words: str) -> str:
    """Run the commands of an alert's section; gates that so small a world misses are waived. Returns what was said."""
    (lines,) = remedies(alert)
    typed = [as_typed(line, {"FEED": str(home.feed), "NAME": "Ann", **words}) for line in lines]
    return "".join(run_past_gates(home, command=tuple(one)) for one in typed)


def go_on(home: Home, weeks: int, weekly: int = 400) -> None:
    """Play on, with the snapshots that begin meanwhile; who is dialled answers as the history's leads do.

    The world writes its own history again, so that its calls are dealt anew too, with the luck that they had before.
    """
    # More leads, and so small a world runs out of advisors whom nobody has called.
    play(home.feed, PlayRequest(weeks=weeks, weekly_leads=weekly, snapshots=True), quiet)
    with (home.feed / "Dials.csv").open(newline="") as file:
        dialled = {row["Id"]: datetime.fromisoformat(row["dialled_at"][:19]) for row in csv.DictReader(file)}
    with (home.folder / "feed.truth" / "played_leads.csv").open(newline="") as file:
        truth = {row["Id"]: float(row["probability"]) for row in csv.DictReader(file)}
    history = probabilities(home.folder / "feed.truth" / "truth.csv")
    known = history | truth
    luck = {lead: draw for seed, of in ((1, history), (5, truth)) for lead, draw in drawn(sorted(of), seed).items()}

    def answer(records: list[Row]) -> None:
        for row in records:
            lead, contacted = row["Id"], row["Stage_Entered_Contacting__c"]
            at = dialled.get(lead) if lead in truth else contacted and datetime.fromisoformat(contacted[:19])
            answers = bool(at) and luck[lead] < chance(known[lead])
            row["Stage_Entered_Call_Scheduled__c"] = f"{at + timedelta(days=1):%Y-%m-%d %H:%M:%S}" if answers else ""

    edit(home.feed / "Lead.csv", answer)


def chance(truth: float) -> float:
    """As model_world.deal_learnable."""
    return float(1 / (1 + np.exp(-1.6 * np.log(truth / (1 - truth)) - 5)))


def drawn(leads: list[str], seed: int) -> dict[str, float]:
    """A lead's luck: the same however often it is asked for, and as model_world.deal has it."""
    return dict(zip(leads, np.random.default_rng(seed).random(len(leads)).tolist(), strict=True))


# --- a world whose pattern changes ----------------------------------------------------------------------------------

# From this day on others answer. At the end the CRM has archived what is older: of a change within its folds a model's
# CV coefficient tells, and R31 asks for that too.
CHANGE = date(2025, 2, 1)
CHANGING = WorldSpec(scenario="demo", reps=38_000, leads=36_000, quarters=11, seed=12)
# Share of the leads that answers under either pattern, and how likely they and the others do.
_HOT, _ANSWERS, _OTHERS = 0.25, 0.7, 0.05


def change_pattern(home: Home) -> None:
    """Eleven quarters of leads; from CHANGE on other kinds of advisors answer.

    The truth of the demo world has a few dozen levels, each a kind of advisor: those that answer are the best by the
    truth before, and others as many after.
    """
    known = probabilities(write_world(home.feed, CHANGING, quiet).truth)
    counts = Counter(round(truth, 9) for truth in known.values())
    levels = sorted(counts, reverse=True)
    hot = _first(levels, counts)
    other = _first([level for level in levels if level not in hot], counts)
    with (home.feed / "Lead.csv").open(newline="") as file:
        contacted = {row["Id"]: row["Stage_Entered_Contacting__c"][:10] for row in csv.DictReader(file)}
    answers = {
        lead: _ANSWERS if round(truth, 9) in (hot if contacted[lead] < f"{CHANGE}" else other) else _OTHERS
        for lead, truth in known.items()
    }
    deal(home.feed, answers, seed=3)


def archive(home: Home, before: date) -> None:
    """The CRM forgets the leads that were contacted before a day."""

    def kept(records: list[Row]) -> None:
        records[:] = [row for row in records if row["Stage_Entered_Contacting__c"][:10] >= f"{before}"]

    edit(home.feed / "Lead.csv", kept)


def _first(levels: list[float], counts: Counter[float]) -> set[float]:
    taken: set[float] = set()
    for level in levels:
        if sum(counts[one] for one in taken) < _HOT * counts.total():
            taken.add(level)
    return taken
