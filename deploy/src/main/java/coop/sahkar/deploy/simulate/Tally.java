package coop.sahkar.deploy.simulate;

import coop.sahkar.proto.Problem;
import coop.sahkar.worker.engine.StageStats;
import coop.sahkar.worker.engine.SteppedDisk;
import java.util.ArrayList;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;

/** Counts what happened. */
final class Tally {
    private static final int SAMPLES_KEPT = 1_000_000;

    final List<PlanTime> plans = new ArrayList<>();
    final List<Long> pauseMillis = new ArrayList<>();
    final List<Long> leavingMillis = new ArrayList<>();
    final List<Long> newcomerMillis = new ArrayList<>();
    final SortedMap<Problem.Kind, Integer> refusals = new TreeMap<>();
    final SortedMap<Problem.Kind, Integer> failures = new TreeMap<>();
    final SortedMap<String, Integer> troubles = new TreeMap<>();
    int asked;
    int finished;
    int survived;
    long tokens;
    long tokensWanted;
    double tokensPossible;
    int fetches;
    long fetchedBytes;
    int workersRefused;
    int leaversCutOff;
    int turns;
    long rowsReused;
    long moved;
    long rowsMoved;
    long notMoved;
    int pagesWritten;
    int pagesRead;

    void planned(PlanTime time) {
        keep(plans, time);
    }

    void fetched(long bytes) {
        fetches++;
        fetchedBytes += bytes;
    }

    void asked(int wanted) {
        asked++;
        tokensWanted += wanted;
    }

    /**
     * What all memory bandwidth that is there could have decoded meanwhile, one token at a time.
     */
    void possible(double tokens) {
        tokensPossible += tokens;
    }

    /** A worker that started was given something to do. */
    void employed(long millis) {
        keep(newcomerMillis, millis);
    }

    /**
     * A worker that was about to leave has gone; {@code empty} says whether it had nothing left.
     */
    void left(long millis, boolean empty) {
        keep(leavingMillis, millis);
        leaversCutOff += empty ? 0 : 1;
    }

    /** A chat's next turn is asked. */
    void turn() {
        turns++;
    }

    /** A stage is no more, or the run is over. */
    void stage(StageStats stats) {
        rowsReused += stats.rowsReused();
        moved += stats.moved();
        rowsMoved += stats.rowsMoved();
        notMoved += stats.notMoved();
    }

    /** The same of a worker's disk. */
    void disk(SteppedDisk disk) {
        pagesWritten += disk.written();
        pagesRead += disk.read();
    }

    void refused(Problem.Kind kind) {
        refusals.merge(kind, 1, Integer::sum);
    }

    void failed(Problem.Kind kind) {
        failures.merge(kind, 1, Integer::sum);
    }

    /** An answer is whole; {@code repaired} says whether it outlived a stage. */
    void finished(boolean repaired) {
        finished++;
        survived += repaired ? 1 : 0;
    }

    void repaired(long millis) {
        keep(pauseMillis, millis);
    }

    void served(int more) {
        tokens += more;
    }

    void refusedWorker() {
        workersRefused++;
    }

    void trouble(String what) {
        troubles.merge(what, 1, Integer::sum);
    }

    private static <T> void keep(List<T> samples, T sample) {
        if (samples.size() < SAMPLES_KEPT) {
            samples.add(sample);
        }
    }
}
