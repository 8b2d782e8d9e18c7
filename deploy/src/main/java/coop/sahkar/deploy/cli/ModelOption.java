package coop.sahkar.deploy.cli;

import picocli.CommandLine.Option;

/** Which model is meant. */
final class ModelOption {
    @Option(
            names = {"-m", "--model"},
            paramLabel = "NAME",
            defaultValue = "",
            description = "The model's name or id. May be left out when the pool has only one.")
    private String name = "";

    /** As it was given; empty for the pool's only one. */
    String name() {
        return name;
    }
}
