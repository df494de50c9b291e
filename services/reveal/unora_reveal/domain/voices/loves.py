"""Reveal 1: what they love."""

from unora_reveal.domain.voices.kind import Kind, Voice

LOVES = Kind(
    voices=(
        Voice(
            "What lights them up",
            "Some people are easiest to know by the things they never get tired of talking about.",
        ),
        Voice(
            "Where their heart goes", "A free afternoon says more about a person than a whole page of answers could."
        ),
        Voice(
            "A few of their favourites", "Here is a small window into what makes an ordinary day a better one for them."
        ),
        Voice(
            "First glimpse",
            "Long before the big questions come the small ones, and those often have the warmest answers.",
        ),
        Voice("Begin here", "If you are looking for a thread to pull, this would be a rather good place to begin."),
        Voice(
            "The short version", "You can learn a great deal about a person from one honest look at what they choose."
        ),
        Voice(
            "What they come back to",
            "Interests come and go with the years, but a few of them stay and become part of someone.",
        ),
        Voice(
            "A list worth keeping", "Asked what they would not want to live without, this person had an answer ready."
        ),
        Voice(
            "Things with a story",
            "Behind most hobbies there is a patient teacher, a lucky accident or a very good friend.",
        ),
        Voice(
            "In their own corner",
            "Everybody has some corner of the world in which they feel a little more like themselves.",
        ),
        Voice("Small joys", "Big dreams are all very well, but it is the small joys that fill a life."),
        Voice(
            "If you could see them",
            "There are things that make a person look up and smile, even at the end of a long day.",
        ),
    ),
    firsts=(
        "One of the things they chose to be known for is {first}.",
        "Near the top of what they love, you will find {first}.",
        "Just mention {first}, and you will have touched on something they care about.",
        "On their own list of good things, there is a firm place for {first}.",
        "They count {first} among the things that make a day feel like theirs.",
        "When they were asked what they love, part of the answer was {first}.",
        "Among everything one could do with a spare hour, they picked {first}.",
        "It already says something about them that they wanted {first} on their list.",
        "A safe question to ask is one about {first}, since they named it themselves.",
        "Their idea of something that is worth the effort clearly includes {first}.",
    ),
    seconds=(
        "They put {second} right there beside it, and surely not without a reason.",
        "And they would not leave out {second}, which is another good thing to know.",
        "Right next to it you will see {second}, and the two make an interesting pair.",
        "They named {second} as well, so there is more than one door to knock on.",
        "Add {second} to the picture, and it slowly begins to look like somebody.",
        "It does not stop there, because their list has {second} on it as well.",
        "The other half of the story is {second}, which they chose just as freely.",
        "With the same warmth, they would probably tell you something about {second}.",
        "Not far behind it you will find {second}, and that was no accident either.",
        "They did not forget about {second} either, which is worth remembering.",
    ),
    closings=(
        "Ask how it all began, and then leave enough time for the whole answer.",
        "That is worth a question, and after the answer, most likely another one.",
        "You may find that one of the two is closer to you than you thought.",
        "Nobody needs to share all of it in order to be curious about it.",
        "If you know nothing about either of them, all the better: they can show you.",
        "A whole evening may pass while you talk about this, and nobody would mind.",
        "Let them explain the part of it that people from outside never quite understand.",
        "If you wonder where to start, start with whichever of them surprises you more.",
        "A good listener could learn quite a lot from nothing more than these two.",
        "Perhaps you have a story of your own that belongs right next to theirs.",
        "There is a smile somewhere in the answer, and it is yours to find.",
        "The details are theirs to tell, and all that you have to do is ask.",
    ),
)
