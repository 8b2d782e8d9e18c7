package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.WholeFile;
import coop.sahkar.coordinator.log.LogFormatException;
import coop.sahkar.coordinator.log.PoolBackup;
import coop.sahkar.proto.v1.BackupPart;
import coop.sahkar.proto.v1.BackupRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code sahkar coordinator backup}. */
@Command(
        name = "backup",
        description = {
            "Write what the coordinators share to a file: models with their manifests, workers, placement, rules. Any coordinator gives it, with all that was acknowledged before.",
            "",
            "No secret is in it. It appears whole or not at all.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar coordinator backup pool.backup",
            "  sahkar coordinator restore pool.backup --data /srv/new"
        })
final class BackupCommand extends Subcommand {
    @Mixin private ClusterOptions pool = new ClusterOptions();

    @Parameters(paramLabel = "FILE", description = "Where to; replaced if it is there.")
    private Path file = Path.of("");

    @Override
    public Integer call() {
        byte[] content =
                pool.first(stub -> gather(stub.backup(BackupRequest.getDefaultInstance())));
        try {
            PoolBackup.read(content);
        } catch (LogFormatException e) {
            throw new CommandFailure(
                    ExitCode.FAILED, "What came is no backup: %s.".formatted(e.getMessage()), e);
        }
        try {
            WholeFile.write(file.toAbsolutePath(), content);
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "%s cannot be written (%s); what was there before is untouched."
                            .formatted(file, e.getMessage()),
                    e);
        }
        out().println("%d bytes in %s".formatted(content.length, file));
        out().flush();
        return ExitCode.OK;
    }

    private static byte[] gather(Iterator<BackupPart> parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        parts.forEachRemaining(part -> all.writeBytes(part.getBytes().toByteArray()));
        return all.toByteArray();
    }
}
