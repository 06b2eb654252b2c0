"""What a teacher tells the class before it is read: a chat message per mode, and the page that says more.

What stands in square brackets is for the teacher to fill in. `docs/privacy.md` holds the same words (a test says so).
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from engagement.records import Mode

CHAT: Final[Mapping[Mode, str]] = MappingProxyType(
    {
        Mode.PARTICIPATION: (
            "In this lesson I use classpulse, a program on my own computer. Every few seconds it looks at the "
            "gallery that I see and counts how many are here, how many cameras are on and how many faces are turned "
            "to the screen. It reads no expressions and no names, keeps no picture and no sound, and sends nothing "
            "anywhere. If you would rather not be looked at by it, switch your camera off: it has no disadvantage. "
            "Questions: ask me, now or later."
        ),
        Mode.AGGREGATE: (
            "In this lesson I use classpulse, a program on my own computer. Every few seconds it looks at the "
            "gallery that I see and estimates the expressions of the faces, added up for the class as a whole and "
            "only where at least five were read. It reads names to tell tiles apart. Nothing is kept about a single "
            "person, no name, no picture and no sound, and nothing is sent anywhere. An expression is not a "
            "feeling, and nobody is graded by it. If you would rather not be read, switch your camera off: it has "
            "no disadvantage. Questions: ask me, now or later."
        ),
        Mode.INDIVIDUAL: (
            "In this lesson I use classpulse, a program on my own computer. Every few seconds it looks at the "
            "gallery that I see and keeps, under the name that you show: whether your face was seen, turned away or "
            "not there, and an estimate of its expression. It keeps no picture and no sound, and sends nothing "
            "anywhere. An expression is not a feeling, and nobody is graded by it. If you do not agree, tell me and "
            "your tile is left out before anything is read. It has no disadvantage, and you may change your mind "
            "and have what was kept erased at any time. I erase it after [30 days]. Questions: ask me, now or "
            "later."
        ),
    }
)
"""For the chat of the meeting."""
