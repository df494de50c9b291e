"""Reveal 4: a way to meet."""

from unora_reveal.domain.voices.kind import Kind, Voice

MEETING = Kind(
    voices=(
        Voice("An easy way in", "The best first meetings have something to do in them, so that nobody has to perform."),
        Voice("Imagine this", "Close your eyes for a moment and picture the two of you on an unhurried afternoon."),
        Voice(
            "A door left open", "Some doors are never locked, and all that it takes is somebody who tries the handle."
        ),
        Voice("Next time", "Some meetings need a plan and a reason, and this one only needs a beginning."),
        Voice("Half a plan", "A whole plan can be too much, but half of one leaves room for the both of you."),
        Voice(
            "If you met tomorrow",
            "Suppose that you met tomorrow, with a few free hours and nothing that you had to prove.",
        ),
        Voice("An idea for two", "There are ideas that only work for two, and this one might be among them."),
        Voice(
            "Something to do together", "It is easier to get to know somebody when your hands or your feet are busy."
        ),
        Voice(
            "No grand gesture",
            "A first meeting does not need a grand gesture, only something that both of you would enjoy.",
        ),
        Voice("Where to begin", "Nobody is good at beginnings, which is why it helps to have one in your pocket."),
        Voice("Worth suggesting", "It takes a little courage to suggest something, and it is nearly always worth it."),
        Voice("A good excuse", "All that two people need in order to meet is a reasonably good excuse."),
    ),
    firsts=(
        "As they like {first}, it could be this: {invitation}.",
        "Because they chose {first}, one idea comes to mind: {invitation}.",
        "It might have a little to do with {first}: {invitation}, perhaps.",
        "Think of {first}, which they named, and then of this: {invitation}.",
        "Since they put {first} on their list, why not suggest {invitation}?",
        "With {first} among the things they like, it could well be {invitation}.",
        "Here is one that goes with {first}, which they like: {invitation}.",
        "Somebody who likes {first} might say yes to {invitation}.",
        "Let {first}, one of their choices, be the excuse for this: {invitation}.",
        "What goes well with {first}, a thing they chose, is {invitation}.",
    ),
    seconds=(
        "If the words run dry, a question about {second}, which they like too, will bring them back.",
        "And should you need a topic on the way, remember that they also chose {second}.",
        "Keep a question about {second} ready, because they put that on their list as well.",
        "On the way home you could still ask about {second}, which they named too.",
        "Another time, it could be {second}, their other choice, that brings you together.",
        "For the quiet moments, you can always ask about {second}, the other thing they like.",
        "If that is not your thing, think of {second}, which they like just as well.",
        "You could always talk about {second} instead, should the weather have other plans.",
        "And if it goes well, one reason to meet again might be {second}, which they chose too.",
        "Besides, they like {second}, and what first drew them there is a good question.",
    ),
    closings=(
        "You do not have to be good at any of it in order to come along.",
        "Whoever has the better idea may choose the place, and the other one the time.",
        "Bring some curiosity, and leave the rest of it to the two of you.",
        "If it rains, or if it all goes wrong, you will at least have a story.",
        "It does not have to be long: an hour can be quite enough to know.",
        "The best part is often the one that nobody had planned for.",
        "Say what you would enjoy as well, so that it becomes an idea of both.",
        "A small step is still a step, and this one is not even difficult.",
        "Ask first what they would think of it, since asking is half of the pleasure.",
        "There is no rush, and a good idea keeps until both of you are ready.",
        "Perhaps you know a place for it that they have never been to.",
        "What you make of it is up to you, and that is the nice thing about it.",
    ),
)
