"""What subscribers get from the hub: each event once, in order, while they may read."""

from __future__ import annotations

import asyncio
import json

from tertulia.hub.connection import OUTBOX_BYTES
from tertulia.hub.hub import BUDGET
from tertulia.hub.sequencer import LogEvent
from tertulia.protocol.events import Person

from .support import ROOM, Stage, event, heard, settle


async def test_all_subscribers_get_the_events_in_order() -> None:
    stage = Stage()
    people = [stage.listen(name) for name in ("ana", "bea", "eva")]
    stage.append(event(1), event(2))
    stage.append(event(3))
    await settle()
    assert [heard(person).seqs for person in people] == [[1, 2, 3]] * 3


async def test_all_that_a_loop_turn_has_is_one_write_a_member() -> None:
    stage = Stage()
    ana = stage.listen()
    for seq in range(1, 51):
        stage.append(event(seq))
    await settle()
    assert heard(ana).seqs == list(range(1, 51))
    assert heard(ana).writes == 1


async def test_a_big_room_is_served_in_turns_and_keeps_the_order() -> None:
    stage = Stage()
    people = [stage.listen(f"p{number}") for number in range(2 * BUDGET + 10)]
    stage.append(event(1))
    turns = 0
    while any(not heard(person).seqs for person in people):
        await asyncio.sleep(0)
        turns += 1
        if turns == 1:
            stage.append(event(2))
    await settle()
    assert turns >= 3
    assert all(heard(person).seqs == [1, 2] for person in people)


async def test_news_that_cross_are_put_into_order() -> None:
    stage = Stage()
    ana = stage.listen()
    stage.backend.log += [event(1), event(2)]
    stage.hub.offer(ROOM, [event(2)])
    stage.hub.offer(ROOM, [event(1)])
    await settle()
    assert heard(ana).seqs == [1, 2]


async def test_lost_news_are_read_from_the_log() -> None:
    stage = Stage()
    ana = stage.listen()
    stage.append(event(1), event(2), tell=False)
    stage.append(event(3))
    await settle(0.2)
    assert heard(ana).seqs == [1, 2, 3]
    assert stage.backend.reads == 1


async def test_a_lost_tail_is_found_by_the_sweep() -> None:
    stage = Stage()
    ana = stage.listen()
    stage.append(event(1), tell=False)
    stage.hub.head_known(ROOM, 1)
    await settle(0.2)
    assert heard(ana).seqs == [1]


async def test_a_repair_reads_a_long_gap_page_by_page() -> None:
    stage = Stage()
    ana = stage.listen()
    stage.append(*[event(seq) for seq in range(1, 1201)], tell=False)
    stage.hub.head_known(ROOM, 1200)
    await settle(0.3)
    assert heard(ana).seqs == list(range(1, 1201))


async def test_news_wait_while_the_log_is_read_for_a_subscriber() -> None:
    stage = Stage()
    eva = stage.listen("eva")
    ana = stage.connect()
    subscription = stage.hub.subscribe(ana, ROOM, "lobby")
    stage.append(event(1), event(2), event(3))
    await settle()
    assert heard(ana).seqs == []
    # His snapshot of the log already had the first two.
    stage.hub.go_live(subscription, 2, "member", 2)
    stage.append(event(4))
    await settle()
    assert heard(ana).seqs == [3, 4]
    assert heard(eva).seqs == [1, 2, 3, 4]


async def test_a_subscriber_whose_snapshot_is_ahead_of_the_hub_gets_nothing_twice() -> None:
    stage = Stage()
    eva = stage.listen("eva")
    stage.append(event(1), event(2), tell=False)
    ana = stage.listen("ana", head=2)
    stage.hub.offer(ROOM, [event(1), event(2)])
    stage.append(event(3))
    await settle(0.2)
    assert heard(ana).seqs == [3]
    assert heard(eva).seqs == [1, 2, 3]


async def test_two_who_come_first_at_once_miss_nothing_of_each_others_snapshots() -> None:
    stage = Stage()
    stage.append(*[event(seq) for seq in range(1, 9)], tell=False)
    ana, bea = stage.connect("ana"), stage.connect("bea")
    first = stage.hub.subscribe(ana, ROOM, "lobby")
    await stage.hub.ready(first.room)
    second = stage.hub.subscribe(bea, ROOM, "lobby")
    await stage.hub.ready(second.room)
    # ana has read up to 8; two more come, which bea has read when she is answered first.
    stage.append(event(9), event(10))
    stage.hub.go_live(second, 10, "member", 2)
    stage.hub.go_live(first, 8, "member", 2)
    stage.append(event(11))
    await settle(0.1)
    assert heard(ana).seqs == [9, 10, 11]
    assert heard(bea).seqs == [11]


async def test_a_connection_that_has_ended_is_not_subscribed() -> None:
    stage = Stage()
    ana = stage.connect("ana")
    ana.close(1000)
    subscription = stage.hub.subscribe(ana, ROOM, "lobby")
    stage.hub.go_live(subscription, 0, "member", 2)
    room = stage.hub.rooms[ROOM]
    assert room.empty
    assert room.presence.here() == []
    assert room.idle_since is not None


