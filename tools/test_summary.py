#!/usr/bin/env python3
"""Adds up the results of one `bazel test --build_event_json_file=EVENTS`, cached ones included.

Prints what failed, what was skipped, the table of requirements that passing tests proved (when
--requirements names the program //docs:requirements) and, last, `N passed, N failed`.
Exits with 1 when anything failed or nothing passed.
"""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile
import urllib.parse
import xml.etree.ElementTree as ET
import zipfile

SHOWN_MAX = 40


class Totals:
    """What all test programs of the run reported."""

    def __init__(self):
        self.passed = 0
        self.failed = []
        self.skipped = set()
        self.ran = set()
        self.proved = set()

    def skipped_only(self):
        """Tests that no run and no shard did more with than skip."""
        return sorted("%s %s" % case for case in self.skipped - self.ran)


def local_path(uri):
    """The file behind a file: URI."""
    return urllib.parse.unquote(urllib.parse.urlparse(uri).path)


def read_cases(xml_path):
    """Yields ("suite::name", "pass" | "fail" | "skip") for every case of a test.xml."""
    for suite in ET.parse(xml_path).iter("testsuite"):
        for case in suite.findall("testcase"):
            name = "%s::%s" % (case.get("classname") or suite.get("name"), case.get("name"))
            if case.find("failure") is not None or case.find("error") is not None:
                yield name, "fail"
            elif case.find("skipped") is not None or case.get("status") == "SKIPPED":
                yield name, "skip"
            else:
                yield name, "pass"


def read_proofs(outputs_dir):
    """Yields ("suite::name", id) from the proves.txt of one test run, zipped or not."""
    texts = []
    for path in glob.glob(os.path.join(outputs_dir, "*.zip")):
        with zipfile.ZipFile(path) as z:
            texts += [z.read(n).decode() for n in z.namelist() if n.endswith("proves.txt")]
    plain = os.path.join(outputs_dir, "proves.txt")
    if os.path.exists(plain):
        with open(plain) as f:
            texts.append(f.read())
    for line in "".join(texts).splitlines():
        name, _, requirement = line.partition(" ")
        if requirement:
            yield name, requirement


def add_case(totals, label, name, verdict):
    """Counts one test, or one parameter of a parameterised test."""
    if verdict == "skip":  # a shard shows the tests of the others so, too
        totals.skipped.add((label, name))
        return
    totals.ran.add((label, name))
    if verdict == "pass":
        totals.passed += 1
    else:
        whole = name.endswith("::" + label.lstrip("/").replace(":", "/"))
        totals.failed.append(label if whole else "%s %s" % (label, name))


def add_program(totals, label, result):
    """Adds one run of one test program (one shard of it)."""
    uris = {o["name"]: o["uri"] for o in result.get("testActionOutput", []) if "uri" in o}
    xml_path = local_path(uris["test.xml"]) if "test.xml" in uris else None
    cases = list(read_cases(xml_path)) if xml_path and os.path.exists(xml_path) else []
    for name, verdict in cases:
        add_case(totals, label, name, verdict)
    passed = {name for name, verdict in cases if verdict == "pass"}
    not_passed = {name for name, verdict in cases if verdict != "pass"}
    if result["status"] not in ("PASSED", "FLAKY") and "fail" not in (v for _, v in cases):
        # The program itself: time-out, leak at exit, no test. Nothing it says is trusted.
        totals.failed.append("%s (%s)" % (label, result["status"].lower()))
    elif xml_path:
        proofs = read_proofs(os.path.join(os.path.dirname(xml_path), "test.outputs"))
        totals.proved |= {req for name, req in proofs if name in passed - not_passed}


def read_events(totals, path):
    """Adds every test result, and every target that could not be built."""
    with open(path) as f:
        for line in f:
            event = json.loads(line)
            if "testResult" in event:
                add_program(totals, event["id"]["testResult"]["label"], event["testResult"])
            elif "targetCompleted" in event.get("id", {}):
                if not event.get("completed", {}).get("success"):
                    label = event["id"]["targetCompleted"]["label"]
                    totals.failed.append("%s (not built)" % label)


def show(title, rows):
    """Prints a list, shortened."""
    if rows:
        print("%s (%d):" % (title, len(rows)))
        for row in rows[:SHOWN_MAX]:
            print("  " + row)
        if len(rows) > SHOWN_MAX:
            print("  and %d more" % (len(rows) - SHOWN_MAX))


def show_requirements(totals, program):
    """Prints the table; an enforced requirement that no passing test proves is one failure."""
    if not os.path.exists(program):
        totals.failed.append("requirements table (//docs:requirements was not built)")
        return
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as ids:
        ids.write("\n".join(sorted(totals.proved)) + "\n")
        ids.flush()
        spec = sorted(glob.glob("docs/spec/*.md")) + ["docs/spec/enforced.txt"]
        done = subprocess.run([program, "--table", ids.name] + spec, stdout=subprocess.PIPE,
                              text=True, check=False)
    print(done.stdout, end="")
    if done.returncode:
        totals.failed.append("requirements table (enforced ones are open)")


def main():
    """Entry point."""
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("events")
    ap.add_argument("--bazel-exit", type=int, default=0, help="exit code of bazel test")
    ap.add_argument("--requirements", help="the program //docs:requirements")
    args = ap.parse_args()
    totals = Totals()
    if os.path.exists(args.events):
        read_events(totals, args.events)
    if args.bazel_exit and not totals.failed:
        totals.failed.append("bazel test (exit code %d)" % args.bazel_exit)
    print()
    if args.requirements:
        show_requirements(totals, args.requirements)
    show("skipped", totals.skipped_only())
    show("failed", totals.failed)
    print("%d passed, %d failed" % (totals.passed, len(totals.failed)))
    return 1 if totals.failed or not totals.passed else 0


if __name__ == "__main__":
    sys.exit(main())
