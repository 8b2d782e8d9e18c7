package coop.sahkar.deploy.cli;

import java.nio.file.Path;
import java.util.Map;

/** Where Sahkar keeps things, by the XDG base directory rules. */
final class Folders {
    private Folders() {}

    /** Settings: {@code ~/.config/sahkar}. */
    static Path config(Map<String, String> environment) {
        return base(environment, "XDG_CONFIG_HOME", ".config");
    }

    /** What must last: {@code ~/.local/share/sahkar}. */
    static Path data(Map<String, String> environment) {
        return base(environment, "XDG_DATA_HOME", ".local/share");
    }

    /** What may be lost, such as the lines typed in a chat: {@code ~/.local/state/sahkar}. */
    static Path state(Map<String, String> environment) {
        return base(environment, "XDG_STATE_HOME", ".local/state");
    }

    private static Path base(Map<String, String> environment, String variable, String fallback) {
        String set = environment.getOrDefault(variable, "");
        Path base =
                set.isBlank() ? Path.of(System.getProperty("user.home"), fallback) : Path.of(set);
        return base.resolve("sahkar");
    }
}
