"""Football results as bulletins: what a record says in which words.

The home side is the one that is named first, or that the sentence calls home side or hosts; a sentence that names the other side
first says so.
"""

import csv
import datetime
import functools
import pathlib
import re

import templates
import texts
from network import LENGTH

CLASSES = ["home", "draw", "away", "no result"]
"""Of which the data has three: a penalty shoot-out after a draw is a draw, as there."""

NO_RESULT = 3

NUMBERS = "nil one two three four five six seven eight nine ten eleven twelve".split()

LISTS = {
    "ft": ["Full time", "FULL TIME", "FT", "Full-time", "Final", "Final score", "Result"],
    "beat": ["beat", "beat", "defeated", "overcame", "saw off", "got past", "won against", "outplayed", "edged past", "edged out", "downed",
             "prevailed over", "triumphed over", "were victorious over", "came out on top against", "were better than",
             "were too strong for", "were too good for", "had the better of", "took the points against", "ran out winners over",
             "claimed victory over", "took victory over", "won the match against", "have beaten", "have defeated"],
    "lost": ["lost to", "lost to", "lost against", "were beaten by", "were defeated by", "fell to", "went down to", "were edged out by",
             "lost out to", "were overcome by", "were outplayed by", "succumbed to", "suffered defeat against", "suffered a loss to",
             "slipped to defeat against", "came off second best against", "were no match for", "had no answer to", "were downed by",
             "lost the match against", "fell to a defeat by", "slumped to a loss against", "have lost to", "got nothing against"],
    "drew": ["drew with", "drew with", "drew against", "were held by", "tied with", "played out a draw with", "finished level with",
             "shared the points with", "took a point against", "got a draw against", "shared the spoils with",
             "were all square with", "ended level with", "were held to a draw by", "have drawn with"],
    "shared": ["drew", "drew", "shared the points", "played out a draw", "tied", "finished level", "could not be separated", "took a point each",
               "were all square", "ended level", "could not find a winner", "had to share the points", "each took a point", "have drawn"],
    "off": ["was postponed", "has been postponed", "was cancelled", "has been cancelled", "was abandoned", "was called off",
            "has been called off", "is off", "will not be played", "was not played", "did not take place", "is postponed", "is cancelled",
            "could not be played", "was put off", "has been put back", "will not take place", "did not go ahead", "was scrapped",
            "has been abandoned", "will be played on another day", "was rescheduled"],
    "OFF": ["Postponed", "POSTPONED", "Cancelled", "CANCELLED", "Abandoned", "ABANDONED", "Called off", "No result", "CALLED OFF", "Put off",
            "Not played", "Rescheduled", "NO RESULT", "Off"],
    "why": ["heavy rain", "snow", "fog", "a waterlogged pitch", "a frozen pitch", "floodlight failure", "a power cut", "crowd trouble",
            "a thunderstorm", "strong winds", "security concerns", "illness in the squad", "a travel delay", "a pitch invasion",
            "a strike", "lightning", "a flooded stadium", "unrest", "a storm", "ice on the pitch", "a bomb threat", "a dispute"],
    "nh": ["{H}", "{H}", "{h}", "{h} goals"],
    "na": ["{A}", "{A}", "{a}", "{a} goals"],
    "wh": ["{H}-{A}", "{H} {A}", "by {H} goals to {A}", "{h}:{a}", "by {H} to {A}"],
    "ww": ["{A}-{H}", "{A} {H}", "by {A} goals to {H}", "{a}:{h}", "by {A} to {H}"],
    "wl": ["{H}-{A}", "{A}-{H}", "by {H} goals to {A}", "by {A} goals to {H}", "{h}:{a}"],
    "wd": ["{h}-{a}", "{H}-{A}", "{h}:{a}", "{H}-all", "{h} each"],
    "adv": ["", "", " in {city}", " in the {cup}", " on {date}", " before {crowd} people", " in {city} on {date}",
            " in the {cup} in {city}"],
    "HS": ["home side {home}", "home team {home}", "the home side {home}", "the home side, {home},", "{home} (home)",
           "{home} (home side)", "{home}, the home side,", "home side {home}"],
    "AS": ["away side {away}", "away team {away}", "the away side {away}", "the away side, {away},", "{away} (away)",
           "{away} (away side)", "{away}, the away side,", "{away}, away from home,"],
}  # fmt: skip

