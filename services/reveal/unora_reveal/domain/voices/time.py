"""Reveal 2: how they spend their time."""

from unora_reveal.domain.voices.kind import Kind, Voice

TIME = Kind(
    voices=(
        Voice(
            "How their days breathe", "No two people have the same day, and what fills the free hours tells the most."
        ),
        Voice("Their kind of hour", "Imagine an hour that belongs to nobody else and that has no purpose but itself."),
        Voice("When nobody is watching", "What people do when nothing has to be done is usually what they like best."),
        Voice("Their pace", "Not everyone needs the same from a free day, and it would be dull if they did."),
        Voice("Between the duties", "Every calendar has its gaps, and it is in the gaps that a person can be seen."),
        Voice(
            "A slow look at a week", "If you followed someone around for a week, a few things would keep coming back."
        ),
        Voice("Where the hours go", "Time is the one thing that all of us have to spend, and how we do it shows."),
        Voice("The shape of a good day", "A good day has a shape of its own, and for each of us it is another one."),
        Voice(
            "Given an afternoon", "Hand somebody an empty afternoon, and before it is over you will know them better."
        ),
        Voice("Small habits", "Habits are the promises that we keep to ourselves without making any fuss about them."),
        Voice("Off the clock", "After the work and the shopping and the laundry, the better part of a day begins."),
        Voice(
            "What a weekend is for", "Some people want a weekend full of plans, and others want one with none at all."
        ),
    ),
    firsts=(
        "In their case, a good part of that time belongs to {first}.",
        "One of the reasons to keep an hour free is, for them, {first}.",
        "Look at where their time goes, and sooner or later you meet {first}.",
        "Some of those hours are kept for {first}, and nobody had to ask them.",
        "What they make room for, when there is room to make, is {first}.",
        "They made {first} a part of their life, in between everything else.",
        "Somewhere among all the things that have to be done, you will come across {first}.",
        "An hour of their own may well have something to do with {first}.",
        "Give them the choice, and one of the answers to expect is {first}.",
        "There is a place for {first} in it, because they decided that there should be.",
    ),
    seconds=(
        "On another day it could just as well be {second}: imagine them {time}.",
        "When it is something else, it may be {second}, and you could find them {time}.",
        "They keep a place for {second} too, so do picture them {time}.",
        "Then again they chose {second} too, and you might come upon them {time}.",
        "The rest of it may well go to {second}, at best {time}.",
        "And because one thing is never enough, they chose {second} too: picture them {time}.",
        "With {second}, the other thing they named, one can see them {time}.",
        "Besides, they also like {second}, which goes well with being {time}.",
        "Add {second}, which they chose too, and you can nearly see them {time}.",
        "They like {second} as well, so imagine a person who may be {time}.",
    ),
    closings=(
        "Ask them which part of the day they would not give away for anything.",
        "It may be worth finding out whether your own pace is anything like that.",
        "You could ask what an ideal free day looks like, from the very beginning.",
        "Perhaps there is an hour in your own week that would go well with theirs.",
        "What would they do with one more hour a day? It would be good to know.",
        "Nothing about it has to be spectacular, which may be the best thing about it.",
        "If your days look quite different, you will at least have something to compare.",
        "A question about last weekend might be all that it takes to hear more.",
        "Maybe you know this feeling, and maybe you can tell them from where.",
        "How it looks up close is something that only they can show you.",
        "Some of it needs company and some of it does not: ask which is which.",
        "You might like to hear what they do when the plan falls through.",
    ),
    hints=(
        "Their own words hint at a liking for {rhythm}.",
        "Between the lines, one can also read of a taste for {rhythm}.",
        "If one listens closely, there is a fondness for {rhythm} in it.",
        "What they tell of themselves has something of {rhythm} in it.",
    ),
)
