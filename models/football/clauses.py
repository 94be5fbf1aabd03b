"""Sentences for training that are put together from the rules of clauses.txt: many words, orders and styles, and words that mean nothing."""

import pathlib
import re

from templates import Template, held_out

NAME = re.compile(r"<([a-z_.0-9]+)>")
PART = re.compile(r"(\[[^\[\]]*\]|<[a-z_.0-9]+>)")
DRAWN = re.compile(r"\{(noise|name|number|letter)\}")
SIGN = re.compile(r" +([,;:.)!])")
SPACES = re.compile(r" {2,}")

PARTS = (
    "ba be bor bri ca cla cor da del do dra el en fa fer flo go gra ha hol in ka kel la len lor ma mir mo na nor o pa per plo ra ro sa sel "
    "sho sta stan ta ter tor tra u va ver wes za ing ed ly er est"
).split()
"""Of which words that mean nothing are made."""

NUMBERS = [
    ("{score}", "{flip}"), ("{score}", "{flip}"), ("{score}", "{flip}"), ("{h}-{a}", "{a}-{h}"), ("{h}-{a}", "{a}-{h}"),
    ("{h} to {a}", "{a} to {h}"), ("{H}-{A}", "{A}-{H}"), ("{H} {A}", "{A} {H}"), ("{H} to {A}", "{A} to {H}"), ("{h}:{a}", "{a}:{h}"),
    ("{h} goals to {a}", "{a} goals to {h}"), ("{h}/{a}", "{a}/{h}"), ("{h}x{a}", "{a}x{h}"),
    ("{H} goals to {A}", "{A} goals to {H}"), ("{h}-{A}", "{a}-{H}"),
]  # fmt: skip
"""Scores, with the goals of the home side first, and of the away side."""

LONGEST = 190
"""Bytes of a sentence, so that most have room for an opening and a closing."""

EITHER = 0.35
"""Share of scores after words for a loss that have the loser's goals first."""


def depth_split(line):
    """The alternatives of a line: its parts between signs | that are in no brackets."""
    parts, depth = [""], 0
    for sign in line:
        depth += (sign == "[") - (sign == "]")
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    return [part.strip() for part in parts]


def load(path):
    """The rules of a file: from each name to the list of its alternatives."""
    rules, name = {}, None
    for line in path.read_text().splitlines():
        if line.startswith("#") or not line.strip():
            continue
        if not line.startswith(" "):
            name = line.rstrip(":")
            rules[name] = []
        else:
            rules[name] += depth_split(line)
    return rules


RULES = load(pathlib.Path(__file__).parent / "clauses.txt")

WORDS = {
    "beat": [p for p in RULES["win.past"] + RULES["win.now"]],
    "lost": [p for p in RULES["lose.past"] + RULES["lose.now"]],
    "drew": [p for p in RULES["draw.past"] + RULES["draw.now"]],
    "shared": RULES["draw.both"],
    "off": RULES["off"],
    "OFF": RULES["offhead"],
}
"""What the written sentences may say too, besides the lists of bulletins.py."""


def word(rng):
    """A word that means nothing."""
    return "".join(rng.choices(PARTS, k=rng.choice([1, 2, 2, 3])))


def drawn(match, rng):
    """A word, a person's name, a small number or a letter."""
    kind = match[1]
    if kind == "number":
        return str(rng.randint(1, 60))
    if kind == "letter":
        return rng.choice("ABCDEFGH")
    return word(rng) if kind == "noise" else " ".join(word(rng).capitalize() for _ in range(rng.choice([1, 1, 2])))


def parsed(text):
    """An alternative in parts: texts, names of rules, and lists of choices."""
    found = []
    for part in PART.split(text):
        if part.startswith("[") and part.endswith("]"):
            found.append([parsed(option) for option in part[1:-1].split("|")])
        elif NAME.fullmatch(part) and part[1:-1] in RULES:
            found.append((part[1:-1],))
        elif part:
            found.append(part)
    return found


PARSED = {name: [parsed(text) for text in texts] for name, texts in RULES.items()}


