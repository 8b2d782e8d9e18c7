package coop.sahkar.coordinator.crash;

import coop.sahkar.coordinator.CoordinatorException;
import coop.sahkar.coordinator.state.LogUnavailableException;
import java.io.IOException;

/** How programs end whose steps are watched. */
public final class Ending {
    /** It said in a sentence why it does not go on. */
    public static final int SAID = 7;

    private Ending() {}

    /** What a program does. */
    @FunctionalInterface
    public interface Life {
        void run() throws IOException;
    }

    /** Runs it, its steps told, and ends the process. */
    public static void of(Life life) {
        FileSteps.arm();
        try {
            life.run();
            FileSteps.end();
            System.exit(0);
        } catch (CoordinatorException | LogUnavailableException | IOException e) {
            FileSteps.end();
            System.err.println(e.getMessage());
            System.exit(SAID);
        }
    }
}
