"""Sentences for training that are put together from clauses: who is named first and as what, who won or lost or drew in which words,
the score in which order, and what says nothing of the outcome. They follow the rules of bulletins.py, which fills them.
"""

from templates import Template, held_out

WINS = ["won", "win", "won the match", "took the points", "took all three points", "took victory", "took the win", "were the winners",
        "are the winners", "came out on top", "left with the points", "claimed victory", "were victorious", "celebrated a win",
        "picked up the win", "got the win", "secured victory", "went home with a win", "prevailed"]  # fmt: skip
LOSES = ["lost", "lose", "lost the match", "were beaten", "were defeated", "got nothing", "went down", "came away with nothing",
         "left with nothing", "took no points", "are the losers", "were the losers", "suffered defeat", "suffered a loss",
         "went home with nothing", "got no points", "slumped to a defeat", "fell to a defeat"]  # fmt: skip
DRAWS = ["drew", "draw", "took a point", "got a point", "picked up a point", "earned a point", "secured a draw", "finished level",
         "had to settle for a draw", "played out a draw"]  # fmt: skip
ALONE = {"win": WINS, "lose": LOSES, "draw": DRAWS}
"""What a side did, without the other."""

WITH = {"win": "<beat>", "lose": "<lost>", "draw": "<drew>"}
"""What a side did to the other, as lists of bulletins.py."""

BY = {"win": ["winners over", "victorious against", "successful against"], "lose": ["beaten by", "defeated by", "losers against"],
      "draw": ["held by", "level with", "all square with"]}  # fmt: skip
NOUNS = {
    "win": ["victory", "a win", "win", "success", "three points", "the win", "the points"],
    "lose": ["defeat", "a defeat", "loss", "a loss", "no points", "beating"],
    "draw": ["a draw", "one point", "a point", "draw", "a share of the points"],
}
TITLES = {"win": ["win", "victory"], "lose": ["defeat", "loss"], "draw": ["draw"]}
AWAY_TITLES = {"win": ["win", "victory", "success"], "lose": ["defeat", "loss"], "draw": ["draw", "point"]}
TRAVELLED = ["travelled to", "went to", "came to"]
ON_THE_ROAD = ["away from home", "on the road", "in an away match", "as the away side"]
EVEN = ["Draw", "A draw", "No winner", "Stalemate", "All square"]
OTHER = {"win": "lose", "lose": "win", "draw": "draw"}
JOINTS = [", ", "; ", " and ", ", while ", ". ", " - ", ", and ", ": "]

AWAY = ["away to {home}", "on the road against {home}", "away from home against {home}", "on their trip to {home}", "on a visit to {home}",
        "as visitors of {home}", "away against {home}"]  # fmt: skip
"""What says that the side named first is the away side."""

PAIRS = ["{x} v {y}", "{x} vs {y}", "{x} against {y}", "{x} and {y}", "{x} - {y}", "{x} versus {y}"]
MATCHES = ["The match between {x} and {y}", "The game between {x} and {y}", "The match {x} v {y}", "The {cup} match between {x} and {y}",
           "The {cup} game {x} against {y}", *PAIRS]  # fmt: skip
LINKS = [" ended ", " finished ", ": ", ", ", " ended at ", " final score ", ", final score ", " came to an end at ", "; it ended ",
         ", it finished ", " ended with a score of ", " finished with the score at ", ". Full time: ", ". Result: ", " is over, ",
         ". The final score was ", ": full time ", ", at the end ", ", at full time "]  # fmt: skip
HALVES_BEFORE = ["Half time {ht}, full time ", "Half time {ht}. ", "At half time {ht}, at the end ", "It was {ht} at half time; ",
                 "It was {ht} at the break: ", "After {ht} at the break ", "After {ht} at half time, ", "{ht} at the break, then ",
                 "At the break {ht}, final score ", "HT {ht}, FT ", "{ht} at half time. ", "The half ended {ht}, the match ",
                 "At the interval it was {ht}; "]  # fmt: skip
