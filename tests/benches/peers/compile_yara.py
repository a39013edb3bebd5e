"""Times yara-x compiling as many rules with as many regular expressions as the bench `compile` has signatures, after that bench, in one run.

    pip install yara-x
    python3 tests/benches/peers/compile_yara.py [SIZE]        # 6000 signatures unless named

Both are pinned to one core and measured in CPU time. A rule has the pattern of a signature, bound to the start as far as yara can say so; it
says nothing of fields, captures, versions or identities.
"""

import os
import statistics
import subprocess
import sys
import time

import yara_x

RUNS = 3
SYLLABLES = "ka mo ri su te no ha yu ze lo pi gu ba de fo ji ke mu wa xi".split()


def word(number):
    """As `word` in tests/src/bench.rs."""
    rest, text = number + 400, "Acme"
    while rest > 0:
        text += SYLLABLES[rest % len(SYLLABLES)]
        rest //= len(SYLLABLES)
    return text


def pattern(family):
    """As `family_line` in tests/src/bench.rs."""
    name = word(family)
    return (
        rf"{name} ([A-Z]{{2}}-\d{{2,4}}) Ver\.(\d+\.\d+)",
        rf"{name}-([A-Z]{{2}}\d{{2,4}})\/(\d+\.\d+)",
        rf"{name} ([A-Z]{{2}}-\d{{2,4}})(?: V([\d.]+))?",
    )[family % 3]


def main():
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 6000
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    subprocess.run(["cargo", "bench", "-q", "-p", "ksig-tests", "--bench", "compile", "--", str(size)], check=True)
    rules = "\n".join(
        f"rule family_{family} {{ strings: $a = /^{pattern(family)}/ condition: $a at 0 }}" for family in range(size)
    )
    times = []
    for _ in range(RUNS):
        begin = time.process_time()
        compiled = yara_x.compile(rules)
        times.append(time.process_time() - begin)
    found = compiled.scan(f"{word(3)} AB-12 Ver.1.2".encode())
    assert [rule.identifier for rule in found.matching_rules] == ["family_3"], found.matching_rules
    print(f"yara-x: {size} rules compiled in {statistics.median(times) * 1000:.0f} ms")


if __name__ == "__main__":
    main()
