package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceException;
import coop.sahkar.client.catalog.Catalog;
import coop.sahkar.client.catalog.Fact;
import coop.sahkar.client.catalog.FreeProvider;
import coop.sahkar.client.provider.Provider;
import coop.sahkar.deploy.terminal.Table;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar providers}. */
@Command(
        name = "providers",
        description = {
            "List services beside the pool that answer for free, or check which of them your keys open.",
            "",
            "Facts were read on the date beside them; a '?' marks what was not read at the provider's own pages. Free offers change without notice.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar providers",
            "  sahkar providers --json | jq -r '.[] | .name + \" \" + .limits.source'",
            "  GROQ_API_KEY=gsk_... sahkar providers check"
        })
final class ProvidersCommand extends Subcommand {
    /** What to do with them. */
    enum Action {
        LIST,
        CHECK
    }

    @Parameters(
            paramLabel = "ACTION",
            arity = "0..1",
            defaultValue = "list",
            description = "list, the default, or check: ask each whose key is in the environment.")
    private Action action = Action.LIST;

    @Option(
            names = "--json",
            description = "Print JSON for programs, with the source of each fact.")
    private boolean json;

    private record Checked(FreeProvider provider, boolean failed, String result) {}

    @Override
    public Integer call() {
        return switch (action) {
            case LIST -> list();
            case CHECK -> check();
        };
    }

    private int list() {
        List<FreeProvider> all = Catalog.all();
        PrintWriter out = out();
        if (json) {
            out.println(Json.write(all.stream().map(ProvidersCommand::fields).toList()));
        } else {
            Table table = new Table("NAME", "KEY", "TRAINS", "CONTEXT", "FREE LIMITS");
            for (FreeProvider provider : all) {
                table.row(
                        provider.name(),
                        provider.keyVariable(),
                        shown(provider.training()),
                        provider.context().value().equals("0") ? "-" : shown(provider.context()),
                        shown(provider.limits()));
            }
            out.print(table);
        }
        out.flush();
        return ExitCode.OK;
    }

    private static String shown(Fact fact) {
        boolean plain = fact.verified() || fact.value().equals("unknown");
        return fact.value() + (plain ? "" : "?");
    }

    private int check() {
        List<Checked> checked = new ArrayList<>();
        for (FreeProvider provider : Catalog.all()) {
            checked.add(check(provider, System.getenv()));
        }
        PrintWriter out = out();
        if (json) {
            out.println(
                    Json.write(
                            checked.stream()
                                    .map(c -> Map.of("name", c.provider.name(), "result", c.result))
                                    .toList()));
        } else {
            Table table = new Table("NAME", "RESULT");
            checked.forEach(c -> table.row(c.provider.name(), c.result));
            out.print(table);
        }
        out.flush();
        return checked.stream().anyMatch(Checked::failed) ? ExitCode.FAILED : ExitCode.OK;
    }

    private static Checked check(FreeProvider free, Map<String, String> environment) {
        String key = environment.getOrDefault(free.keyVariable(), "");
        if (key.isBlank()) {
            return new Checked(free, false, "no key; set " + free.keyVariable());
        }
        try (Provider provider = free.provider(key, "")) {
            List<String> models = provider.modelNames();
            return new Checked(free, false, "opens, with %d models".formatted(models.size()));
        } catch (InferenceException e) {
            return new Checked(free, true, String.valueOf(e.getMessage()));
        }
    }

    private static Map<String, Object> fields(FreeProvider provider) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("name", provider.name());
        fields.put("title", provider.title());
        fields.put("key_variable", provider.keyVariable());
        fields.put("base_url", fact(provider.baseUrl()));
        fields.put("model", fact(provider.model()));
        fields.put("context_tokens", fact(provider.context()));
        fields.put("limits", fact(provider.limits()));
        fields.put("retention", fact(provider.retention()));
        fields.put("training", fact(provider.training()));
        return fields;
    }

    private static Map<String, Object> fact(Fact fact) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("value", fact.value());
        fields.put("source", fact.source());
        fields.put("date", fact.date().toString());
        fields.put("verified", fact.verified());
        fields.put("note", fact.note());
        return fields;
    }
}
