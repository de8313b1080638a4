#!/usr/bin/env python3
"""A PostgreSQL cluster suffers, clients write all the while: nothing answered is lost, nothing is done twice.

    failover.py [--times N | --short] [--workload sql|cronista] [--seed N] [--keep DIRECTORY] [--loopback]

Faults, each N times (10) in random order: the leader is killed; cut off from everybody; frozen (as a machine that stalls);
asked to hand over; a replica is killed. What is away is brought back later, under load too, and must become a replica by
itself. --short is one kill and one cut, each with its way back.

After each fault every client must get through again by itself, and then

    - every answered write is there, as it was answered;
    - none is there twice, however often it was asked for;
    - positions are gapless;

and in the end the three databases hold the same. Prints TAP, one case a fault, and for each kind of fault the seconds
in which no write was answered and the seconds the unluckiest client waited for one (median and worst).
"""

import argparse
import os
import random
import statistics
import sys
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import cluster as clusters  # noqa: E402
import workloads  # noqa: E402
from support import Tap  # noqa: E402

DEBIAN_PYTHON = "/usr/bin/python3"  # whose packages patroni brings
RESUME = 60  # seconds in which every client must get through again
SETTLE = 90  # seconds in which the cluster must be whole again


class Trial:
    def __init__(self, cluster, workload, seed):
        self.cluster, self.workload = cluster, workload
        self.random = random.Random(seed)
        self.lost = None   # (node, how) that is away
        self.seconds = {}  # kind of fault -> [(nobody was answered, unluckiest client, cluster whole again)]
        self.rewinds = 0

    # The faults: each does its work and says who suffered.

    def kill_leader(self):
        leader = self.cluster.leader()
        self.cluster.kill(leader)
        self.lost = (leader, "killed leader")
        return leader.name

    def cut_leader(self):
        leader = self.cluster.leader()
        self.cluster.cut(leader)
        self.lost = (leader, "cut off leader")
        return leader.name

    def freeze_leader(self):
        leader = self.cluster.leader()
        self.cluster.freeze(leader)
        self.lost = (leader, "frozen leader")
        return leader.name

    def kill_replica(self):
        leader, follower = self.cluster.settled() or self.cluster.wait_settled(SETTLE)
        replica = self.random.choice([node for node in self.cluster.nodes if node != leader])
        self.cluster.kill(replica)
        self.lost = (replica, "killed replica")
        return f"{replica.name}, {'synchronous' if replica == follower else 'not synchronous'}"

    def switch_over(self):
        return f"to {self.cluster.switch_over().name}"

    def bring_back(self):
        node, _ = self.lost
        self.cluster.bring_back(node)
        self.lost = None
        return node.name

    FAULTS = {"leader killed": kill_leader, "leader cut off": cut_leader, "leader frozen": freeze_leader,
              "switchover": switch_over, "replica killed": kill_replica}

    def order(self, names, times):
        """Names of faults, `times` of each, as they come; what is away comes back before the next one goes."""
        left = Counter({name: times for name in names})
        while left or self.lost:
            if self.lost and not (left["switchover"] and self.random.random() < 0.2):
                yield f"{self.lost[1]} back"
                continue
            name = "switchover" if self.lost else self.random.choice(sorted(left.elements()))
            left[name] -= 1
            left = +left
            yield name

    def one(self, name):
        """(who suffered and how long, what is wrong)"""
        self.cluster.wait_settled(SETTLE)
        time.sleep(self.random.uniform(0.5, 2))
        begun = time.monotonic()
        returning = self.lost[0] if name.endswith(" back") else None
        rewinds = returning and returning.rewinds()
        who = self.bring_back() if returning else self.FAULTS[name](self)
        resumed = self.wait_resumed(begun)
        self.cluster.wait_settled(SETTLE)
        whole = time.monotonic()
        if returning:
            self.rewinds += returning.rewinds() > rewinds
        nobody, unluckiest = self.refused(begun, whole)
        self.seconds.setdefault(name, []).append((nobody, unluckiest, whole - begun))
        wrong = self.workload.wrong + self.workload.check(self.cluster.url())
        if not resumed:
            wrong.append(f"not every client got through again within {RESUME} s")
        return f"{who}: no answer for {nobody:.1f} s, a client for {unluckiest:.1f} s, whole after {whole - begun:.1f} s", wrong

    def wait_resumed(self, since):
        """Until every client was answered what it began to ask for after `since`."""
        while time.monotonic() - since < RESUME:
            if {a.client for a in reversed(self.workload.answers) if a.begun > since} >= set(self.workload.numbers):
                return True
            if self.workload.wrong:
                break
            time.sleep(0.1)
        return False

    def refused(self, since, until):
        """The longest time between since and until in which nobody was answered, and in which some client was not."""
        def longest(moments):
            moments = [since] + [m for m in moments if since < m < until] + [until]
            return max(later - earlier for earlier, later in zip(moments, moments[1:]))

        answers = list(self.workload.answers)
        return longest([a.ended for a in answers]), max(longest([a.ended for a in answers if a.client == number])
                                                        for number in self.workload.numbers)

    def report(self):
        yield f"{'':22} {'times':>5}   {'no write answered':>18}   {'unluckiest client':>18}   {'cluster whole':>18}"
        yield f"{'':22} {'':>5}   {'median    worst s':>18}   {'median    worst s':>18}   {'median    worst s':>18}"
        for name, rows in sorted(self.seconds.items()):
            columns = [f"{statistics.median(column):9.1f}{max(column):9.1f}" for column in zip(*rows)]
            yield f"{name:22} {len(rows):5}   {'   '.join(columns)}"
        backs = sum(len(rows) for name, rows in self.seconds.items() if name.endswith("leader back"))
        yield f"{self.rewinds} of {backs} former leaders were rewound, the others had nothing to take back"
        yield f"{len(self.workload.answers)} writes answered"


