"""Which cluster the tests get, as a table."""

import pytest

from cluster.choice import ChoiceError, Facts, choose

NO_DOCKER, NOT_ROOT = "there is no docker command", "only root can make one"


@pytest.mark.parametrize(
    ("facts", "chosen"),
    [
        (Facts(kubeconfig="/k", marked=True), "foreign"),
        (Facts(kubeconfig="/k", marked=True, no_kind=NO_DOCKER, no_bare=NOT_ROOT), "foreign"),
        (Facts(), "kind"),
        (Facts(no_bare=NOT_ROOT), "kind"),
        (Facts(no_kind=NO_DOCKER), "bare"),
        (Facts(forced="bare"), "bare"),
        (Facts(forced="kind"), "kind"),
    ],
)
def test_the_first_way_that_is_open_is_taken(facts, chosen):
    assert chosen == choose(facts)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (Facts(kubeconfig="/k"), "airlock.dev/test-cluster=true"),
        (Facts(no_kind=NO_DOCKER, no_bare=NOT_ROOT), NOT_ROOT),
        (Facts(forced="kind", no_kind=NO_DOCKER), NO_DOCKER),
        (Facts(forced="bare", no_bare=NOT_ROOT), NOT_ROOT),
        (Facts(forced="docker"), "it can be kind or bare"),
    ],
)
def test_a_closed_way_says_what_it_lacks(facts, said):
    with pytest.raises(ChoiceError, match=said):
        choose(facts)


def test_an_unmarked_cluster_is_never_replaced_by_one_of_ours():
    """Whoever set KUBECONFIG meant that cluster; a test must not run somewhere else without a word."""
    with pytest.raises(ChoiceError, match="not marked"):
        choose(Facts(kubeconfig="/production", no_kind="", no_bare=""))
