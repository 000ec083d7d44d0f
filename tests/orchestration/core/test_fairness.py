"""Turns: nobody stands behind the whole backlog of another, and nobody is passed over for ever."""

from __future__ import annotations

import heapq
from collections import Counter
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from orchestration.core.fairness import REGRESS, Turns

Q = "default"


class Queue:
    """What the rows do: what is ready is taken by its turn and then by its age."""

    def __init__(self) -> None:
        self.turns, self.ready, self.number = Turns(), list[tuple[int, int, str]](), 0

    def put(self, person: str, *, in_flight: int = 1) -> None:
        self.number += 1
        heapq.heappush(self.ready, (self.turns.give(Q, person, in_flight), self.number, person))

    def take(self) -> str:
        turn, _, person = heapq.heappop(self.ready)
        self.turns.serves(Q, turn)
        if not self.ready:
            self.turns.looked(Q, None)
        return person


def test_one_run_does_not_wait_behind_ten_thousand_of_another_person() -> None:
    queue = Queue()
    for _ in range(10_000):
        queue.put("ada")
    served = [queue.take() for _ in range(50)]
    queue.put("bob")
    assert set(served) == {"ada"} and "bob" in [queue.take() for _ in range(2)]


def test_each_further_step_of_the_small_run_waits_no_longer() -> None:
    queue = Queue()
    for _ in range(1000):
        queue.put("ada")
    waited = []
    for _ in range(20):
        queue.put("bob")
        taken = 0
        while queue.take() != "bob":
            queue.put("ada")  # the next step of the run whose step was performed
            taken += 1
        waited.append(taken)
    assert max(waited) <= 2


def test_two_backlogs_take_turns() -> None:
    queue = Queue()
    for person in ("ada", "bob"):
        for _ in range(100):
            queue.put(person)
    first = Counter(queue.take() for _ in range(100))
    assert abs(first["ada"] - first["bob"]) <= 2


def test_a_run_of_many_steps_at_once_does_not_stand_before_the_persons_next() -> None:
    queue = Queue()
    for number in range(1, 201):
        queue.put("ada", in_flight=number)
    for _ in range(3):
        queue.take()
    queue.put("ada")
    taken = 1
    while queue.ready[0][1] != 201:
        queue.take()
        taken += 1
    assert taken <= 3


def test_a_new_rush_begins_at_the_front() -> None:
    queue = Queue()
    for _ in range(5000):
        queue.put("ada")
    for _ in range(5000):
        queue.take()
    queue.put("bob")
    queue.put("ada")
    assert max(turn for turn, _, _ in queue.ready) <= 1


def test_a_process_that_claims_nothing_learns_where_the_queue_stands() -> None:
    web = Turns()
    for _ in range(5000):
        web.give(Q, "ada", 1)
    web.looked(Q, 2000)
    assert web.give(Q, "bob", 1) == 2000 and web.give(Q, "ada", 1) == 5000
    web.looked(Q, 2000 - REGRESS - 1)  # it stands far back: the old rush is over
    assert web.give(Q, "ada", 1) == 2000 - REGRESS - 1


@given(st.integers(0, 2**32))
def test_everybody_is_served_in_proportion(seed: int) -> None:
    """Whatever comes: between two services of somebody who waits, each other person is served about once."""
    random, queue = Random(seed), Queue()
    people = ["ada", "bob", "carol", "dan"]
    waiting, since = Counter[str](), {person: Counter[str]() for person in people}
    for _ in range(300):
        if random.random() < 0.55 or not queue.ready:
            person = random.choice(people)
            for _ in range(random.choice([1, 1, 1, 20])):
                queue.put(person)
                waiting[person] += 1
            continue
        served = queue.take()
        waiting[served] -= 1
        since[served].clear()
        for person in people:
            if person != served and waiting[person] > 0:
                since[person][served] += 1
        for person, counts in since.items():
            if waiting[person] == 0:
                counts.clear()
            assert all(count <= 3 for count in counts.values()), (person, counts)
