package coop.sahkar.deploy.cli;

import coop.sahkar.coordinator.Identity;
import coop.sahkar.coordinator.identity.Founding;
import coop.sahkar.proto.tls.Credentials;
import coop.sahkar.proto.tls.IdentityException;
import coop.sahkar.proto.tls.JoinToken;
import coop.sahkar.proto.tls.Joining;
import coop.sahkar.proto.tls.NodeFolder;
import coop.sahkar.proto.tls.Role;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar identity}. */
@Command(
        name = "identity",
        description = {
            "Say who belongs to a co-operative: certificates for its nodes, so that pools beyond one machine are encrypted and closed.",
            "",
            "'sahkar coordinator init' founds a co-operative; init here does the same for the data of a coordinator that is there already and does not run. token makes a token with which others join; it contains where coordinators are, how to know them, and a secret. Workers and new coordinators join with it when they start (--join); join here is for publishers. list shows who has joined, revoke has a node's certificates refused everywhere from now on.",
            "",
            "token, list and revoke take the certificate of a coordinator: run them as its user on its machine. Tokens are made, and certificates renewed, by coordinators that have the authority's key, tls/authority.pem: the first one, and others to whose folders it was copied.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar coordinator init --name forest --listen 192.168.1.10:7311 --raft-listen 192.168.1.10:7312",
            "  sahkar identity token -c 192.168.1.10:7311 --role worker --minutes 30 > token",
            "  sahkar worker --listen 192.168.1.20:7400 --join token",
            "  sahkar status -c 192.168.1.10:7311 --ca ca.pem",
            "  sahkar identity revoke worker/w-x2k4m7ab -c 192.168.1.10:7311"
        })
final class IdentityCommand extends Subcommand {
    /** What to do. */
    enum Action {
        INIT,
        TOKEN,
        JOIN,
        LIST,
        REVOKE
    }

    @Mixin private PoolOptions pool = new PoolOptions();
    @Mixin private DataOptions data = new DataOptions();
    @Mixin private TokenOption token = new TokenOption();

    @Parameters(
            index = "0",
            paramLabel = "ACTION",
            description = "init, token, join, list or revoke.")
    private Action action = Action.LIST;

    @Parameters(
            index = "1",
            arity = "0..1",
            paramLabel = "ROLE/ID",
            description = "Whom to revoke, such as worker/w-x2k4m7ab.")
    private @Nullable String node;

    @Option(
            names = "--name",
            paramLabel = "NAME",
            defaultValue = "pool",
            description = "init: what the co-operative is called. Default: ${DEFAULT-VALUE}.")
    private String name = "pool";

    @Option(
            names = "--id",
            paramLabel = "NAME",
            description =
                    "init, join: what the node is called among those of its kind. Default: as the data folder says, else 'coordinator' or 'client'.")
    private @Nullable String id;

    @Option(
            names = "--host",
            paramLabel = "NAME",
            split = ",",
            description = {
                "init, join: names and addresses that users reach this coordinator under, for browsers and other programs that look at them."
            })
    private List<String> hosts = List.of("127.0.0.1", "localhost");

    @Option(
            names = "--role",
            paramLabel = "ROLE",
            defaultValue = "worker",
            description =
                    "token: what who joins becomes: worker, coordinator, or client, which may publish models. Default: ${DEFAULT-VALUE}.")
    private Role role = Role.WORKER;

    @Option(
            names = "--uses",
            paramLabel = "N",
            defaultValue = "1",
            description = "token: how many may join with it. Default: ${DEFAULT-VALUE}.")
    private int uses = 1;

    @Option(
            names = "--minutes",
            paramLabel = "N",
            defaultValue = "60",
            description = "token: how long it lasts. Default: ${DEFAULT-VALUE}.")
    private int minutes = 60;

    @Override
    public Integer call() {
        try {
            switch (action) {
                case INIT -> init();
                case TOKEN -> calls().token(role, uses, minutes, out());
                case JOIN -> join();
                case LIST -> calls().list(out());
                case REVOKE -> revoke();
            }
        } catch (IdentityException e) {
            throw Membership.failure(e);
        }
        out().flush();
        return ExitCode.OK;
    }

    private void init() throws IdentityException {
        String own = id(Role.COORDINATOR);
        NodeFolder folder =
                Founding.found(
                        data.folder("coordinator"), name, own, hosts, System.currentTimeMillis());
        out().println(
                        "Co-operative '%s' is founded; coordinator '%s' has a certificate."
                                .formatted(name, own));
        out().println(
                        "  keys          %s (whoever can read it can make members)"
                                .formatted(folder.path()));
        out().println("  for everyone  %s".formatted(folder.publicCertificate()));
    }

    private void join() throws IdentityException {
        JoinToken given = token.token();
        if (given == null) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "Name the file that holds the token: --join FILE, or - to type it.");
        }
        if (given.role() == Role.WORKER) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "The token is for a worker: start it with 'sahkar worker --join'.");
        }
        NodeFolder folder = NodeFolder.in(data.folder(given.role().word()));
        Credentials joined =
                new Joining(folder, System::currentTimeMillis)
                        .join(
                                given,
                                id(given.role()),
                                given.role() == Role.COORDINATOR ? hosts : List.of());
        out().println(
                        "Joined '%s' as %s; the certificate is in %s."
                                .formatted(joined.name().coop(), joined.name(), folder.path()));
    }

    private String id(Role kind) {
        String given = id;
        if (given != null) {
            return given;
        }
        return kind == Role.COORDINATOR
                ? Identity.read(data.place("coordinator")).map(Identity::id).orElse(kind.word())
                : kind.word();
    }

    private void revoke() {
        String[] parts = node == null ? new String[0] : node.split("/", 2);
        if (parts.length != 2) {
            throw new CommandFailure(
                    ExitCode.USAGE, "Say whom to revoke, such as worker/w-x2k4m7ab.");
        }
        try {
            Role which = Role.valueOf(parts[0].toUpperCase(Locale.ROOT));
            calls().revoke(which, parts[1]);
        } catch (IllegalArgumentException e) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "A node is a worker, coordinator or client, not a " + parts[0] + ".",
                    e);
        }
        note("The certificates of %s count no more.".formatted(node));
    }

    /** Operators ask with the certificate of the coordinator whose folder they can read. */
    private IdentityCalls calls() {
        Membership own = Membership.in(data.place("coordinator"));
        if (!own.present()) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "%s holds no coordinator's certificate: run this where the coordinator runs, or name its folder with --data."
                            .formatted(own.folder().path()));
        }
        return new IdentityCalls(pool.addresses(), own);
    }
}
