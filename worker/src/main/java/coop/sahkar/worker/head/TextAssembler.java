package coop.sahkar.worker.head;

import coop.sahkar.worker.engine.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Turns committed tokens into text that may be shown. Owned by one thread.
 *
 * <p>Works on bytes: since UTF-8 never has one character begin within another, a stop string is
 * found in the bytes exactly where it stands in the text, and what is cut before it is cut between
 * characters. Bytes wait as long as they may turn out to be the beginning of a stop string, or are
 * an unfinished character; never more than the longest stop string and three bytes.
 */
public final class TextAssembler {
    private final Vocabulary vocabulary;
    private final byte[][] stops;
    private long toSkip;
    private byte[] held = new byte[64];
    private int heldCount;
    private boolean stopped;

    /**
     * @param stops generation ends before the first of these that appears; none of them empty
     * @param deliveredBytes how much of the text, as UTF-8, the reader has already
     */
    public TextAssembler(Vocabulary vocabulary, List<String> stops, long deliveredBytes) {
        this.vocabulary = vocabulary;
        this.stops =
                stops.stream()
                        .map(stop -> stop.getBytes(StandardCharsets.UTF_8))
                        .toArray(byte[][]::new);
        this.toSkip = deliveredBytes;
    }

    /**
     * Takes the next token and returns what may be shown now: whole characters only, nothing that
     * may be the beginning of a stop string, nothing that was delivered before.
     */
    public String accept(int token) {
        if (stopped) {
            return "";
        }
        byte[] piece = vocabulary.piece(token);
        int searched = heldCount;
        append(piece);
        int stop = findStop(searched);
        if (stop >= 0) {
            stopped = true;
            heldCount = stop;
            return finish();
        }
        return release(wholeCharacters(heldCount - possibleStop()));
    }

    /** Whether a stop string has appeared; text from it on is never returned. */
    public boolean stopped() {
        return stopped;
    }

    /**
     * What was held back, once no more tokens come. What is left of an unfinished character becomes
     * U+FFFD.
     */
    public String finish() {
        return release(heldCount);
    }

    private void append(byte[] piece) {
        if (heldCount + piece.length > held.length) {
            held = Arrays.copyOf(held, Math.max(2 * held.length, heldCount + piece.length));
        }
        System.arraycopy(piece, 0, held, heldCount, piece.length);
        heldCount += piece.length;
    }

    /** Where the stop string begins that is complete first, behind {@code searched} bytes. */
    private int findStop(int searched) {
        for (int end = searched + 1; end <= heldCount; end++) {
            int longest = 0;
            for (byte[] stop : stops) {
                if (stop.length > longest
                        && stop.length <= end
                        && matches(stop, end - stop.length, stop.length)) {
                    longest = stop.length;
                }
            }
            if (longest > 0) {
                return end - longest;
            }
        }
        return -1;
    }

    /** Length of the longest end of the held bytes that a stop string begins with. */
    private int possibleStop() {
        int longest = 0;
        for (byte[] stop : stops) {
            for (int n = Math.min(stop.length - 1, heldCount); n > longest; n--) {
                if (matches(stop, heldCount - n, n)) {
                    longest = n;
                    break;
                }
            }
        }
        return longest;
    }

    private boolean matches(byte[] stop, int at, int count) {
        return Arrays.equals(held, at, at + count, stop, 0, count);
    }

    /** The most of the first {@code count} held bytes that ends with a whole character. */
    private int wholeCharacters(int count) {
        int begin = count - 1;
        while (begin >= 0 && count - begin <= 3 && (held[begin] & 0xC0) == 0x80) {
            begin--;
        }
        if (begin < 0 || count - begin > 3) {
            return count;
        }
        int needed = charBytes(held[begin]);
        return count - begin < needed ? begin : count;
    }

    private static int charBytes(byte first) {
        int value = first & 0xFF;
        if (value >= 0xF0 && value < 0xF8) {
            return 4;
        }
        if (value >= 0xE0) {
            return value < 0xF0 ? 3 : 1;
        }
        return value >= 0xC0 ? 2 : 1;
    }

    private String release(int count) {
        if (count <= 0) {
            return "";
        }
        String text = undelivered(new String(held, 0, count, StandardCharsets.UTF_8));
        heldCount -= count;
        System.arraycopy(held, count, held, 0, heldCount);
        return text;
    }

    // Counted in what was shown, in which a broken character has the three bytes of U+FFFD.
    private String undelivered(String text) {
        if (toSkip == 0) {
            return text;
        }
        byte[] shown = text.getBytes(StandardCharsets.UTF_8);
        int skip = (int) Math.min(toSkip, shown.length);
        toSkip -= skip;
        return new String(shown, skip, shown.length - skip, StandardCharsets.UTF_8);
    }
}
