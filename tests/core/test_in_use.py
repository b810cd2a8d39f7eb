"""What is held, or was used a short time ago, is in use."""

from videogen.core.in_use import RECENT_SECONDS, InUse


def test_what_is_held_is_in_use_until_the_last_one_lets_go(clock):
    in_use = InUse(clock)
    with in_use.hold("gen_a", "gen_b"):
        with in_use.hold("gen_a"):
            assert in_use.is_used("gen_a", "ses")
        assert in_use.is_used("gen_a", "ses")
        assert not in_use.is_used("gen_c", "ses")
    assert not in_use.is_used("gen_a", "ses")


def test_a_held_session_holds_all_that_it_has(clock):
    in_use = InUse(clock)
    with in_use.hold("ses_a"):
        assert in_use.is_used("gen_a", "ses_a")
        assert not in_use.is_used("gen_a", "ses_b")
    assert not in_use.is_used("gen_a", "ses_a")


def test_a_use_counts_for_a_while_and_is_handed_over_once(clock):
    in_use = InUse(clock)
    in_use.note("gen_a")
    at = clock.now
    clock.now += RECENT_SECONDS - 1
    assert in_use.is_used("gen_a", "ses")
    assert in_use.take_unwritten() == {"gen_a": at}
    assert in_use.take_unwritten() == {}
    assert in_use.is_used("gen_a", "ses")
    clock.now += 1
    assert not in_use.is_used("gen_a", "ses")
    in_use.take_unwritten()
    assert in_use._used == {}, "what is long ago takes no memory"
