package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.v1.CreateKeyReply;
import coop.sahkar.proto.v1.CreateKeyRequest;
import coop.sahkar.proto.v1.KeyMessage;
import coop.sahkar.proto.v1.ListKeysRequest;
import coop.sahkar.proto.v1.RevokeKeyRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar keys}. */
@Command(
        name = "keys",
        description = {
            "Make, list and end API keys of the pool.",
            "",
            OperatorOptions.BY_WHAT_RIGHT,
            "A member's own key makes, lists and ends keys of the member's account.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar keys create --account asha              a member's key, shown this once",
            "  sahkar keys create --account asha --role operator",
            "  sahkar keys create --account website --role service --tier member",
            "  sahkar keys list",
            "  sahkar keys revoke key-0f3a6c1d2b4e5f60",
            "",
            "A pool serves callers without a key until 'sahkar policy set anonymous=off'."
        })
final class KeysCommand extends Subcommand {
    /** What to do with them. */
    enum Action {
        CREATE,
        LIST,
        REVOKE
    }

    @Mixin private OperatorOptions operator = new OperatorOptions();

    @Parameters(
            index = "0",
            paramLabel = "ACTION",
            arity = "0..1",
            defaultValue = "list",
            description = "create, list (the default) or revoke.")
    private Action action = Action.LIST;

    @Parameters(
            index = "1",
            paramLabel = "KEY-ID",
            arity = "0..1",
            defaultValue = "",
            description = "revoke: the key's id, as list shows it.")
    private String keyId = "";

    @Option(
            names = "--account",
            paramLabel = "NAME",
            description = "create: whose key; a new name makes an account. Default: your own.")
    private String account = "";

    @Option(
            names = "--role",
            paramLabel = "ROLE",
            description =
                    "create: the account's role from now on. An operator runs the pool, a member"
                            + " minds the own keys, a service only asks. New accounts: member.")
    private String role = "";

    @Option(
            names = "--tier",
            paramLabel = "TIER",
            description =
                    "create: the account's tier from now on, whose limits 'sahkar policy' shows."
                            + " New accounts: member.")
    private String tier = "";

    @Option(names = "--label", paramLabel = "WORDS", description = "create: what the key is for.")
    private String label = "";

    @Option(names = "--json", description = "list: print JSON for programs instead of a table.")
    private boolean json;

    @Override
    public Integer call() {
        return switch (action) {
            case CREATE -> create();
            case LIST -> list();
            case REVOKE -> revoke();
        };
    }

    private int create() {
        CreateKeyRequest request =
                CreateKeyRequest.newBuilder()
                        .setAccount(account)
                        .setRole(role)
                        .setTier(tier)
                        .setLabel(label)
                        .build();
        CreateKeyReply made = operator.ask(stub -> stub.createKey(request));
        KeyMessage key = made.getKey();
        out().println(made.getSecret());
        out().flush();
        note(
                "This is %s of account %s (%s, tier %s). It is shown this once; only its hash is kept."
                        .formatted(key.getId(), key.getAccount(), key.getRole(), key.getTier()));
        return ExitCode.OK;
    }

    private int list() {
        List<KeyMessage> keys =
                operator.ask(stub -> stub.listKeys(ListKeysRequest.getDefaultInstance()))
                        .getKeysList();
        if (json) {
            out().println(Json.write(keys.stream().map(KeysCommand::fields).toList()));
        } else if (keys.isEmpty()) {
            out().println("No keys yet; make one with 'sahkar keys create --account NAME'.");
        } else {
            Table table = new Table("KEY", "ACCOUNT", "ROLE", "TIER", "MADE", "STATE", "LABEL");
            keys.forEach(key ->
                    table.row(
                            key.getId(),
                            key.getAccount(),
                            key.getRole(),
                            key.getTier(),
                            Amounts.moment(key.getCreatedAtMillis()),
                            key.getRevokedAtMillis() == 0 ? "good" : "revoked",
                            key.getLabel()));
            out().print(table);
        }
        out().flush();
        return ExitCode.OK;
    }

    private int revoke() {
        if (keyId.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.USAGE, "Name the key to end; 'sahkar keys list' shows their ids.");
        }
        RevokeKeyRequest request = RevokeKeyRequest.newBuilder().setKeyId(keyId).build();
        KeyMessage ended = operator.ask(stub -> stub.revokeKey(request)).getKey();
        out().println("%s of %s is good no more.".formatted(ended.getId(), ended.getAccount()));
        out().flush();
        return ExitCode.OK;
    }

    private static Map<String, Object> fields(KeyMessage key) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", key.getId());
        fields.put("account", key.getAccount());
        fields.put("role", key.getRole());
        fields.put("tier", key.getTier());
        fields.put("label", key.getLabel());
        fields.put("created_at", Amounts.moment(key.getCreatedAtMillis()));
        fields.put("good", key.getRevokedAtMillis() == 0);
        return fields;
    }
}
