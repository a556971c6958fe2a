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


def test_a_null_put_into_a_published_table_by_hand_is_seen_by_the_next_run(product: Product) -> None:
    with product.open_by_hand(read_only=False) as connection:
        connection.execute(f"UPDATE LeadScoring.snapshot_reps_{KEY} SET Has_CFP = NULL WHERE Has_CFP = 1")
    (stop,) = product.materialize(["snapshot_schemas"], None).stops
    assert stop.exit_code == 3
    assert "all_snapshots_match_contracts" in stop.message
    assert stop.report is not None
    assert f"snapshot_reps_{KEY}: Has_CFP: nulls" in stop.report.read_text()


def test_a_damaged_landed_file_is_not_transformed(product: Product) -> None:
    """The transform alone, long after the landing."""
    landed = product.ledger.landed["snapshot_reps_raw", KEY][-1]
    stored = product.settings.store / landed["stored_as"]
    stored.chmod(0o644)
    stored.write_bytes(stored.read_bytes()[:-100])
    (stop,) = product.materialize(["snapshot_reps"], KEY, {"rebuild": True}).stops
    assert stop.exit_code == 2
    assert stored.name in stop.message
    assert "has changed since it was landed" in stop.message


def test_both_views_are_in_the_plans_one_report(product: Product) -> None:
    product.materialize(["v_discovery_reps_all_vintages"], None)
    product.materialize(["v_discovery_firms_all_vintages"], None)
    report = (product.settings.artifacts / "step_2_master_view_report.md").read_text()
    titles = [line for line in report.splitlines() if line.startswith("# ")]
    assert titles == ["# Step 2.1: v_discovery_reps_all_vintages", "# Step 2.2: v_discovery_firms_all_vintages"]
    assert report.count("STATUS: ✅ SUCCESS") == 2
