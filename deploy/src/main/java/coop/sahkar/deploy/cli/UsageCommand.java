package coop.sahkar.deploy.cli;

import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.v1.AccountUsage;
import coop.sahkar.proto.v1.UsageReply;
import coop.sahkar.proto.v1.UsageRequest;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar usage}. */
@Command(
        name = "usage",
        description = {
            "Show what accounts use: requests and tokens of this minute and of today (UTC), as the coordinator that leads counts them for the limits.",
            "",
            OperatorOptions.BY_WHAT_RIGHT,
            "Any other key shows what its own account uses.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar usage",
            "  SAHKAR_API_KEY=sk-sahkar-... sahkar usage --json"
        })
final class UsageCommand extends Subcommand {
    @Mixin private OperatorOptions operator = new OperatorOptions();

    @Option(names = "--json", description = "Print JSON for programs instead of a table.")
    private boolean json;

    @Override
    public Integer call() {
        UsageReply reply =
                operator.askUntil(
                        stub -> stub.usage(UsageRequest.getDefaultInstance()),
                        UsageReply::getLeads);
        if (!reply.getLeads()) {
            throw new CommandFailure(
                    ExitCode.FAILED,
                    "None of these coordinators leads; name the others too, with --coordinator.");
        }
        List<AccountUsage> accounts = reply.getAccountsList();
        if (json) {
            out().println(Json.write(accounts.stream().map(UsageCommand::fields).toList()));
        } else if (accounts.isEmpty()) {
            out().println("Nothing was used today.");
        } else {
            Table table =
                    new Table(
                            "ACCOUNT",
                            "TIER",
                            "REQUESTS/MIN",
                            "TOKENS/MIN",
                            "TOKENS TODAY",
                            "RUNNING");
            accounts.forEach(used ->
                    table.row(
                            used.getAccount(),
                            used.getTier(),
                            used.getRequestsThisMinute(),
                            used.getTokensThisMinute(),
                            used.getTokensToday(),
                            used.getSessions()));
            out().print(table);
        }
        out().flush();
        return ExitCode.OK;
    }

    private static Map<String, Object> fields(AccountUsage used) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("account", used.getAccount());
        fields.put("tier", used.getTier());
        fields.put("requests_this_minute", used.getRequestsThisMinute());
        fields.put("tokens_this_minute", used.getTokensThisMinute());
        fields.put("tokens_today", used.getTokensToday());
        fields.put("sessions", used.getSessions());
        return fields;
    }
}
