package coop.sahkar.deploy.cli;

import coop.sahkar.proto.v1.GetPolicyRequest;
import coop.sahkar.proto.v1.PolicyReply;
import coop.sahkar.proto.v1.PolicySetting;
import coop.sahkar.proto.v1.SetPolicyRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar policy}. */
@Command(
        name = "policy",
        description = {
            "Show or change the policy of the pool: who is served, the limits of each tier, the pool's own numbers, and what tokens cost in the ledger. Every coordinator follows it at once.",
            "",
            OperatorOptions.BY_WHAT_RIGHT,
            "To look, no key is needed.",
            "",
            "A limit of 0 is none. A tier begins with its first setting and ends with tiers.NAME=none.",
            "A price in the ledger holds for what is posted from then on: what was posted stays as it is.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar policy",
            "  sahkar policy set anonymous=off",
            "  sahkar policy set tiers.anonymous.requests_per_minute=20",
            "  sahkar policy set tiers.gold.tokens_per_day=2000000 tiers.gold.concurrent_sessions=8",
            "  sahkar policy set ledger.answer_price_micros=20 ledger.most_weight=256",
            "  sahkar policy set pool.max_wait_millis=20000 --if pool.max_wait_millis=10000",
            "  sahkar policy > policy.txt; edit policy.txt; sahkar policy set --file policy.txt"
        })
final class PolicyCommand extends Subcommand {
    /** What to do with it. */
    enum Action {
        SHOW,
        SET
    }

    private static final int MAX_FILE_BYTES = 64 * 1024;

    @Mixin private OperatorOptions operator = new OperatorOptions();

    @Parameters(
            index = "0",
            paramLabel = "ACTION",
            arity = "0..1",
            defaultValue = "show",
            description = "show, the default, or set.")
    private Action action = Action.SHOW;

    @Parameters(
            index = "1..*",
            paramLabel = "NAME=VALUE",
            description = "set: what to change, in this order, all or nothing.")
    private List<String> settings = List.of();

    @Option(
            names = "--if",
            paramLabel = "NAME=VALUE",
            description =
                    "set: change nothing unless this setting stands so, as show prints it. May be repeated.")
    private List<String> expected = List.of();

    @Option(
            names = "--file",
            paramLabel = "FILE",
            defaultValue = "",
            description = "set: read lines of NAME=VALUE, as show prints them; # begins a comment.")
    private String file = "";

    @Override
    public Integer call() {
        PolicyReply reply =
                switch (action) {
                    case SHOW ->
                            operator.ask(
                                    stub -> stub.getPolicy(GetPolicyRequest.getDefaultInstance()));
                    case SET -> {
                        SetPolicyRequest request = request();
                        yield operator.ask(stub -> stub.setPolicy(request));
                    }
                };
        reply.getSettingsList()
                .forEach(setting -> out().println(setting.getName() + "=" + setting.getValue()));
        out().flush();
        return ExitCode.OK;
    }

    private SetPolicyRequest request() {
        List<String> lines = new ArrayList<>(lines());
        lines.addAll(settings);
        if (lines.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.USAGE, "Say what to change, such as anonymous=off; or --file FILE.");
        }
        SetPolicyRequest.Builder request = SetPolicyRequest.newBuilder();
        lines.forEach(line -> request.addSettings(setting(line)));
        expected.forEach(line -> request.addExpected(setting(line)));
        return request.build();
    }

    private static PolicySetting setting(String line) {
        int equals = line.indexOf('=');
        if (equals < 1) {
            throw new CommandFailure(ExitCode.USAGE, "'%s' is not NAME=VALUE.".formatted(line));
        }
        return PolicySetting.newBuilder()
                .setName(line.substring(0, equals).strip())
                .setValue(line.substring(equals + 1).strip())
                .build();
    }

    private List<String> lines() {
        if (file.isEmpty()) {
            return List.of();
        }
        try {
            Path path = Path.of(file);
            if (Files.size(path) > MAX_FILE_BYTES) {
                throw new IOException("it has more than %d bytes".formatted(MAX_FILE_BYTES));
            }
            return Files.readAllLines(path).stream()
                    .map(line -> line.replaceFirst("#.*", "").strip())
                    .filter(line -> !line.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw new CommandFailure(
                    ExitCode.USAGE,
                    "The policy file %s cannot be read (%s).".formatted(file, e.getMessage()),
                    e);
        }
    }
}
