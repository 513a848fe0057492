"""Versions of the tables."""

from sipgw.records.migrate import newest, versions


def test_versions_follow_one_another_without_a_branch() -> None:
    assert versions() == ("0001", "0002", "0003", "0004", "0005", "0006", "0007", "0008")
    assert newest() == versions()[-1]
