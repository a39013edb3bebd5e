#!/usr/bin/env python3
"""How well `ksig draft` does on devices that the corpus does not know, against their withheld truth.

    tests/benches/draft.py KSIG FACTS [--least N] [--most N] [--signatures DIR [--without FAMILY ...]]

With `--without`, files of the corpus, named by their path below DIR without the ending, are taken out first: their devices are the unknown ones, and
precision and recall are counted on rows that these families alone identify. `--without each` takes out each family that identifies at least ten rows,
one after another.

In: the binary and `banners.ndjson`, whose rows name a field, its value and what the device is. Rows that the release identifies are given too, as
what no draft may match; of the rows that it does not identify, every second one (by SHA-256 of its value) is drafted from, without its truth, and
the others are kept back. Out: precision and recall of the drafts on the rows kept back, as JSON. A draft is right on a row when the model that it
reads is the row's, ignoring case and signs, and its maker is not another row's maker.
"""

import argparse
import collections
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile


# Fewest rows of a family that `--without each` takes out.
FAMILY_ROWS_MIN = 10


def plain(text):
    return re.sub(r"[^a-z0-9]", "", (text or "").lower())


def lines(rows):
    return "".join(json.dumps({"id": row["id"], "evidence": {row["schema_field"]: [row["value"]]}}) + "\n" for row in rows)


def identify(ksig, rows, more):
    run = subprocess.run([ksig, "identify", "--from", "evidence", *more], input=lines(rows), capture_output=True, text=True, check=False)
    answers = {}
    for line in run.stdout.splitlines():
        answer = json.loads(line)
        answers.setdefault(answer["id"], answer)
    if len(answers) != len({row["id"] for row in rows}):
        sys.exit(f"{len(answers)} answers for {len(rows)} rows:\n{run.stderr[-2000:]}")
    return answers


def device(answer):
    found = [one for one in answer["identifications"] if one.get("facet") == "device"]
    return found[0] if found else None


def experiment(options, rows, corpus, judged=None):
    """Drafts from half of what the corpus does not identify, judged on the other half; `judged`: the ids of rows that count, all without it."""
    answers = identify(options.ksig, rows, corpus)
    known = [row for row in rows if device(answers[row["id"]])]
    unknown = [row for row in rows if not device(answers[row["id"]])]
    half = lambda row: hashlib.sha256(row["value"].encode()).digest()[0] & 1
    given = [row for row in unknown if half(row)] + known
    kept_back = [row for row in unknown if not half(row)]

    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "given.ndjson")
        with open(source, "w", encoding="utf-8") as out:
            out.write(lines(given))
        command = [options.ksig, "draft", "--from", source, "-o", os.path.join(folder, "drafts"), "--format", "json",
                   "--least", options.least, "--most", options.most, *corpus]
        run = subprocess.run(command, capture_output=True, text=True, check=False)
        if run.returncode == 2:
            sys.exit(run.stderr)
        report = json.loads(run.stdout)
        # A release holds nothing unverified; here, and nowhere else, the drafts are let in.
        for where, _, files in os.walk(os.path.join(folder, "drafts")):
            for name in files:
                path = os.path.join(where, name)
                text = open(path, encoding="utf-8").read()
                with open(path, "w", encoding="utf-8") as out:
                    out.write(text.replace("evidence unverified", 'evidence observed "bench"'))
        drafted = identify(options.ksig, kept_back, ["--signatures", os.path.join(folder, "drafts")])

    count, by_field = collections.Counter(), collections.defaultdict(collections.Counter)
    for row in kept_back:
        if judged is not None and row["id"] not in judged:
            continue
        found, truth, field = device(drafted[row["id"]]), row["truth"], by_field[row["schema_field"]]
        says_model = bool(found and found.get("model"))
        has_model = bool(truth.get("model")) and row["model_in_value"]
        right = says_model and has_model and (plain(found["model"]) in plain(truth["model"]) or plain(truth["model"]) in plain(found["model"]))
        vendor_right = found is not None and truth.get("vendor") and (
            plain(found.get("vendor", "").removeprefix("drafted_")) in plain(truth["vendor"])
            or plain(truth["vendor"]) in plain(found.get("vendor", "")))
        for tally in (count, field):
            tally["rows"] += 1
            tally["has_model"] += has_model
            tally["matched"] += found is not None
            tally["negative_matched"] += found is not None and row["score"] == "negative"
            tally["says_model"] += says_model
            tally["model_right"] += right
            tally["judged_model"] += says_model and has_model
            tally["vendor_judged"] += bool(found is not None and truth.get("vendor"))
            tally["vendor_right"] += bool(vendor_right)
    kept = [one for one in report["drafts"] if not one["refused"]]
    share = lambda part, whole: round(part / whole, 3) if whole else None
    summary = lambda tally: {
        **tally,
        "model_precision": share(tally["model_right"], tally["judged_model"]),
        "model_recall": share(tally["model_right"], tally["has_model"]),
        "vendor_precision": share(tally["vendor_right"], tally["vendor_judged"]),
    }
    return {
        "rows": len(rows), "known": len(known), "given": len(given), "kept_back": len(kept_back),
        "drafts": len(kept), "refused": len(report["drafts"]) - len(kept),
        "expected_precision": share(sum(one["precision"] * one["own"] for one in kept), sum(one["own"] for one in kept)),
        "all": summary(count), "by_field": {name: summary(tally) for name, tally in sorted(by_field.items()) if tally["matched"]},
    }


