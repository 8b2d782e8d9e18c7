package coop.sahkar.deploy.chat;

import java.util.List;
import org.jline.reader.EOFError;
import org.jline.reader.ParsedLine;
import org.jline.reader.Parser;

/** Takes a line as it is typed; one that ends with a backslash goes on in the next. */
final class ContinuedLines implements Parser {

    @Override
    public ParsedLine parse(String line, int cursor, ParseContext context) {
        if (context == ParseContext.ACCEPT_LINE && line.endsWith("\\")) {
            throw new EOFError(-1, -1, "the line goes on");
        }
        return new Whole(line, cursor);
    }

    /** What was typed, without the backslashes that joined its lines. */
    static String joined(String typed) {
        return typed.replace("\\\n", "\n");
    }

    private record Whole(String line, int cursor) implements ParsedLine {
        @Override
        public String word() {
            return line;
        }

        @Override
        public int wordCursor() {
            return cursor;
        }

        @Override
        public int wordIndex() {
            return 0;
        }

        @Override
        public List<String> words() {
            return List.of(line);
        }
    }
}