HOSTS = {
    "HS": ["hosts {home}", "the hosts {home}", "the hosts, {home},", "{home}, the hosts,"],
    "AS": ["visitors {away}", "the visitors {away}", "the visitors, {away},", "{away}, the visitors,"],
}
"""Also what the sides are called where the home side plays at home."""


OPENINGS = ["{cup}: ", "{date}: ", "{city}, {date}: ", "Match {number}: ", "Official: ", "From {city}: ", "Football: ", "Sport: ",
            "Latest: ", "{cup}, {date}. ", "International football. ", "{country}: ",
            "Match report: ", "Results: ", "{city}: ", "Bulletin {number}. ", "{date}. ", "News from {city}: ", "Match {number}, {cup}: "]  # fmt: skip
CLOSINGS = [" ({cup})", ". {city}, {date}", ". Attendance {crowd}", ". Match {number}", ", {date}", ". {cup}", " [{city}]", ". Ends",
            ". Half time {ht}", ". {crowd} tickets sold", " - {city}", ". Report follows", " in {city}", " in the {cup}", " on {date}",
            ". Crowd {crowd}", ". Kick-off was on time", " ({country})", ". Bulletin {number}", ". Referee's report received", " before {crowd}"]  # fmt: skip
"""What may stand before and after a sentence; it says nothing of the outcome."""

DECORATED = 0.4
"""Share of bulletins with an opening, and of those with a closing."""


def load(path):
    """The records, with names in ASCII."""
    with open(path, newline="", encoding="utf-8") as file:
        return [{k: texts.ascii_text(v) for k, v in row.items()} for row in csv.DictReader(file)]


def key(row):
    """What tells a record from all others."""
    return f"{row['date']},{row['home_team']},{row['away_team']}"


def word(goals):
    return NUMBERS[goals] if goals < len(NUMBERS) else str(goals)


def slots(row, rng):
    """What a record puts into sentences. What is not in the data (half time, minutes, spectators, shoot-outs) is drawn."""
    home, away = int(row["home_score"]), int(row["away_score"])
    diff = abs(home - away)
    some = ("a single goal", "one goal") if diff == 1 else (f"{word(diff)} goals", f"{diff} goals")
    between = rng.choice(["-", "-", "-", ":", " - ", " to "])
    half = [rng.randint(0, goals) for goals in (home, away)]
    day = datetime.date.fromisoformat(row["date"])
    form = rng.choice(["%Y-%m-%d", "DAY %B %Y", "%B DAY", "%d/%m/%Y", "%a DAY %b"])
    crowd = rng.randint(400, 80000)
    taken = rng.choice([(5, 4), (4, 3), (4, 2), (3, 1), (3, 2), (6, 5), (2, 4), (3, 5), (1, 3), (4, 5)])
    return {
        "home": row["home_team"], "away": row["away_team"], "city": row["city"], "country": row["country"],
        "cup": row["tournament"].lower() if row["tournament"] == "Friendly" else row["tournament"],
        "h": home, "a": away, "H": word(home), "A": word(away),
        "score": f"{home}{between}{away}", "flip": f"{away}{between}{home}", "ht": f"{half[0]}{between}{half[1]}",
        "date": f"{day:{form}}".replace("DAY", str(day.day)), "minute": rng.randint(5, 88), "late": rng.randint(84, 97), "number": rng.randint(1, 64),
        "margin": some[home % 2], "gap": f"{word(diff)}-goal",
        "crowd": rng.choice([f"{crowd:,}", str(crowd)]), "pens": f"{taken[0]}{between}{taken[1]}",
    }  # fmt: skip


def facts(row, off):
    """What holds of a record; `off`: of its match if it had not been played to its end."""
    home, away = int(row["home_score"]), int(row["away_score"])
    found = {"none"} if off else {"any", row["outcome"]}
    found |= {"own"} if row["neutral"] == "FALSE" else set()
    found |= {"nil"} if min(home, away) == 0 else {"goals"}
    return found


