package coop.sahkar.deploy.cli;

import java.util.List;
import picocli.CommandLine.Option;

/** The plain words one has to say before anything listens unencrypted beyond this machine. */
final class ExposeOption {
    @Option(
            names = "--expose-without-encryption",
            description = {
                "Allow --listen with an address that other machines can reach, although this node has not joined a co-operative ('sahkar identity').",
                "Everyone on the way can then read prompts and answers, and everyone who can connect can use the pool."
            })
    private boolean exposed;

    /**
     * Checks where something listens unencrypted.
     *
     * @throws CommandFailure if one of them can be reached from outside and that was not allowed
     */
    void check(List<Endpoint> listening) {
        check(listening, false);
    }

    /**
     * Checks where something listens.
     *
     * @param encrypted whether it does so with certificates
     * @throws CommandFailure if one of them can be reached from outside and that was not allowed
     */
    void check(List<Endpoint> listening, boolean encrypted) {
        for (Endpoint endpoint : listening) {
            if (!exposed && !encrypted && !endpoint.loopback()) {
                throw new CommandFailure(
                        ExitCode.USAGE,
                        "%s can be reached from other machines, and nothing is encrypted there: everyone on the way could read prompts and answers. Join a co-operative first ('sahkar identity --help' says how), or add --expose-without-encryption if that is all right in your network."
                                .formatted(endpoint));
            }
        }
    }
}
