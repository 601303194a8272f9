"""The base of operators that branch, at the place where Airflow's standard provider has it."""

from airlock.sdk.bases.branch import BaseBranchOperator, BranchMixIn

__all__ = ["BaseBranchOperator", "BranchMixIn"]
