# Short names for those who work on Cronista. The build itself is Meson's.
BUILD ?= build
FUZZ_SECONDS ?= 60
CRASH_ROUNDS ?= 200
FAILOVER_TIMES ?= 10
export BUILD

.PHONY: all check asan tsan fuzz bench crash failover nodes lint format install clean

all:
	@tools/build.sh

check:
	@python3 -B tests/run.py

asan:
	@python3 -B tests/run.py asan fuzz

tsan:
	@python3 -B tests/run.py tsan

# FUZZ_SECONDS for each fuzzer; what it finds goes to fuzz/corpus/NAME and is replayed by the tests from then on.
fuzz:
	@tools/fuzz.sh $(FUZZ_SECONDS)

# BENCH: its options, as BENCH="--quick --sections ab".
bench: all
	@tools/install_packages.sh bench
	@bench/bench.py --build $(BUILD) $(BENCH)

# CRASH_ROUNDS times kill -9 under load.
crash: all
	@CRONISTA_PROGRAM=$(BUILD)/cronista python3 -B tests/crash/storm.py --rounds $(CRASH_ROUNDS)

# A PostgreSQL cluster whose nodes are killed, cut off, frozen and brought back FAILOVER_TIMES times each, under load.
# FAILOVER: further options, as FAILOVER="--only switchover".
failover: all
	@tools/install_packages.sh test
	@CRONISTA_PROGRAM=$(BUILD)/cronista python3 -B tests/patroni/failover.py --workload cronista --times $(FAILOVER_TIMES) $(FAILOVER)

# Several nodes on one PostgreSQL. NODES: options, as NODES="--nodes 5 --seconds 600".
nodes: all
	@tools/install_packages.sh test
	@CRONISTA_PROGRAM=$(BUILD)/cronista python3 -B tests/nodes/nodes.py $(NODES)

lint: all
	@tools/lint.sh

format:
	@find src tests fuzz bench -name node_modules -prune -o \( -name '*.[ch]' -o -name '*.cc' \) -print | xargs clang-format -i

# PREFIX is given to meson setup --prefix; DESTDIR works as everywhere.
install: all
	@meson install -C $(BUILD) --no-rebuild

clean:
	@rm -rf $(BUILD) $(BUILD)-asan $(BUILD)-tsan $(BUILD)-fuzz
