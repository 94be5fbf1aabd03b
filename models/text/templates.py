"""Sentence templates: which facts a sentence needs, its slots and choices, and which sentences are held out.

A line of a template file is `facts | sentence`. Facts are joined by `+`; a sentence suits a record for which all of them hold. In
the sentence `{slot}` is replaced by the record's, `<list>` by one of a list's phrases and `[a|b]` by one of both.
"""

import dataclasses
import hashlib
import re

from network import LENGTH

HELD_OUT = 5
"""One of so many records, and of so many sentences, is kept from training."""

AFTER_COMMA = re.compile(r",([,;.:])")
"""A phrase that ends with a comma, before another sign."""

CHOICE = re.compile(r"\[([^\[\]]*)\]|<(\w+)>")


def held_out(text):
    """Whether the SHA-256 of a text puts it among those held out."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) % HELD_OUT == 0


@dataclasses.dataclass(frozen=True)
class Template:
    """A sentence and the facts that it needs."""

    facts: frozenset
    sentence: str

    def suits(self, facts):
        """Whether all that the sentence needs holds."""
        return self.facts <= facts

    def render(self, slots, lists, rng):
        """The sentence, filled. Phrases of lists may have slots of their own."""

        def choose(match):
            options = match[1].split("|") if match[1] is not None else lists[match[2]]
            return rng.choice(options)

        text = CHOICE.sub(choose, self.sentence).format_map(slots)
        return AFTER_COMMA.sub(r"\1", text).rstrip(",")


def load(path):
    """The templates of a file; empty lines and lines that begin with # are none."""
    lines = [line for line in path.read_text().splitlines() if line.strip() and not line.startswith("#")]
    templates = []
    for line in lines:
        facts, sentence = line.split(" | ", 1)
        templates.append(Template(frozenset(facts.split("+")), sentence))
    sentences = [t.sentence for t in templates]
    if len(set(sentences)) != len(sentences):
        raise ValueError(f"{path} has a sentence twice")
    return templates


class Sentences:
    """Templates to choose from."""

    def __init__(self, templates):
        self.templates = templates
        self.suiting = {}

    def render(self, facts, slots, lists, rng):
        """A text of at most 248 bytes, and the template that it is from: one of those that suit these facts, with equal chances."""
        if facts not in self.suiting:
            self.suiting[facts] = [t for t in self.templates if t.suits(facts)]
        if not self.suiting[facts]:
            raise ValueError(f"no template suits {sorted(facts)}")
        for _ in range(100):
            template = rng.choice(self.suiting[facts])
            text = template.render(slots, lists, rng)
            if len(text) <= LENGTH:
                return text, template
        raise ValueError(f"no sentence of {LENGTH} bytes for {slots}")


def halves(path):
    """A file's sentences to train on, and those held out."""
    every = load(path)
    known, held = ([t for t in every if held_out(t.sentence) == h] for h in (False, True))
    return Sentences(known), Sentences(held)