HALVES_AFTER = [", half time {ht}", " ({ht})", " (half time {ht})", " (HT {ht})", " after {ht} at the break", ", {ht} at half time",
                ", it was {ht} at half time", "; at the break it was {ht}", " after it was {ht} at the interval", ". Half time: {ht}",
                ", having been {ht} at the break", " [HT {ht}]"]  # fmt: skip
HALF_AND_FULL = ["Half time {ht}, full time", "It was {ht} at the break and", "At half time {ht}, at the end", "HT {ht}, FT"]
BOTH_SCORES = ["{ht} at half time, %s at the end", "half time {ht}, full time %s", "{ht} at the break and %s at the end", "HT {ht}, FT %s",
               "full time %s, half time {ht}", "%s at the end after {ht} at the break", "half time {ht}, end %s"]  # fmt: skip
SCORERS = ["goals for", "by", "from"]
SCORE_OF = ["between", "in the match between", "was the score between", "it ended between"]
ENDED = [": ", " and it ended ", "; score ", ", final score ", ". It finished "]
LATE = [", goal in minute {late}", ", a late goal in minute {late}", " with a goal in the {late}th minute", ", decided in minute {late}",
        " thanks to a goal in minute {late}", ", the last goal in minute {late}"]  # fmt: skip
CROWDS = [", {crowd} watching", " before {crowd}", " in front of {crowd} spectators", "<adv>", "<adv>", "<adv>"]
GOALS = ["scored", "scored", "got", "had", "made", "finished with", "netted", "managed", "with", "ended with", "have"]
BETWEEN = [", ", "; ", " and ", " - ", ". ", ", while "]
PENALTIES = [" ({x} won {pens} on penalties)", ", {y} won {pens} on penalties", " after extra time, {pens} on penalties",
             "; penalties {pens}", ". {x} won the shoot-out {pens}", ". {y} won the shoot-out {pens}", ", shoot-out {pens}",
             " and {y} went through on penalties", "; {x} go through after penalties", ", then lost {pens} on penalties",
             " before {x} won the shoot-out", " and won {pens} on penalties", ". Penalties: {pens}"]  # fmt: skip
VOID = ["annulled", "declared void", "void", "is void", "was annulled", "was declared void", "does not count", "has been annulled",
        "has been declared void", "struck from the records", "was wiped out", "will not count"]  # fmt: skip
STOPPED = ["abandoned", "suspended", "stopped", "called off", "was abandoned", "was suspended", "had to be abandoned", "halted",
           "interrupted and not resumed"]  # fmt: skip
BECAUSE = [" because of <why>", ", <why>", " due to <why>", " after <why>", " owing to <why>", ": <why>", " (<why>)"]
FOLLOWS = ["; tickets stay valid", ", new date to follow", ", will be replayed", ", no result", ". No result", " until further notice",
           ". A new date will follow", ", a replay is planned"]  # fmt: skip


NO = ["No result", "No game", "No match", "No play"]
ANNULLED = ["Annulled", "Void", "Declared void", "Result annulled", "Result void", "Struck off"]
MISSING = ["withdrew", "did not arrive", "did not travel", "refused to play", "could not field a team"]
LED = ["led", "were leading", "trailed", "were ahead of", "were behind"]
NOT_YET = ["postponed", "cancelled", "put off", "called off", "rescheduled", "not played", "put back to another day"]


LONGEST = 200
"""Bytes of a sentence of the grammar, so that most have room for an opening and a closing."""


def some(rng, share, options):
    """One of the options, or nothing."""
    return rng.choice(options) if rng.random() < share else ""


def sides(rng):
    """Which side is named first, the names, and whether one of them says so."""
    if rng.random() < 0.55:
        return True, rng.choice(["{home}", "{home}", "<HS>"]), rng.choice(["{away}", "{away}", "<AS>"])
    return False, *rng.choice([("<AS>", "{home}"), ("<AS>", "<HS>"), ("{away}", "<HS>")])


def score(rng, home_first):
    """A score in words or digits, with the goals of the side that is named first first."""
    own, other = ("{h}", "{a}") if home_first else ("{a}", "{h}")
    digits, words = ("{score}", "<wh>") if home_first else ("{flip}", "<ww>")
    return rng.choice([digits, digits, digits, words, words, f"{own} to {other}", f"{own}-{other}"])


