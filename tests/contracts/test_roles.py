"""No label, audit, identifier or PII column can reach the model (R8, R23)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from leadscore_v6.contracts import (
    Contract,
    ContractColumn,
    assert_no_pii,
    contract,
    feature_columns,
    load_document,
    pii_droplist,
)
from leadscore_v6.errors import InputError
from leadscore_v6.paths import config_root


def column(name: str, role: str) -> ContractColumn:
    return ContractColumn(name, "STRING", nullable=True, role=role, description="-")


def test_only_role_feature_is_a_feature_in_contract_order():
    roles = ("pii", "label", "feature", "audit", "identifier", "reference", "feature")
    training = Contract(tuple(column(f"c{i}", role) for i, role in enumerate(roles)), Path("t.json"))
    assert feature_columns(training, droplist=[]) == ("c2", "c6")


@pytest.mark.parametrize("name", ["FirstName", "firstname", "FIRSTNAME"])
def test_a_feature_on_the_droplist_is_refused_whatever_its_case(name):
    training = Contract((column("Age", "feature"), column(name, "feature")), Path("t.json"))
    with pytest.raises(InputError, match=rf"{name}.*t\.json"):
        feature_columns(training, droplist=["Notes", "FirstName"])


def test_every_leak_is_named():
    with pytest.raises(InputError, match="Notes, Title"):
        assert_no_pii(["Notes", "Age", "Title"], ["title", "notes"])
    assert_no_pii(["Age"], ["title", "notes"])


def test_the_products_droplist_holds_the_plans_names_and_the_renamed_one():
    plan = """FirstName LastName Branch_City Branch_County Branch_ZipCode Home_City Home_County Home_ZipCode RIAFirmName
        PersonalWebpage Notes RepCRD RIAFirmCRD Id Licenses RegulatoryDisclosures BreakawayRep SocialMedia_LinkedIn
        Title Education1 Gender""".split()
    assert {name.lower() for name in [*plan, "Education"]} <= {name.lower() for name in pii_droplist()}


def test_the_model_of_the_product_sees_no_label_audit_identifier_or_pii_column():
    training = contract("training")
    features = {name.lower() for name in feature_columns(training)}
    assert len(features) > 60
    forbidden = """Id FA_CRD__c RIAFirmCRD Stage_Entered_Contacting__c contact_date rep_snapshot_at firm_snapshot_at
        as_of days_to_conversion target_label SocialMedia_LinkedIn Email_BusinessType Email_PersonalType Branch_ZipCode
        Home_ZipCode""".split()
    assert features.isdisjoint(name.lower() for name in forbidden)
    assert features.isdisjoint(name.lower() for name in pii_droplist())


def test_each_column_of_the_droplist_is_refused_as_a_feature_of_the_real_contract():
    training = contract("training")
    for name in load_document(config_root() / "v6_pii_droplist.json", "pii_droplist"):
        with pytest.raises(InputError, match=name.upper()):
            feature_columns(replace(training, columns=(*training.columns, column(name.upper(), "feature"))))
