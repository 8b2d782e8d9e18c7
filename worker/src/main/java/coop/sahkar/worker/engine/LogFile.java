package coop.sahkar.worker.engine;

import coop.sahkar.worker.engine.StageMessage.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The oldest positions of one boundary log, on disk: pages of consecutive positions, the oldest
 * given up first. Confined to the engine's thread, but for {@link #write} and {@link #delete},
 * which are the disk's thread's. A page whose place another has taken is written before it, because
 * that thread writes in order.
 */
final class LogFile {
    private final LogDisk disk;
    private final ArrayDeque<LogPage> pages = new ArrayDeque<>();
    private final BitSet slots = new BitSet();

    private boolean used;

    /** Made by the disk's thread with the first page. */
    private volatile @Nullable PageFile file;

    LogFile(LogDisk disk) {
        this.disk = disk;
    }

    int pageBytes() {
        return disk.pageBytes();
    }

    boolean empty() {
        dropLost();
        return pages.isEmpty();
    }

    /** The first position here; there is one. */
    int start() {
        return pages.getFirst().firstPosition();
    }

    /** Whether a frame that wanted a token ended with the last position here; there is one. */
    boolean wantsToken() {
        return pages.getLast().wantsToken();
    }

    /**
     * Takes frames that follow what is here, of one codec and at most a page together. When they
     * cannot be kept, nothing is: what is older is of no use without them.
     */
    void add(List<Frame> frames) {
        if (!disk.takes() || !makeRoom()) {
            clear();
            return;
        }
        LogPage page = new LogPage(frames, slots.nextClearBit(0));
        slots.set(page.slot());
        pages.addLast(page);
        used = true;
        if (!disk.write(() -> write(page))) {
            clear();
        }
    }

    /** Forgets the positions from {@code position} on. */
    void truncate(int position) {
        while (!pages.isEmpty() && pages.getLast().firstPosition() >= position) {
            give(pages.removeLast());
        }
        if (!pages.isEmpty()) {
            pages.getLast().truncate(position);
        }
    }

    /** The pages that hold {@code position} and what comes behind, the oldest first. */
    List<LogPage> from(int position) {
        return pages.stream().filter(page -> page.endPosition() > position).toList();
    }

    /** The positions of a page from {@code position} on; null when the disk has lost it. */
    @Nullable Frame read(LogPage page, int position) {
        ByteBuffer bytes = page.waiting();
        if (bytes == null) {
            bytes = readBack(page);
        }
        return bytes == null ? null : page.frame(position, bytes);
    }

    /** Gives everything back and deletes the file. */
    void close() {
        clear();
        if (used) {
            disk.close(this::delete);
        }
    }

    private boolean makeRoom() {
        if (disk.takePage()) {
            return true;
        }
        if (pages.isEmpty()) {
            return false;
        }
        LogPage oldest = pages.removeFirst();
        oldest.drop();
        slots.clear(oldest.slot());
        return true;
    }

    private void clear() {
        while (!pages.isEmpty()) {
            give(pages.removeLast());
        }
    }

    private void give(LogPage page) {
        page.drop();
        slots.clear(page.slot());
        disk.givePages(1);
    }

    /** Drops what the disk has lost, and all that is older. */
    private void dropLost() {
        boolean lost = false;
        for (Iterator<LogPage> newest = pages.descendingIterator(); newest.hasNext(); ) {
            LogPage page = newest.next();
            lost |= page.lost();
            if (lost) {
                newest.remove();
                give(page);
            }
        }
    }

    private @Nullable ByteBuffer readBack(LogPage page) {
        PageFile source = file;
        if (page.lost() || source == null) {
            return null;
        }
        try {
            ByteBuffer bytes = ByteBuffer.allocate(page.size());
            source.read(bytes, place(page));
            bytes.flip();
            if (page.matches(bytes)) {
                return bytes.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
            }
            disk.failed("a page was read back changed");
        } catch (IOException e) {
            disk.failed(e.toString());
        }
        page.lose();
        return null;
    }

    private long place(LogPage page) {
        return (long) page.slot() * disk.pageBytes();
    }

    private void write(LogPage page) {
        ByteBuffer bytes = page.waiting();
        if (bytes == null) {
            return; // forgotten meanwhile
        }
        try {
            PageFile target = file;
            if (target == null) {
                target = disk.file();
                file = target;
            }
            long sum = LogPage.checksum(bytes);
            target.write(bytes, place(page));
            page.written(sum);
        } catch (IOException e) {
            page.lose();
            disk.failed(e.toString());
        }
    }

    private void delete() {
        PageFile done = file;
        if (done != null) {
            try {
                done.close();
            } catch (IOException e) {
                disk.failed(e.toString());
            }
        }
    }
}