def tail(rng, home_first):
    """What may follow what the sides did: the score, half time, minutes, spectators."""
    number = score(rng, home_first)
    lead = rng.choice([" ", " ", ", ", ": ", ", score ", ", final score ", ", the score ", ", ending ", " - "])
    said = lead + number if rng.random() < 0.55 else ""
    said = some(rng, 0.3, CROWDS) + said if rng.random() < 0.5 else said + some(rng, 0.3, CROWDS)
    return said + some(rng, 0.18, HALVES_AFTER)


def digits(home_first):
    """The score as an adjective."""
    return "{score}" if home_first else "{flip}"


def level(rng, x, y, first, end):
    """Ways to say that the sides drew, some of them with a shoot-out."""
    both = f"{x} and {y} <shared>{end}"
    taken = lambda: rng.choice(PENALTIES).format_map(Names(x, y))
    return [
        lambda: both,
        lambda: both,
        lambda: f"{rng.choice(EVEN)} between {x} and {y}{end}",
        lambda: f"{both}{taken()}",
        lambda: f"{x} {digits(first)} {y}{taken()}",
        lambda: f"{x} {WITH['draw']} {y}{end}{taken()}",
    ]


def named(rng, did, x, y, end):
    """Ways to call the sides winners and losers; `did`: what the side did that is named first."""
    own, other = (("winner", "loser") if did == "win" else ("loser", "winner"))
    first = [f"The {own}s were", f"The {own}s are", f"{own.capitalize()}s:"]
    second = [f"the {other}s", f"the {other}s were", f"{other}s"]
    return [
        lambda: f"{rng.choice(first)} {x}, {rng.choice(second)} {y}{end}",
        lambda: f"The {own}s{some(rng, 0.3, CROWDS)} were {x}, who {WITH[did]} {y}{end}",
    ]


def away_first(rng, did, verb, end):
    """Ways to name the away side first, and to say so by where it played."""
    place, noun = rng.choice(AWAY), rng.choice(NOUNS[did])
    return [
        lambda: f"{{away}} {verb} {place}{end}",
        lambda: f"{{away}} {verb} {place}{end}",
        lambda: f"{{away}} {verb}{tail(rng, False)} {place}",
        lambda: f"{{away}} {rng.choice(['travelled to', 'went to', 'visited'])} {{home}} and {verb}{end}",
        lambda: f"{{away}} {WITH[did]} {{home}} {rng.choice(ON_THE_ROAD)}{end}",
        lambda: f"Away {rng.choice(AWAY_TITLES[did])} for {{away}} at {{home}}{end}",
        lambda: f"{noun.capitalize()} for {{away}} {place}{end}",
    ]


