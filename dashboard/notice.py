"""What a teacher tells the class before it is read: a chat message per mode, and the page that says more; and what a
school writes down before it allows that.

What stands in square brackets is for the teacher to fill in. `docs/privacy.md` and `docs/dpia.md` hold the same words
(a test says so).
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
            "to the screen. It reads no expressions. It reads names only where somebody is left out by theirs, and "
            "keeps no name, no picture and no sound, and sends nothing anywhere. If you do not agree, tell me and "
            "your tile is left out before faces are looked for, or switch your camera off: it has no disadvantage. "
            "Questions: ask me, now or later."
        ),
        Mode.AGGREGATE: (
            "In this lesson I use classpulse, a program on my own computer. Every few seconds it looks at the "
            "gallery that I see and estimates the expressions of the faces, added up for the class as a whole and "
            "only where at least five were read. It reads names to tell tiles apart. Nothing is kept about a single "
            "person, no name, no picture and no sound, and nothing is sent anywhere. An expression is not a "
            "feeling, and nobody is graded by it. If you do not agree, tell me and your tile is left out before faces "
            "are looked for, or switch your camera off: it has no disadvantage. Questions: ask me, now or later."
        ),
        Mode.INDIVIDUAL: (
            "In this lesson I use classpulse, a program on my own computer. Every few seconds it looks at the "
            "gallery that I see and keeps, under the name that you show: whether your face was seen, turned away or "
            "not there, and an estimate of its expression. It keeps no picture and no sound, and sends nothing "
            "anywhere. An expression is not a feeling, and nobody is graded by it. If you do not agree, tell me and "
            "your tile is left out before faces are looked for: then only your name is kept, and that you do not "
            "agree. It has no disadvantage, and you may change your mind and have what was kept erased at any time. "
            "I erase it after [30 days]. Questions: ask me, now or later."
        ),
    }
)
"""For the chat of the meeting."""

ONE_PAGE: Final[tuple[str, ...]] = (
    (
        "What is this? [Your name] uses classpulse in the lessons of [class], from [date] on. It is a program "
        "on the teacher's own computer that looks at the gallery window of the video meeting every few "
        "seconds."
    ),
    (
        "Why? [For example: so that I notice while I teach when the class has lost me or a camera has failed, "
        "and see afterwards which parts of a lesson to explain again.] It is not used for marks, for "
        "discipline or to compare students."
    ),
    ("What is read?"),
    (
        "- participation: what is read: how many tiles, cameras and faces there are, and how many face the "
        "screen; names only where somebody is left out by theirs; what is kept: these counts, every few "
        "seconds, and the teacher's notes; no name"
    ),
    (
        "- aggregate: what is read: these, the name on each tile, and the expressions of the faces; what is kept: "
        "these counts, and how many faces showed which expression, where at least five were read; nothing per person"
    ),
    (
        "- individual: what is read: the same; what is kept: these counts, and per person: "
        "the name shown, whether a face was seen, turned away or absent, estimates of its expression, head "
        "pose, and when one of six rules found something worth a look"
    ),
    ("We use: [participation / aggregate / individual]."),
    (
        "What is not kept? No picture, no video, no sound, no face print. Pictures are in the computer's "
        "memory for the moment in which they are read. Nobody is recognised by their face: people are told "
        "apart by the name they show and by their place."
    ),
    (
        "Where, and for how long? In a database on the teacher's computer, which nothing leaves: no cloud, no "
        "service of others. The program erases a lesson after [30 days] by itself, earlier if you ask. A "
        "report may be saved by the teacher and is given to [nobody / ...]."
    ),
    (
        "What it cannot do. An expression is not a feeling: a frown is often concentration. The program errs, "
        "more with small, dark or turned faces, and differently for different people. So it says how much it "
        "could see, and leaves out what it could not read."
    ),
    (
        "Your choice. Taking part is voluntary and without disadvantage. Whoever refuses is left out in every "
        "mode: their name is read and their tile masked before faces are looked for. Switch your camera off at "
        "any time. You may see what is kept about you, have it corrected and erased, and change your mind. Ask [name, "
        "address]; [your data protection officer, your supervisory authority]."
    ),
)
"""The notice that says more, by paragraphs."""

ASSESSMENT: Final[tuple[str, ...]] = (
    (
        "1. What is done. [Name of the school], represented by [name], uses classpulse in [classes] from "
        "[date] on, in [participation / aggregate] mode (individual mode outside the EU and the EEA only). A "
        "program on the teacher's own computer looks at the gallery window of the video meeting every few "
        "seconds. It counts tiles, cameras, faces and how many face the screen; in aggregate mode also which "
        "expressions the faces show, as counts of the class where at least five faces were read; in "
        "individual mode also, under the name shown, state, head pose and expression per person."
    ),
    (
        "2. Whose data, and which. [Number] students of [age], [number] teachers. Pictures of faces, in "
        "memory for the moment in which they are read. Names shown on tiles, read in aggregate and individual "
        "mode, in participation mode only where somebody is left out by theirs, kept in "
        "individual mode only. Counts per interval; notes that the teacher types. No picture, no sound, no face "
        "print; nobody is recognised by their face."
    ),
    (
        "3. Where, for how long, who sees it. A database on the teacher's computer [or the school's server at "
        "...]; nothing is sent anywhere. Sessions are erased after [30] days unless one is kept for [reason]. "
        "[The teacher] sees it; reports go to [nobody / ...]. An audit log keeps who started, exported, kept "
        "and erased what."
    ),
    (
        "4. What for, and on which ground. Purpose: [for example to notice in time that cameras have failed "
        "or that the class is not following, and to see which parts of a lesson to explain again]. Ground: "
        "[Article 6(1)(...) GDPR, the school law of ...]. Not for marks, discipline, comparison or selection."
    ),
    (
        "5. Is it necessary? [Why asking the class, a poll or a look at the gallery does not do.] The least "
        "curious mode that serves the purpose is [participation], because [...]."
    ),
    (
        "6. Is it allowed? Article 5(1)(f) of the AI Act prohibits inferring emotions in education "
        "institutions and at workplaces in the EU, but for medical or safety reasons. In the EU and the EEA "
        "classpulse therefore reads participation only. [Law of your country.]"
    ),
    ("7. What may go wrong."),
    (
        "- an expression is taken for a feeling: how likely, how bad: [ ]; what classpulse does: says "
        '"expression", coverage and limits beside every figure; abstains where unsure; ranks nobody; what we '
        "do: [training of teachers]"
    ),
    (
        "- it errs more for some people than for others: how likely, how bad: [ ]; what classpulse does: "
        "names in the model card what was measured and what was not; what we do: [no decision on one person]"
    ),
    (
        "- students feel watched, or pressed to agree: how likely, how bad: [ ]; what classpulse does: "
        "refusal masks a tile before faces are looked for; a camera that is off is no fault; what we do: [who "
        "refuses has no disadvantage; asked in writing]"
    ),
    (
        "- somebody else reads it: how likely, how bad: [ ]; what classpulse does: loopback only, or "
        "accounts, TLS and roles; files for their owner alone; no core dumps; what we do: [disk encryption, "
        "screen lock]"
    ),
    (
        "- it is kept for too long, or used for something else: how likely, how bad: [ ]; what classpulse "
        "does: erases by itself; export and erasure of one student or session; audit log; what we do: [who "
        "checks, when]"
    ),
    (
        "- a report is passed on: how likely, how bad: [ ]; what classpulse does: the mode and the limits "
        "stand in every report; what we do: [who may have one]"
    ),
    (
        "8. Rights. Information: the notice in docs/privacy.md, given on [date] by [whom]. Access and "
        "erasure: Students saves or erases all of one student, Sessions a whole lesson. Objection: [name, "
        "address]. Parents of pupils who are not of age: [how they were asked]."
    ),
    (
        "9. Asked. Data protection officer: [opinion, date]. Students and parents: [what they said]. Staff "
        "council: [ ]."
    ),
    (
        "10. Decision. The risk that remains is [low / high]; [where high: the supervisory authority was "
        "consulted on ...]. Decided by [name] on [date]; looked at again on [date], and whenever the mode, "
        "the version or the law changes."
    ),
)
"""The template of a data protection impact assessment (GDPR, Article 35), by paragraphs."""
