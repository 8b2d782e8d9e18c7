package coop.sahkar.worker.engine;

import static coop.sahkar.worker.engine.BoundaryLogTest.ROW_BYTES;
import static coop.sahkar.worker.engine.BoundaryLogTest.assertTrue;
import static coop.sahkar.worker.engine.BoundaryLogTest.frame;
import static coop.sahkar.worker.engine.BoundaryLogTest.spans;
import static org.assertj.core.api.Assertions.assertThat;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class LogOnDiskTest {
    private static final int PAGE_ROWS = 3;
    private static final long ALL = Long.MAX_VALUE;

    private final FakeDisk disk = new FakeDisk(4, PAGE_ROWS * ROW_BYTES);
    private final LogRoom room = LogRoom.over(5 * ROW_BYTES, disk.disk);
    private final LogBudget budget = new LogBudget(room);
    private final BoundaryLog log = new BoundaryLog(budget);

    private static void append(BoundaryLog log, int from, int to) {
        for (int position = from; position < to; position++) {
            log.append(frame(position, position + 1, true));
        }
    }

    private void assertKept(int start, int end) {
        assertThat(log.start()).isEqualTo(start);
        assertThat(log.end()).isEqualTo(end);
        List<Frame> again = log.from(start, 7, 4, ALL);
        assertTrue(again);
        assertThat(again.getFirst().firstPosition()).isEqualTo(start);
        assertThat(again.getLast().endPosition()).isEqualTo(end);
        assertThat(again).extracting(Frame::epoch).containsOnly(7);
        assertThat(again.getLast().wantToken()).isTrue();
    }

    @Test
    void theOldestGoToDiskAndComeBackFromThere() {
        append(log, 0, 12);
        disk.settle();
        assertThat(log.bytes()).isLessThanOrEqualTo(5L * ROW_BYTES);
        assertKept(0, 12);
        assertThat(disk.reads).isEqualTo(3);
        assertThat(spans(log.from(5, 1, 4, ALL))).containsExactly("5-9", "9-12");
    }

    @Test
    void whatIsNotWrittenYetComesFromMemory() {
        append(log, 0, 12);
        assertKept(0, 12);
        assertThat(disk.reads).isZero();
    }

    @Test
    void theOldestPageIsForgottenWhenTheDiskIsFull() {
        for (int position = 0; position < 60; position++) {
            append(log, position, position + 1);
            disk.settle();
            assertThat(disk.size()).isLessThanOrEqualTo(4 * PAGE_ROWS * ROW_BYTES);
            assertThat(log.end() - log.start()).isGreaterThan(Math.min(position, 4 * PAGE_ROWS));
        }
        assertKept(log.start(), 60);
        assertThat(disk.disk.freePages()).isZero();
    }

    @Test
    void frameAcrossAPageIsCut() {
        log.append(frame(0, 10, true));
        disk.settle();
        assertKept(0, 10);
        assertThat(log.bytes()).isEqualTo(4L * ROW_BYTES);
    }

    @Test
    void aRewindReachesTheDisk() {
        append(log, 0, 12);
        disk.settle();
        log.truncate(4);
        assertKept(0, 4);
        append(log, 4, 12);
        disk.settle();
        assertKept(0, 12);
        log.truncate(0);
        assertThat(log.start()).isZero();
        assertThat(log.end()).isZero();
        assertThat(disk.disk.freePages()).isEqualTo(4);
    }

    @Test
    void aTornFileLosesWhatIsOlderAndKeepsTheRest() {
        append(log, 0, 14);
        disk.settle();
        FakeDisk.FakeFile file = disk.files.getFirst();
        file.bytes[4 * ROW_BYTES] ^= 1;
        assertThat(spans(log.from(0, 1, 16, ALL))).as("up to the damage").containsExactly("0-3");
        assertThat(log.from(0, 1, 16, ALL)).isEmpty();
        assertKept(6, 14);
        file.bytes = Arrays.copyOf(file.bytes, file.bytes.length - 1);
        assertThat(log.from(6, 1, 16, ALL)).isEmpty();
        assertKept(log.start(), 14);
        assertThat(log.start()).isGreaterThan(6);
    }

    @Test
    void aFailingDiskIsUsedNoMore() {
        append(log, 0, 9);
        disk.settle();
        disk.full = true;
        append(log, 9, 15);
        disk.settle();
        int start = log.start();
        assertThat(start)
                .as("what the disk did not take, and all before")
                .isGreaterThanOrEqualTo(9);
        assertKept(start, 15);
        disk.full = false;
        append(log, 15, 40);
        assertThat(disk.tasks).isEmpty();
        assertThat(log.bytes()).isLessThanOrEqualTo(5L * ROW_BYTES);
        assertKept(log.start(), 40);
        log.close();
        disk.settle();
        assertThat(disk.files).isEmpty();
        assertThat(disk.disk.freePages()).isEqualTo(4);
    }

    @Test
    void aDiskThatIsSlowTakesOnlySoManyPages() {
        FakeDisk slow = new FakeDisk(1000, ROW_BYTES);
        BoundaryLog many = new BoundaryLog(new LogBudget(LogRoom.over(0, slow.disk)));
        append(many, 0, LogDisk.MOST_WAITING);
        assertThat(many.start()).isZero();
        append(many, LogDisk.MOST_WAITING, LogDisk.MOST_WAITING + 1);
        assertThat(slow.tasks).hasSize(LogDisk.MOST_WAITING);
        assertThat(many.start()).as("all of it is given up").isEqualTo(many.end());
        slow.settle();
        append(many, many.end(), many.end() + 3);
        slow.settle();
        assertThat(many.end() - many.start()).isEqualTo(3);
    }

    @Test
    void aSessionWithoutAPageDoesWithMemoryWhileOthersHaveThemAll() {
        append(log, 0, 30);
        disk.settle();
        BoundaryLog other = new BoundaryLog(budget);
        append(other, 0, 30);
        disk.settle();
        assertThat(other.start()).isEqualTo(other.end() - (int) (other.bytes() / ROW_BYTES));
        log.close();
        disk.settle();
        append(other, 30, 60);
        disk.settle();
        assertThat(other.end() - other.start()).isGreaterThan(4 * PAGE_ROWS);
        other.close();
        disk.settle();
        assertThat(disk.files).isEmpty();
        assertThat(disk.disk.freePages()).isEqualTo(4);
        assertThat(room.usedBytes()).isZero();
    }

    @Test
    void aRowWiderThanAPageIsNotKept() {
        FakeDisk narrow = new FakeDisk(10, ROW_BYTES - 1);
        BoundaryLog wide = new BoundaryLog(new LogBudget(LogRoom.over(2 * ROW_BYTES, narrow.disk)));
        append(wide, 0, 9);
        assertThat(wide.start()).isEqualTo(7);
    }

    /** Whatever is appended, rewound and asked for in whatever order: what comes back is right. */
    @Test
    void whatComesBackIsWhatWasSent() {
        for (int seed = 0; seed < 300; seed++) {
            Random random = new Random(seed);
            FakeDisk some = new FakeDisk(random.nextInt(8), ROW_BYTES * (1 + random.nextInt(5)));
            LogRoom tiny = LogRoom.over((long) random.nextInt(10) * ROW_BYTES, some.disk);
            BoundaryLog played = new BoundaryLog(new LogBudget(tiny));
            for (int i = 0; i < 200; i++) {
                play(random, some, played);
                assertThat(tiny.usedBytes()).isLessThanOrEqualTo(9L * ROW_BYTES);
            }
            played.close();
            some.settle();
            assertThat(some.files).isEmpty();
            assertThat(some.disk.freePages()).isEqualTo(some.pages);
        }
    }

    private static void play(Random random, FakeDisk disk, BoundaryLog log) {
        switch (random.nextInt(8)) {
            case 0 -> log.truncate(random.nextInt(log.end() + 1));
            case 1 -> disk.full = random.nextInt(50) == 0;
            case 2, 3 -> {
                if (!disk.tasks.isEmpty()) {
                    disk.step();
                }
            }
            case 4 -> {
                int from = random.nextInt(log.end() + 1);
                int start = log.start();
                List<Frame> again = log.from(from, 1, 1 + random.nextInt(6), ALL);
                assertTrue(again);
                if (from >= start && from < log.end() && !disk.full) {
                    assertThat(again.getFirst().firstPosition()).isEqualTo(from);
                    assertThat(again.getLast().endPosition()).isEqualTo(log.end());
                }
            }
            default -> {
                int rows = 1 + random.nextInt(6);
                log.append(frame(log.end(), log.end() + rows, random.nextBoolean()));
            }
        }
    }
}
