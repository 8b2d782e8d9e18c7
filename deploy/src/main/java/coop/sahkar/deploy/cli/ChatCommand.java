package coop.sahkar.deploy.cli;

import coop.sahkar.client.Completion;
import coop.sahkar.client.InferenceClient;
import coop.sahkar.deploy.chat.ChatLoop;
import coop.sahkar.deploy.chat.Conversation;
import coop.sahkar.deploy.chat.Stats;
import coop.sahkar.deploy.terminal.Streams;
import java.io.IOException;
import java.io.PrintWriter;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code sahkar chat}. */
@Command(
        name = "chat",
        description = {
            "Talk with a model of the pool.",
            "",
            "Without a PROMPT it opens a conversation; with one it answers on stdout and exits. What is piped in is the prompt when none is given, or where '-' stands.",
            ""
        },
        footer = {
            "",
            "Examples:",
            "  sahkar chat",
            "  sahkar chat \"What is a worker?\"",
            "  echo \"What is a worker?\" | sahkar chat > answer.txt",
            "  sahkar chat --fallback groq --allow-training \"What is a worker?\"",
            "  sahkar chat --model sahkar-tiny-q8_0 --temperature 0.8 --seed 7 \"Tell me a story.\"",
            "",
            "In a conversation: /help lists the commands, a line that ends with \\ goes on in the next,",
            "Ctrl-C stops an answer, Ctrl-D leaves; at the prompt Ctrl-C leaves when pressed twice."
        })
final class ChatCommand extends Subcommand {
    @Mixin private PoolOptions pool = new PoolOptions();
    @Mixin private KeyOption key = new KeyOption();
    @Mixin private ModelOption model = new ModelOption();
    @Mixin private SamplingOptions sampling = new SamplingOptions();
    @Mixin private FallbackOptions fallback = new FallbackOptions();

    @Option(
            names = {"-s", "--system"},
            paramLabel = "TEXT",
            defaultValue = "",
            description = "Instructions ahead of the conversation.")
    private String system = "";

    @Option(names = "--stats", description = "Say on stderr what the answer took.")
    private boolean stats;

    @Parameters(paramLabel = "PROMPT", arity = "0..*", description = "What to ask.")
    private List<String> prompt = List.of();

    @Override
    public Integer call() throws IOException {
        FallbackOptions.Chosen chosen = fallback.client(pool, key, model.name());
        try (InferenceClient client = chosen.client()) {
            Conversation conversation =
                    new Conversation(client, chosen.model(), system, sampling.options());
            if (prompt.isEmpty() && Streams.inputIsTerminal()) {
                return converse(conversation);
            }
            boolean piped = prompt.isEmpty() || prompt.equals(List.of("-"));
            return answer(conversation, piped ? Piped.text().strip() : String.join(" ", prompt));
        }
    }

    private static int converse(Conversation conversation) throws IOException {
        ChatLoop loop = new ChatLoop(conversation, HistoryFile.ready(System.getenv()));
        return switch (loop.run()) {
            case DONE -> ExitCode.OK;
            case INTERRUPTED -> ExitCode.INTERRUPTED;
        };
    }

    private int answer(Conversation conversation, String question) {
        PrintWriter out = out();
        Completion completion =
                conversation.ask(
                        question,
                        text -> {
                            out.print(text);
                            out.flush();
                        });
        out.println();
        out.flush();
        if (stats) {
            note(Stats.of(completion));
        }
        return ExitCode.OK;
    }
}