HINTS = (2, 8, 8)
"""Numbers of values of what a network is also trained to say: the side that is named first, and both sides' goals."""

NAMED = re.compile(r"\{(home|away)\}|<([HA])S>")
COUNTED = re.compile(r"\{(h|a|H|A|score|flip)\}|<(nh|na|wh|ww|wl|wd)>")


@functools.cache
def side(template):
    """0 if the sentence names the home side first, 1 if the away side."""
    found = NAMED.search(template.sentence)
    return int(found[0] in ("{away}", "<AS>"))


@functools.cache
def counted(template):
    """Which sides' goals the sentence says: home, away."""
    found = {a or b for a, b in COUNTED.findall(template.sentence)}
    one = [{"h", "H", "nh"}, {"a", "A", "na"}]
    return tuple(bool(found & names or found - one[0] - one[1]) for names in one)


def goals(template, row):
    """Goals of both sides, 6 if more, 7 if the sentence does not say."""
    numbers = (int(row["home_score"]), int(row["away_score"]))
    return [min(n, 6) if said else 7 for n, said in zip(numbers, counted(template))]


def bulletin(row, off, sentences, rng):
    """The bulletin of a record as text and what it says: its outcome, or "no result" of a match that was off; then what [`side`]
    and [`goals`] say of the sentence.
    """
    values = slots(row, rng)
    found = facts(row, off)
    lists = {name: [*phrases, *(HOSTS.get(name, []) if "own" in found else [])] for name, phrases in LISTS.items()}
    opening = rng.choice(OPENINGS).format_map(values) if rng.random() < DECORATED else ""
    closing = rng.choice(CLOSINGS).format_map(values) if rng.random() < DECORATED else ""
    text, template = sentences.render(frozenset(found), values, lists, rng)
    if len(opening + text + closing) <= LENGTH:
        text = opening + text + closing
    outcome = NO_RESULT if off else CLASSES.index(row["outcome"])
    return text[0].upper() + text[1:], (outcome, side(template), *goals(template, row))


DRAWN = 0.15
"""Share of training texts with scores that are drawn, as high ones are rare, and of those with names that are no country's."""

SYLLABLES = (
    "ba be bor ca cor da del do el en fa fer go gra ha hol in ka kel la len lor ma mir mo na nor o pa per ra ro sa sel stan ta tor u va ver "
    "wes za"
).split()


def name(rng):
    """A name of one or two words of syllables."""
    words = ["".join(rng.choices(SYLLABLES, k=rng.randint(2, 4))).capitalize() for _ in range(rng.choice([1, 1, 1, 2]))]
    return " ".join(words)


def scored(home, away):
    """What a record says of a score."""
    return {"home_score": home, "away_score": away, "outcome": CLASSES[1 + (away > home) - (home > away)]}


def mixed(rows, rng):
    """As many rows with names, places, competitions and days of one row each and the score of another.

    A network that has seen them can't tell an outcome by who played.
    """
    orders = [rng.sample(rows, len(rows)) for _ in range(4)]
    names = [("home_team",), ("away_team",), ("date", "tournament"), ("city", "country", "neutral")]
    made = [dict(row) for row in rows]
    for order, keys in zip(orders, names):
        for row, other in zip(made, order):
            row |= {key: other[key] for key in keys}
    for row in made:
        if rng.random() < DRAWN:
            row |= scored(rng.randint(0, 9), rng.randint(0, 9))
        if rng.random() < DRAWN:
            row |= {"home_team": name(rng), "away_team": name(rng)}
    return made


APART = ("reserved", "blind")
"""Files of sentences that are for measuring alone."""


def sentences():
    """The sentences to train on, those of templates.txt that are held out, and by their files' names those for measuring alone."""
    here = pathlib.Path(__file__).parent
    known, held = templates.halves(here / "templates.txt")
    known = templates.Sentences(known.templates + templates.load(here / "more.txt"))
    return known, held, {name: templates.Sentences(templates.load(here / f"{name}.txt")) for name in APART}