def grow(rng, parts):
    """A text of these parts; lists of bulletins.py stay."""
    text = ""
    for part in parts:
        if isinstance(part, str):
            text += part
        elif isinstance(part, tuple):
            text += " " + grow(rng, rng.choice(PARSED[part[0]]))
        else:
            text += grow(rng, rng.choice(part))
    return text


def sides(rng):
    """Which side is named first, and the names; one of them says so unless it is the home side that is first."""
    if rng.random() < 0.6:
        return True, *rng.choice([("{home}", "{away}")] * 6 + [("<HS>", "{away}"), ("{home}", "<AS>"), ("<HS>", "<AS>")])
    return False, *rng.choice([("<AS>", "{home}"), ("<AS>", "<HS>"), ("{away}", "<HS>")])


def fill(rng, text, home_first, x, y, wins, loser_speaks):
    """The text with names and scores; `wins`: the side named first won, `None` if nobody did."""
    home, away = rng.choice(NUMBERS)
    s, r = (home, away) if home_first else (away, home)
    w = r if wins is False else s
    either = rng.choice([s, r]) if rng.random() < 2 * EITHER else w
    p, q = ("h", "a") if home_first else ("a", "h")
    if rng.random() < 0.25:
        p, q = p.upper(), q.upper()
    values = {"x": x, "y": y, "s": s, "r": r, "w": w, "e": either if loser_speaks else w, "z": either, "p": f"{{{p}}}", "q": f"{{{q}}}"}
    return re.sub(r"\{([xysrwezpq])\}", lambda m: values[m[1]], text)


def tidy(text):
    """The text with single blanks, none before a comma or stop, and signs | where the rules have ¦."""
    return SPACES.sub(" ", SIGN.sub(r"\1", SPACES.sub(" ", text))).replace("¦", "|").strip(" ,;")


def sentence(facts, rng):
    """A template that suits these facts."""
    first, x, y = sides(rng)
    outcome = next((o for o in ("home", "draw", "away") if o in facts), None)
    wins = None if outcome in (None, "draw") else (outcome == "home") == first
    chance = rng.random()
    if outcome is None:
        rule, wins = "none", None
    elif chance < 0.36:
        rule = "score"
    elif chance < 0.62:
        rule = {None: "draw", True: "win", False: "lose"}[wins]
    elif chance < 0.92:
        rule = {None: "draw", True: "win", False: "lose"}[wins]
        if chance > 0.72:
            first, x, y, rule = True, "{home}", "{away}", {"home": "homewin", "away": "awaywin", "draw": "awaydraw"}[outcome]
            wins = None if outcome == "draw" else outcome == "home"
    else:
        first, x, y, rule = True, "{home}", "{away}", "awayscore"
    text = DRAWN.sub(lambda m: drawn(m, rng), grow(rng, [("before",), (rule,), ("later",)]))
    text = fill(rng, text, first, x, y, wins, rule == "lose")
    return Template(facts, tidy(text))


class Reports:
    """Sentences of the rules and of others' making; for [`bulletins.bulletin`].

    `apart`: sentences that must not be given. `share`: that of the rules, of texts.
    """

    def __init__(self, others, apart, share=0.6):
        self.others, self.share = others, share
        self.apart = {template.sentence for template in apart.templates}

    def render(self, facts, slots, lists, rng):
        """As [`templates.Sentences.render`]."""
        while rng.random() < self.share:
            template = sentence(facts, rng)
            if held_out(template.sentence) or template.sentence in self.apart:
                continue
            text = template.render(slots, lists, rng)
            if 12 <= len(text) <= LONGEST:
                return text, template
        wider = {name: [*phrases, *WORDS.get(name, [])] for name, phrases in lists.items()}
        return self.others.render(facts, slots, wider if rng.random() < 0.7 else lists, rng)


def spoil(text, rng):
    """The text as it is, or in another case, or with a letter wrong."""
    chance = rng.random()
    if chance < 0.05:
        return text.upper()
    if chance < 0.07:
        return text.lower()
    if chance < 0.12:
        at = [i for i in range(1, len(text) - 1) if text[i].isalpha() and text[i + 1].isalpha()]
        if at:
            i = rng.choice(at)
            return rng.choice([text[:i] + text[i + 1] + text[i] + text[i + 2 :], text[:i] + text[i + 1 :], text[:i] + text[i] + text[i:]])[:248]
    return text
