"""Contracts: what a table must look like, which of its columns may be a feature, and what a config file may say.

Belongs here: loading and checking `config/*`, comparing a contract with the columns a table really has, column roles.
Does not belong here: reading a table (the caller hands its columns in), judging a gate, Dagster.
"""

from leadscore_v6.contracts.comparison import ActualColumn, Comparison, Violation, compare
from leadscore_v6.contracts.contract import CONTRACT_FILES, Contract, ContractColumn, contract, load_contract
from leadscore_v6.contracts.crd import canonical_crd
from leadscore_v6.contracts.document import load_document
from leadscore_v6.contracts.roles import assert_no_pii, feature_columns, pii_droplist

__all__ = [
    "CONTRACT_FILES",
    "ActualColumn",
    "Comparison",
    "Contract",
    "ContractColumn",
    "Violation",
    "assert_no_pii",
    "canonical_crd",
    "compare",
    "contract",
    "feature_columns",
    "load_contract",
    "load_document",
    "pii_droplist",
]
