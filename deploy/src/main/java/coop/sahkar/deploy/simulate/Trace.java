package coop.sahkar.deploy.simulate;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.function.Consumer;

/**
 * What happened, a line each: the last lines are kept for who reads a failure, and all of them are
 * summed up in one number, so that two runs can be compared.
 */
final class Trace {
    private static final int LINES_KEPT = 400;
    private static final long FNV_PRIME = 0x100000001b3L;

    private final Deque<String> lines = new ArrayDeque<>();
    private final Agenda agenda;
    private final long startMillis;
    private final Consumer<String> reader;
    private long said;
    private long hash = 0xcbf29ce484222325L;

    /**
     * @param reader hears every line at once
     */
    Trace(Agenda agenda, Consumer<String> reader) {
        this.agenda = agenda;
        this.startMillis = agenda.nowMillis();
        this.reader = reader;
    }

    /** Something happened to the pool. */
    void say(String who, String what) {
        said++;
        note(who, what);
    }

    /** Something happened to an answer, which checks itself. */
    void note(String who, String what) {
        long millis = agenda.nowMillis() - startMillis;
        String line = seconds(millis) + " " + who + " " + what;
        for (int i = 0; i < line.length(); i++) {
            hash = (hash ^ line.charAt(i)) * FNV_PRIME;
        }
        reader.accept(line);
        lines.addLast(line);
        if (lines.size() > LINES_KEPT) {
            lines.removeFirst();
        }
    }

    /** How many lines there were about the pool. */
    long said() {
        return said;
    }

    /** Equal for equal runs. */
    long hash() {
        return hash;
    }

    List<String> lines() {
        return List.copyOf(lines);
    }

    private static String seconds(long millis) {
        String rest = Long.toString(1000 + millis % 1000).substring(1);
        return " ".repeat(Math.max(0, 6 - Long.toString(millis / 1000).length()))
                + millis / 1000
                + "."
                + rest;
    }
}
