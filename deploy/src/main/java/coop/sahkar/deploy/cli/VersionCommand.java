package coop.sahkar.deploy.cli;

import coop.sahkar.proto.Limits;
import java.io.PrintWriter;
import java.util.Optional;
import picocli.CommandLine.Command;

/** {@code sahkar version}. */
@Command(
        name = "version",
        description = {"Print the versions of sahkar, its wire protocol and Java.", ""},
        footer = {"", "Example:", "  sahkar version"})
final class VersionCommand extends Subcommand {

    @Override
    public Integer call() {
        PrintWriter out = out();
        out.println("sahkar " + software());
        out.println("protocol " + Limits.PROTOCOL_VERSION);
        out.println(
                "java %s on %s %s"
                        .formatted(
                                Runtime.version(),
                                System.getProperty("os.name"),
                                System.getProperty("os.arch")));
        out.flush();
        return ExitCode.OK;
    }

    /** The version this jar was built as. */
    static String software() {
        return Optional.ofNullable(VersionCommand.class.getPackage().getImplementationVersion())
                .orElse("unpackaged");
    }
}
