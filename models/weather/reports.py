"""Weather records as a station's reports: what a record says in which words."""

import csv
import datetime
import pathlib

import templates

CLASSES = ["dry", "wet"]
"""Wet: the station's gauge held something at the end of the day."""

SEEN = {
    "sun": ["sunshine", "clear sky", "sun all day", "bright and clear", "a few clouds and sun", "sunny", "fair", "no rain, some sun",
            "a bright day", "not a cloud", "no clouds and no rain", "a dry day"],
    "rain": ["rain", "rain showers", "showers", "steady rain", "rain at times", "clouds and rain", "wet streets", "rainy",
             "a wet day", "steady rain kept the ground wet"],
    "snow": ["snow", "snow showers", "light snow", "snowfall", "snow on the ground", "flakes of snow", "snowy"],
    "fog": ["fog", "thick fog", "fog until noon", "mist and fog", "poor visibility in fog", "foggy"],
    "drizzle": ["drizzle", "a little drizzle", "fine drizzle", "grey with drizzle", "damp with drizzle"],
}  # fmt: skip

MEASURED = {
    True: ["{mm} mm in the gauge", "gauge {mm} mm", "{mm} mm fell", "precipitation {mm} mm", "the gauge held {mm} mm",
           "{mm} millimetres measured", "rain gauge {inches} in", "{inches} inches of water", "total {mm} mm"],
    False: ["0.0 mm in the gauge", "gauge 0.0 mm", "nothing fell", "precipitation none", "the gauge was empty", "nothing measured",
            "rain gauge 0.00 in", "the gauge was dry", "total 0.0 mm", "no water in the gauge"],
}  # fmt: skip

WINDS = [(2, ["hardly any wind", "calm air", "a light breeze"]), (5, ["a breeze", "a moderate wind", "some wind"]),
         (99, ["a strong wind", "a stiff wind", "gusty wind"])]  # fmt: skip


def load(path):
    """The records."""
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def key(row):
    """What tells a record from all others."""
    return f"{row['location']},{row['date']}"


def label(row):
    """The class of a record: its gauge alone counts, whatever the observer saw."""
    return int(float(row["precipitation"]) > 0)


def slots(row, rng):
    """What a record puts into sentences; temperatures in degrees Celsius, wind in metres a second."""
    day = datetime.date.fromisoformat(row["date"])
    number = (lambda v: v) if rng.random() < 0.5 else (lambda v: str(round(float(v))))
    millimetres = float(row["precipitation"])
    return {
        "place": row["location"], "month": f"{day:%B}", "number": rng.randint(1, 999),
        "date": rng.choice([row["date"], f"{day.day} {day:%B} {day.year}", f"{day:%B} {day.day}", f"{day:%d/%m/%Y}"]),
        "high": number(row["temp_max"]), "low": number(row["temp_min"]), "wind": number(row["wind"]),
        "mm": f"{millimetres:.1f}", "inches": f"{millimetres / 25.4:.2f}",
    }  # fmt: skip


def report(row, sentences, rng):
    """The report of a record as text and class."""
    wet = bool(label(row))
    values = slots(row, rng)
    windy = next(words for limit, words in WINDS if float(row["wind"]) < limit)
    lists = {"sky": SEEN[row["weather"]], "gauge": [m.format_map(values) for m in MEASURED[wet]], "windy": windy}
    facts = frozenset({"any", row["weather"], CLASSES[wet]})
    text, _ = sentences.render(facts, values, lists, rng)
    return text[0].upper() + text[1:], int(wet)


def sentences():
    """The sentences to train on, and those held out."""
    return templates.halves(pathlib.Path(__file__).parent / "templates.txt")
