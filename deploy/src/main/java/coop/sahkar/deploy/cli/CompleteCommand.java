package coop.sahkar.deploy.cli;

import coop.sahkar.client.Completion;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.client.InferenceRequest;
import coop.sahkar.client.TokenStream;
import coop.sahkar.deploy.chat.Stats;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar complete}. */
@Command(
        name = "complete",
        description = {
            "Go on with a text, for pipes and scripts.",
            "",
            "The text is what stands on the command line, or what is piped in when nothing does, or where '-' stands. It goes to the model as it is, without a chat template; what the model adds comes on stdout, and nothing else does.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar complete \"Once upon a time\"",
            "  cat story.txt | sahkar complete --max-tokens 200 >> story.txt",
            "  sahkar complete --json --stop . \"A worker is\" | jq -r .text"
        })
final class CompleteCommand extends Subcommand {
    @Mixin private PoolOptions pool = new PoolOptions();
    @Mixin private KeyOption key = new KeyOption();
    @Mixin private ModelOption model = new ModelOption();
    @Mixin private SamplingOptions sampling = new SamplingOptions();
    @Mixin private FallbackOptions fallback = new FallbackOptions();

    @Option(names = "--stats", description = "Say on stderr what it took.")
    private boolean stats;

    @Option(
            names = "--json",
            description =
                    "Print one JSON object when all is there, instead of the text as it comes.")
    private boolean json;

    @Parameters(paramLabel = "TEXT", arity = "0..*", description = "What to go on with.")
    private List<String> words = List.of();

    @Override
    public Integer call() throws IOException {
        boolean piped = words.isEmpty() || words.equals(List.of("-"));
        String text = piped ? Piped.text() : String.join(" ", words);
        FallbackOptions.Chosen chosen = fallback.client(pool, key, model.name());
        try (InferenceClient client = chosen.client()) {
            InferenceRequest request =
                    InferenceRequest.prompt(chosen.model(), text).with(sampling.options());
            Completion completion = json ? client.complete(request) : shown(client, request);
            if (json) {
                out().println(Json.write(fields(completion)));
            }
            out().flush();
            if (stats) {
                note(Stats.of(completion));
            }
        }
        return ExitCode.OK;
    }

    private Completion shown(InferenceClient client, InferenceRequest request) {
        PrintWriter out = out();
        try (TokenStream stream = client.stream(request)) {
            while (stream.hasNext()) {
                out.print(stream.next().text());
                out.flush();
            }
            out.println();
            return stream.completion();
        }
    }

    private static Map<String, Object> fields(Completion completion) {
        Map<String, Object> fields = new LinkedHashMap<>();
        fields.put("text", completion.text());
        fields.put("finish_reason", completion.finishReason().name().toLowerCase(Locale.ROOT));
        fields.put("model", completion.answering().modelId());
        fields.put("prompt_tokens", completion.usage().promptTokens());
        fields.put("completion_tokens", completion.usage().completionTokens());
        fields.put("estimated", completion.usage().estimated());
        fields.put(
                "providers",
                completion.parts().stream().map(part -> part.provider()).distinct().toList());
        return fields;
    }
}
