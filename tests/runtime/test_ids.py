from __future__ import annotations

import os
import threading
import time

import pytest
from nodegx.runtime.ids import id_time, new_id


def test_ids_ascend_differ_and_tell_their_time() -> None:
    before = time.time()
    made = [new_id() for _ in range(5000)]
    assert made == sorted(set(made))
    assert {len(one) for one in made} == {26}
    assert before - 0.002 <= id_time(made[0]) <= time.time()
    assert set("".join(made)) <= set("0123456789ABCDEFGHJKMNPQRSTVWXYZ")


def test_threads_never_make_the_same() -> None:
    made: list[str] = []

    def work() -> None:
        made.extend([new_id() for _ in range(2000)])

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(made)) == 8000


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_process_does_not_repeat_its_parent() -> None:
    new_id()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 26).decode()[10:] != new_id()[10:]
    os.close(reading)
    os.close(writing)


@pytest.mark.parametrize("text", ["", "01X", "u" * 26])
def test_other_text_is_no_id(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - str.index has its own words
        id_time(text)