def decided(rng, outcome, own):
    """A sentence that says who won, or that nobody did; `own`: the home side played at home."""
    first, x, y = sides(rng)
    did = "draw" if outcome == "draw" else "win" if (outcome == "home") == first else "lose"
    late = some(rng, 0.08, LATE) if outcome != "draw" else ""
    alone, end = rng.choice(ALONE[did]), late + tail(rng, first)
    noun, against = rng.choice(NOUNS[did]), rng.choice(["against", "against", "over" if did == "win" else "against"])
    after = lambda: f"{y} {rng.choice(ALONE[OTHER[did]])}"
    title = noun.capitalize()
    forms = [
        lambda: f"{x} {WITH[did]} {y}{end}",
        lambda: f"{x} {WITH[did]} {y}{end}",
        lambda: f"{x} {rng.choice(BY[did])} {y}{end}",
        lambda: f"{x} {alone} against {y}{end}",
        lambda: f"{x} {alone}{some(rng, 0.3, CROWDS)}{rng.choice(JOINTS)}{after()}{end}",
        lambda: f"{x} {alone}{tail(rng, first)}{rng.choice(JOINTS)}{after()}{late}",
        lambda: f"{title}{some(rng, 0.2, CROWDS)} for {x} {against} {y}{end}",
        lambda: f"{title} for {x}, {rng.choice(NOUNS[OTHER[did]])} for {y}{end}",
        lambda: f"{title} for {x}{some(rng, 0.3, CROWDS)}{rng.choice([': ', '. ', ', '])}{after()}{end}",
        lambda: f"{rng.choice(['It was', 'On the day it was'])} {x} who {alone} against {y}{end}",
        lambda: f"A {digits(first)} {rng.choice(TITLES[did])} for {x} against {y}{some(rng, 0.4, CROWDS)}",
        lambda: f"{x} {rng.choice(['met', 'played', 'faced'])} {y} and {alone}{end}",
    ]
    forms += level(rng, x, y, first, end) if outcome == "draw" else named(rng, did, x, y, end)
    visitors = "draw" if outcome == "draw" else "win" if outcome == "away" else "lose"
    hosts, verb = OTHER[visitors], rng.choice(ALONE[visitors])
    ends = (some(rng, 0.08, LATE) if outcome != "draw" else "") + tail(rng, False)
    away = away_first(rng, visitors, verb, ends)
    home = [
        lambda: f"{{home}} {rng.choice(ALONE[hosts])} at home {rng.choice(['to', 'against'])} {{away}}{tail(rng, True)}",
        lambda: f"At home<adv>, {{home}} {WITH[hosts]} {{away}}{tail(rng, True)}",
        lambda: f"{{away}} {rng.choice(TRAVELLED)} {{city}} and {WITH[visitors]} {rng.choice(['{home}', '<HS>'])}{ends}",
    ]
    draw = rng.random()
    return rng.choice(home if own and draw < 0.1 else away if draw < 0.3 else forms)()


class Names(dict):
    """Puts both sides' names into a phrase, and leaves all other slots as they are."""

    def __init__(self, x, y):
        super().__init__(x=x, y=y)

    def __missing__(self, slot):
        return f"{{{slot}}}"


def counted(rng):
    """A sentence that says both sides' goals and not who won."""
    first, x, y = sides(rng)
    names = Names(x, y)
    number = rng.choice(["{%s}", "{%s}", "<n%s>", "{%s}", "%s"])
    p, q = [number % c if number != "%s" else f"{{{c.upper()}}}" for c in ("ha" if first else "ah")]
    whole, verb, between = score(rng, first), rng.choice(GOALS), rng.choice(BETWEEN)
    counts = rng.choice(["", "Goals: ", "Score: ", "<ft>: ", "Final score: ", "At the end ", ""])
    text = rng.choice([
        lambda: f"{x} {p}{rng.choice(BETWEEN + [' ', ' '])}{y} {q}",
        lambda: f"{x} {verb} {p}{between}{y} {rng.choice([verb, verb, '', rng.choice(GOALS)])} {q}".replace("  ", " "),
        lambda: f"{counts}{p} for {x}{between}{q} for {y}",
        lambda: f"{counts}{x} {p}{between}{y} {q}",
        lambda: f"{p} {rng.choice(SCORERS)} {x}{between}{q} {rng.choice(SCORERS)} {y}",
        lambda: f"{x} {digits(first)} {y}",
        lambda: f"{x} {digits(first)} {y}",
        lambda: rng.choice(MATCHES).format_map(names) + some(rng, 0.25, CROWDS) + rng.choice(LINKS) + whole,
        lambda: rng.choice(MATCHES).format_map(names) + some(rng, 0.25, CROWDS) + rng.choice(LINKS) + whole,
        lambda: f"{whole} {rng.choice(SCORE_OF)} {x} and {y}",
        lambda: f"{x} {rng.choice(['met', 'played', 'faced', 'took on'])} {y}{some(rng, 0.3, CROWDS)}{rng.choice(ENDED)}{whole}",
    ])()
    spot = rng.random()
    if spot < 0.16:
        text = rng.choice(HALVES_BEFORE) + text
    elif spot < 0.4:
        text += rng.choice(HALVES_AFTER)
    elif spot < 0.5:
        text = f"{rng.choice(HALF_AND_FULL)} {whole}"
        text += rng.choice([": ", " between ", ", ", " in "]) + rng.choice(PAIRS).format_map(names)
    elif spot < 0.58:
        text = rng.choice(PAIRS).format_map(names) + rng.choice([": ", ", ", " - "])
        text += rng.choice(BOTH_SCORES) % whole
    return text + some(rng, 0.25, CROWDS) + some(rng, 0.1, [" at the end", " at the final whistle", ", <ft>", " (<ft>)", ". <ft>"])


