package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.gateway.StatusFields;
import coop.sahkar.proto.v1.PoolStatus;
import java.io.PrintWriter;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar status}. */
@Command(
        name = "status",
        description = {
            "Show the pool: its workers, which blocks each serves, the gaps, how far workers are",
            "from each other, what waits, and what repairs are doing.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar status",
            "  sahkar status --json",
            "  watch sahkar status --coordinator pool.example:7311"
        })
final class StatusCommand extends Subcommand {
    @Mixin private PoolOptions pool = new PoolOptions();

    @Option(names = "--json", description = "Print JSON for programs instead of tables.")
    private boolean json;

    @Override
    public Integer call() {
        PoolStatus status = PoolCalls.status(pool.addresses(), pool.transport());
        PrintWriter out = out();
        if (json) {
            out.println(Json.write(StatusFields.of(status)));
        } else {
            out.print(StatusReport.tables(status));
        }
        out.flush();
        return ExitCode.OK;
    }
}
