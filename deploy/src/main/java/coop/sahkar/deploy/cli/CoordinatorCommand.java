package coop.sahkar.deploy.cli;

import coop.sahkar.client.CoordinatorAddress;
import coop.sahkar.coordinator.Identity;
import coop.sahkar.coordinator.gateway.ClusterFields;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.v1.GroupMember;
import coop.sahkar.proto.v1.GroupReply;
import coop.sahkar.proto.v1.GroupRequest;
import coop.sahkar.proto.v1.RemoveRequest;
import coop.sahkar.proto.v1.TransferRequest;
import java.security.SecureRandom;
import java.util.HexFormat;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar coordinator}. */
@Command(
        name = "coordinator",
        subcommands = {
            CoordinatorCommand.Init.class,
            CoordinatorCommand.Join.class,
            CoordinatorCommand.Status.class,
            CoordinatorCommand.Transfer.class,
            CoordinatorCommand.Remove.class,
            BackupCommand.class,
            RestoreCommand.class,
        },
        description = {
            "Run a coordinator and its gateway.",
            "",
            "Workers report to it, it decides who serves which blocks, and clients ask through its gateway.",
            "",
            "It remembers models and placement in its data folder; starting it again goes on where it stopped. It ends with Ctrl-C, and by itself, with exit code 7, when its disk is full: make room and start it again.",
            "",
            "As it is, it serves this machine only, unencrypted. 'sahkar coordinator init' founds a co-operative, whose nodes show each other certificates: what beyond one machine is needed.",
            "",
            "One is enough to begin with. Three share a log, and any one of them may fail: 'sahkar coordinator join' starts the second and the third; after that 'sahkar coordinator' is enough, since each finds the others by its data folder.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar coordinator",
            "  sahkar coordinator --listen 127.0.0.1:8000 --data /srv/sahkar",
            "  sahkar coordinator init --name forest --listen 192.168.1.10:7311 --raft-listen 192.168.1.10:7312",
            "  sahkar identity token --role coordinator -c 192.168.1.10:7311 > token",
            "  sahkar coordinator join 192.168.1.10:7311 --join token --listen 192.168.1.11:7311 --raft-listen 192.168.1.11:7312",
            "  sahkar coordinator status -c 192.168.1.10:7311",
            "",
            "What comes next: 'sahkar worker' lends this machine's memory, 'sahkar publish FILE.gguf'",
            "brings a model, and any OpenAI client answers through http://127.0.0.1:7311/v1."
        })
final class CoordinatorCommand extends Subcommand {
    private static final String FIRST_ID = "coordinator";

    @Mixin private CoordinatorRun run = new CoordinatorRun();

    @Override
    public Integer call() throws InterruptedException {
        return run.run(FIRST_ID, null, out(), this::note);
    }

    /** {@code sahkar coordinator init}. */
    @Command(
            name = "init",
            description = {
                "Found a co-operative, and run its first coordinator.",
                "",
                "Makes the authority that its certificates come from, in the data folder: whoever can read that can make members. From the first moment on everything is encrypted; others join with a token ('sahkar identity token'). Where a coordinator's data are already, this changes nothing and says so; 'sahkar identity init' gives those certificates.",
                ""
            },
            footer = {
                "",
                "Examples:",
                "  sahkar coordinator init --name forest --listen 192.168.1.10:7311 --raft-listen 192.168.1.10:7312",
                "",
                "What comes next: 'sahkar identity token' lets workers, coordinators and publishers in. To start it again, leave out 'init'."
            })
    static final class Init extends Subcommand {
        @Mixin private CoordinatorRun run = new CoordinatorRun();

        @Option(
                names = "--name",
                paramLabel = "NAME",
                defaultValue = "pool",
                description = "What the co-operative is called. Default: ${DEFAULT-VALUE}.")
        private String name = "pool";

        @Override
        public Integer call() throws InterruptedException {
            Identity.read(run.place())
                    .ifPresent(known -> {
                        throw new CommandFailure(
                                ExitCode.FAILED,
                                "%s holds the data of coordinator %s already; 'sahkar coordinator' runs it, --data names another folder."
                                        .formatted(run.place(), known.id()));
                    });
            run.found(name, FIRST_ID, this::note);
            return run.run(FIRST_ID, null, out(), this::note);
        }
    }