def families(options, rows):
    """By file of the corpus, the rows that its signatures identify."""
    found = collections.defaultdict(set)
    for row_id, answer in identify(options.ksig, rows, ["--signatures", options.signatures]).items():
        one = device(answer)
        if one:
            found[one["signature"].rsplit(".", 1)[0].replace(".", "/")].add(row_id)
    return found


def without(options, rows, family, ids):
    """The experiment with a family's file taken out of the corpus."""
    with tempfile.TemporaryDirectory() as folder:
        corpus = os.path.join(folder, "signatures")
        shutil.copytree(options.signatures, corpus)
        os.remove(os.path.join(corpus, family + ".ksig"))
        try:
            result = experiment(options, rows, ["--signatures", corpus], ids)
        except SystemExit as problem:
            return {"family": family, "left_out": str(problem).strip().splitlines()[-1]}
    return {"family": family, "rows_of_family": len(ids), "drafts": result["drafts"], **result["all"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("ksig")
    parser.add_argument("facts")
    parser.add_argument("--least", default="3")
    parser.add_argument("--most", default="400")
    parser.add_argument("--signatures")
    parser.add_argument("--without", nargs="*", default=[])
    options = parser.parse_args()
    options.ksig = os.path.abspath(options.ksig)
    options.signatures = options.signatures and os.path.abspath(options.signatures)

    rows, seen = [], set()
    for line in open(options.facts, encoding="utf-8"):
        row = json.loads(line)
        key = (row.get("schema_field"), row.get("value"))
        if row.get("schema_field") and row.get("value") and row["score"] in ("model", "vendor", "negative") and key not in seen:
            seen.add(key)
            rows.append(row)
    if not options.without:
        print(json.dumps(experiment(options, rows, ["--signatures", options.signatures] if options.signatures else []), indent=1))
        return
    known = families(options, rows)
    chosen = sorted(family for family, ids in known.items() if len(ids) >= FAMILY_ROWS_MIN) if options.without == ["each"] else options.without
    results = [without(options, rows, family, known[family]) for family in chosen]
    total = collections.Counter()
    for result in results:
        total.update({key: value for key, value in result.items() if isinstance(value, int)})
    share = lambda part, whole: round(part / whole, 3) if whole else None
    summary = {"model_precision": share(total["model_right"], total["judged_model"]), "model_recall": share(total["model_right"], total["has_model"]),
               "vendor_precision": share(total["vendor_right"], total["vendor_judged"])}
    print(json.dumps({"families": results, "all": {**total, **summary}}, indent=1))


main()
