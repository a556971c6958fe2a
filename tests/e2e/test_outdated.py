"""What was built from an older content never passes for new: not after a correction, not after a new snapshot."""

from __future__ import annotations

from tests.e2e.gate_cases import KEY
from tests.e2e.sabotage import PROMOTED, Product, edit

STAGING, TRAINING = "step_3_1_staging_join_v6", "step_3_3_training_dataset_v6"
FAN_IN = ["snapshot_schemas", "v_discovery_reps_all_vintages", "v_discovery_firms_all_vintages", STAGING]


def correct(product: Product) -> None:
    """The vendor's correction of one snapshot: every advisor lives in Wyoming."""
    edit(
        product.settings.data / f"RIARepDataFeed_{KEY}.csv",
        lambda records: [record.update(Home_State="WY") for record in records],
    )


def states(product: Product, table: str) -> set[str]:
    """Home states that a table of the dataset knows."""
    with product.open_by_hand(read_only=True) as connection:
        return {
            state for (state,) in connection.execute(f"SELECT DISTINCT Home_State FROM LeadScoring.{table}").fetchall()
        }


def test_a_correction_that_was_only_landed_holds_the_join(product: Product) -> None:
    version, _ = product.served()
    correct(product)
    assert product.materialize(["snapshot_reps_raw"], KEY).stops == []
    (stop,) = product.materialize([*FAN_IN, TRAINING, PROMOTED], None).stops
    assert stop.exit_code == 3
    assert f"snapshot_reps[{KEY}]" in stop.message
    assert "another content since" in stop.message
    assert product.served()[0] == version
    # Everything in its order: the correction arrives.
    assert product.materialize(["snapshot_reps", "snapshot_firms"], KEY).stops == []
    assert product.materialize([*FAN_IN, TRAINING, PROMOTED], None).stops == []
    assert product.served()[0] != version
    assert states(product, f"snapshot_reps_{KEY}") == {"WY"}


def test_the_join_does_not_start_on_views_of_before_the_correction(product: Product) -> None:
    correct(product)
    assert product.materialize(["snapshot_reps_raw", "snapshot_reps", "snapshot_firms"], KEY).stops == []
    (stop,) = product.materialize([STAGING, TRAINING, PROMOTED], None).stops
    assert stop.exit_code == 3
    assert "v_discovery_reps_all_vintages" in stop.message
    assert product.ledger.latest(STAGING).state == "published"
