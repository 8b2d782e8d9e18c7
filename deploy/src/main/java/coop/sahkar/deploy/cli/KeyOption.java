package coop.sahkar.deploy.cli;

import picocli.CommandLine.Option;

/** Who asks. */
final class KeyOption {
    @Option(
            names = {"--key", "--api-key"},
            paramLabel = "KEY",
            description = {
                "Your API key for the pool, if it asks for one. Better in the environment, SAHKAR_API_KEY, or as api-key in the settings file: what is on the command line, everybody on this machine can see."
            })
    private String key = "";

    /** The key that was given; empty for none. */
    String text() {
        return key.strip();
    }
}
