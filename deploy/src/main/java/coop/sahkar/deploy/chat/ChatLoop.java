package coop.sahkar.deploy.chat;

import coop.sahkar.client.InferenceException;
import coop.sahkar.client.ModelInfo;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import org.jline.reader.EndOfFileException;
import org.jline.reader.LineReader;
import org.jline.reader.LineReaderBuilder;
import org.jline.reader.UserInterruptException;
import org.jline.terminal.Terminal;
import org.jline.terminal.TerminalBuilder;

/** Reads questions from the terminal and shows answers, until the person leaves. */
public final class ChatLoop {
    /** How the person left. */
    public enum Left {
        /** With /quit or Ctrl-D. */
        DONE,
        /** With Ctrl-C at an empty prompt, twice. */
        INTERRUPTED
    }

    private static final String HELP =
            """
            /system TEXT   begin anew under these instructions; without TEXT, under none
            /model [NAME]  show the models, or go on with another
            /stats         what the last answer took
            /quit          leave (or Ctrl-D)
            A line that ends with \\ goes on in the next. Ctrl-C stops an answer; twice at the prompt, it leaves.\
            """;

    private static final int HISTORY_LINES = 1000;

    private final Conversation conversation;
    private final Path history;

    /**
     * @param history file that keeps the lines typed, for the arrow keys
     */
    public ChatLoop(Conversation conversation, Path history) {
        this.conversation = conversation;
        this.history = history;
    }

    /** Runs until the person leaves. */
    public Left run() throws IOException {
        try (Terminal terminal = TerminalBuilder.builder().system(true).dumb(true).build()) {
            LineReader reader =
                    LineReaderBuilder.builder()
                            .terminal(terminal)
                            .parser(new ContinuedLines())
                            .option(LineReader.Option.DISABLE_EVENT_EXPANSION, true)
                            .variable(LineReader.HISTORY_FILE, history)
                            .variable(LineReader.HISTORY_SIZE, HISTORY_LINES)
                            .variable(LineReader.SECONDARY_PROMPT_PATTERN, "  ")
                            .build();
            terminal.handle(Terminal.Signal.INT, _ -> conversation.stop());
            say(terminal, "/help lists what else there is.");
            boolean warned = false;
            while (true) {
                String typed;
                try {
                    typed = ContinuedLines.joined(reader.readLine("> ")).strip();
                    warned = false;
                } catch (UserInterruptException e) {
                    boolean empty = e.getPartialLine().isBlank();
                    if (empty && warned) {
                        return Left.INTERRUPTED;
                    }
                    // One that was meant for an answer may come a moment too late.
                    warned = empty;
                    say(terminal, empty ? "Ctrl-C once more leaves, as does Ctrl-D." : "");
                    continue;
                } catch (EndOfFileException e) {
                    return Left.DONE;
                }
                if (typed.equals("/quit") || typed.equals("/exit")) {
                    return Left.DONE;
                }
                take(terminal, typed);
            }
        }
    }

    private void take(Terminal terminal, String typed) {
        if (typed.isEmpty()) {
            return;
        }
        try {
            if (typed.startsWith("/")) {
                command(terminal, typed);
            } else {
                conversation.ask(typed, text -> show(terminal, text));
                say(terminal, "\n");
            }
        } catch (InferenceException.Cancelled stopped) {
            say(terminal, "\n[stopped]\n");
        } catch (InferenceException failure) {
            say(terminal, "\n[" + failure.getMessage() + "]\n");
        }
    }

    private void command(Terminal terminal, String typed) {
        int space = typed.indexOf(' ');
        String name = space < 0 ? typed : typed.substring(0, space);
        String rest = space < 0 ? "" : typed.substring(space).strip();
        switch (name) {
            case "/help" -> say(terminal, HELP);
            case "/system" -> {
                conversation.system(rest);
                say(terminal, "A new conversation" + (rest.isEmpty() ? "." : " under: " + rest));
            }
            case "/model" -> model(terminal, rest);
            case "/stats" ->
                    say(
                            terminal,
                            conversation
                                    .last()
                                    .map(Stats::of)
                                    .orElse("No answer is complete yet."));
            default -> say(terminal, "There is no " + name + ".\n" + HELP);
        }
    }

    private void model(Terminal terminal, String name) {
        List<ModelInfo> models = conversation.client().models();
        if (name.isEmpty() || models.stream().anyMatch(model -> isNamed(model, name))) {
            if (!name.isEmpty()) {
                conversation.model(name);
            }
        } else {
            say(terminal, "There is no model " + name + "; there are:");
        }
        say(
                terminal,
                models.stream()
                        .map(model -> line(model, conversation.model()))
                        .collect(Collectors.joining("\n")));
    }

    private static boolean isNamed(ModelInfo model, String name) {
        return name.equals(model.id()) || name.equalsIgnoreCase(model.name());
    }

    private static String line(ModelInfo model, String chosen) {
        return (isNamed(model, chosen) ? "* " : "  ")
                + model.name()
                + (model.ready() ? "" : " (not ready: " + model.explanation() + ")");
    }

    private static void show(Terminal terminal, String text) {
        terminal.writer().print(text);
        terminal.flush();
    }

    private static void say(Terminal terminal, String line) {
        terminal.writer().println(line);
        terminal.flush();
    }
}
