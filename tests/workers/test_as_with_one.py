"""Whatever speaks the protocol goes through a front and three workers as through one process.

These tests are those of other folders; here their `server` has three workers (`conftest.py`).
"""

from __future__ import annotations

from types import ModuleType

from tests.http import test_app, test_events, test_posts, test_slack, test_word_search
from tests.net import test_listener, test_websocket

SAME: dict[ModuleType, tuple[str, ...]] = {
    test_listener: (
        "a_hundred_kilobytes_of_headers",
        "an_answer_outlives_a_client_that_is_still_sending",
        "every_byte_everywhere_in_a_head",
        "odd_requests",
        "a_second_request_on_a_connection_is_not_answered",
        "an_upgrade_behind_a_request_gets_nowhere",
    ),
    test_websocket: (
        "a_real_client",
        "everything_in_the_segment_of_the_upgrade_is_read",
        "a_byte_at_a_time",
        "nothing_is_sent_before_the_hello",
        "both_kinds_of_ping_are_answered",
        "abuse_of_frames",
        "nine_bad_frames_and_a_good_one",
        "bad_json_is_a_bad_frame",
        "nothing_follows_a_close_frame",
        "the_closing_handshake_begun_here",
        "who_ends_without_a_word_has_left",
        "who_hangs_up_right_behind_a_message_still_hears_it",
    ),
    test_app: (
        "the_page",
        "each_of_the_pages_files",
        "a_slash_too_many_leads_to_the_room",
        "errors_are_json",
        "a_404_has_the_same_words_wherever_it_comes_from",
        "a_method_that_is_not_allowed",
        "head_does_not_do_the_work",
        "no_answer_is_taken_for_another_kind",
        "a_page_of_another_site_may_ask_for_a_private_room",
        "a_private_room",
        "another_servers_id_is_like_a_name_that_can_not_be",
        "what_a_room_is",
        "health",
    ),
    test_word_search: (
        "all_words_whatever_their_case",
        "it_goes_on_where_it_ended",
        "damage_costs_the_damaged_line",
    ),
    test_posts: (
        "the_answer_is_the_stored_line_and_where_it_is",
        "each_form_of_a_body",
        "what_is_refused_leaves_nothing",
        "nothing_but_a_post_says_anything",
        "a_body_in_pieces",
        "many_at_once_are_stored_once_each",
        "a_room_that_can_not_be",
        "a_private_room",
        "an_id_is_stored_once_whichever_way_it_comes",
    ),
    test_events: (
        "what_is_said_comes_byte_for_byte",
        "a_follower_is_not_a_member",
        "who_saw_nothing_yet_has_a_place_to_go_on_from",
        "each_way_to_go_on",
        "what_else_is_refused",
        "who_leaves_is_forgotten",
        "a_flood_is_the_same_for_all",
    ),
    test_slack: ("what_becomes_of_it", "a_form"),
}

for module, names in SAME.items():
    for name in names:
        kind = module.__name__.rpartition("_")[2]
        globals()[f"test_{kind}_{name}"] = getattr(module, f"test_{name}")


def test_each_is_there() -> None:
    found = [name for name in globals() if name.startswith("test_")]
    functions = [name for name in found if callable(globals()[name])]
    assert len(functions) == sum(map(len, SAME.values())) + 1
