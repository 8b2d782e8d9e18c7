package coop.sahkar.client.http;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** Lines of a stream, none longer than the bound, however they are cut into packets. */
final class Lines {
    private static final int CHUNK_BYTES = 8192;

    private final InputStream in;
    private final byte[] chunk = new byte[CHUNK_BYTES];
    private int at;
    private int filled;
    private long total;

    Lines(InputStream in) {
        this.in = in;
    }

    /** The next line without its end; null at the end of the stream. */
    @Nullable String next() throws IOException, NotAnAnswer {
        ByteArrayOutputStream line = new ByteArrayOutputStream();
        while (true) {
            if (at == filled && !fill()) {
                return line.size() == 0 ? null : text(line);
            }
            int start = at;
            while (at < filled && chunk[at] != '\n') {
                at++;
            }
            line.write(chunk, start, at - start);
            if (line.size() > Bounds.MAX_LINE_BYTES) {
                throw new NotAnAnswer(
                        "sent a line of more than %d bytes".formatted(Bounds.MAX_LINE_BYTES));
            }
            if (at < filled) {
                at++;
                return text(line);
            }
        }
    }

    private boolean fill() throws IOException, NotAnAnswer {
        at = 0;
        filled = Math.max(0, in.read(chunk));
        total += filled;
        if (total > Bounds.MAX_STREAM_BYTES) {
            throw new NotAnAnswer(
                    "sent more than %d bytes in one answer".formatted(Bounds.MAX_STREAM_BYTES));
        }
        return filled > 0;
    }

    private static String text(ByteArrayOutputStream line) {
        String text = line.toString(StandardCharsets.UTF_8);
        return text.endsWith("\r") ? text.substring(0, text.length() - 1) : text;
    }
}
