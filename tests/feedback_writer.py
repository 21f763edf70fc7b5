"""A process that writes answers: `python feedback_writer.py URL NUMBER` prints the number of each that was new."""

import sys
import uuid

from emolens.feedback import Answer, Store
from feedback_answers import make_answer

OWN, SHARED = 25, 25


def numbered(number: int) -> Answer:
    """The answer of this number: the same in every process."""
    client_id = str(uuid.uuid5(uuid.NAMESPACE_OID, str(number)))
    return make_answer(client_id=client_id, version=str(number))


def numbers(writer: int) -> list[int]:
    """What one writer writes: some that nobody else does, among some that all do."""
    own = range(1000 * (writer + 1), 1000 * (writer + 1) + OWN)
    return [number for pair in zip(own, range(SHARED), strict=True) for number in pair]


if __name__ == "__main__":
    with Store.open(sys.argv[1]) as store:
        for number in numbers(int(sys.argv[2])):
            if store.add(numbered(number)):
                sys.stdout.write(f"{number}\n")
