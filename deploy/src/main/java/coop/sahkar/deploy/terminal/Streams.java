package coop.sahkar.deploy.terminal;

import java.util.List;

/** Which of the standard streams are a terminal, as the launcher found. */
public final class Streams {
    private static final List<String> TERMINALS =
            List.of(System.getProperty("sahkar.terminal", "").split(","));

    private Streams() {}

    public static boolean inputIsTerminal() {
        return TERMINALS.contains("in");
    }

    public static boolean errorsAreTerminal() {
        return TERMINALS.contains("err");
    }
}