    /** {@code sahkar coordinator join}. */
    @Command(
            name = "join",
            description = {
                "Join a pool as one more coordinator, and run.",
                "",
                "In a co-operative with certificates it needs one itself: --join with a token of 'sahkar identity token --role coordinator'. It copies the log first and counts from then on. Have three, or five: with two, both must be there. --raft-listen must be reachable for the other coordinators, and theirs for this one.",
                ""
            },
            footer = {
                "",
                "Examples, three on one machine:",
                "  sahkar coordinator",
                "  sahkar coordinator join 127.0.0.1:7311 --data /srv/b --listen 127.0.0.1:7321 --raft-listen 127.0.0.1:7322",
                "  sahkar coordinator join 127.0.0.1:7311 --data /srv/c --listen 127.0.0.1:7331 --raft-listen 127.0.0.1:7332",
                "",
                "What comes next: 'sahkar coordinator status'. To start it again later, leave out 'join HOST:PORT'."
            })
    static final class Join extends Subcommand {
        private static final int DRAWN_BYTES = 3;

        @Mixin private CoordinatorRun run = new CoordinatorRun();
        @Mixin private TokenOption token = new TokenOption();

        @Parameters(
                paramLabel = "HOST:PORT",
                description = "Where the gateway of a coordinator listens that is a member.")
        private String through = "";

        @Override
        public Integer call() throws InterruptedException {
            byte[] drawn = new byte[DRAWN_BYTES];
            new SecureRandom().nextBytes(drawn);
            String newId = FIRST_ID + "-" + HexFormat.of().formatHex(drawn);
            try {
                String gateway = CoordinatorAddress.parse(through).toString();
                run.join(token.token(), newId, this::note);
                return run.run(newId, gateway, out(), this::note);
            } catch (IllegalArgumentException e) {
                throw new CommandFailure(ExitCode.USAGE, e.getMessage() + ".", e);
            }
        }
    }

    /** {@code sahkar coordinator status}. */
    @Command(
            name = "status",
            description = {
                "Show the coordinators: who is one, who leads, and how far each is with the log.",
                ""
            })
    static final class Status extends Subcommand {
        @Mixin private ClusterOptions pool = new ClusterOptions();

        @Option(names = "--json", description = "Print JSON for programs instead of a table.")
        private boolean json;

        @Override
        public Integer call() {
            GroupReply group = pool.first(c -> c.group(GroupRequest.getDefaultInstance()));
            out().print(json ? Json.write(ClusterFields.of(group)) + "\n" : table(group));
            out().flush();
            return ExitCode.OK;
        }
    }

    /** {@code sahkar coordinator transfer}. */
    @Command(
            name = "transfer",
            description = {
                "Make another coordinator the leader, for example before work on the machine of the one that leads.",
                ""
            })
    static final class Transfer extends Subcommand {
        @Mixin private ClusterOptions pool = new ClusterOptions();

        @Parameters(
                paramLabel = "ID",
                arity = "0..1",
                description = "Which one; left out: any other.")
        private String id = "";

        @Override
        public Integer call() {
            TransferRequest request = TransferRequest.newBuilder().setId(id).build();
            out().print(table(pool.first(c -> c.transfer(request))));
            out().flush();
            return ExitCode.OK;
        }
    }

    /** {@code sahkar coordinator remove}. */
    @Command(
            name = "remove",
            description = {
                "Remove a coordinator from the pool for good.",
                "",
                "If it runs, it ends by itself. If it is lost with its data, this is how the others stop waiting for it; after that, join a new one under another id.",
                ""
            })
    static final class Remove extends Subcommand {
        @Mixin private ClusterOptions pool = new ClusterOptions();

        @Parameters(paramLabel = "ID", description = "Which one, as 'status' shows it.")
        private String id = "";

        @Override
        public Integer call() {
            RemoveRequest request = RemoveRequest.newBuilder().setId(id).build();
            out().print(table(pool.first(c -> c.remove(request))));
            out().flush();
            return ExitCode.OK;
        }
    }

    private static String table(GroupReply group) {
        List<GroupMember> members = group.getMembersList();
        long newest = members.stream().mapToLong(GroupMember::getCommitIndex).max().orElse(0);
        Table table = new Table("COORDINATOR", "ROLE", "GATEWAY", "LOG AT", "COMMITTED", "BEHIND");
        for (GroupMember member : members) {
            table.row(
                    member.getId(),
                    member.getId().equals(group.getLeaderId()) ? "leads" : "follows",
                    member.getGateway().isEmpty() ? "-" : member.getGateway(),
                    member.getRaft(),
                    member.getCommitIndex(),
                    newest - member.getCommitIndex());
        }
        String leader = group.getLeaderId().isEmpty() ? "nobody leads" : "term " + group.getTerm();
        return "%s, applied %d at %s, feature level %d%n%n%s"
                .formatted(
                        leader,
                        group.getAppliedIndex(),
                        group.getCoordinatorId(),
                        group.getLevel(),
                        table);
    }
}