def nothing(rng):
    """A sentence that says that there is no result."""
    names = Names(*rng.choice([("{home}", "{away}")] * 5 + [("<HS>", "<AS>"), ("<AS>", "<HS>")]))
    match, so_far = rng.choice(MATCHES).format_map(names), rng.choice(["{score}", "{score}", "{ht}", "{h} to {a}", "{H}-{A}"])
    played = rng.choice([f"{{home}} {so_far} {{away}}", f"{match}, {so_far},", f"{match} ({so_far})", match, "{home} {h} {away} {a}"])
    result = rng.choice(["The result of ", "Result of ", "The score of ", "The result ", ""])
    minute = rng.choice([" after {minute} minutes", " in minute {minute}", " at half time", " in the {minute}th minute", ""])
    at = rng.choice([f" at {so_far}", f" with the score at {so_far}", f" when it was {so_far}", ""])
    why, then = some(rng, 0.5, BECAUSE), some(rng, 0.3, FOLLOWS)
    stopped, void = rng.choice(STOPPED), rng.choice(VOID)
    place = lambda: some(rng, 0.4, ["<adv>"])
    missing = lambda: f"{rng.choice(['{home}', '{away}', '<AS>', '<HS>'])} {rng.choice(MISSING)}"
    halt = lambda: f"{rng.choice(['play', 'the match', 'the game'])} was {rng.choice(['abandoned', 'stopped', 'suspended'])}"
    return rng.choice([
        lambda: f"{match}{place()} <off>{why}{then}",
        lambda: f"{match}{place()} <off>{why}{then}",
        lambda: f"<OFF>{some(rng, 0.4, BECAUSE)}: {match}{place()}{then}",
        lambda: f"<OFF>: {played}{why}",
        lambda: f"{rng.choice(NO)}{rng.choice([': ', ', ', ' between ', '<adv>: '])}{match}{rng.choice([' <off>', ' <off>', ''])}{why}",
        lambda: f"{match} {stopped}{minute}{at}{why}{then}",
        lambda: f"{stopped.capitalize()}{minute}{at}{why}: {match}{then}",
        lambda: f"{played} {stopped}{minute}{why}{then}",
        lambda: f"{played}{minute}, then {stopped}{why}",
        lambda: f"{result}{played} {void}{why}",
        lambda: f"{rng.choice(ANNULLED)}: {result}{played}{why}",
        lambda: f"The referee {rng.choice(['abandoned', 'stopped', 'called off', 'suspended'])} {match}{minute}{at}{why}{then}",
        lambda: f"{missing()}{rng.choice(['; ', ', ', ': ', ' and '])}{match} <off>{then}",
        lambda: f"{{home}} {rng.choice(LED)} {{away}} {so_far} when {halt()}{why}",
        lambda: f"{match} {rng.choice(NOT_YET)}{why}{then}",
    ])()


def sentence(facts, rng, apart):
    """A template that suits these facts and is none of those held out; `apart`: sentences that are, besides those of the hash."""
    while True:
        if "none" in facts:
            text = nothing(rng)
        elif rng.random() < 0.42:
            text = counted(rng)
        else:
            text = decided(rng, next(o for o in ("home", "draw", "away") if o in facts), "own" in facts)
        if not held_out(text) and text not in apart:
            return Template(facts, text)


class Composed:
    """Sentences of the grammar and of a file; for [`bulletins.bulletin`].

    `apart`: sentences that the grammar must not give. `share`: that of the grammar, of texts.
    """

    def __init__(self, listed, apart, share=0.55):
        self.listed, self.share = listed, share
        self.apart = {template.sentence for template in apart.templates}

    def render(self, facts, slots, lists, rng):
        """As [`templates.Sentences.render`]."""
        while rng.random() < self.share:
            template = sentence(facts, rng, self.apart)
            text = template.render(slots, lists, rng)
            if len(text) <= LONGEST:
                return text, template
        return self.listed.render(facts, slots, lists, rng)
