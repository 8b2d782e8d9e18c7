package coop.sahkar.deploy.e2e;

import java.util.List;

/**
 * One thing that a client, which knows nothing of us, gets done.
 *
 * @param client its name and version
 * @param endpoint what it talks to
 * @param shows parameters and the like, as they stand in the table
 */
record ClientCase(String client, String endpoint, List<String> shows, Check check) {
    /** Throws if it cannot be done. */
    interface Check {
        void run() throws Exception;
    }

    String title() {
        return client + ": " + endpoint + " " + String.join(", ", shows);
    }
}
