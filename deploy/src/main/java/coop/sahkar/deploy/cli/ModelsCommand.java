package coop.sahkar.deploy.cli;

import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.ModelInfo;
import coop.sahkar.deploy.terminal.Amounts;
import coop.sahkar.deploy.terminal.Table;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code sahkar models}. */
@Command(
        name = "models",
        description = {"List the models of the pool, and what keeps one from being ready.", ""},
        footer = {
            "",
            "Examples:",
            "  sahkar models",
            "  sahkar models --json | jq -r '.[] | select(.ready) | .id'",
            "  sahkar models --coordinator pool.example:7311"
        })
final class ModelsCommand extends Subcommand {
    @Mixin private PoolOptions pool = new PoolOptions();

    @Option(names = "--json", description = "Print JSON for programs instead of a table.")
    private boolean json;

    @Override
    public Integer call() {
        PrintWriter out = out();
        List<ModelInfo> models;
        try (InferenceClient client = pool.client()) {
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
                    model.ready() ? "ready" : "lacks blocks " + Amounts.blocks(model.missing()));
            if (!model.ready() && !model.explanation().isEmpty()) {
                why.append(model.name()).append(": ").append(model.explanation()).append('\n');
            }
        }
        return table + (why.isEmpty() ? "" : "\n" + why);
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
        return fields;
    }
}