async def test_who_becomes_somebody_else_loses_his_subscriptions() -> None:
    stage = Stage()
    ana = stage.listen("ana")
    stage.hub.identify(ana, Person("bea", "bea", "member", None))
    stage.append(event(1))
    await settle()
    assert heard(ana).seqs == []


async def test_a_flood_leaves_the_readers_time() -> None:
    stage = Stage()
    ana = stage.listen("ana")
    payload = json.dumps({"type": "message.created", "seq": 0, "pad": "x" * 100_000}).encode()
    flood = [LogEvent(seq, "message.created", payload) for seq in range(1, 41)]
    stage.append(*flood)
    await settle()
    # Four megabytes would fill an outbox; they come in pieces, with pauses between.
    assert 0 < len(heard(ana).seqs) < 20
    await settle(0.3)
    assert len(heard(ana).seqs) == 40
    assert heard(ana).writes > 10


async def test_subscribing_again_begins_anew_at_the_new_head() -> None:
    stage = Stage()
    ana = stage.listen()
    stage.append(event(1))
    await settle()
    again = stage.hub.subscribe(ana, ROOM, "lobby")
    stage.append(event(2))
    await settle()
    stage.hub.go_live(again, 2, "member", 2)
    stage.append(event(3))
    await settle()
    assert heard(ana).seqs == [1, 3]


async def test_who_is_put_out_gets_his_removal_and_nothing_later() -> None:
    stage = Stage()
    ana, bea = stage.listen("ana"), stage.listen("bea")
    out = event(2, member="bea", ends=True, kind="member.left")
    stage.append(event(1), out, event(3), event(4))
    await settle()
    assert heard(bea).seqs == [1, 2]
    assert heard(ana).seqs == [1, 2, 3, 4]


async def test_who_is_put_out_while_his_log_is_read_gets_nothing_later() -> None:
    stage = Stage()
    stage.listen("ana")
    bea = stage.connect("bea")
    subscription = stage.hub.subscribe(bea, ROOM, "lobby")
    out = event(2, member="bea", ends=True, kind="member.left")
    stage.append(event(1), out, event(3))
    await settle()
    stage.hub.go_live(subscription, 0, "member", 2)
    stage.append(event(4))
    await settle()
    assert heard(bea).seqs == [1, 2]


async def test_a_removal_in_a_big_room_waits_for_nobody_else() -> None:
    stage = Stage()
    people = [stage.listen(f"p{number}") for number in range(BUDGET + 5)]
    last = people[-1]
    assert last.person is not None
    out = event(1, member=last.person.id, ends=True, kind="member.left")
    stage.append(out, event(2))
    await settle()
    assert heard(last).seqs == [1]
    assert all(heard(person).seqs == [1, 2] for person in people[:-1])


async def test_somebody_who_does_not_read_is_closed_with_1013_and_nobody_waits() -> None:
    stage = Stage()
    slow, ana = stage.listen("slow"), stage.listen("ana")
    heard(slow).stuck = OUTBOX_BYTES + 1
    stage.append(event(1))
    await settle()
    stage.append(event(2))
    await settle()
    closed = heard(slow).closed
    assert closed is not None
    assert closed[0] == 1013
    assert "retry_after" in closed[1]
    assert heard(slow).seqs == [1]
    assert heard(ana).seqs == [1, 2]


async def test_one_broken_socket_harms_no_other() -> None:
    stage = Stage()
    broken, ana = stage.listen("broken"), stage.listen("ana")
    heard(broken).broken = True
    stage.append(event(1))
    await settle()
    assert heard(broken).closed is not None
    assert heard(ana).seqs == [1]


async def test_a_classic_client_gets_only_messages_and_not_its_own_without_echo() -> None:
    stage = Stage()
    classic = stage.listen("ana", classic=True)
    classic.keep_back(ROOM, 2)
    stage.append(event(1), event(2), event(3, kind="message.edited"), event(4))
    await settle(0.1)
    assert heard(classic).seqs == [1, 4]
    assert heard(classic).frames[0]["type"] == "chat_message"
    assert {frame["type"] for frame in heard(classic).frames} == {"chat_message"}


async def test_a_classic_client_that_is_put_out_is_closed_with_4404() -> None:
    stage = Stage()
    classic = stage.listen("bea", classic=True)
    stage.append(event(1, member="bea", ends=True, kind="member.left"))
    await settle()
    assert heard(classic).closed == (4404, "")


async def test_a_room_that_nobody_hears_is_left_after_a_while() -> None:
    stage = Stage()
    ana = stage.listen()
    stage.hub.unsubscribe(ana, ROOM)
    room = stage.hub.rooms[ROOM]
    assert room.idle_since is not None
    room.idle_since -= 60
    stage.hub.tick()
    assert ROOM not in stage.hub.rooms
    assert stage.backend.unwatched == [ROOM]
