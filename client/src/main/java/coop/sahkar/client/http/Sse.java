package coop.sahkar.client.http;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** Server-sent events of a stream of lines. */
final class Sse {
    /** What comes. */
    sealed interface Frame {
        /** An event; its name is empty when none was given. */
        record Event(String name, String data) implements Frame {}

        /** A comment: the service is alive. */
        record Comment() implements Frame {}
    }

    private final Lines lines;

    Sse(Lines lines) {
        this.lines = lines;
    }

    /** The next frame; null at the end. What an unfinished event left behind is dropped. */
    @Nullable Frame next() throws IOException, NotAnAnswer {
        StringBuilder data = new StringBuilder();
        String name = "";
        boolean any = false;
        String line;
        while ((line = lines.next()) != null) {
            if (line.isEmpty()) {
                if (any) {
                    return new Frame.Event(name, data.toString());
                }
                name = "";
            } else if (line.startsWith(":")) {
                if (!any) {
                    return new Frame.Comment();
                }
            } else if (line.startsWith("data:")) {
                data.append(any ? "\n" : "").append(value(line, "data:"));
                any = true;
                if (data.length() > Bounds.MAX_EVENT_CHARS) {
                    throw new NotAnAnswer(
                            "sent an event of more than %d characters"
                                    .formatted(Bounds.MAX_EVENT_CHARS));
                }
            } else if (line.startsWith("event:")) {
                name = value(line, "event:");
            } else if (line.startsWith("{") || line.startsWith("<")) {
                throw new NotAnAnswer("sent lines that are no server-sent events");
            }
        }
        // Some services leave out the blank line after the last event.
        return any ? new Frame.Event(name, data.toString()) : null;
    }

    private static String value(String line, String field) {
        String value = line.substring(field.length());
        return value.startsWith(" ") ? value.substring(1) : value;
    }
}