def run(arguments, tap):
    started = time.monotonic()
    with clusters.Cluster() as cluster:
        how = "each node a host of its own" if cluster.bridge else "all on loopback; cutting off is freezing"
        tap.note(f"seed {arguments.seed}; {how}; up after {time.monotonic() - started:.1f} s")
        if arguments.workload == "cronista":
            workload = workloads.CronistaWorkload(cluster.folder)
        else:
            workload = workloads.SqlWorkload()
        workload.prepare(cluster.url(clusters.OWNER))
        trial = Trial(cluster, workload, arguments.seed)
        try:
            workload.start(cluster.url())
            try:
                suffer(trial, arguments, tap)
            finally:
                workload.stop()
            wrong = workload.wrong + workload.check(cluster.url())
            tap.case("every answered write is there once, and positions are gapless", "\n".join(wrong[:40]) or None)
        finally:
            workload.close()
        tap.case("the clients' side ends well", "\n".join(workload.wrong) or None)
        prints = cluster.fingerprints()
        tap.case("the databases hold the same", None if len(set(prints.values())) == 1 else str(prints))
        for line in trial.report():
            tap.note(line)


def suffer(trial, arguments, tap):
    short = iter(("leader killed", "killed leader back", "leader cut off", "cut off leader back"))
    for name in short if arguments.short else trial.order(arguments.only or trial.FAULTS, arguments.times):
        try:
            what, wrong = trial.one(name)
        except clusters.Unusable as error:
            tap.case(name, str(error))
            raise
        tap.case(f"{name}: {what}", "\n".join(wrong[:40]) or None)
        if wrong:  # what comes after says nothing new
            if trial.lost:
                trial.bring_back()
            return


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--times", type=int, default=10, help="of each fault (10)")
    parser.add_argument("--short", action="store_true", help="one kill and one cut of the leader, each with its way back")
    parser.add_argument("--only", metavar="FAULT", action="append", choices=sorted(Trial.FAULTS), help="this fault alone")
    parser.add_argument("--workload", choices=("sql", "cronista"), default="sql")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--keep", type=Path, help="use this (new) directory and leave it")
    parser.add_argument("--loopback", action="store_true", help="no namespaces even where they can be had")
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    tap = Tap()
    reason = clusters.why_not()
    try:
        import psycopg2  # noqa: F401
    except ImportError:
        if not reason and os.path.realpath(sys.executable) != os.path.realpath(DEBIAN_PYTHON):
            os.execv(DEBIAN_PYTHON, [DEBIAN_PYTHON, "-B", *sys.argv])
        reason = reason or "no psycopg2 for Python"
    if reason:
        tap.skip("failover", reason)
        return tap.end()
    code = clusters.run_apart(arguments.loopback, arguments.keep)
    if code is not None:
        return code
    try:
        run(arguments, tap)
    except Exception as error:
        tap.case("the trial goes to its end", f"{type(error).__name__}: {error}")
    return tap.end()


if __name__ == "__main__":
    sys.exit(main())
