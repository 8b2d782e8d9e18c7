package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.ModelInfo;
import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Table;
import coop.sahkar.proto.v1.GiveNoticeReply;
import coop.sahkar.proto.v1.GiveNoticeRequest;
import java.io.PrintWriter;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar models}. */
@Command(
        name = "models",
        description = {
            "List the models of the pool, and what keeps one from being ready; or withdraw one.",
            "",
            "A model is withdrawn with notice: until then lists and answers tell its users, from then on it takes no new requests, and answers under way have ten minutes. The policy's pool.withdrawal_notice_seconds says how long a notice is at least.",
            "",
            OperatorOptions.BY_WHAT_RIGHT,
            "To look, no key is needed.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar models",
            "  sahkar models --json | jq -r '.[] | select(.ready) | .id'",
            "  sahkar models --coordinator pool.example:7311",
            "  sahkar models withdraw old-model              as soon as the policy allows",
            "  sahkar models withdraw old-model --in 30d",
            "  sahkar models keep old-model                  it stays after all"
        })
final class ModelsCommand extends Subcommand {
    /** What to do with them. */
    enum Action {
        LIST,
        WITHDRAW,
        KEEP
    }

    @Mixin private OperatorOptions operator = new OperatorOptions();

    @Parameters(
            index = "0",
            paramLabel = "ACTION",
            arity = "0..1",
            defaultValue = "list",
            description = "list (the default), withdraw or keep.")
    private Action action = Action.LIST;

    @Parameters(
            index = "1",
            paramLabel = "MODEL",
            arity = "0..1",
            defaultValue = "",
            description = "withdraw, keep: the model's name, or its id.")
    private String model = "";

    @Option(
            names = "--in",
            paramLabel = "TIME",
            converter = TimeSpan.Converter.class,
            description =
                    "withdraw: how long from now, such as 12h or 30d. Default: the notice that the policy promises.")
    private @Nullable TimeSpan in;

    @Option(names = "--json", description = "Print JSON for programs instead of a table.")
    private boolean json;

    @Override
    public Integer call() {
        return switch (action) {
            case LIST -> list();
            case WITHDRAW -> notice(false);
            case KEEP -> notice(true);
        };
    }

    private int notice(boolean stays) {
        if (model.isEmpty()) {
            throw new CommandFailure(
                    ExitCode.USAGE, "Name the model; 'sahkar models' lists what there is.");
        }
        GiveNoticeRequest.Builder request =
                GiveNoticeRequest.newBuilder().setModel(model).setStays(stays);
        if (in != null) {
            request.setInMillis(in.millis());
        }
        GiveNoticeReply notice = operator.ask(stub -> stub.giveNotice(request.build()));
        out().println(
                        stays
                                ? notice.getModelId() + " stays."
                                : "%s takes no new requests from %s on."
                                        .formatted(
                                                notice.getModelId(),
                                                Amounts.moment(notice.getGoneAtMillis())));
        out().flush();
        return ExitCode.OK;
    }

    private int list() {
        PrintWriter out = out();
        List<ModelInfo> models;
        try (InferenceClient client = operator.client()) {
            models = client.models();
        }
        if (json) {
            out.println(Json.write(models.stream().map(ModelsCommand::fields).toList()));
        } else if (models.isEmpty()) {
            out.println("No models yet; publish one with 'sahkar publish FILE.gguf'.");
        } else {
            out.print(table(models));
        }
        out.flush();
        return ExitCode.OK;
    }

    private static String table(List<ModelInfo> models) {
        Table table = new Table("MODEL", "KIND", "TYPE", "SIZE", "BLOCKS", "CONTEXT", "STATE");
        StringBuilder why = new StringBuilder();
        for (ModelInfo model : models) {
            table.row(
                    model.name(),
                    model.architecture(),
                    model.quantization(),
                    Amounts.bytes(model.fileBytes()),
                    model.blockCount(),
                    model.contextLength(),
                    state(model));
            if (!model.ready() && !model.explanation().isEmpty()) {
                why.append(model.name()).append(": ").append(model.explanation()).append('\n');
            }
        }
        return table + (why.isEmpty() ? "" : "\n" + why);
    }

    private static String state(ModelInfo model) {
        String now = model.ready() ? "ready" : "lacks blocks " + Amounts.blocks(model.missing());
        return now
                + model.withdrawnAt()
                        .map(then ->
                                ", withdrawn from " + Amounts.moment(then.toEpochMilli()) + " on")
                        .orElse("");
    }

    private static Map<String, Object> fields(ModelInfo model) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("id", model.id());
        fields.put("name", model.name());
        fields.put("architecture", model.architecture());
        fields.put("quantization", model.quantization());
        fields.put("file_bytes", model.fileBytes());
        fields.put("block_count", model.blockCount());
        fields.put("context_length", model.contextLength());
        fields.put("ready", model.ready());
        fields.put(
                "missing_blocks",
                model.missing().stream().map(span -> List.of(span.first(), span.end())).toList());
        fields.put("explanation", model.explanation());
        fields.put("published_at", model.publishedAt().toString());
        fields.put("withdrawn_at", model.withdrawnAt().map(Instant::toString).orElse(null));
        return fields;
    }
}
