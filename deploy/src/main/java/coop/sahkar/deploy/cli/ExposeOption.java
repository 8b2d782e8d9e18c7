package coop.sahkar.deploy.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** The plain words one has to say before anything listens beyond this machine. */
final class ExposeOption {
    @Option(
            names = "--expose-without-encryption",
            description = {
                "Allow --listen with an address that other machines can reach.",
                "Links are not encrypted and not authenticated yet: everyone on the way can read prompts"
                        + " and answers, and everyone who can connect can use the pool."
            })
    private boolean exposed;

    /**
     * @throws CommandFailure if one of them can be reached from outside and that was not allowed
     */
    void check(List<Endpoint> listening) {
        for (Endpoint endpoint : listening) {
            if (!exposed && !endpoint.loopback()) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "%s can be reached from other machines, and links are not encrypted or authenticated yet: everyone on the way could read prompts and answers. Add --expose-without-encryption if that is all right in your network."
                                .formatted(endpoint));
            }
        }
    }
}
